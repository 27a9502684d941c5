/**
 * The epochs of the ids of signals. Where another epoch begins, ids above those that survived are given again, to other signals:
 * how far somebody has looked in an earlier epoch holds up to the lowest id that every epoch since began from.
 */
import { readJson } from "../base/json.ts";
import type { MetaTable } from "./meta.ts";

/** `from`: the highest id of a signal that survived when the epoch began. */
interface Epoch {
  readonly epoch: string;
  readonly from: number;
}

/** Where they are in `meta`, beside `epoch` and `epoch_from`, which are those of the newest. */
export const EPOCHS = "epochs";
const KEPT = 100;

/** Those that are not known are none. */
function readEpochs(text: string | null): Epoch[] {
  const known = readJson(text ?? "[]");
  if (!Array.isArray(known)) return [];
  return known.filter((one) => {
    const { epoch, from } = (one ?? {}) as Partial<Record<keyof Epoch, unknown>>;
    return typeof epoch === "string" && Number.isSafeInteger(from);
  }) as unknown as Epoch[];
}

/** What `meta` holds once another epoch has begun. */
export const withEpoch = (text: string | null, epoch: string, from: number): string =>
  JSON.stringify([...readEpochs(text), { epoch, from }].slice(-KEPT));

/** What is left today of ids up to `upTo` that somebody has looked at in `epoch`. */
export function survivorsOf(text: string | null, epoch: string, upTo: number): number {
  const all = readEpochs(text);
  const since = all.slice(all.findIndex((one) => one.epoch === epoch) + 1);
  return Math.min(upTo, ...since.map(({ from }) => from));
}

/** As `survivorsOf`, of all ids. */
export const survivorsIn = (meta: MetaTable, epoch: string): number =>
  survivorsOf(meta.get(EPOCHS), epoch, meta.count("epoch_from") ?? 0);
