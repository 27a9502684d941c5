// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax under test
/** What good configurations mean: every key, every default left as null, variables filled in. */
import { describe, expect, test } from "bun:test";
import { parseNerveConfig, parseWholeContract } from "../../src/config/parse.ts";
import { unwrittenSense } from "../../src/config/senses.ts";
import { formatProblem } from "../../src/model/problem.ts";
import { around } from "../helpers/config.ts";
import { workflowReflex } from "../helpers/reflex.ts";
import { CONTRACT_EXAMPLE } from "./example.ts";

const parsed = (text: string, source: Parameters<typeof around>[0] = {}) => {
  const result = parseWholeContract(text, around(source));
  if (!result.ok) throw new Error(result.error.map(formatProblem).join("\n"));
  return result.value;
};
const optionsOf = (text: string, environment: Record<string, string> = {}) =>
  parsed(`senses: { load: { with: ${text} } }`, { environment }).senses.get("load")?.with;

describe("the example of the contract", () => {
  const config = parsed(CONTRACT_EXAMPLE, { file: "/etc/nerve/nerve.yaml" });

  test("settings, groups and senses", () => {
    expect(config.file).toBe("/etc/nerve/nerve.yaml");
    expect(config.data).toBe("/etc/nerve/data");
    expect(config.durability).toBe("full");
    expect(config.http).toEqual({ hostname: "127.0.0.1", port: 4280, hosts: [], public: false, url: null });
    expect(config.retention).toEqual({ logsMs: 2_592_000_000, signalsMs: 2_592_000_000, archiveMs: 315_360_000_000 });
    expect([...config.groups.values()]).toEqual([
      { name: "system", memoryBytes: 256 * 1024 * 1024 },
      { name: "default", memoryBytes: null },
    ]);
    expect(config.senses.get("cpu-usage")).toEqual({
      ...unwrittenSense("cpu-usage"),
      group: "system",
      throttleMs: 1_000,
      timeoutMs: 10_000,
      gracePeriodMs: 5_000,
      with: { per_core: false },
    });
    expect(config.senses.get("disk-root")).toEqual({
      ...unwrittenSense("disk-root"),
      use: "disk-usage",
      with: { path: "/" },
    });
  });

  test("reflexes, the unnamed ones called TARGET#N", () => {
    expect(config.reflexes.map((reflex) => reflex.name)).toEqual([
      "cpu-usage#1",
      "disk-root#1",
      "host-health#1",
      "page-on-critical",
    ]);
    expect(config.reflexes[1]).toMatchObject({
      kind: "sense",
      cron: "*/5 * * * *",
      tz: "Europe/Berlin",
      catchUp: "one",
    });
    expect(config.reflexes[3]).toEqual(
      workflowReflex({
        name: "page-on-critical",
        workflow: "page",
        on: ["host-health"],
        when: { status: "'critical'" },
        forMs: 30_000,
        throttleMs: 600_000,
        key: "host",
      }),
    );
  });

  test("workflows", () => {
    expect(config.workflows.get("page")).toEqual({
      name: "page",
      use: "exec",
      with: { command: ["/usr/bin/logger", "--", "{{ payload.status }} on {{ payload.host }}"] },
      needs: null,
      expectEveryMs: null,
      concurrency: 1,
      overflow: "queue",
      maxQueue: 100,
      batch: null,
      timeoutMs: 600_000,
      gracePeriodMs: 5_000,
      retry: { limit: 3, intervalMs: 5_000, backoff: 2, maxIntervalMs: 300_000 },
    });
  });

  test("this build acts on all of it", () => {
    const result = parseNerveConfig(CONTRACT_EXAMPLE);
    expect(result.ok ? [] : result.error.map(formatProblem)).toEqual([]);
  });
});

test("what is absent is null, and a sense may be nothing but a name", () => {
  const config = parsed("senses:\n  load:\nreflexes:\n  - { sense: load, interval: 10s }\n", { file: "/n/n.yaml" });
  expect(config.data).toBe("/n/data");
  expect(config.durability).toBe("full");
  expect(config.http).toBeNull();
  expect(config.retention).toEqual({ logsMs: null, signalsMs: null, archiveMs: null });
  expect(config.workflows.size).toBe(0);
  expect(config.reflexes[0]).toEqual({
    kind: "sense",
    name: "load#1",
    sense: "load",
    on: [],
    when: null,
    clear: null,
    edge: null,
    forMs: null,
    count: null,
    debounce: null,
    throttleMs: null,
    key: null,
    host: null,
    each: null,
    intervalMs: 10_000,
    align: null,
    jitterMs: null,
    cron: null,
    tz: null,
    catchUp: null,
    onStart: null,
    watch: null,
    deliver: null,
  });
});

