import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Failures } from "nerve/status";
import { BadEndings } from "../../senses/nerve/bad-endings.ts";
import { type Judged, type JudgedSense, judge, type Look } from "../../senses/nerve/judge.ts";
import { openSense } from "../helpers/compute.ts";

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;

const sense = (given: Partial<JudgedSense> = {}): JudgedSense => ({
  name: "load",
  state: "ok",
  computes: 0,
  nulls: 0,
  errors: 0,
  timeouts: 0,
  last_signal: null,
  next_due: null,
  ...given,
});
const status = (given: Partial<Judged> = {}): Judged => ({
  kernel: { version: "1.2.3", started_at: NOW - 90_000, store: "ok" },
  groups: [{ name: "default", state: "up", restarts: 0 }],
  senses: [sense()],
  workflows: [{ name: "page", running: 0, queued: 0, sleeping: 0, stale: false }],
  broken_workflows: [],
  inboxes: [],
  channels: [],
  ...given,
});
const limits = { now: NOW, staleAfterMs: 5 * MINUTE, queueWarning: 50 };

/** Looks at one status after another; `minute` is when. */
function looks(...seen: { minute: number; status: Judged }[]) {
  let previous: Look | null = null;
  return seen.map(({ minute, status }) => {
    const { payload, look } = judge(status, new BadEndings(0), previous, { ...limits, now: NOW + minute * MINUTE });
    previous = JSON.parse(JSON.stringify(look)) as Look;
    return payload;
  });
}
const follow = (...seen: [minute: number, given: Partial<JudgedSense>][]) =>
  looks(...seen.map(([minute, given]) => ({ minute, status: status({ senses: [sense(given)] }) })));

describe("one look", () => {
  test("names senses whose inboxes hold dead items, and workflows and senses of which nothing comes", () => {
    const { payload } = judge(
      status({
        senses: [sense({ state: "stale" })],
        workflows: [{ name: "backup", running: 0, queued: 0, sleeping: 0, stale: true }],
        inboxes: [
          { sense: "deploys", dead: 3 },
          { sense: "pings", dead: 0 },
        ],
      }),
      new BadEndings(0),
      null,
      limits,
    );
    expect(payload).toMatchObject({ stale: ["load"], stale_workflows: ["backup"], dead_items: { deploys: 3 } });
    expect(payload.reasons).toEqual(["stale: load", "stale workflows: backup", "dead items: 3 of deploys"]);
  });

  test("at a healthy nerve", () => {
    expect(judge(status(), new BadEndings(0), null, limits).payload).toEqual({
      status: "ok",
      reasons: [],
      version: "1.2.3",
      uptime_seconds: 90,
      senses: 1,
      failed: [],
      quarantined: [],
      failing: [],
      stale: [],
      disabled: [],
      groups_not_up: [],
      restarts: 0,
      new_restarts: 0,
      running: 0,
      queued: 0,
      sleeping: 0,
      queues: {},
      failed_workflows: [],
      stale_workflows: [],
      failed_runs: [],
      failed_run_count: 0,
      own_failures: 0,
      unread_logs: 0,
      dead_items: {},
      failing_channels: [],
      store: "ok",
      more: {},
    });
  });

  test.each([
    ["a failed sense", { senses: [sense({ state: "failed" })] }, "critical", "failed to start: load"],
    ["a quarantined sense", { senses: [sense({ state: "quarantined" })] }, "critical", "quarantined: load"],
    ["a sense that never did but fail", { senses: [sense({ errors: 3, computes: 3 })] }, "warning", "failing: load"],
    [
      "a stuck group",
      { groups: [{ name: "system", state: "stuck", restarts: 1 }] },
      "critical",
      "stuck groups: system",
    ],
    [
      "a dying group",
      { groups: [{ name: "system", state: "backoff", restarts: 9 }] },
      "warning",
      "groups that keep dying: system",
    ],
    [
      "a long queue",
      { workflows: [{ name: "page", running: 1, queued: 50, sleeping: 2, stale: false }] },
      "warning",
      "long queues: page",
    ],
    [
      "a workflow that does not load",
      { broken_workflows: [{ name: "page" }] },
      "critical",
      "workflows that do not load: page",
    ],
    [
      "a channel that fails",
      { channels: [{ name: "team", state: "failing", reason: "channel `team`: it answered 500", own: false }] },
      "warning",
      "channels that fail: team",
    ],
    [
      "a store that cannot be written",
      { kernel: { version: "1.2.3", started_at: NOW, store: "the disk is full" } },
      "critical",
      "store: the disk is full",
    ],
  ] as const)("at %s", (_, given, expected, reason) => {
    expect(judge(status(given), new BadEndings(0), null, limits).payload).toMatchObject({
      status: expected,
      reasons: [reason],
    });
  });

  test("at what is nobody's fault is ok", () => {
    const given = {
      senses: [sense({ state: "disabled", errors: 5 })],
      groups: [{ name: "system", state: "starting", restarts: 0 }],
      workflows: [{ name: "page", running: 1, queued: 2, sleeping: 3, stale: false }],
    } as const;
    expect(judge(status(given), new BadEndings(0), null, limits).payload).toMatchObject({
      status: "ok",
      disabled: ["load"],
      groups_not_up: ["system"],
      running: 1,
      queued: 2,
      sleeping: 3,
      queues: { page: 2 },
    });
  });
});

