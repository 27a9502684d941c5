/**
 * Senses that hang, crash, hoard, flood and lie, each beside two healthy neighbours in its group and one in another: the
 * culprit is named and ended, the neighbours are not blamed, and other groups go on (G4, G5).
 */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { type Nerve, type Project, project, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const INTERVAL_MS = 500;
const TIMEOUT_MS = 300;
const GRACE_MS = 200;

/** At most so many daemons at a time: the claims are about nerve, not about how many workers two cores can start at once. */
const LANES = 3;
let busy = 0;
const waiting: (() => void)[] = [];

async function inLane(body: () => Promise<void>): Promise<void> {
  if (busy === LANES) await new Promise<void>((resolve) => waiting.push(resolve));
  else busy++;
  try {
    await body();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else busy--;
  }
}

interface Culprit {
  readonly memory?: string;
  readonly with?: (folder: Project) => object;
}

/** `bad` with its neighbours `left` and `right` in one group, `away` in another; all due every half second. */
function beside(fixture: string, culprit: Culprit = {}): Project {
  const folder = project({}, { bad: `bad-senses/${fixture}`, left: "e2e/pulse", right: "e2e/tick", away: "e2e/pulse" });
  const options = culprit.with === undefined ? "" : `, with: ${JSON.stringify(culprit.with(folder))}`;
  folder.write(
    "nerve.yaml",
    `
      groups: { shared: { memory: ${culprit.memory ?? "2gb"} }, other: {} }
      senses:
        bad: { group: shared, timeout: ${TIMEOUT_MS}ms, grace_period: ${GRACE_MS}ms${options} }
        left: { group: shared }
        right: { group: shared }
        away: { group: other }
      reflexes:
        - { sense: bad, interval: ${INTERVAL_MS}ms }
        - { sense: left, interval: ${INTERVAL_MS}ms }
        - { sense: right, interval: ${INTERVAL_MS}ms }
        - { sense: away, interval: ${INTERVAL_MS}ms }`,
  );
  return folder;
}

const killsOf = (nerve: Nerve, sense: string) => nerve.logs({ source: `sense:${sense}`, event: "compute.killed" });

/** The neighbours compute again, and nobody says a bad word of them. */
async function neighboursAreWell(nerve: Nerve): Promise<void> {
  const counts = () => ["left", "right", "away"].map((sense) => nerve.signals(sense).length);
  const before = counts();
  await until("every neighbour emits twice more", () =>
    counts().every((count, index) => count >= (before[index] ?? 0) + 2),
  );
  for (const sense of ["left", "right", "away"]) {
    const said = nerve.logs({ source: `sense:${sense}` }).filter(({ level }) => level !== "info" && level !== "debug");
    expect(said).toEqual([]);
    const { state, errors, timeouts } = await nerve.sense(sense);
    expect({ sense, state, errors, timeouts }).toEqual({ sense, state: "ok", errors: 0, timeouts: 0 });
  }
  keptItsTimes(nerve);
}

/** The other group computed at its own times, each of them once. A busy machine may have left some out. */
function keptItsTimes(nerve: Nerve): void {
  const due: number[] = nerve.signals("away").map(({ payload }) => payload.due);
  expect(due.length).toBeGreaterThan(2);
  expect(due.filter((ms) => ms % INTERVAL_MS !== 0)).toEqual([]);
  expect(due).toEqual([...new Set(due)].sort((a, b) => a - b));
}

/** How often the other group computed while `bad` hung. */
function meanwhile(nerve: Nerve): number {
  const hung = killsOf(nerve, "bad").map(({ at, data }) => [at - data.after_ms, at] as const);
  return nerve.signals("away").filter(({ at }) => hung.some(([from, to]) => from < at && at < to)).length;
}

async function isQuarantined(nerve: Nerve): Promise<void> {
  await until("bad is quarantined", async () => (await nerve.sense("bad")).state === "quarantined");
  await until(
    "the quarantine is logged",
    () => nerve.logs({ source: "sense:bad", event: "sense.quarantined" }).length === 1,
  );
  const kills = killsOf(nerve, "bad");
  expect(kills.map(({ data }) => data.strikes)).toEqual([1, 2, 3]);
}

test.concurrent("a spinner among 200 neighbours of one turn is named, alone", () =>
  inLane(async () => {
    using folder = project({}, { bad: "bad-senses/spins", pulse: "e2e/pulse" });
    const neighbours = Array.from({ length: 200 }, (_, at) => `n${at}`);
    const all = [...neighbours.slice(0, 100), "bad", ...neighbours.slice(100)];
    const config = [
      "senses:",
      ...all.map((name) =>
        name === "bad"
          ? `  bad: { group: shared, timeout: ${TIMEOUT_MS}ms, grace_period: ${GRACE_MS}ms }`
          : `  ${name}: { use: pulse, group: shared }`,
      ),
      "reflexes:",
      ...all.map((name) => `  - { sense: ${name}, interval: ${INTERVAL_MS}ms }`),
      "groups: { shared: {} }",
      "",
    ];
    folder.write("nerve.yaml", config.join("\n"));
    await using nerve = await startNerve(folder.path);
    await isQuarantined(nerve);
    const ends = nerve.logs({ event: "worker.exited" }).filter(({ data }) => data.signal === "SIGKILL");
    expect(ends.map(({ data }) => data.suspects)).toEqual([["bad"], ["bad"], ["bad"]]);
    const blamed = nerve.logs({}).filter(({ event, level, source }) => {
      return source.startsWith("sense:n") && (level === "error" || event === "compute.killed");
    });
    expect(blamed).toEqual([]);
    const emitted = new Set(nerve.signals().map(({ sense }) => sense));
    expect(neighbours.filter((name) => !emitted.has(name))).toEqual([]);
  }));

const HANGS = ["spins", "never-settles", "stops-itself", "closes-fds"];

for (const fixture of HANGS) {
  test.concurrent(`a compute that hangs (${fixture}) is killed at its hard limit, and quarantined at its third strike`, () =>
    inLane(async () => {
      using folder = beside(fixture);
      await using nerve = await startNerve(folder.path);
      await isQuarantined(nerve);
      for (const { data, message } of killsOf(nerve, "bad")) {
        expect(data.compute).toBeGreaterThan(0);
        if (fixture === "closes-fds") continue;
        expect(data.after_ms).toBeGreaterThanOrEqual(TIMEOUT_MS + GRACE_MS);
        expect(message).toContain(
          'sense "bad": it had not settled at its hard limit, 300ms timeout and 200ms grace period',
        );
      }
      expect(meanwhile(nerve)).toBeGreaterThan(0);
      await neighboursAreWell(nerve);
    }));
}

const DEATHS: Readonly<Record<string, RegExp>> = {
  exits: /it exited with code 7/,
  segfaults: /killed by SIGSEGV|it exited with code 139/,
};

for (const [fixture, how] of Object.entries(DEATHS)) {
  test.concurrent(`a compute that ends its worker (${fixture}) is quarantined at its third strike; release lifts it`, () =>
    inLane(async () => {
      using folder = beside(fixture);
      await using nerve = await startNerve(folder.path);
      await isQuarantined(nerve);
      for (const { message } of killsOf(nerve, "bad")) expect(message).toMatch(how);
      await neighboursAreWell(nerve);
      expect((await nerve.post("/enable", { name: "bad" })).body).toEqual({
        name: "sense:bad",
        enabled: true,
        sense: "bad",
        released: true,
      });
      await until(
        "the release is logged",
        () => nerve.logs({ source: "sense:bad", event: "sense.released" }).length === 1,
      );
      await until("four computes of bad were killed", () => killsOf(nerve, "bad").length >= 4);
      expect(killsOf(nerve, "bad")[3]?.data.strikes).toBe(1);
    }));
}

test.concurrent("a compute that holds more memory than its group may is killed, named with both sizes, and quarantined", () =>
  inLane(async () => {
    using folder = beside("hoards", { memory: "300mb" });
    const file = folder.write(
      "nerve.yaml",
      (await Bun.file(`${folder.path}/nerve.yaml`).text()).replace("300ms", "20s"),
    );
    expect(await Bun.file(file).text()).toContain("timeout: 20s");
    await using nerve = await startNerve(folder.path);
    await isQuarantined(nerve);
    for (const { message } of killsOf(nerve, "bad"))
      expect(message).toMatch(/: it held \d+ MB, over the group's 300 MB \(/);
    await neighboursAreWell(nerve);
  }));

test.concurrent("memory that one sense leaks is never put down to a neighbour that happens to run when it is too much", () =>
  inLane(async () => {
    using folder = project({}, { leaks: "bad-senses/leaks", slow: "e2e/slow", away: "e2e/pulse" });
    folder.write(
      "nerve.yaml",
      `
      groups: { shared: { memory: 300mb } }
      senses:
        leaks: { group: shared }
        slow: { group: shared, with: { ms: 450 } }
        away: { group: other }
      reflexes:
        - { sense: leaks, interval: ${INTERVAL_MS}ms }
        - { sense: slow, interval: ${INTERVAL_MS}ms }
        - { sense: away, interval: ${INTERVAL_MS}ms }`,
    );
    await using nerve = await startNerve(folder.path);
    await until("three workers have exited", () => nerve.logs({ event: "worker.exited" }).length >= 3);
    for (const { message } of nerve.logs({ event: "worker.exited" }))
      expect(message).toContain("over the group's 300 MB");
    expect(killsOf(nerve, "slow")).toEqual([]);
    const slow = nerve.signals("slow").length;
    await until("slow emits twice more", () => nerve.signals("slow").length >= slow + 2);
    keptItsTimes(nerve);
  }));

test.concurrent("a compute that settles late, but within its grace period, is timed out and rolled back; nothing is killed", () =>
  inLane(async () => {
    using folder = beside("settles-late");
    await using nerve = await startNerve(folder.path);
    await until("bad has run out of time three times", async () => (await nerve.sense("bad")).timeouts >= 3);
    expect(nerve.signals("bad")).toEqual([]);
    expect(killsOf(nerve, "bad")).toEqual([]);
    const { state, errors } = await nerve.sense("bad");
    expect({ state, errors }).toEqual({ state: "failing", errors: 0 });
    const [timedOut] = nerve.logs({ source: "sense:bad", event: "compute.timed-out" });
    // Whoever knows it first says it: its worker, once the compute lets it, or the kernel.
    expect(timedOut?.message).toStartWith("the compute passed its timeout of 300ms and ");
    expect((await nerve.group("shared")).restarts).toBe(0);
    await neighboursAreWell(nerve);
    await nerve.stop();
    expect(rowsOf(nerve, "bad", "attempts")).toBe(0);
  }));

function rowsOf(nerve: Nerve, sense: string, table: string): number {
  using db = new Database(`${nerve.data}/senses/${sense}.db`, { readonly: true });
  return db.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? -1;
}

const ERRORS: Readonly<Record<string, string>> = {
  throws: "RangeError: out of cheese",
  rejects: 'threw "a plain text"',
};

for (const [fixture, message] of Object.entries(ERRORS)) {
  test.concurrent(`a compute that ${fixture} is a log with its words, folded, and no strike`, () =>
    inLane(async () => {
      using folder = beside(fixture);
      await using nerve = await startNerve(folder.path);
      await until("bad has failed three times", async () => (await nerve.sense("bad")).errors >= 3);
      await neighboursAreWell(nerve);
      expect((await nerve.group("shared")).restarts).toBe(0);
      const { errors } = await nerve.sense("bad");
      await nerve.stop();
      // Its repeats are counted into a row a minute, and into one at the end: how many rows that is depends on the time of day.
      const [first, ...folded] = nerve.logs({ source: "sense:bad", event: "compute.failed" });
      expect(first?.message).toBe(message);
      for (const row of folded) {
        const { count } = row.data;
        expect(row.message).toBe(`${message} (${count === 1 ? "once more" : `${count} more times`})`);
      }
      expect(1 + folded.reduce((sum, { data }) => sum + data.count, 0)).toBeGreaterThanOrEqual(errors);
      expect(folded.length).toBeLessThan(errors - 1);
    }));
}

test.concurrent("errors nobody waits for are logged under the sense that left them, and its worker lives on", () =>
  inLane(async () => {
    using folder = beside("strays");
    await using nerve = await startNerve(folder.path);
    await until("bad has emitted twice", () => nerve.signals("bad").length >= 2);
    await neighboursAreWell(nerve);
    expect((await nerve.group("shared")).restarts).toBe(0);
    const said = nerve.logs({ source: "sense:bad", event: "worker.error" }).map(({ message }) => message);
    for (const stray of ["a stray rejection", "a stray throw"]) {
      expect(said.filter((message) => message.includes(stray)).length).toBeGreaterThanOrEqual(1);
    }
    const unnamed = nerve
      .logs({ source: "kernel", event: "worker.error" })
      .filter(({ message }) => !message.includes("a stray text"));
    expect(unnamed).toEqual([]);
  }));

test.concurrent("a sense that prints 100 MB loses most of it, counted, and holds up nobody else", () =>
  inLane(async () => {
    using folder = beside("chatters");
    folder.write("nerve.yaml", (await Bun.file(`${folder.path}/nerve.yaml`).text()).replace("300ms", "20s"));
    await using nerve = await startNerve(folder.path);
    await until("bad has emitted", () => nerve.signals("bad").length >= 1);
    await until("the dropped lines are counted", () =>
      nerve.logs({ event: "output" }).some(({ message }) => message.includes("more lines were dropped")),
    );
    await neighboursAreWell(nerve);
    const rows = nerve.logs({ event: "output" });
    const lines = rows.filter(({ message }) => message.startsWith("chatter"));
    expect(new Set(lines.map(({ source }) => source))).toEqual(new Set(["sense:bad"]));
    const seconds = new Set(rows.map(({ at }) => Math.floor(at / 1000))).size + 1;
    expect(lines.length).toBeLessThanOrEqual(100 * seconds);
    expect((await nerve.group("shared")).restarts).toBe(0);
  }));

test.concurrent("a sense that writes 100 MB to the file descriptors loses most of it, counted, and holds up nobody else", () =>
  inLane(async () => {
    using folder = beside("floods");
    folder.write("nerve.yaml", (await Bun.file(`${folder.path}/nerve.yaml`).text()).replace("300ms", "20s"));
    await using nerve = await startNerve(folder.path);
    await until("bad has emitted", () => nerve.signals("bad").length >= 1);
    await until("the dropped lines are counted", () =>
      nerve.logs({ event: "output" }).some(({ message }) => message.includes("more lines were dropped")),
    );
    await neighboursAreWell(nerve);
    const rows = nerve.logs({ event: "output" });
    expect(rows.some(({ message }) => message.startsWith("flood "))).toBe(true);
    expect(Math.max(...rows.map(({ message }) => Buffer.byteLength(message)))).toBeLessThanOrEqual(8 * 1024 + 100);
    const seconds = new Set(rows.map(({ at }) => Math.floor(at / 1000))).size + 1;
    expect(rows.length).toBeLessThanOrEqual(3 * 101 * seconds);
    expect((await nerve.group("shared")).restarts).toBe(0);
  }));

test.concurrent("a child that prints without end holds up nobody, and its lines are bounded and counted", () =>
  inLane(async () => {
    using folder = beside("child-floods");
    await using nerve = await startNerve(folder.path);
    await until("the dropped lines are counted", () =>
      nerve.logs({ event: "output" }).some(({ message }) => message.includes("more lines were dropped")),
    );
    await neighboursAreWell(nerve);
    expect((await nerve.group("shared")).restarts).toBe(0);
  }));

test.concurrent("a flood of errors nobody waits for is bounded and counted, and its neighbours are not blamed", () =>
  inLane(async () => {
    using folder = beside("strays-flood");
    await using nerve = await startNerve(folder.path);
    const rows = () => nerve.logs({ event: "worker.error" });
    await until("the dropped errors are counted", () =>
      rows().some(({ source, message }) => source === "kernel" && message.includes("more errors nobody waited for")),
    );
    await neighboursAreWell(nerve);
    const seconds = new Set(rows().map(({ at }) => Math.floor(at / 1000))).size + 1;
    expect(rows().length).toBeLessThanOrEqual(102 * seconds);
    expect((await nerve.group("shared")).restarts).toBe(0);
  }));

test.concurrent("a module that ends the process while it is loaded is quarantined, and its group starts without it", () =>
  inLane(async () => {
    using folder = beside("exits-at-import");
    await using nerve = await startNerve(folder.path);
    await isQuarantined(nerve);
    for (const { message } of killsOf(nerve, "bad")) {
      expect(message).toMatch(/its worker died \d+ ms while it was being loaded, .*: it exited with code 3 \(strike/);
    }
    await neighboursAreWell(nerve);
    expect((await nerve.group("shared")).state).toBe("up");
  }));

test.concurrent("a module whose top level loops is killed and named; other groups go on meanwhile", async () => {
  using folder = beside("loops-at-import");
  await using nerve = await startNerve(folder.path);
  await until("a compute of bad was killed", () => killsOf(nerve, "bad").length >= 1);
  expect(killsOf(nerve, "bad")[0]?.message).toMatch(
    / while it was being loaded, .*: sense "bad": loading it took longer than 15s/,
  );
  keptItsTimes(nerve);
});

test.concurrent("a module whose top-level await never settles fails by name, and the rest of its group runs", async () => {
  using folder = beside("waits-at-import");
  await using nerve = await startNerve(folder.path);
  const { state, reason } = await until("bad has failed to load", async () => {
    const found = await nerve.sense("bad");
    return found.state === "failed" && found;
  });
  expect({ state, reason }).toEqual({
    state: "failed",
    reason: "the module did not finish loading within 10000 ms: a top-level await never settled",
  });
  await neighboursAreWell(nerve);
  expect((await nerve.group("shared")).restarts).toBe(0);
});

test.concurrent("a sense that deletes its own database fails by name and costs its neighbours nothing, and its signals go on after a restart", () =>
  inLane(async () => {
    using folder = beside("deletes-database", { with: ({ path }) => ({ database: `${path}/data/senses/bad.db` }) });
    let before = 0;
    {
      await using nerve = await startNerve(folder.path);
      const { reason } = await until("bad has failed", async () => {
        const found = await nerve.sense("bad");
        return found.state === "failed" && found;
      });
      expect(reason).toContain("bad.db");
      await neighboursAreWell(nerve);
      before = nerve.signals("bad").length;
    }
    await using nerve = await startNerve(folder.path);
    await until("bad emits again", () => nerve.signals("bad").length > before);
    expect(nerve.signals("bad")[before]?.payload).toEqual({ visits: 1 });
    await neighboursAreWell(nerve);
  }));

const REFUSED: Readonly<Record<string, string>> = {
  undefined: "compute returned undefined; return a payload, or null for no signal",
  nan: "the payload is not JSON: list[1].deep: NaN is not a JSON number",
  infinity: "the payload is not JSON: Infinity is not a JSON number",
  date: "the payload is not JSON: at: Date is not a JSON value",
  map: "the payload is not JSON: counts: Map is not a JSON value",
  function: "the payload is not JSON: call: a function is not a JSON value",
  symbol: "the payload is not JSON: mark: a symbol is not a JSON value",
  bigint: "the payload is not JSON: bytes: a bigint is not a JSON value",
  cycle: "the payload is not JSON: inner.back: the value contains itself",
  hole: "the payload is not JSON: a: undefined is not a JSON value",
  "sparse-array": "the payload is not JSON: [1]: undefined is not a JSON value",
  "class-instance": "the payload is not JSON: url: URL is not a JSON value",
  buffer: "the payload is not JSON: bytes: Uint8Array is not a JSON value",
  proto: "the payload is not JSON: __proto__: the key __proto__ is refused",
  "too-large": "the payload is over 64 KiB; put the bytes in a blob with blobs.put and return the reference",
  "too-large-in-utf-8": "the payload is over 64 KiB; put the bytes in a blob with blobs.put and return the reference",
  "too-deep": "nested deeper than 64 levels",
  "far-too-deep": "nested deeper than 64 levels",
  "throwing-getter": "the payload cannot be read: Error: the getter threw",
  "to-json": "the payload is not JSON: an array with toJSON is not a JSON value",
};

test.concurrent("what is no payload is refused with its path, and takes no neighbour's result with it", () =>
  inLane(async () => {
    using folder = project({}, { payloads: "bad-senses/payloads", left: "e2e/pulse", away: "e2e/pulse" });
    const kinds = [...Object.keys(REFUSED), "changing"];
    folder.write(
      "nerve.yaml",
      `
        senses:
          left: { timeout: 2s }
          away: { group: other }
          ${kinds.map((kind) => `${kind}: { use: payloads, timeout: 2s, with: { kind: ${kind} } }`).join("\n          ")}
        reflexes:
          - { sense: away, interval: ${INTERVAL_MS}ms }
          ${["left", ...kinds].map((sense) => `- { sense: ${sense}, interval: ${INTERVAL_MS}ms }`).join("\n          ")}`,
    );
    await using nerve = await startNerve(folder.path);
    await until("left has emitted five times", () => nerve.signals("left").length >= 5);
    await until("changing has emitted four times", () => nerve.signals("changing").length >= 4);
    for (const [kind, message] of Object.entries(REFUSED)) {
      const said = nerve.logs({ source: `sense:${kind}`, event: "compute.failed" }).map((row) => row.message);
      expect({ kind, said: said[0] }).toEqual({ kind, said: expect.stringContaining(message) });
    }
    expect(new Set(nerve.signals().map(({ sense }) => sense))).toEqual(new Set(["left", "away", "changing"]));
    for (const { payload } of nerve.signals("changing")) expect(payload).toEqual({ innocent: true });
    expect((await nerve.group("default")).restarts).toBe(0);
    expect(nerve.logs({ event: "worker.error" })).toEqual([]);
    keptItsTimes(nerve);
  }));
