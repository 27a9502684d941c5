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
  /** Unix milliseconds of the oldest signal in a row that finds the same check bad. */
  readonly since: number;
}

const JUDGE = "host-health";
/** Signals that are looked at for the beginning. */
const BACK = 200;

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

function badIn({ store }: Scene, by: string): BadCheck[] {
  const [newest, ...older] = store.signals.list({ ...ALL_SIGNALS, senses: [by], limit: BACK, newest: true }).reverse();
  if (newest === undefined) return [];
  const before = older.map((signal) => ({ at: signal.at, verdicts: verdictsOf(signal) }));
  return verdictsOf(newest).map(({ sense, check, value, status, limit }) => {
    const isBad = (one: Verdict): boolean => one.sense === sense && one.check === check;
    const end = before.findIndex(({ verdicts }) => !verdicts.some(isBad));
    const since = before.slice(0, end === -1 ? undefined : end).at(-1)?.at ?? newest.at;
    return { by, sense, check, value, state: status, limit, signal: newest.id, since };
  });
}

export const badChecks = (scene: Scene): BadCheck[] => judgesIn(scene).flatMap((by) => badIn(scene, by));