describe("runs that ended badly", () => {
  const failure = (run: number, given: Partial<Failures["runs"][number]> = {}) =>
    ({ id: run, run, workflow: "page", state: "failed", error: "Error: no", at: NOW, own: false, ...given }) as const;

  /** What the kernel answers, of a log that holds these; `page` logs are looked through for one answer. */
  const kernelWith =
    (logs: readonly Failures["runs"][number][], newest: number, page = 1_000, archived = 0) =>
    async (after: number | null): Promise<Failures> => {
      const from = Math.max(after ?? 0, archived);
      const upTo = Math.min(newest, from + page);
      const runs = logs.filter(({ id }) => id > from && id <= upTo);
      return { runs, up_to: upTo, newest, archived: from - (after ?? 0) };
    };
  const payloadOf = (endings: BadEndings) => judge(status(), endings, null, limits).payload;

  test("are a warning with workflow, run and error, from the log after the last one that was looked at", async () => {
    const kernel = kernelWith([failure(7), failure(9, { state: "dropped", error: null })], 20);
    const first = await BadEndings.since(7, kernel);
    expect(payloadOf(first)).toMatchObject({
      status: "warning",
      reasons: ["runs that ended badly: page #9"],
      failed_runs: [{ workflow: "page", run: 9, state: "dropped", error: null }],
      failed_run_count: 1,
    });
    expect(payloadOf(await BadEndings.since(first.lookedUpTo, kernel))).toMatchObject({
      status: "ok",
      failed_runs: [],
    });
  });

  test("are found wherever they are in a long log, each once", async () => {
    const logs = [failure(1), failure(250), failure(999)];
    const endings = await BadEndings.since(0, kernelWith(logs, 1_000, 100));
    expect([endings.fair(100).map(({ run }) => run), endings.lookedUpTo]).toEqual([[1, 250, 999], 1_000]);
  });

  test("that reported for this sense are counted, and in no list", async () => {
    const endings = await BadEndings.since(0, kernelWith([failure(1, { own: true }), failure(2)], 5));
    expect(payloadOf(endings)).toMatchObject({ failed_runs: [{ run: 2 }], failed_run_count: 1, own_failures: 1 });
  });

  test("behind logs that went to the archive are said to be unread", async () => {
    const payload = payloadOf(await BadEndings.since(5, kernelWith([failure(7), failure(45)], 50, 1_000, 40)));
    expect(payload).toMatchObject({ failed_runs: [{ run: 45 }], unread_logs: 35 });
    expect(payload.reasons).toContain("35 logs moved to the archive unread");
  });

  test("of one workflow by the thousand do not hide the one run of another, and the rest is counted", async () => {
    const flood = Array.from({ length: 5_000 }, (_, nth) =>
      failure(nth + 1, { workflow: "flood", error: "x".repeat(9_000) }),
    );
    const endings = await BadEndings.since(0, kernelWith([...flood, failure(5_001, { workflow: "backup" })], 5_001));
    const payload = payloadOf(endings);
    expect(payload.failed_runs).toContainEqual(expect.objectContaining({ workflow: "backup", run: 5_001 }));
    expect([payload.failed_runs.length, payload.failed_run_count, payload.more]).toEqual([
      100,
      5_001,
      { failed_runs: 4_901 },
    ]);
    expect(payload.reasons[0]).toEndWith("and 4991 more");
  });

  test("and long names of everything still fit into one payload", async () => {
    const senses = Array.from({ length: 900 }, (_, nth) =>
      sense({ name: `${"s".repeat(58)}-${nth}`, state: "failed" }),
    );
    const names = senses.map(({ name }) => ({ name }));
    const channels = names.map(
      ({ name }) => ({ name, state: "failing", reason: "é".repeat(500), own: false }) as const,
    );
    const endings = await BadEndings.since(
      0,
      kernelWith(
        Array.from({ length: 200 }, (_, nth) => failure(nth + 1, { error: "é".repeat(500) })),
        300,
      ),
    );
    const { payload } = judge(status({ senses, broken_workflows: names, channels }), endings, null, limits);
    expect(Buffer.byteLength(JSON.stringify(payload))).toBeLessThan(64 * 1024);
    expect(payload.more.failed).toBe(900 - payload.failed.length);
    expect(payload.failed.length).toBeGreaterThan(9);
  });
});

