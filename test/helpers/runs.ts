/** Histories of runs, written as the kernel writes them: each event is a log and the row it leads to, in one commit. */
import type { Json } from "../../src/base/json.ts";
import { advance, isOver, type Run, type RunEvent, type RunEventData } from "../../src/model/run.ts";
import { spellDecision } from "../../src/model/run-decision.ts";
import type { Trigger } from "../../src/model/trigger.ts";
import type { Store } from "../../src/store/open.ts";

export interface Queued {
  readonly workflow: string;
  readonly at: number;
  readonly trace: string;
  readonly input: Json;
  readonly trigger: Trigger;
  readonly retry_of: number | null;
}

export const BY_HAND: Trigger = {
  id: null,
  sense: null,
  at: null,
  reflex: null,
  key: null,
  isElement: false,
  due: null,
  incident: null,
};

/** What a reflex without `key` decides for the signal of `trigger`. */
const decisionOf = ({ id, reflex }: Trigger): string | null =>
  id === null || reflex === null ? null : spellDecision({ kind: "signal", signal: id, key: null });

export function runWriter(store: Store) {
  const runs = new Map<number, Run>();
  /** Quiet events since the newest one that changed the row. */
  const quiet = new Map<number, number>();
  const append = (id: number, workflow: string, trace: string, at: number, event: RunEvent): void => {
    const log = store.logs.append({
      at,
      level: event.event === "run.failed" ? "error" : "info",
      source: `workflow:${workflow}`,
      event: event.event,
      run: id,
      trace,
      message: event.event,
      data: JSON.stringify(event.data),
    });
    const before = runs.get(id) ?? null;
    const since = quiet.get(id) ?? 0;
    const run = advance(before, { id: log, at, run: id, workflow, trace }, event, since);
    quiet.set(id, run === before ? since + 1 : 0);
    if (before === null) store.runs.insert(run);
    else if (run !== before) store.runs.update(run);
    runs.set(id, run);
  };
  return {
    queue(about: Queued): number {
      const id = store.runs.lastId() + 1;
      const { workflow, at, trace, input, trigger, retry_of } = about;
      const data = { input, trigger, retry_of, from_step: null, decision: decisionOf(trigger), batch: null };
      store.commit(() => append(id, workflow, trace, at, { event: "run.queued", data }));
      return id;
    },
    event<Name extends RunEvent["event"]>(id: number, at: number, event: Name, data: RunEventData[Name]): void {
      const run = runs.get(id);
      if (run === undefined) throw new Error(`run ${id} was not queued`);
      store.commit(() => append(id, run.workflow, run.trace, at, { event, data } as RunEvent));
    },
    /** What else a run leaves: lines it printed, or what `thread.log` was given. */
    log(id: number, at: number, event: "log" | "output", message: string, data: Json = null): void {
      const run = runs.get(id);
      if (run === undefined) throw new Error(`run ${id} was not queued`);
      const { workflow, trace } = run;
      const row = { at, level: "info", source: `workflow:${workflow}`, event, run: id, trace, message } as const;
      store.commit(() => store.logs.append({ ...row, data: data === null ? null : JSON.stringify(data) }));
    },
    run: (id: number): Run => {
      const run = runs.get(id);
      if (run === undefined) throw new Error(`run ${id} was not queued`);
      return run;
    },
    alive: (): Run[] => [...runs.values()].filter(({ state }) => !isOver(state)),
  };
}

export type RunWriter = ReturnType<typeof runWriter>;

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const INPUTS: readonly Json[] = [null, 1, -0, "text", { a: [1, { b: null }], "1": "é\u2028\ud800" }, [], true];

/** `count` things happen, one a millisecond: runs are queued, go on in every way they can, and many of them end. */
export function writeRandomHistory(store: Store, writer: RunWriter, seed: number, count: number, begin: number): void {
  const random = randomFrom(seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  for (let step = 0; step < count; step++) {
    const at = begin + step;
    const trace = at.toString(16).padStart(32, "0");
    const alive = writer.alive();
    if (random() < 0.1) {
      const about = {
        at,
        level: "info",
        source: "kernel",
        event: "output",
        trace: null,
        message: "",
        data: null,
      } as const;
      store.commit(() => store.logs.append({ ...about, run: random() < 0.5 ? null : 1 }));
    } else if (alive.length === 0 || random() < 0.2) {
      const byHand = random() < 0.3;
      const trigger = byHand
        ? BY_HAND
        : { id: at, sense: "a", at, reflex: pick(["r", "s"]), key: null, isElement: false, due: null, incident: null };
      const retry_of = byHand && store.runs.lastId() > 0 ? store.runs.lastId() : null;
      writer.queue({ workflow: pick(["page", "mend"]), at, trace, input: pick(INPUTS), trigger, retry_of });
    } else {
      goOn(writer, pick(alive), at, random, pick);
    }
  }
}

const HOUR_SLEEP = { duration: "1h", name: null, nth: 0 };

function goOn(
  writer: RunWriter,
  { id, state, attempt }: Run,
  at: number,
  random: () => number,
  pick: <T>(of: readonly T[]) => T,
): void {
  const due = at + 1_000;
  if (state === "queued") {
    const chance = random();
    if (chance < 0.1) writer.event(id, at, "run.dropped", { error: "the queue is full" });
    else if (chance < 0.2) writer.event(id, at, "run.cancelled", { error: null });
    else writer.event(id, at, "run.started", { attempt: 1, code: "", batch: null, joined: [] });
    return;
  }
  if (state === "sleeping") {
    const reason = pick(["slept", "retry", "restart"] as const);
    writer.event(id, at, "run.resumed", {
      attempt: reason === "retry" ? attempt + 1 : attempt,
      reason,
      code: "",
      deaths: 0,
      ran_ms: 1,
    });
    return;
  }
  const step = { step: pick(["a", "b"]), nth: 0, attempt: 1 };
  const begin = (): void => writer.event(id, at, "step.started", step);
  const act = pick([
    begin,
    () => {
      begin();
      writer.event(id, at, "step.completed", { ...step, result: pick(INPUTS), duration_ms: 1 });
    },
    () => {
      begin();
      const failure = {
        error: "no",
        name: "Error",
        message: "no",
        stack: null,
        duration_ms: 1,
        until: null,
        due: null,
      };
      writer.event(id, at, "step.failed", { ...step, ...failure });
    },
    () => writer.event(id, at, "sleep.started", { ...HOUR_SLEEP, until: due, due }),
    () => writer.event(id, at, "sleep.ended", HOUR_SLEEP),
    () =>
      writer.event(id, at, "run.sleeping", {
        until: due,
        due,
        sleeps: [{ ...HOUR_SLEEP, until: due, due }],
        ran_ms: 1,
        reason: "sleep",
      }),
    () =>
      writer.event(id, at, "run.retrying", {
        until: due,
        due,
        attempt: attempt + 1,
        error: "no",
        stack: null,
        steps: [],
      }),
    () => writer.event(id, at, "run.completed", { output: pick(INPUTS), ran_ms: 1 }),
    () => writer.event(id, at, "run.failed", { error: "boom", stack: null, steps: [] }),
    () => writer.event(id, at, "run.timed-out", { error: "too long" }),
    () => writer.event(id, at, "run.cancelled", { error: "by hand" }),
    () => writer.log(id, at, "output", "a line"),
  ]);
  act();
}
