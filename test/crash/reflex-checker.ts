/**
 * What must hold of reflexes after any crash: the committed signals, shown to the rules once more, lead to exactly the
 * firings and runs that were committed, and to what is remembered. Answers every violation as a sentence.
 */
import { Database } from "bun:sqlite";
import { join } from "node:path";
import type { Json } from "../../src/base/json.ts";
import type { ReflexConfig } from "../../src/model/config.ts";
import { shownKey } from "../../src/rules/key.ts";
import { hasWords, matcherOf } from "../../src/rules/matcher.ts";
import { type Decision, deadlineOf, decide, isAtRest, type KeyState, REST, ruleOf } from "../../src/rules/rule.ts";

interface SignalRow {
  readonly id: number;
  readonly sense: string;
  readonly at: number;
  readonly payload: string;
  readonly cause: number | null;
  readonly trace: string;
}

interface LogRow {
  readonly id: number;
  readonly at: number;
  readonly source: string;
  readonly event: string;
  readonly trace: string | null;
  readonly data: string | null;
}

interface RunRow {
  readonly id: number;
  readonly reflex: string;
  readonly signal_id: number;
  readonly input: string;
  readonly trace: string;
}

interface StateRow {
  readonly reflex: string;
  readonly key: string;
  readonly state: string;
}

interface FiredData {
  readonly signal: number;
  readonly key: Json;
  readonly run?: number;
}

interface Store {
  readonly signals: readonly SignalRow[];
  readonly logs: readonly LogRow[];
  readonly runs: readonly RunRow[];
  readonly states: readonly StateRow[];
  /** What the wall clock is ahead of the axis of elapsed time. */
  readonly skewMs: number;
}

/** From then on a deadline acts when it is found. */
const LATE_MS = 1_000;
const SHOWN = 5;

const listed = (what: string, found: readonly string[]): string[] => {
  const shown = found.slice(0, SHOWN).map((item) => `${what}: ${item}`);
  return found.length > SHOWN ? [...shown, `${what}: … ${found.length - SHOWN} more`] : shown;
};

function read(data: string): Store {
  using db = new Database(join(data, "logs.db"), { readonly: true });
  const all = <T>(sql: string): T[] => db.query<T, []>(sql).all();
  const lifetime = all<{ value: string }>("SELECT value FROM meta WHERE key = 'lifetime'")[0]?.value ?? "";
  const { moment, elapsedMs } = JSON.parse(lifetime) as { moment: { wallMs: number }; elapsedMs: number };
  return {
    signals: all("SELECT * FROM signals ORDER BY id"),
    // The last of them is the end: a deadline that was only throttled leaves no log of its own.
    logs: all("SELECT * FROM logs WHERE event IN ('reflex.fired', 'kernel.started', 'kernel.stopping') ORDER BY id"),
    runs: all("SELECT id, reflex, signal_id, input, trace FROM workflow_runs WHERE reflex IS NOT NULL ORDER BY id"),
    states: all("SELECT reflex, key, state FROM reflex_state"),
    skewMs: moment.wallMs - elapsedMs,
  };
}

interface Expected {
  readonly fired: readonly { readonly key: string; readonly signal: number }[];
  readonly states: ReadonlyMap<string, KeyState>;
}

/** The rules over all signals, on the wall clock. A deadline acts when it was due, or at the start after it was missed. */
function replay(config: ReflexConfig, { signals, logs }: Store, end: number): Expected {
  const matcher = matcherOf(config);
  if (!matcher.ok) throw new Error(matcher.error.message);
  const rule = ruleOf(config);
  const starts = logs.filter(({ event }) => event === "kernel.started").map(({ at }) => at);
  const alive = [...signals.map(({ at }) => at), ...logs.map(({ at }) => at)].sort((a, b) => a - b);
  const states = new Map<string, KeyState>();
  const fired: { key: string; signal: number }[] = [];
  const note = (key: string, decisions: readonly Decision[]): void => {
    for (const { kind, signal } of decisions) if (kind === "fire") fired.push({ key, signal });
  };
  /** When a deadline was looked at: at once, or at the first start after a time in which nothing was alive. */
  const foundAt = (due: number): number => {
    const next = starts.find((at) => at > due);
    if (next === undefined || next - due <= LATE_MS) return due;
    return alive.some((at) => at > due && at < next) ? due : next;
  };
  const runDeadlines = (upTo: number): void => {
    for (;;) {
      const pending = [...states].flatMap(([key, state]) => {
        const due = deadlineOf(state);
        return due === null ? [] : [{ key, state, due, found: foundAt(due) }];
      });
      const [first] = pending.filter(({ found }) => found <= upTo).sort((a, b) => a.found - b.found || a.due - b.due);
      if (first === undefined) return;
      const { state, decisions } = decide(rule, first.state, { kind: "time", elapsed: first.found });
      states.set(first.key, state);
      note(first.key, decisions);
    }
  };
  for (const { id, sense, at, payload } of signals) {
    if (!config.on.includes(sense)) continue;
    runDeadlines(at);
    const { key, matches, clears } = matcher.value.match(sense, JSON.parse(payload) as Json);
    const { state, decisions } = decide(rule, states.get(key) ?? REST, {
      kind: "signal",
      id,
      elapsed: at,
      matches,
      clears,
      element: null,
    });
    states.set(key, state);
    note(key, decisions);
  }
  runDeadlines(end);
  return { fired, states };
}

