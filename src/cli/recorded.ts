/** What the logs tell of the reflexes: what they fired for, when nerve was down, and what else a replay cannot know. */
import type { Json } from "../base/json.ts";
import type { Log } from "../model/log.ts";
import type { Down } from "../rules/replay.ts";
import type { StoreReader } from "../store/open.ts";
import { parseStored } from "./payload.ts";

/** A row `reflex.fired`. */
export interface Fired {
  readonly reflex: string;
  readonly signal: number;
  /** As it is shown: null without `key`. */
  readonly key: string | null;
  readonly due: number | null;
  readonly at: number;
  /** Null where no run was started. */
  readonly run: number | null;
  /** The pattern it is silenced by. */
  readonly silenced: string | null;
}

/** Why live decisions may be others than replayed ones from there on. */
export interface Incident {
  readonly at: number;
  readonly event: string;
  /** `kernel`, or `reflex:NAME`. */
  readonly source: string;
  readonly message: string;
}

export interface Recorded {
  readonly downs: readonly Down[];
  readonly incidents: readonly Incident[];
  /** Unix milliseconds of the first log there is, of the newest; null without logs. */
  readonly first: number | null;
  readonly last: number | null;
}

const OF_KERNEL: ReadonlySet<string> = new Set([
  "clock.stepped",
  "config.reloaded",
  "kernel.started",
  "reflex.silenced",
  "reflex.unsilenced",
]);
const OF_REFLEX: ReadonlySet<string> = new Set(["disabled", "enabled", "reflex.cleared", "reflex.keys-limited"]);

/** Begins and ends of what was recorded, with every firing since `since` given to `fired`. */
export function readRecorded(store: StoreReader, since: number, fired: (row: Fired) => void): Recorded {
  const { history } = store;
  const [oldest] = history.page({
    after: 0,
    since: null,
    trace: null,
    sources: [],
    level: null,
    limit: 1,
    newest: false,
  });
  const downs: Down[] = [];
  const incidents: Incident[] = [];
  let last: Log | null = null;
  for (const row of history.scan(history.firstIdSince(since) - 1)) {
    if (row.event === "reflex.fired" && row.source.startsWith("reflex:")) fired(firedOf(row));
    if (row.event === "kernel.started" && (last !== null || row.id > 1)) {
      const from = Math.max(last?.at ?? 0, lastSignalBefore(store, row.at));
      if (from > 0 && from < row.at) downs.push({ from, to: row.at });
    }
    if (isIncident(row)) {
      incidents.push({ at: row.at, event: row.event, source: row.source, message: row.message });
    }
    last = row;
  }
  return { downs: inOrder(downs), incidents, first: oldest?.at ?? null, last: last?.at ?? null };
}

const isIncident = ({ event, source }: Log): boolean =>
  source === "kernel" ? OF_KERNEL.has(event) : source.startsWith("reflex:") && OF_REFLEX.has(event);

function firedOf({ source, data, at }: Log): Fired {
  const parsed = data === null ? null : parseStored(data);
  const { signal, key, due, run, silenced } = (parsed ?? {}) as Record<string, Json>;
  return {
    reflex: source.slice("reflex:".length),
    signal: Number(signal),
    key: typeof key === "string" ? key : null,
    due: typeof due === "number" ? due : null,
    at,
    run: typeof run === "number" ? run : null,
    silenced: typeof silenced === "string" ? silenced : null,
  };
}

/** 0 when there is none. */
function lastSignalBefore({ signals }: StoreReader, at: number): number {
  const first = signals.firstIdSince(at);
  const [newest] = signals.list({ ...EVERY_SIGNAL, after: first - 2, limit: 1 });
  return newest !== undefined && newest.at < at ? newest.at : 0;
}

export const EVERY_SIGNAL = { after: 0, senses: [], since: null, trace: null, newest: false } as const;

/** Clocks are set: only what follows on what came before is believed. */
const inOrder = (downs: readonly Down[]): Down[] =>
  downs.filter(({ from }, index) => index === 0 || from >= (downs[index - 1]?.to ?? 0));