describe("failing", () => {
  const failing = (...seen: [number, Partial<JudgedSense>][]) =>
    follow(...seen).map((payload) => payload.failing.length > 0);

  test("begins with an error and ends with the next success, however long that takes", () => {
    expect(
      failing(
        [0, { last_signal: NOW }],
        [1, { last_signal: NOW, errors: 1 }],
        [2, { last_signal: NOW, errors: 1 }],
        [3, { last_signal: NOW, errors: 1, timeouts: 1 }],
        [4, { last_signal: NOW + 4, errors: 1, timeouts: 1 }],
      ),
    ).toEqual([false, true, true, true, false]);
  });

  test("a null is a success; a look that sees both is not failing", () => {
    expect(failing([0, { errors: 1 }], [1, { errors: 1, nulls: 1 }], [2, { errors: 9, nulls: 2 }])).toEqual([
      true,
      false,
      false,
    ]);
  });

  test("is remembered across a restart of the kernel, whose counters begin at zero", () => {
    const restarted = { pid: 2, version: "1.2.3", store: "ok", started_at: NOW + MINUTE };
    const [, before, after, better] = looks(
      { minute: 0, status: status({ senses: [sense({ last_signal: NOW })] }) },
      { minute: 1, status: status({ senses: [sense({ last_signal: NOW, errors: 4 })] }) },
      { minute: 2, status: status({ kernel: restarted, senses: [sense({ last_signal: NOW, errors: 1 })] }) },
      { minute: 3, status: status({ kernel: restarted, senses: [sense({ last_signal: NOW + 3, errors: 1 })] }) },
    );
    expect([before, after, better].map((payload) => payload?.failing)).toEqual([["load"], ["load"], []]);
  });
});