test("0 kills at once as a grace period, and is no throttle, for or jitter at all", () => {
  const config = parsed(`
senses: { load: { grace_period: 0, throttle: 0s }, mem: }
reflexes:
  - { sense: load, interval: 1s, jitter: 0 }
  - { sense: load, on: [mem], when: string, edge: level, for: 0s, throttle: 0ms }
  - { sense: load, on: [mem], for: 0, throttle: 1s }
  - { sense: load, cron: "@hourly", jitter: 0s, throttle: 0 }
`);
  expect(config.senses.get("load")).toMatchObject({ gracePeriodMs: 0, throttleMs: null });
  expect(config.reflexes[0]).toMatchObject({ jitterMs: null });
  expect(config.reflexes[1]).toMatchObject({ forMs: null, throttleMs: null });
});

test("0 asks for none of the words that a for, throttle or jitter goes with", () => {
  const config = parsed(`
senses: { load: , mem: }
reflexes: [{ sense: load, on: [mem], for: 0, jitter: 0s }, { sense: mem, interval: 1s, throttle: 0 }]
`);
  expect(config.reflexes.map(({ forMs, throttleMs }) => [forMs, throttleMs])).toEqual([
    [null, null],
    [null, null],
  ]);
});

test("every reflex word and trigger can be written", () => {
  const config = parsed(`
senses: { load: , mem: }
reflexes:
  - { sense: load, interval: 1s, align: false, jitter: 100ms, cron: "@hourly", catch_up: none, on_start: false }
  - { sense: load, on: [mem], when: { a: number > 5 }, clear: { a: number < 3 }, edge: falling, for: 1m, debounce: { wait: 1s, max: 5s }, key: a.b }
  - { sense: load, on: [mem], count: { n: 3, within: 1h }, throttle: 1d }
`);
  expect(config.reflexes[0]).toMatchObject({
    align: false,
    jitterMs: 100,
    cron: "@hourly",
    catchUp: "none",
    onStart: false,
  });
  expect(config.reflexes[1]).toMatchObject({
    when: { a: "number > 5" },
    clear: { a: "number < 3" },
    edge: "falling",
    forMs: 60_000,
    debounce: { waitMs: 1_000, maxMs: 5_000 },
    key: "a.b",
  });
  expect(config.reflexes[2]).toMatchObject({ count: { n: 3, withinMs: 3_600_000 }, throttleMs: 86_400_000 });
});

test.each([
  ["{ wait: 30s, by: severity }", { waitMs: 30_000, by: "severity" }],
  ["{ wait: 1m }", { waitMs: 60_000, by: null }],
])("a workflow waits for others: %s", (written, batch) => {
  expect(parsed(`workflows: { page: { batch: ${written} } }`).workflows.get("page")).toMatchObject({ batch });
});

test("a workflow that drops has no queue", () => {
  const drops = parsed("workflows: { page: { overflow: drop } }").workflows.get("page");
  expect(drops).toMatchObject({ overflow: "drop", retry: null, timeoutMs: null });
  expect(drops && "maxQueue" in drops).toBe(false);
});

test("YAML is read as version 1.2: yes, on and dates are text, and so is a byte order mark ignored", () => {
  expect(optionsOf("{ a: yes, on: no, d: 2024-01-01, o: 0o17, e: }")).toEqual({
    a: "yes",
    on: "no",
    d: "2024-01-01",
    o: 15,
    e: null,
  });
  expect(parsed("\ufeffsenses: { load: }\r\n").senses.size).toBe(1);
});

