/** Reflexes that remember, in the running daemon: what each word lets through, what is said of it, and what becomes of their state. */
import { Database } from "bun:sqlite";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MAX_KEYS } from "../../src/rules/key.ts";
import { fakeClock, hasFaketime } from "../helpers/fake-clock.ts";
import {
  type LogRow,
  type Nerve,
  type Project,
  project,
  runNerve,
  type SignalRow,
  startNerve,
} from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

interface RunRow {
  readonly id: number;
  readonly workflow: string;
  readonly reflex: string | null;
  readonly signal_id: number | null;
  readonly input: string | null;
  readonly trace: string;
}

/** A daemon with a sense that says what it is told to, `seen` to be run, and `note` to be started. */
class Stage implements AsyncDisposable {
  readonly folder: Project;
  #nerve: Nerve | null = null;
  readonly #environment: Readonly<Record<string, string>>;

  constructor(reflexes: readonly string[], environment: (folder: Project) => Readonly<Record<string, string>>) {
    this.folder = project({
      "senses/seen/index.ts": "export const compute = () => ({});\n",
      "workflows/note/index.ts": "export const run = (thread) => thread.trigger.payload;\n",
    });
    this.folder.write(
      "senses/ask/index.ts",
      `import { readFileSync } from "node:fs";
       export const compute = () => JSON.parse(readFileSync(${JSON.stringify(join(this.folder.path, "payload"))}, "utf8"));`,
    );
    this.configure(reflexes);
    this.#environment = environment(this.folder);
  }

  static async start(
    reflexes: readonly string[],
    environment: (folder: Project) => Readonly<Record<string, string>> = () => ({}),
  ): Promise<Stage> {
    const stage = new Stage(reflexes, environment);
    await stage.start();
    return stage;
  }

  configure(reflexes: readonly string[], workflow = "concurrency: 10"): void {
    const lines = [
      "senses: { ask: {}, seen: { group: other } }",
      `workflows: { note: { ${workflow} } }`,
      "reflexes:",
      ...reflexes.map((reflex) => `  - { on: [ask], ${reflex} }`),
    ];
    this.folder.write("nerve.yaml", `${lines.join("\n")}\n`);
  }

  async start(): Promise<void> {
    this.#nerve = await startNerve(this.folder.path, { environment: this.#environment });
  }

  get nerve(): Nerve {
    if (this.#nerve === null) throw new Error("nerve is not running");
    return this.#nerve;
  }

  async #gone(): Promise<void> {
    await this.#nerve?.[Symbol.asyncDispose]();
    this.#nerve = null;
  }

  async restart(): Promise<void> {
    await this.#gone();
    await this.start();
  }

  async tell(payload: unknown): Promise<SignalRow> {
    const before = this.nerve.signals("ask").length;
    writeFileSync(join(this.folder.path, "payload"), JSON.stringify(payload));
    expect((await this.nerve.post("/trigger", { name: "ask" })).status).toBe(200);
    return until("ask has emitted", () => this.nerve.signals("ask")[before] ?? null);
  }

  async post(path: string, body: object = {}): Promise<void> {
    const { status, body: answer } = await this.nerve.post(path, body);
    if (status !== 200) throw new Error(JSON.stringify(answer));
  }

  fired(reflex: string): LogRow[] {
    return this.nerve.logs({ source: `reflex:${reflex}`, event: "reflex.fired" });
  }

  /** Its firings once there are so many. */
  async firings(reflex: string, count: number): Promise<LogRow[]> {
    await until(`${reflex} has fired ${count} times`, () => this.fired(reflex).length >= count);
    const found = this.fired(reflex);
    expect(found).toHaveLength(count);
    return found;
  }

