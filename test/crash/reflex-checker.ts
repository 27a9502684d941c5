/**
 * What must hold of reflexes after any crash: the committed signals, by the model of `test/sim/oracle`, lead to exactly the
 * firings and runs that were committed, and to what is remembered. Answers every violation as a sentence; reads nothing but
 * files, and none of nerve's own code.
 */
import { Database } from "bun:sqlite";
import { join } from "node:path";
import type { Json } from "../../src/base/json.ts";
import type { ReflexConfig } from "../../src/model/config.ts";
import type { Rule } from "../../src/rules/decision.ts";
import type { Remembered } from "../sim/oracle/decisions.ts";
import { hasWords, keyOf, ruleOf } from "../sim/oracle/reflex-words.ts";
import { type Course, Courses, type KeySignal } from "./courses.ts";
import type { Known } from "./possible-times.ts";

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
  readonly due: number | null;
  readonly late_ms: number;
  readonly run?: number;
}

interface Store {
  readonly signals: readonly SignalRow[];
  readonly logs: readonly LogRow[];
  readonly runs: readonly RunRow[];
  readonly states: readonly StateRow[];
  readonly known: Known;
  /** What the wall clock is ahead of the axis of elapsed time. */
  readonly skewMs: number;
}

const SHOWN = 5;

const listed = (what: string, found: readonly string[]): string[] => {
  const shown = found.slice(0, SHOWN).map((item) => `${what}: ${item}`);
  return found.length > SHOWN ? [...shown, `${what}: … ${found.length - SHOWN} more`] : shown;
};

function read(data: string, deaths: readonly number[]): Store {
  using db = new Database(join(data, "logs.db"), { readonly: true });
  const all = <T>(sql: string): T[] => db.query<T, []>(sql).all();
  const lifetime = all<{ value: string }>("SELECT value FROM meta WHERE key = 'lifetime'")[0]?.value ?? "";
  const { moment, elapsedMs } = JSON.parse(lifetime) as { moment: { wallMs: number }; elapsedMs: number };
  const signals = all<SignalRow>("SELECT * FROM signals ORDER BY id");
  // The last of them is the end: a deadline that was only throttled leaves no log of its own.
  const events = "('reflex.fired', 'kernel.started', 'kernel.stopping')";
  const logs = all<LogRow>(`SELECT * FROM logs WHERE event IN ${events} ORDER BY id`);
  return {
    signals,
    logs,
    runs: all("SELECT id, reflex, signal_id, input, trace FROM workflow_runs WHERE reflex IS NOT NULL ORDER BY id"),
    states: all("SELECT reflex, key, state FROM reflex_state"),
    known: {
      starts: inOrder(logs.filter(({ event }) => event === "kernel.started")),
      deaths,
      alive: inOrder([...signals, ...logs]),
    },
    skewMs: moment.wallMs - elapsedMs,
  };
}

const inOrder = (rows: readonly { readonly at: number }[]): number[] => rows.map(({ at }) => at).sort((a, b) => a - b);

interface Told extends FiredData {
  readonly trace: string | null;
}

/** What the rules lead to, as close to what is there as time can have made it. */
interface Expected {
  readonly fired: readonly string[];
  readonly wrongStates: readonly string[];
}

const firing = (signal: number, key: Json, due: number | null): string =>
  `signal ${signal}, key ${JSON.stringify(key)}${due === null ? "" : `, due ${due}`}`;

/** The patterns of these tests: fields that are true. */
function isMet(pattern: Json, payload: Readonly<Record<string, Json>>): boolean {
  return Object.entries(pattern as Record<string, Json>).every(([field, is]) => {
    if (is !== "true") throw new Error(`nobody knows what ${JSON.stringify(pattern)} means`);
    return payload[field] === true;
  });
}

/** The signals that the reflex looks at, by the key of each, as JSON. */
function signalsByKey({ on, when, clear, key }: ReflexConfig, signals: readonly SignalRow[]): Map<string, KeySignal[]> {
  const byKey = new Map<string, KeySignal[]>();
  for (const { id, sense, at, payload } of signals) {
    if (!on.includes(sense)) continue;
    const fields = JSON.parse(payload) as Record<string, Json>;
    const name = JSON.stringify(keyOf(key, sense, fields));
    const matches = when === null || isMet(when, fields);
    const signal = { id, at, matches, clears: clear !== null && isMet(clear, fields) };
    byKey.set(name, [...(byKey.get(name) ?? []), signal]);
  }
  return byKey;
}