describe("variables", () => {
  const environment = {
    PORT: "4280",
    FLAG: "true",
    EMPTY: "",
    TEXT: "a b",
    LONG: "12345678901234567890",
    NESTED: "${PORT}",
  };

  test.each([
    ["'${PORT}'", 4280],
    ["'${FLAG}'", true],
    ["'${EMPTY}'", null],
    ["'${TEXT}'", "a b"],
    ["'${LONG}'", "12345678901234567890"],
    ["'port ${PORT}'", "port 4280"],
    ["'${PORT}${PORT}'", "42804280"],
    ["'${NOPE:-5}'", 5],
    ["'${EMPTY:-x}'", "x"],
    ["'${NOPE:-}'", null],
    ["'${PORT:?needed}'", 4280],
    ["'$${PORT}'", "${PORT}"],
    ["'$$${PORT}'", "$${PORT}"],
    ["'$PORT'", "$PORT"],
    ["'${NESTED}'", "${PORT}"],
    ["'${credential:db}'", "s3cret"],
  ])("%s gives %p", (text, expected) => {
    const config = parsed(`senses: { load: { with: { a: ${text} } } }`, {
      environment,
      credential: (name) => (name === "db" ? "s3cret" : null),
    });
    expect(config.senses.get("load")?.with).toEqual({ a: expected });
  });

  test("need no quotes outside of { } and [ ]", () => {
    expect(parsed("data: ${DIR}/x\ndurability: ${MODE:-normal}\n", { environment: { DIR: "/srv" } })).toMatchObject({
      data: "/srv/x",
      durability: "normal",
    });
  });

  test("are text where text is asked for, whatever their YAML type", () => {
    expect(parsed("senses: { load: { group: '${PORT}' } }", { environment }).senses.get("load")?.group).toBe("4280");
  });

  test("are never printed: a planted secret is in no problem, wherever it is used", () => {
    const places = [
      "data: X",
      "durability: X",
      "http: X",
      "retention: X",
      "retention: { logs: X }",
      "groups: { a: X }",
      "groups: { a: { memory: X } }",
      "senses: X",
      "senses: { a: X }",
      "senses: { a: { use: X } }",
      "include: [X]",
      "senses: { a: { group: X } }",
      "senses: { a: { timeout: X } }",
      "senses: { a: { with: X } }",
      "reflexes: X",
      "reflexes: [X]",
      ...[
        "name",
        "sense",
        "workflow",
        "on",
        "interval",
        "align",
        "jitter",
        "cron",
        "tz",
        "catch_up",
        "on_start",
        "when",
        "clear",
        "edge",
        "for",
        "count",
        "debounce",
        "throttle",
        "key",
      ].flatMap((key) => [
        `reflexes: [{ sense: a, ${key}: X }]`,
        `reflexes: [{ workflow: a, ${key}: [X] }]`,
        `reflexes: [{ name: X, ${key}: X }, { name: X, sense: X }]`,
      ]),
      ...["use", "with", "concurrency", "overflow", "max_queue", "timeout", "grace_period", "retry", "batch"].map(
        (key) => `workflows: { a: { ${key}: X } }`,
      ),
    ];
    const secret = "Planted Secret";
    let refused = 0;
    for (const place of places) {
      for (const form of ['"${S}"', '"pre-${S}"', '"${credential:s}"', '"${S} * * * *"']) {
        const text = place.replaceAll("X", form);
        const result = parseNerveConfig(text, around({ environment: { S: secret }, credential: () => secret }));
        if (result.ok) continue;
        refused++;
        expect(JSON.stringify(result.error)).not.toContain(secret);
      }
    }
    expect(refused).toBeGreaterThan(150);
  });
});

test("a sense of which nothing is written has its defaults, every other key absent", () => {
  expect(parsed("senses: { load: }").senses.get("load")).toEqual(unwrittenSense("load"));
  expect(unwrittenSense("load")).toMatchObject({ name: "load", use: "load", group: "default", with: null });
});

test("what is filled in is known as a secret with its name, save for a default and for a name of the config", () => {
  const { secrets } = parsed(
    'data: "${DATA:-./data}"\nsenses: { mine: { with: { token: "Bearer ${TOKEN}", key: "${credential:key}" } } }\nreflexes: [{ sense: "${TARGET}", interval: 1s }]',
    { environment: { TOKEN: "hunter22", TARGET: "disk-usage" }, credential: () => "opensesame" },
  );
  expect(secrets).toEqual([
    { written: "${TOKEN}", value: "hunter22" },
    { written: "${credential:key}", value: "opensesame" },
  ]);
});

test("a reflex that watches paths has an interval of a minute, also by `watch: true` of `tail` under any name, and no other has", () => {
  const { reflexes } = parsed(`senses: { logins: { use: tail, with: { path: /var/log/auth.log } }, mine: , nerve: }
reflexes:
  - { sense: logins, watch: true }
  - { sense: logins, watch: true, interval: 5s }
  - { sense: mine, watch: { file: spool } }
  - { sense: mine, watch: true }
  - { sense: nerve, watch: true }
`);
  expect(reflexes.map(({ intervalMs }) => intervalMs)).toEqual([60_000, 5_000, 60_000, null, null]);
});