  #rows<T>(sql: string): T[] {
    using db = new Database(join(this.folder.path, "data/logs.db"), { readonly: true });
    return db.query<T, []>(sql).all();
  }

  runs(): RunRow[] {
    return this.#rows("SELECT * FROM workflow_runs ORDER BY id");
  }

  /** Keys a reflex remembers. */
  keys(reflex: string): string[] {
    return this.#rows<{ reflex: string; key: string }>("SELECT reflex, key FROM reflex_state ORDER BY key")
      .filter((row) => row.reflex === reflex)
      .map(({ key }) => key);
  }

  async counts(reflex: string): Promise<{ fired: number; throttled: number; enabled: boolean }> {
    const found = (await this.nerve.status()).reflexes.find(({ name }) => name === reflex);
    if (found === undefined) throw new Error(`status knows no ${reflex}`);
    return { fired: found.fired, throttled: found.throttled, enabled: found.enabled };
  }

  /** All computes of `seen` that signals led to, in order: cause and trace. */
  seen(): { cause: number | null; trace: string }[] {
    return this.nerve.signals("seen").map(({ cause, trace }) => ({ cause, trace }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gone();
    this.folder[Symbol.dispose]();
  }
}

/** Longer than a busy machine takes from one signal to the next. */
const HELD_MS = 1_500;
/** Longer than a busy machine takes from a signal to the end of a reload, or until a reflex is disabled. */
const LONG_MS = 8_000;

describe("a word", () => {
  /** `1 0 1`: payloads `{ on: true }`, `{ on: false }` …; with `~` the deadline of the reflex is waited for first. */
  const WORDS: readonly (readonly [words: string, signals: string, fires: string, throttled?: number])[] = [
    [`when: { on: "true" }`, "0 1 1 0 1", "2 3 5"],
    [`when: { on: "true" }, edge: rising`, "0 1 1 0 1", "2 5"],
    [`when: { on: "true" }, edge: falling`, "0 1 1 0 0 1 0", "4 7"],
    [`when: { on: "true" }, clear: { over: "true" }`, "1 0 1 o 1", "1 5"],
    [`when: { on: "true" }, for: ${HELD_MS}ms`, "1 1 ~ 1 0 1 0 1 ~", "2 7"],
    [`when: { on: "true" }, for: ${HELD_MS}ms, edge: falling`, "1 0 0 ~ 0 1 0 ~", "2 6"],
    ["count: { n: 3, within: 1m }", "1 1 0 1 1", "3"],
    [`debounce: { wait: ${HELD_MS}ms }`, "1 1 1 ~ 0 1 ~", "3 5"],
    ["debounce: { wait: 1m, max: 61s }", "1 1", ""],
    ["throttle: 1m", "1 1 1", "1", 2],
    [`when: { on: "true" }, for: ${HELD_MS}ms, throttle: 1m`, "1 ~ 0 1 0", "1"],
  ];

  test.concurrent.each(WORDS)(
    "`%s` given %s starts a run and a compute for %s",
    async (words, signals, fires, throttled = 0) => {
      for (let heldMs = HELD_MS; !(await isAsTold(words, signals, fires, throttled, heldMs)); ) heldMs *= 2;
    },
  );

  /** False when the machine was too busy to tell the signals in time: nothing was tried then, and it is given more of it. */
  async function isAsTold(written: string, signals: string, fires: string, throttled: number, heldMs: number) {
    const words = written.replaceAll(`${HELD_MS}ms`, `${heldMs}ms`);
    await using stage = await Stage.start([`name: act, workflow: note, ${words}`, `name: look, sense: seen, ${words}`]);
    const told: SignalRow[] = [];
    const expected = fires.split(" ").filter(Boolean).map(Number);
    const isLate = /for|debounce/.test(words);
    let isPaused = false;
    const soFar = (): number[] => expected.filter((signal) => signal <= told.length);
    for (const mark of signals.split(" ")) {
      if (mark === "~") {
        for (const name of ["act", "look"]) await stage.firings(name, soFar().length);
        isPaused = true;
      } else {
        const before = told.at(-1)?.at ?? null;
        const signal = await stage.tell({ on: mark === "1", over: mark === "o" });
        told.push(signal);
        if (isLate && !isPaused && before !== null && signal.at - before > heldMs / 2) return false;
        isPaused = false;
      }
      await until("every firing is seen", () => stage.seen().length >= stage.fired("look").length);
    }
    const signalsFired = expected.map((signal) => told[signal - 1] as SignalRow);
    for (const name of ["act", "look"]) {
      const logs = await stage.firings(name, expected.length);
      expect(logs.map(({ data }) => data.signal)).toEqual(signalsFired.map(({ id }) => id));
      expect(logs.map(({ trace }) => trace)).toEqual(signalsFired.map(({ trace }) => trace));
      for (const { data, at } of logs) {
        expect(data.key).toBeNull();
        if (isLate) {
          expect(data.due).toBeGreaterThanOrEqual((told[0] as SignalRow).at + heldMs - 1);
          expect(at).toBeGreaterThanOrEqual(data.due - 1);
        } else expect([data.due, data.late_ms]).toEqual([null, 0]);
      }
      expect(await stage.counts(name)).toEqual({ enabled: true, fired: expected.length, throttled });
    }
    await until("every firing is seen", () => stage.seen().length >= expected.length);
    expect(stage.seen()).toEqual(signalsFired.map(({ id, trace }) => ({ cause: id, trace })));
    const runs = stage.runs();
    expect(
      runs.map(({ signal_id, trace, reflex, input }) => [signal_id, trace, reflex, JSON.parse(input ?? "")]),
    ).toEqual(signalsFired.map(({ id, trace, payload }) => [id, trace, "act", payload]));
    expect(stage.fired("act").map(({ data }) => data.run)).toEqual(runs.map(({ id }) => id));
    expect(stage.fired("look").every(({ data }) => data.run === undefined)).toBe(true);
    return true;
  }

  test.concurrent("`key` keeps everything apart, and says once that a payload has none", async () => {
    await using stage = await Stage.start([
      `name: act, workflow: note, when: { on: "true" }, edge: rising, throttle: 1m, key: at.host`,
    ]);
    const payloads = [
      { on: true, at: { host: "a" } },
      { on: true, at: { host: "b" } },
      { on: true, at: { host: "a" } },
      { on: false, at: { host: "b" } },
      { on: true, at: { host: "b" } },
      { on: true, at: { host: 5 } },
      { on: true, at: { host: "5" } },
      { on: true },
      { on: true, at: { host: { name: "a" } } },
      { on: true, at: null },
    ];
    const told: SignalRow[] = [];
    for (const payload of payloads) told.push(await stage.tell(payload));
    const logs = await stage.firings("act", 5);
    expect(logs.map(({ data }) => [data.signal, data.key])).toEqual(
      [0, 1, 5, 6, 7].map((index) => [told[index]?.id, ["a", "b", 5, "5", null][[0, 1, 5, 6, 7].indexOf(index)]]),
    );
    expect(await stage.counts("act")).toMatchObject({ fired: 5, throttled: 1 });
    expect(stage.nerve.logs({ event: "reflex.key-missing" })).toHaveLength(1);
    expect(stage.keys("act")).toEqual(['"5"', '"a"', '"b"', "5", "null"]);
  });
});

describe("what a reflex remembers", () => {
  const HELD = `name: act, workflow: note, when: { on: "true" }, for: ${LONG_MS}ms`;

  test.concurrent("is gone when it is disabled, deadlines too; enabled again it begins anew", async () => {
    await using stage = await Stage.start([HELD, `name: edge, workflow: note, when: { on: "true" }, edge: rising`]);
    await stage.tell({ on: true });
    expect([stage.keys("act"), stage.keys("edge")]).toEqual([[""], [""]]);
    for (const name of ["reflex:act", "reflex:edge"]) await stage.post("/disable", { name });
    expect([stage.keys("act"), stage.keys("edge")]).toEqual([[], []]);
    await stage.tell({ on: true });
    expect([stage.keys("act"), stage.keys("edge")]).toEqual([[], []]);
    await stage.restart();
    expect(await stage.counts("act")).toEqual({ enabled: false, fired: 0, throttled: 0 });
    for (const name of ["reflex:act", "reflex:edge"]) await stage.post("/enable", { name });
    // It begins as not matching, so that this is an edge; and the time is counted from here.
    const told = await stage.tell({ on: true });
    const [edge] = (await stage.firings("edge", 2)).slice(1);
    expect(edge?.data.signal).toBe(told.id);
    const [log] = await stage.firings("act", 1);
    expect(log?.data.signal).toBe(told.id);
    expect(log?.data.due - told.at).toBe(LONG_MS);
  });

  test.concurrent("leaves no row behind when it is disabled while signals come", async () => {
    await using stage = await Stage.start([
      ...Array.from({ length: 20 }, (_, n) => `name: r${n}, workflow: note, when: { on: "true" }, for: 1m`),
    ]);
    writeFileSync(join(stage.folder.path, "payload"), '{"on":true}');
    const trigger = async (): Promise<void> => {
      for (let n = 0; n < 40; n++) await stage.nerve.post("/trigger", { name: "ask" });
    };
    const disable = async (): Promise<void> => {
      for (let n = 0; n < 20; n++) await stage.nerve.post("/disable", { name: `reflex:r${n}` });
    };
    await Promise.all([trigger(), disable()]);
    const told = await stage.tell({ on: true });
    expect(told.id).toBeGreaterThan(1);
    for (let n = 0; n < 20; n++) expect(stage.keys(`r${n}`)).toEqual([]);
  });

  test.concurrent("is kept through a reload that writes the same in another way", async () => {
    await using stage = await Stage.start([
      `name: once, workflow: note, when: { on: "true", "at?": { x: number, y: number } }, edge: level, throttle: 1h`,
      `name: held, workflow: note, when: { on: "true" }, for: ${LONG_MS}ms`,
    ]);
    const first = await stage.tell({ on: true });
    await stage.firings("once", 1);
    stage.configure([
      `throttle: 60m, name: once, when: { "at?": { y: number, x: number }, on: "true" }, workflow: note`,
      `for: ${LONG_MS}ms, edge: rising, when: { on: "true" }, workflow: note, name: held`,
    ]);
    await stage.post("/reload");
    await stage.tell({ on: true });
    const [held] = await stage.firings("held", 1);
    expect(held?.data.due - first.at).toBe(LONG_MS);
    expect(stage.fired("once")).toHaveLength(1);
    expect(stage.nerve.logs({ event: "reflex.cleared" })).toEqual([]);
  });

  test.concurrent("is kept through a reload that gives the reflex another target and an interval, which are in force then", async () => {
    await using stage = await Stage.start([
      `name: edge, workflow: note, when: { on: "true" }, edge: rising`,
      `name: held, workflow: note, when: { on: "true" }, for: ${LONG_MS}ms`,
    ]);
    const first = await stage.tell({ on: true });
    await stage.firings("edge", 1);
    stage.configure([
      `name: edge, sense: seen, interval: 1h, when: { on: "true" }, edge: rising`,
      `name: held, sense: seen, when: { on: "true" }, for: ${LONG_MS}ms`,
    ]);
    await stage.post("/reload");
    const [held] = await stage.firings("held", 1);
    expect([held?.data.signal, held?.data.due - first.at]).toEqual([first.id, LONG_MS]);
    await until("the new target has computed", () => stage.seen().some(({ cause }) => cause === first.id));
    await stage.tell({ on: true });
    expect(stage.fired("edge")).toHaveLength(1);
    expect(stage.nerve.logs({ event: "reflex.cleared" })).toEqual([]);
    expect(stage.runs().map(({ reflex }) => reflex)).toEqual(["edge"]);
  });

  test.concurrent("that another hand has made unreadable begins anew, key by key, and the log says so", async () => {
    await using stage = await Stage.start([`name: act, workflow: note, when: { on: "true" }, edge: rising, key: host`]);
    for (const host of ["a", "b"]) await stage.tell({ on: true, host });
    await stage.firings("act", 2);
    await stage.nerve.stop();
    {
      using db = new Database(join(stage.folder.path, "data/logs.db"));
      db.run(`UPDATE reflex_state SET state = '{"isMatching":' WHERE key = '"a"'`);
    }
    await stage.restart();
    for (const host of ["a", "b"]) await stage.tell({ on: true, host });
    const [, , again] = await stage.firings("act", 3);
    expect(again?.data.key).toBe("a");
    const damaged = stage.nerve.logs({ event: "reflex.state-damaged" });
    expect(damaged.map(({ level, source, data }) => [level, source, data])).toEqual([
      ["error", "reflex:act", { key: '"a"' }],
    ]);
  });

  test.concurrent("does not lead to a compute of a sense that is disabled, and the log says so", async () => {
    await using stage = await Stage.start([
      "name: plain, sense: seen",
      `name: worded, sense: seen, when: { on: "true" }`,
    ]);
    await stage.post("/disable", { name: "sense:seen" });
    const told = await stage.tell({ on: true });
    const [fired] = await stage.firings("worded", 1);
    expect(fired?.data).toMatchObject({ signal: told.id, cancelled: "disabled" });
    expect(fired?.message).toContain("sense seen is not started, it is disabled");
    const said = await until(
      "the compute is cancelled",
      () => stage.nerve.logs({ source: "sense:seen", event: "compute.cancelled" })[0] ?? null,
    );
    expect(said.message).toBe("a signal leads to no compute: the sense is disabled");
    expect(stage.seen()).toEqual([]);
  });

  test.concurrent("is kept through a reload that leaves it alone, and cleared with a log by one that changes it", async () => {
    const edge = `name: edge, workflow: note, when: { on: "true" }, edge: rising`;
    const changed = (forMs: string) => `name: changed, workflow: note, when: { on: "true" }, for: ${forMs}`;
    const removed = `name: removed, workflow: note, when: { on: "true" }, for: ${LONG_MS}ms`;
    await using stage = await Stage.start([HELD, edge, changed(`${LONG_MS + 1}ms`), removed]);
    const first = await stage.tell({ on: true });
    stage.configure([HELD, edge, changed("1m"), `name: added, workflow: note, throttle: 1m`], "concurrency: 11");
    await stage.post("/reload");
    const [held] = await stage.firings("act", 1);
    expect([held?.data.signal, held?.data.due - first.at, held?.trace]).toEqual([first.id, LONG_MS, first.trace]);
    await stage.tell({ on: true });
    await stage.firings("added", 1);
    expect(stage.fired("edge")).toHaveLength(1);
    const cleared = stage.nerve.logs({ event: "reflex.cleared" });
    expect(cleared.map(({ source, message }) => [source, message])).toEqual([
      ["reflex:changed", "what it remembered is cleared: its definition has changed"],
      ["reflex:removed", "what it remembered is cleared: it is no longer configured"],
    ]);
    expect([stage.keys("removed"), stage.fired("removed"), stage.fired("changed")]).toEqual([[], [], []]);
    expect(stage.keys("changed")).toEqual([""]);
    // As before: nothing is remembered, and nothing of what was comes back.
    stage.configure([HELD, edge, changed(`${LONG_MS + 1}ms`), removed]);
    await stage.post("/reload");
    const last = await stage.tell({ on: true });
    expect((await stage.firings("removed", 1))[0]?.data.signal).toBe(last.id);
    expect((await stage.firings("changed", 1))[0]?.data.signal).toBe(last.id);
    expect(stage.fired("edge")).toHaveLength(1);
  });

  test.concurrent("begins with the first signal after it was loaded, and so it is told and compared", async () => {
    const old = `name: old, workflow: note, throttle: 1h`;
    const changed = (throttle: string) => `name: changed, workflow: note, throttle: ${throttle}`;
    const added = `name: added, workflow: note, when: { on: "true" }, edge: rising`;
    await using stage = await Stage.start([old, changed("1h")]);
    const command = async (...args: string[]) => {
      const { code, stdout, stderr } = await runNerve(stage.folder.path, [...args, "--json"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return stdout.trim();
    };
    const explained = async (name: string) => {
      const { loaded, begins_after, signals } = JSON.parse(await command("explain", name));
      return { loaded, begins_after, outcomes: signals.map(({ outcome }: { outcome: string }) => outcome) };
    };
    const compared = async () =>
      (await command("backtest")).split("\n").map((line) => {
        const { reflex, live } = JSON.parse(line);
        return [reflex, live.agreed, live.only_live, live.only_replay];
      });
    await stage.tell({ on: true });
    await stage.tell({ on: true });
    // Not loaded yet.
    stage.configure([old, changed("2h"), added]);
    expect((await explained("changed")).loaded).toBe(false);
    expect((await explained("added")).loaded).toBe(false);
    await stage.post("/reload");
    await stage.tell({ on: true });
    await stage.tell({ on: true });
    const later = ["not-loaded", "not-loaded", "fired", "throttled"];
    expect(await explained("changed")).toEqual({ loaded: true, begins_after: 2, outcomes: later });
    expect((await explained("added")).outcomes).toEqual(["not-loaded", "not-loaded", "fired", "no-edge"]);
    const first = ["fired", "throttled", "throttled", "throttled"];
    expect(await explained("old")).toEqual({ loaded: true, begins_after: null, outcomes: first });
    expect(await compared()).toEqual([
      ["old", 1, 0, 0],
      ["changed", 1, 0, 0],
      ["added", 1, 0, 0],
    ]);
    const { stdout: table } = await runNerve(stage.folder.path, ["backtest"]);
    expect(table).toContain("changed (#2), added (#2)");
    // What it had by other rules is told all the same.
    const { stdout } = await runNerve(stage.folder.path, ["explain", "changed", "--signal", "1"]);
    expect(stdout).toContain("by those it had then it fired: run ");
    // A restart finds another config: one is gone, and comes back later.
    stage.configure([old, added]);
    await stage.restart();
    await stage.tell({ on: true });
    stage.configure([old, added, changed("2h")]);
    await stage.restart();
    const last = await stage.tell({ on: true });
    expect((await stage.firings("changed", 3))[2]?.data.signal).toBe(last.id);
    expect(await explained("changed")).toMatchObject({ begins_after: last.id - 1 });
    expect((await compared()).find(([name]) => name === "changed")).toEqual(["changed", 1, 0, 0]);
    expect((await explained("added")).loaded).toBe(true);
  });

  test.concurrent("fires when its time is up, also for a signal whose payload was damaged meanwhile", async () => {
    await using stage = await Stage.start([HELD]);
    const { id } = await stage.tell({ on: true });
    {
      using db = new Database(join(stage.folder.path, "data/logs.db"));
      db.run("UPDATE signals SET payload = '{damaged' WHERE id = ?", [id]);
    }
    expect((await stage.firings("act", 1))[0]?.data.signal).toBe(id);
    expect(stage.runs().map(({ signal_id, input }) => [signal_id, input])).toEqual([[id, "null"]]);
  });

  test.concurrent("is compared as soon as it has fired, also when nothing is written any more", async () => {
    await using stage = await Stage.start([`name: act, workflow: note, debounce: { wait: 300ms }`]);
    await stage.tell({ on: true });
    await stage.firings("act", 1);
    const { stdout } = await runNerve(stage.folder.path, ["backtest", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ fired: 1, live: { agreed: 1, only_live: 0, only_replay: 0 } });
  });

  test.skipIf(!hasFaketime).concurrent("is forgotten of keys that have come to rest, and of no others", async () => {
    const clocks: ReturnType<typeof fakeClock>[] = [];
    await using stage = await Stage.start(
      [
        `name: resting, workflow: note, when: { on: "true" }, throttle: 500ms, key: host`,
        `name: waiting, workflow: note, when: { on: "true" }, edge: rising, key: host`,
      ],
      (folder) => {
        const clock = fakeClock(folder);
        clocks.push(clock);
        return clock.environment;
      },
    );
    await stage.tell({ on: true, host: "a" });
    await stage.tell({ on: true, host: "b" });
    const last = await stage.tell({ on: false, host: "b" });
    expect([stage.keys("resting"), stage.keys("waiting")]).toEqual([['"a"', '"b"'], ['"a"']]);
    await until("the rest is over", () => Date.now() > last.at + 1_000);
    // Keys are looked through on the minute. It strikes when the clock says so, once that is noticed.
    clocks[0]?.show(Math.ceil(Date.now() / 60_000) * 60_000 - 1_500);
    await until("no key rests", () => stage.keys("resting").length === 0);
    expect(stage.keys("waiting")).toEqual(['"a"']);
  });
});

/** Bytes of memory a process holds. */
const rss = (pid: number): number => Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]) * 4_096;

test("a flood of keys is limited, with one log; known ones go on being decided, and memory is bounded", async () => {
  const crowd = Array.from({ length: 50 }, (_, n) => `crowd-${n}`);
  using folder = project({
    "nerve.yaml": `
durability: normal
senses: { ask: {}, ${crowd.map((name) => `${name}: { use: crowd, group: crowd }`).join(", ")} }
workflows: { note: {} }
reflexes:
${crowd.map((name) => `  - { sense: ${name}, interval: 20ms }`).join("\n")}
  - name: ended
    workflow: note
    on: [ask, ${crowd.join(", ")}]
    when: { on: "true" }
    edge: falling
    key: host
`,
    "senses/crowd/index.ts": "export const compute = () => ({ host: crypto.randomUUID(), on: true });\n",
    "workflows/note/index.ts": "export const run = () => null;\n",
  });
  folder.write(
    "senses/ask/index.ts",
    `let calls = 0;
     export const compute = () => ({ host: "known", on: calls++ % 2 === 0 });`,
  );
  await using nerve = await startNerve(folder.path);
  const ask = async (): Promise<void> => {
    expect((await nerve.post("/trigger", { name: "ask" })).status).toBe(200);
  };
  const asked = (count: number): Promise<true> =>
    until(`ask has emitted ${count} times`, () => nerve.signals("ask").length === count);
  using db = new Database(join(folder.path, "data/logs.db"), { readonly: true });
  const count = (sql: string): number => db.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${sql}`).get()?.n ?? 0;
  await ask();
  await asked(1);
  const before = rss(nerve.pid);
  await until("20,000 signals are committed", () => count("signals") > 20_000);
  expect(count("reflex_state WHERE reflex = 'ended'")).toBe(MAX_KEYS);
  await ask();
  await asked(2);
  await until("the reflex has fired", () => count("logs WHERE event = 'reflex.fired'") === 1);
  await until("its run has completed", () => count("workflow_runs WHERE state = 'completed'") === 1);
  // The known one has come to rest, which makes room for one more.
  await until("another key has taken the room", () => count("reflex_state WHERE reflex = 'ended'") === MAX_KEYS);
  // Folded by the minute.
  expect(count("logs WHERE event = 'reflex.keys-limited'")).toBeWithin(1, 3);
  expect(rss(nerve.pid) - before).toBeLessThan(150e6);
});
