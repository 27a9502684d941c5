/**
 * What the databases of senses prove of the ids of signals. A sense with `deliver` keeps in its own database, in the table `_taken`,
 * how far it has looked: where logs.db is an older copy, it has given fewer ids than that.
 */
import { join } from "node:path";
import { isJsonObject, readJson } from "../base/json.ts";
import { isName } from "../model/name.ts";
import { openReader } from "../sqlite/open.ts";
import type { MetaTable } from "./meta.ts";

/** Under this key `meta` names the senses with `deliver`. */
export const DELIVERIES = "deliveries";
/** So many signals are not lost with an older copy: what lies further ahead is not written by nerve. */
const MOST_AHEAD = 1_000_000_000;

const LOOKED_AT = "SELECT max(up_to) AS id FROM _taken WHERE origin LIKE 'signals:%' AND typeof(up_to) = 'integer'";

/** A database that is not there, or cannot be read, proves nothing. Its worker names what is wrong with it. */
function upTo(file: string): number {
  const opened = openReader(file);
  if (!opened.ok) return 0;
  const db = opened.value;
  try {
    return db.query<{ id: number | null }, []>(LOOKED_AT).get()?.id ?? 0;
  } catch {
    return 0;
  } finally {
    db.close();
  }
}

/** The highest signal that a sense with `deliver` has looked at; 0 where there is none. `lastId`: the highest in logs.db. */
export function deliveredUpTo(data: string, meta: MetaTable, lastId: number): number {
  const known = readJson(meta.get(DELIVERIES) ?? "{}");
  const senses = isJsonObject(known) ? Object.keys(known).filter(isName) : [];
  const ids = senses.map((sense) => upTo(join(data, "senses", `${sense}.db`)));
  return Math.max(0, ...ids.filter((id) => id <= lastId + MOST_AHEAD));
}