/** What is stored of a key. */
interface StoredMemory {
  readonly isMatching: boolean;
  readonly holding: { readonly due: number } | null;
  readonly counted: readonly number[];
  readonly burst: { readonly due: number } | null;
  readonly throttledUntil: number | null;
}

const NOTHING: Remembered = { isMatching: false, holding: null, counted: [], burst: null, throttledUntil: null };

/** As the model has it: on the wall clock, and of what counts at `end`. */
function kept(rule: Rule, { state }: StateRow, skewMs: number, end: number): Remembered {
  const { isMatching, holding, counted, burst, throttledUntil } = JSON.parse(state) as StoredMemory;
  const until = throttledUntil === null ? null : throttledUntil + skewMs;
  return {
    isMatching: isMatching && rule.hasWhen && (rule.edge !== "level" || rule.hasClear),
    holding: holding && holding.due + skewMs,
    counted: counted.map((at) => at + skewMs).filter((at) => at >= end - (rule.count?.withinMs ?? 0)),
    burst: burst && burst.due + skewMs,
    throttledUntil: until !== null && until > end ? until : null,
  };
}

/** The rules over all signals, on the wall clock. */
function expected(config: ReflexConfig, store: Store, told: readonly Told[], end: number): Expected {
  const rule = ruleOf(config);
  const byKey = signalsByKey(config, store.signals);
  const rows = store.states.filter(({ reflex }) => reflex === config.name);
  const remembered = new Map(
    rows.map((row) => [row.key === "" ? "null" : row.key, kept(rule, row, store.skewMs, end)]),
  );
  const fired: string[] = [];
  const wrongStates: string[] = [];
  for (const key of new Set([...byKey.keys(), ...remembered.keys()])) {
    const shown = JSON.parse(key) as Json;
    const logged = told.filter((log) => Bun.deepEquals(log.key, shown));
    const firings = logged.map(({ signal, due, late_ms: lateMs }) => ({ signal, due, lateMs }));
    const possible = new Courses(rule, store.known, byKey.get(key) ?? [], firings, end).all();
    const memory = remembered.get(key) ?? NOTHING;
    const [best] = possible as [Course];
    const isKept = (course: Course): boolean => Bun.deepEquals(course.remembered, memory);
    const right = possible.find((course) => course.cost === best.cost && isKept(course)) ?? null;
    fired.push(...(right ?? best).fired.map(({ signal, due }) => firing(signal, shown, due)));
    if (right === null && hasWords(config))
      wrongStates.push(`key ${key}: ${JSON.stringify(memory)}, not ${JSON.stringify(best.remembered)}`);
  }
  return { fired, wrongStates };
}

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
  const logs = store.logs.filter(({ source, event }) => source === `reflex:${name}` && event === "reflex.fired");
  const told: Told[] = logs.map(({ data, trace }) => ({ trace, ...(JSON.parse(data ?? "{}") as FiredData) }));
  const bySignal = new Map(store.signals.map((signal) => [signal.id, signal]));
  const { fired, wrongStates } = expected(config, store, told, end);
  const { missing, extra } = difference(
    fired,
    told.map(({ signal, key, due }) => firing(signal, key, due)),
  );
  const runs = store.runs.filter(({ reflex }) => reflex === name);
  const run = (id: number | undefined, signal: number): string => `run ${id} for signal ${signal}`;
  const asked = config.kind === "workflow" ? told.map((log) => run(log.run, log.signal)) : [];
  const made = difference(
    asked,
    runs.map(({ id, signal_id }) => run(id, signal_id)),
  );
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

/**
 * Of reflexes with words and of those that start workflows; after a quiet run that has stopped with nothing pending.
 * `deaths`: when a kernel was seen to be dead, in order.
 */
export function findReflexViolations(
  data: string,
  reflexes: readonly ReflexConfig[],
  deaths: readonly number[],
): string[] {
  const store = read(data, deaths);
  const end = Math.max(...store.logs.map(({ at }) => at), ...store.signals.map(({ at }) => at)) + 1;
  return reflexes
    .filter((config) => config.on.length > 0 && (config.kind === "workflow" || hasWords(config)))
    .flatMap((config) => ofReflex(config, store, end));
}
