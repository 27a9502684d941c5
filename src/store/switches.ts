/** Which senses and reflexes a person has switched off. */
import type { Database } from "bun:sqlite";
import { RowGuard } from "./columns.ts";

/** `sense:NAME` or `reflex:NAME`. */
export type Switch = `sense:${string}` | `reflex:${string}`;

export function switchTable(db: Database) {
  const guard = new RowGuard<{ name: Switch }>(db, "switches", "name", {
    name: (value) => typeof value === "string" && /^(sense|reflex):./.test(value),
  });
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
