/** Messages that hold a list, one entry at a time: as scripts of workers and tests read and write them. */

import type { AskedCompute } from "../../src/ipc/definitions.ts";

/** A message as a worker gets and gives one. */
export type Message = { readonly type: string } & Readonly<Record<string, unknown>>;

/** One compute that is asked for. */
export type OneCompute = Omit<AskedCompute, "inbox"> & { readonly inbox: NonNullable<AskedCompute["inbox"]> };

type Row = Readonly<Record<string, unknown>>;

/** The key of the list in messages of a type. */
const LISTS: Readonly<Record<string, string | undefined>> = {
  compute: "computes",
  signal: "signals",
  "no-signal": "computes",
  "left-over": "rows",
};

/** A message for each entry of its list: of a compute that is asked for, of a result, of a row that was left. */
export function unpacked(message: Message): Message[] {
  const { type, generation } = message;
  const list = LISTS[type];
  if (list === undefined) return [message];
  const rows = message[list] as readonly Row[];
  if (type === "left-over")
    return rows.map((row) => ({ type: "signal", generation, id: null, sense: message.sense, more: [], ...row }));
  const none = type === "compute" ? "inbox" : "more";
  return rows.map((row) =>
    row[none] === null ? { type, generation, ...row, [none]: [] } : { type, generation, ...row },
  );
}

/** The message that holds this result, or this row that was left (`id` null), alone. Whatever is malformed stays as it is. */
export function packed(message: Message): Message {
  // A test may send anything.
  if (typeof message !== "object" || message === null) return message;
  const { type, generation, ...row } = message;
  if (type === "no-signal") return { type, generation, computes: [row] };
  if (type !== "signal") return message;
  const isLone = Array.isArray(row.more) && row.more.length === 0;
  if (row.id !== null) return { type, generation, signals: [isLone ? { ...row, more: null } : row] };
  const { id, sense, more, durationMs, ...left } = row;
  return { type: "left-over", generation, sense, rows: [left] };
}