describe("stale", () => {
  const stale = (...seen: [number, Partial<JudgedSense>][]) =>
    follow(...seen).map((payload) => payload.stale.length > 0);
  const due = (minute: number) => NOW + minute * MINUTE;

  test("is who was due and has not moved for five minutes since", () => {
    expect(
      stale(
        [0, { computes: 7, next_due: due(1) }],
        [2, { computes: 7, next_due: due(3) }],
        [5, { computes: 7, next_due: due(6) }],
        [6, { computes: 7, next_due: due(7) }],
        [7, { computes: 8, next_due: due(8) }],
      ),
    ).toEqual([false, false, false, true, false]);
  });

  test("also when what was due is never sent", () => {
    const next_due = due(1);
    expect(stale([0, { next_due }], [5, { next_due }], [6, { next_due }])).toEqual([false, false, true]);
  });

  test("is not who is due once a day, runs on signals only, or fails every time", () => {
    expect(stale([0, { next_due: due(1440) }], [1000, { next_due: due(1440) }])).toEqual([false, false]);
    expect(stale([0, {}], [1000, {}])).toEqual([false, false]);
    expect(stale([0, { next_due: due(1) }], [60, { errors: 1, next_due: due(61) }])).toEqual([false, false]);
  });

  test("is not who was disabled in between, nor anyone because the kernel was down", () => {
    const waiting = { next_due: due(1) };
    expect(stale([0, waiting], [2, { state: "disabled" }], [60, { next_due: due(61) }])).toEqual([false, false, false]);
    const restarted = { pid: 2, version: "1.2.3", store: "ok", started_at: due(59) };
    const payloads = looks(
      { minute: 0, status: status({ senses: [sense(waiting)] }) },
      { minute: 60, status: status({ kernel: restarted, senses: [sense({ next_due: due(61) })] }) },
    );
    expect(payloads.map((payload) => payload.stale)).toEqual([[], []]);
  });
});

describe("restarts", () => {
  const groups = (restarts: number) => status({ groups: [{ name: "default", state: "up", restarts }] });

  test("are a warning once, when they are new", () => {
    const payloads = looks(
      { minute: 0, status: groups(2) },
      { minute: 1, status: groups(3) },
      { minute: 2, status: groups(3) },
    );
    expect(payloads.map((payload) => [payload.status, payload.restarts, payload.new_restarts])).toEqual([
      ["ok", 2, 0],
      ["warning", 3, 1],
      ["ok", 3, 0],
    ]);
  });
});

describe("asking the kernel", () => {
  let folder: string;
  let socket: string;
  const before = process.env.NERVE_SOCKET;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "nerve-socket-"));
    socket = join(folder, "nerve.sock");
    process.env.NERVE_SOCKET = socket;
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
    if (before === undefined) delete process.env.NERVE_SOCKET;
    else process.env.NERVE_SOCKET = before;
  });
  const compute = async (signal = new AbortController().signal) => {
    using open = openSense("nerve");
    return await open.compute({ signal });
  };

  test("answers what it sees, and remembers it for the next compute", async () => {
    let restarts = 0;
    const asked: (string | null)[] = [];
    using _ = Bun.serve({
      unix: socket,
      routes: {
        "/status": () => Response.json(status({ groups: [{ name: "default", state: "up", restarts: restarts++ }] })),
        "/failures": ({ url }) => {
          asked.push(new URL(url).searchParams.get("after"));
          return Response.json({ runs: [], up_to: 7, newest: 7, archived: 0 });
        },
      },
    });
    using open = openSense("nerve");
    expect(await open.compute()).toMatchObject({ status: "ok", new_restarts: 0 });
    expect(await open.compute()).toMatchObject({ status: "warning", new_restarts: 1 });
    expect(asked).toEqual([null, "7"]);
  });

  test("outside nerve, or with the kernel gone, says so", async () => {
    await expect(compute()).rejects.toThrow(`the kernel does not answer at ${socket}`);
    delete process.env.NERVE_SOCKET;
    await expect(compute()).rejects.toThrow("NERVE_SOCKET is not set");
  });

  test.each([
    [() => new Response("no", { status: 503 }), "the kernel answers 503"],
    [() => new Response("<html>"), "is no status of nerve"],
    [() => Response.json({ kernel: {}, groups: [] }), "is no status of nerve"],
  ])("an answer that is none is an error", async (answer, message) => {
    using _ = Bun.serve({ unix: socket, fetch: answer });
    await expect(compute()).rejects.toThrow(message);
  });

  test("does not outlast its timeout", async () => {
    const asked = Promise.withResolvers<void>();
    using _ = Bun.serve({
      unix: socket,
      fetch: () => {
        asked.resolve();
        return new Promise<Response>(() => {});
      },
    });
    const timeout = new AbortController();
    const outcome = compute(timeout.signal);
    await asked.promise;
    timeout.abort(new Error("timed out"));
    await expect(outcome).rejects.toThrow("timed out");
  });
});
