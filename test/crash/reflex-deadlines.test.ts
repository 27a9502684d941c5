/**
 * Whatever waits durably, across kill -9 and a clock that is set while nerve runs or is down: exactly once, and when it
 * should. Senses and workflows have the real clock, so what they return tells when things really happened.
 */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DAY_MS, fakeClock, hasFaketime } from "../helpers/fake-clock.ts";
import { type LogRow, type Nerve, project, type SignalRow, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(300_000);

/** Clocks are read a moment apart, and by hundredths of a second. */
const EARLY_MS = 100;
/** What a timer, a start of nerve and one of a worker take on a machine with other things to do. */
const LATE_MS = 60_000;

const SENSES = ["held", "off", "paused", "throttled", "counted", "quiet"] as const;
type SenseName = (typeof SENSES)[number];

/** Each says what its file holds, and when. */
const sense = (folder: string, name: string): string => `
import { readFileSync } from "node:fs";
export const compute = () => ({ on: readFileSync(${JSON.stringify(join(folder, name))}, "utf8") === "on", real: Date.now() });
`;

const NOTE = "export const run = () => ({ real: Date.now() });\n";

const SLEEPER = (ms: number): string => `
export const run = async (thread) => {
  const begun = await thread.step("begun", () => Date.now());
  await thread.sleep("${ms}ms");
  return { ms: Date.now() - begun };
};
`;

const STUBBORN = (ms: number): string => `
export const run = async (thread) => {
  const begun = await thread.step("begun", () => Date.now());
  await thread.step("flaky", () => {
    if (Date.now() - begun < ${ms / 2}) throw new Error("not yet");
  });
  return { ms: Date.now() - begun };
};
`;

const config = (waitMs: number): string => `
senses: { ${SENSES.map((name) => `${name}: {}`).join(", ")}, beat: { group: other } }
workflows:
  note: { concurrency: 100 }
  sleeper: {}
  stubborn: { retry: { limit: 1, interval: ${waitMs}ms } }
reflexes:
  - { name: beat, sense: beat, interval: 1s }
  - { name: held, workflow: note, on: [held], when: { on: "true" }, for: ${waitMs}ms }
  - { name: off, workflow: note, on: [off], when: { on: "true" }, edge: falling, for: ${waitMs}ms }
  - { name: paused, workflow: note, on: [paused], debounce: { wait: ${waitMs}ms } }
  - { name: throttled, workflow: note, on: [throttled], throttle: ${waitMs}ms }
  - { name: near, workflow: note, on: [counted], count: { n: 2, within: ${3 * waitMs}ms } }
  - { name: far, workflow: note, on: [counted], count: { n: 2, within: ${waitMs - 500}ms } }
  - { name: quiet, workflow: note, on: [quiet] }
`;

interface RunRow {
  readonly id: number;
  readonly reflex: string | null;
  readonly signal_id: number | null;
  readonly state: string;
  readonly output: string | null;
  readonly trace: string;
}

/** A nerve whose clock is somebody's toy. */
function stage(waitMs: number) {
  const folder = project({
    "nerve.yaml": config(waitMs),
    "senses/beat/index.ts": "export const compute = () => ({ real: Date.now() });\n",
    "workflows/note/index.ts": NOTE,
    "workflows/sleeper/index.ts": SLEEPER(waitMs),
    "workflows/stubborn/index.ts": STUBBORN(waitMs),
  });
  for (const name of SENSES) folder.write(`senses/${name}/index.ts`, sense(folder.path, name));
  const clock = fakeClock(folder);
  let started: Nerve | null = null;
  const nerve = (): Nerve => {
    if (started === null) throw new Error("nerve is not running");
    return started;
  };
  const end = async (): Promise<void> => {
    await started?.[Symbol.asyncDispose]();
    started = null;
  };
  const runs = (): RunRow[] => {
    using db = new Database(join(folder.path, "data/logs.db"), { readonly: true });
    return db.query<RunRow, []>("SELECT * FROM workflow_runs ORDER BY id").all();
  };
  return {
    nerve,
    clock,
    runs,
    start: async (): Promise<void> => {
      started = await startNerve(folder.path, { environment: clock.environment });
    },
    /** kill -9. */
    kill: async (): Promise<void> => {
      nerve().kill("SIGKILL");
      await nerve().exited;
      await end();
    },
    /** Sets the clock while nerve runs, until that is noticed. */
    step: async (offsetMs: number): Promise<void> => {
      const steps = (): number => nerve().logs({ event: "clock.stepped" }).length;
      const before = steps();
      clock.set(offsetMs);
      await until("the clock's step is noticed", () => steps() > before);
    },
    tell: async (name: SenseName, what: "on" | "off" = "on"): Promise<SignalRow> => {
      const before = nerve().signals(name).length;
      writeFileSync(join(folder.path, name), what);
      expect((await nerve().post("/trigger", { name })).status).toBe(200);
      return until(`${name} emits its signal`, () => nerve().signals(name)[before] ?? null);
    },
    run: async (workflow: string): Promise<number> => {
      const { status, body } = await nerve().post("/run", { workflow, input: null });
      expect(status).toBe(200);
      return body.run;
    },
    is: (run: number, ...states: readonly string[]): Promise<true> =>
      until(`run ${run} is ${states.join(" or ")}`, () =>
        runs().some(({ id, state }) => id === run && states.includes(state)),
      ),
    /** Signals a reflex has fired for. */
    fired: (reflex: string): LogRow[] => nerve().logs({ source: `reflex:${reflex}`, event: "reflex.fired" }),
    signals: (reflex: string): number[] =>
      nerve()
        .logs({ source: `reflex:${reflex}`, event: "reflex.fired" })
        .map(({ data }) => data.signal),
    async [Symbol.asyncDispose](): Promise<void> {
      await end();
      folder[Symbol.dispose]();
    },
  };
}

const concurrently = hasFaketime ? test.concurrent : test.skip;

type Stage = ReturnType<typeof stage>;

/** Time passes. */
const real = (at: number): Promise<true> => until("the moment has come", () => Date.now() >= at);

/** When the runs of a reflex really began, by the signal each is for. */
function began(given: Stage, reflex: string): Map<number | null, number> {
  const rows = given.runs().filter((row) => row.reflex === reflex && row.state === "completed");
  return new Map(rows.map(({ signal_id, output }) => [signal_id, JSON.parse(output ?? "{}").real]));
}

const within = (ms: number, from: number, late = LATE_MS): void => {
  expect(ms).toBeGreaterThanOrEqual(from - EARLY_MS);
  expect(ms).toBeLessThanOrEqual(from + late);
};

/** One run for each signal a reflex has fired for and was not silenced: never two, never none. */
function oneRunEach(given: Stage): void {
  const told = given
    .nerve()
    .logs({ event: "reflex.fired" })
    .filter(({ data }) => data.silenced === undefined)
    .map(({ source, trace, data }) => [source.slice("reflex:".length), data.signal, data.run, trace]);
  const made = given
    .runs()
    .filter(({ reflex }) => reflex !== null)
    .map(({ reflex, signal_id, id, trace }) => [reflex, signal_id, id, trace]);
  expect(told.toSorted()).toEqual(made.toSorted());
  expect(new Set(made.map(([reflex, signal]) => `${reflex} ${signal}`)).size).toBe(made.length);
}

/** Everything that can wait begins to. */
async function begin(given: Stage, waitMs = WAIT_MS) {
  await given.start();
  const silence = { pattern: "quiet", for_ms: waitMs, why: "to see" };
  const off = [await given.tell("off", "on"), await given.tell("off", "off")];
  const signals = {
    off: off[1] as SignalRow,
    held: await given.tell("held"),
    paused: await given.tell("paused"),
    throttled: await given.tell("throttled"),
    counted: await given.tell("counted"),
  };
  const silencedAt = Date.now();
  expect((await given.nerve().post("/silence", silence)).status).toBe(200);
  const sleeper = await given.run("sleeper");
  const stubborn = await given.run("stubborn");
  // On a machine that is too busy its wait is over already.
  for (const run of [sleeper, stubborn]) await given.is(run, "sleeping", "completed");
  await until("throttled has emitted once", () => given.signals("throttled").length === 1);
  return { ...signals, silencedAt, sleeper, stubborn };
}

/** Long enough for everything to begin waiting first, on a slow machine. */
const WAIT_MS = 8_000;

const meddlings: readonly (readonly [string, (given: Stage) => Promise<void>])[] = [
  ["nobody meddles", async () => {}],
  [
    "nerve is killed",
    async (given) => {
      await given.kill();
      await given.start();
    },
  ],
  ["the clock is set a day ahead", (given) => given.step(DAY_MS)],
  ["the clock is set a day back", (given) => given.step(-DAY_MS)],
  [
    "the clock is set a day ahead while nerve is down",
    async (given) => {
      await given.kill();
      given.clock.set(DAY_MS);
      await given.start();
    },
  ],
  [
    "the clock is set a day back while nerve is down",
    async (given) => {
      await given.kill();
      given.clock.set(-DAY_MS);
      await given.start();
    },
  ],
  [
    "the clock is set ten years ahead, and right again while nerve is down",
    async (given) => {
      await given.step(3_652 * DAY_MS);
      await given.kill();
      given.clock.set(0);
      await given.start();
    },
  ],
];

concurrently.each(meddlings)("everything waits as long as it should when %s", async (_, meddle) => {
  // A machine that is too busy to meddle in time is given more of it.
  for (let waitMs = WAIT_MS; !(await waitsAsLong(waitMs, meddle)); ) waitMs *= 2;
});

/** False when the waits were over before the meddling was: then nothing was tried. */
async function waitsAsLong(waitMs: number, meddle: (given: Stage) => Promise<void>): Promise<boolean> {
  await using given = stage(waitMs);
  const first = await begin(given, waitMs);
  await meddle(given);
  const throttled = await given.tell("throttled");
  const quiet = await given.tell("quiet");
  await until("quiet has fired", () => given.fired("quiet").length > 0);
  const soFar = Object.fromEntries(
    ["throttled", "quiet", "held", "off", "paused", "near", "far"].map((reflex) => [reflex, given.signals(reflex)]),
  );
  if (Date.now() >= first.off.payload.real + waitMs) return false;

  // Nothing came early.
  const none = { held: [], off: [], paused: [], near: [], far: [] };
  expect(soFar).toEqual({ throttled: [first.throttled.id], quiet: [quiet.id], ...none });
  expect(given.fired("quiet")[0]?.data).toMatchObject({ silenced: "quiet" });

  // It comes, for the signal it waited with, when its time is up.
  for (const reflex of ["held", "off", "paused"] as const) {
    const { id, payload, trace } = first[reflex];
    await until(`${reflex} has begun a run for ${id}`, () => began(given, reflex).has(id));
    expect(given.fired(reflex)).toMatchObject([{ trace, data: { signal: id } }]);
    within((began(given, reflex).get(id) ?? 0) - payload.real, waitMs);
  }
  await given.is(first.sleeper, "completed");
  await given.is(first.stubborn, "completed");
  for (const { output } of given.runs().filter(({ reflex }) => reflex === null)) {
    within(JSON.parse(output ?? "{}").ms, waitMs);
  }

  // What was throttled or silenced until now is so no longer; of two signals some time apart one window holds both.
  await real(Math.max(first.throttled.payload.real, first.silencedAt) + waitMs + EARLY_MS);
  const last = {
    throttled: await given.tell("throttled"),
    quiet: await given.tell("quiet"),
    near: await given.tell("counted"),
  };
  for (const reflex of ["throttled", "quiet", "near"] as const) {
    await until(`${reflex} has begun a run for its last signal`, () => began(given, reflex).has(last[reflex].id));
  }
  expect(given.signals("throttled")).toEqual([first.throttled.id, last.throttled.id]);
  expect(given.signals("quiet")).toEqual([quiet.id, last.quiet.id]);
  expect(given.signals("near")).toEqual([last.near.id]);
  expect(throttled.id).toBeLessThan(last.throttled.id);

  // And nothing comes again.
  await given.step(given.clock.offset() - 3 * DAY_MS);
  await given.kill();
  given.clock.set(0);
  await given.start();
  const beats = given.nerve().signals("beat").length;
  await until("two more beats are committed", () => given.nerve().signals("beat").length > beats + 1);
  for (const reflex of ["held", "off", "paused", "near"]) expect(given.signals(reflex)).toHaveLength(1);
  expect(given.signals("far")).toEqual([]);
  oneRunEach(given);
  return true;
}

concurrently.each([0, DAY_MS, -DAY_MS])(
  "what passed while nerve was down comes once, at the start, and says how late it is: the clock set by %d ms meanwhile",
  async (offset) => {
    await using given = stage(WAIT_MS);
    const first = await begin(given);
    await given.kill();
    given.clock.set(offset);
    await real(first.silencedAt + WAIT_MS + 2_000);
    const startedAt = Date.now();
    await given.start();
    const start = await until("the start is logged", () => given.nerve().logs({ event: "kernel.started" })[1] ?? null);
    for (const reflex of ["held", "off", "paused"] as const) {
      const { id, at, payload, trace } = first[reflex];
      await until(`${reflex} has begun a run for ${id}`, () => began(given, reflex).has(id));
      const fired = given.fired(reflex);
      expect(fired).toMatchObject([{ trace, data: { signal: id } }]);
      const [log] = fired as [LogRow];
      within(log.data.late_ms, startedAt - payload.real - WAIT_MS);
      expect(log.data.due + log.data.late_ms).toBe(start.at);
      expect(log.message).toMatch(/^fired for signal \d+, (\d+m)?(\d+s)? late: workflow note$/);
      // The deadline as the clock shows it now.
      within(log.data.due - offset - at, WAIT_MS, EARLY_MS);
    }
    await given.is(first.sleeper, "completed");
    await given.is(first.stubborn, "completed");
    const quiet = await given.tell("quiet");
    const throttled = await given.tell("throttled");
    for (const signal of [quiet, throttled]) {
      await until("the signal has a run", () => given.runs().some((run) => run.signal_id === signal.id));
    }
    await given.kill();
    await given.start();
    const beats = given.nerve().signals("beat").length;
    await until("two more beats are committed", () => given.nerve().signals("beat").length > beats + 1);
    for (const reflex of ["held", "off", "paused"]) expect(given.signals(reflex)).toHaveLength(1);
    expect(given.signals("throttled")).toEqual([first.throttled.id, throttled.id]);
    oneRunEach(given);
  },
);
