/** Messages that hold a list, one entry at a time: as scripts of workers and tests read and write them. */

/** A message as a worker gets and gives one. */
export type Message = { readonly type: string } & Readonly<Record<string, unknown>>;

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
  return rows.map((row) => ({ type, generation, ...row }));
}

/** The message that holds this result, or this row that was left (`id` null), alone. Whatever is malformed stays as it is. */
export function packed(message: Message): Message {
  const { type, generation, ...row } = message;
  if (type === "no-signal") return { type, generation, computes: [row] };
  if (type !== "signal") return message;
  if (row.id !== null) return { type, generation, signals: [row] };
  const { id, sense, more, durationMs, ...left } = row;
  return { type: "left-over", generation, sense, rows: [left] };
}
