/** Owns what the senses `host-health` find bad: each number that has passed a limit, and since when. */
import { isJsonObject, type Json, parseStored } from "../base/json.ts";
import type { Signal } from "../model/signal.ts";
import { ALL_SIGNALS } from "../store/signals.ts";
import type { Scene } from "./scene.ts";

export interface BadCheck {
  /** The sense that judges, and the sense that is judged. */
  readonly by: string;
  readonly sense: string;
  readonly check: string;
  readonly value: number;
  readonly state: "warning" | "critical";
  /** The limit that the value has passed. */
  readonly limit: number;
  readonly signal: number;
  /** Unix milliseconds of the oldest signal in a row that finds the same check bad; null: that is further back than was looked. */
  readonly since: number | null;
}

const JUDGE = "host-health";
/** Signals that are looked at for the beginning, a page at a time. */
const PAGE = 200;
const MOST_PAGES = 5;

interface Verdict {
  readonly sense: string;
  readonly check: string;
  readonly value: number;
  readonly status: "warning" | "critical";
  readonly limit: number;
}

function verdictOf(check: Json): Verdict | null {
  if (!isJsonObject(check)) return null;
  const { sense, check: name, value, status } = check;
  if (status !== "warning" && status !== "critical") return null;
  const limit = check[status];
  if (typeof sense !== "string" || typeof name !== "string") return null;
  if (typeof value !== "number" || typeof limit !== "number") return null;
  return { sense, check: name, value, status, limit };
}

/** The bad checks of a signal of `host-health`; a payload of another shape has none. */
function verdictsOf({ payload }: Signal): readonly Verdict[] {
  const read = parseStored(payload);
  const checks = isJsonObject(read) ? read.checks : null;
  return Array.isArray(checks) ? checks.flatMap((check) => verdictOf(check) ?? []) : [];
}

/** The judges that work: the verdict of another is of the past. */
function judgesIn({ config, status }: Scene): string[] {
  const senses = [...(config?.senses.values() ?? [])].filter(({ use }) => use === JUDGE);
  const ok = new Set((status?.senses ?? []).filter(({ state }) => state === "ok").map(({ name }) => name));
  return senses.map(({ name }) => name).filter((name) => ok.has(name));
}

const keyOf = ({ sense, check }: Verdict): string => `${sense} ${check}`;

/** Since when each of `bad` is bad, by its key; what is bad for longer than was looked is not there. */
function beginningsOf({ store }: Scene, by: string, newest: Signal, bad: readonly Verdict[]): Map<string, number> {
  const open = new Map(bad.map((verdict) => [keyOf(verdict), newest.at]));
  const begun = new Map<string, number>();
  let before = newest.id;
  for (let page = 0; page < MOST_PAGES && open.size > 0; page++) {
    const older = store.signals.list({ ...ALL_SIGNALS, senses: [by], before, limit: PAGE, newest: true }).reverse();
    for (const signal of older) {
      const still = new Set(verdictsOf(signal).map(keyOf));
      for (const [key, at] of open) {
        if (still.has(key)) open.set(key, signal.at);
        else {
          begun.set(key, at);
          open.delete(key);
        }
      }
      before = signal.id;
    }
    // All that is kept has been looked at.
    if (older.length < PAGE) for (const [key, at] of open) begun.set(key, at);
    if (older.length < PAGE) break;
  }
  return begun;
}

function badIn(scene: Scene, by: string): BadCheck[] {
  const [newest] = scene.store.signals.list({ ...ALL_SIGNALS, senses: [by], limit: 1, newest: true });
  if (newest === undefined) return [];
  const bad = verdictsOf(newest);
  const begun = beginningsOf(scene, by, newest, bad);
  return bad.map((verdict) => {
    const { sense, check, value, status, limit } = verdict;
    const since = begun.get(keyOf(verdict)) ?? null;
    return { by, sense, check, value, state: status, limit, signal: newest.id, since };
  });
}

export const badChecks = (scene: Scene): BadCheck[] => judgesIn(scene).flatMap((by) => badIn(scene, by));
