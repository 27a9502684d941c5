/** Which senses and reflexes a person has switched off. */
import type { Database } from "bun:sqlite";
import { type Check, RowGuard } from "./columns.ts";
import type { OnDamage } from "./damage.ts";

/** `sense:NAME` or `reflex:NAME`. */
export type Switch = `sense:${string}` | `reflex:${string}`;

const SWITCH: Check = {
  holds: (value) => typeof value === "string" && /^(sense|reflex):./.test(value),
  what: "sense:NAME or reflex:NAME",
};

export function switchTable(db: Database, onDamage: OnDamage) {
  const guard = new RowGuard<{ name: Switch }>(db.filename, "switches", "name", { name: SWITCH }, onDamage);
  return {
    disabled: (): Switch[] =>
      guard
        .rows(db.query<{ name: Switch }, []>("SELECT name FROM switches ORDER BY name").all())
        .map(({ name }) => name),
    disable(name: Switch, at: number): void {
      db.query("INSERT OR IGNORE INTO switches (name, disabled_at) VALUES (?, ?)").run(name, at);
    },
    enable(name: Switch): void {
      db.query("DELETE FROM switches WHERE name = ?").run(name);
    },
  };
}
