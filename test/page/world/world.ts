/** What a made-up host answers to each request of the page. */
import type { Json } from "../../../src/base/json.ts";
import type { SilenceAnswer, Status } from "../../../src/control/contract.ts";
import type { Incident } from "../../../src/model/incident-row.ts";
import type { SenseRow, ShownLog, ShownRun, ShownSignal, StoryAnswer } from "../../../src/web/contract.ts";
import type { GraphAnswer, HostRow, SeriesLine, StoreAnswer } from "../../../src/web/contract-host.ts";
import type { ReflexAnswer, ReflexRow } from "../../../src/web/contract-reflexes.ts";

/** The values of one line: time → value; null where it has none. */
export type Wave = (at: number) => number | null;

export interface World {
  readonly host: string;
  readonly tz: string;
  readonly status: Status;
  readonly senses: readonly SenseRow[];
  readonly signals: readonly ShownSignal[];
  readonly logs: readonly ShownLog[];
  readonly runs: readonly ShownRun[];
  readonly incidents: readonly Incident[];
  readonly reflexes: readonly ReflexRow[];
  readonly explained: Readonly<Record<string, ReflexAnswer>>;
  readonly hosts: readonly HostRow[];
  readonly silences: readonly SilenceAnswer[];
  readonly graph: GraphAnswer;
  readonly store: StoreAnswer;
  readonly config: Json;
  /** `sense field` → its wave, and how often it has a value. */
  readonly waves: Readonly<
    Record<string, { readonly wave: Wave; readonly everyMs: number; readonly unit: string | null }>
  >;
}

export function lineOf({ waves }: World, sense: string, field: string, from: number, to: number): SeriesLine {
  const found = waves[`${sense} ${field}`];
  const at: number[] = [];
  const values: number[] = [];
  if (found !== undefined) {
    for (let time = Math.ceil(from / found.everyMs) * found.everyMs; time <= to; time += found.everyMs) {
      const value = found.wave(time);
      if (value === null) continue;
      at.push(time);
      values.push(value);
    }
  }
  return { field, unit: found?.unit ?? null, of: null, at, min: values, max: values };
}

/** The story that a trace, a signal, a run or an incident belongs to. */
export function storyOf(world: World, id: string): StoryAnswer | null {
  const [kind, number] = id.split(":");
  const run = kind === "run" ? world.runs.find((one) => String(one.id) === number) : undefined;
  const row = kind === "incident" ? world.incidents.find((one) => String(one.id) === number) : undefined;
  const signal = kind === "signal" ? world.signals.find((one) => String(one.id) === number) : undefined;
  const trace = run?.trace ?? row?.trace ?? signal?.trace ?? id;
  const signals = world.signals.filter((one) => one.trace === trace);
  const runs = world.runs.filter((one) => one.trace === trace).map((one) => ({ ...one, steps: [] }));
  const logs = world.logs.filter((one) => one.trace === trace || (run !== undefined && one.run === run.id));
  const times = [...signals, ...logs].map(({ at }) => at);
  if (times.length === 0) return null;
  const at = Math.min(...times);
  const rows = { trace, at, duration_ms: Math.max(...times) - at, signals, runs, logs };
  if (run !== undefined) return { ...rows, kind: "run", run };
  return row === undefined ? { ...rows, kind: "trace" } : { ...rows, kind: "incident", incident: row };
}