const onWall = ({ isMatching, holding, counted, burst, throttledUntil }: KeyState, skewMs: number): KeyState => ({
  isMatching,
  holding: holding && { ...holding, due: holding.due + skewMs },
  counted: counted.map((at) => at + skewMs),
  burst: burst && { ...burst, first: burst.first + skewMs, due: burst.due + skewMs },
  throttledUntil: throttledUntil === null ? null : throttledUntil + skewMs,
});

/** What is expected and not there, and what is there and not expected. */
function difference(expected: readonly string[], found: readonly string[]): { missing: string[]; extra: string[] } {
  const left = new Map<string, number>();
  for (const item of found) left.set(item, (left.get(item) ?? 0) + 1);
  const missing = expected.filter((item) => {
    const count = left.get(item) ?? 0;
    if (count > 0) left.set(item, count - 1);
    return count === 0;
  });
  return { missing, extra: [...left].flatMap(([item, count]) => Array<string>(count).fill(item)) };
}

function ofReflex(config: ReflexConfig, store: Store, end: number): string[] {
  const { name } = config;
  const { fired, states } = replay(config, store, end);
  const logs = store.logs.filter(({ source, event }) => source === `reflex:${name}` && event === "reflex.fired");
  const told = logs.map(({ data, trace }) => ({ trace, ...(JSON.parse(data ?? "{}") as FiredData) }));
  const bySignal = new Map(store.signals.map((signal) => [signal.id, signal]));
  const line = (signal: number, key: Json): string => `signal ${signal}, key ${JSON.stringify(key)}`;
  const { missing, extra } = difference(
    fired.map(({ signal, key }) => line(signal, config.key === null ? null : shownKey(key))),
    told.map(({ signal, key }) => line(signal, key)),
  );
  const runs = store.runs.filter(({ reflex }) => reflex === name);
  const run = (id: number | undefined, signal: number): string => `run ${id} for signal ${signal}`;
  const asked = config.kind === "workflow" ? told.map((log) => run(log.run, log.signal)) : [];
  const made = difference(
    asked,
    runs.map(({ id, signal_id }) => run(id, signal_id)),
  );
  const remembered = new Map(
    store.states.filter(({ reflex }) => reflex === name).map(({ key, state }) => [key, JSON.parse(state) as KeyState]),
  );
  const rule = ruleOf(config);
  const keys = hasWords(config) ? [...new Set([...states.keys(), ...remembered.keys()])] : [];
  const wrongStates = keys.flatMap((key) => {
    const kept = onWall(remembered.get(key) ?? REST, store.skewMs);
    const wanted = states.get(key) ?? REST;
    if (isAtRest(rule, kept, end) && isAtRest(rule, wanted, end)) return [];
    return Bun.deepEquals(kept, wanted) ? [] : [`key ${key}: ${JSON.stringify(kept)}, not ${JSON.stringify(wanted)}`];
  });
  return [
    ...listed(`${name} has not fired`, missing),
    ...listed(`${name} has fired and should not have`, extra),
    ...listed(`${name}: a firing without its run`, made.missing),
    ...listed(`${name}: a run without its firing`, made.extra),
    ...listed(
      `${name}: a firing with another trace than its signal's`,
      told.filter(({ signal, trace }) => bySignal.get(signal)?.trace !== trace).map(({ signal }) => `signal ${signal}`),
    ),
    ...listed(
      `${name}: a run that is not its signal's`,
      runs
        .filter(({ signal_id, input, trace }) => {
          const signal = bySignal.get(signal_id);
          return signal?.trace !== trace || signal.payload !== input;
        })
        .map(({ id }) => `run ${id}`),
    ),
    ...listed(`${name} remembers`, wrongStates),
  ];
}

/** Of reflexes with words and of those that start workflows; after a quiet run that has stopped with nothing pending. */
export function findReflexViolations(data: string, reflexes: readonly ReflexConfig[]): string[] {
  const store = read(data);
  const end = Math.max(...store.logs.map(({ at }) => at), ...store.signals.map(({ at }) => at)) + 1;
  return reflexes
    .filter((config) => config.on.length > 0 && (config.kind === "workflow" || hasWords(config)))
    .flatMap((config) => ofReflex(config, store, end));
}
