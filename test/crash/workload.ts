/** The senses, reflexes and groups that are killed, and the same ones at rest. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CrashSite } from "../helpers/crash.ts";
import type { Expectations } from "./checker.ts";

export const SENSES = ["writer", "plain", "peer-reader"];

/** Listener → the senses whose signals it is computed for. */
export const LISTENERS = {
  "chain-a": ["writer-a", "plain"],
  "chain-b": ["writer-b", "writer-c", "chain-a"],
  "chain-c": ["chain-b"],
};

const COMMON = `
data: DATA
groups: { alpha: {}, beta: {}, gamma: {} }
senses:
  plain: { group: alpha }
  writer-a: { use: writer, group: alpha }
  writer-b: { use: writer, group: beta, with: { bytes: 3000 } }
  writer-c: { use: writer, group: gamma, with: { pauseMs: 15 } }
  reader: { use: peer-reader, group: beta, with: { of: writer-a } }
  near-reader: { use: peer-reader, group: alpha, with: { of: writer-a } }
  chain-a: { use: writer, group: alpha }
  chain-b: { use: writer, group: gamma, with: { pauseMs: 5 } }
  chain-c: { use: writer, group: beta, throttle: 40ms }
reflexes:
${Object.entries(LISTENERS)
  .map(([listener, sources]) => `  - { name: ${listener}, sense: ${listener}, on: [${sources.join(", ")}] }`)
  .join("\n")}
`;

const TICKS = `
  - { name: t1, sense: plain, interval: 20ms }
  - { name: t2, sense: writer-a, interval: 20ms, on_start: true }
  - { name: t3, sense: writer-b, interval: 30ms }
  - { name: t4, sense: writer-c, interval: 50ms }
  - { name: t5, sense: reader, interval: 30ms }
  - { name: t6, sense: near-reader, interval: 50ms }
`;

export const BUSY = "nerve.yaml";
export const QUIET = "quiet.yaml";
export const busyConfig = `${COMMON.trimEnd()}${TICKS}`;

const FIRST_MIGRATIONS = ["0001_items.sql", "0002_length.sql"];

/** Adds a migration to the module all writers share; applied by whatever worker starts next. */
export function addMigration(site: CrashSite, number: number): string {
  const name = `${String(number).padStart(4, "0")}_more.sql`;
  const sql = [
    `CREATE TABLE more_${number} (id INTEGER PRIMARY KEY, text TEXT NOT NULL);`,
    `INSERT INTO more_${number} (text) SELECT content FROM items ORDER BY n DESC LIMIT 200;`,
    `INSERT INTO applied (migration) VALUES ('${name}');`,
  ];
  writeFileSync(join(site.folder, "senses/writer/migrations", name), sql.join("\n"), { mode: 0o600 });
  return name;
}

export function prepare(site: CrashSite): void {
  site.write(BUSY, busyConfig);
  site.write(QUIET, COMMON);
}

export function expectations(added: readonly string[], history: string | null): Expectations {
  const writers = ["writer-a", "writer-b", "writer-c", ...Object.keys(LISTENERS)];
  return {
    writers,
    peerReaders: ["reader", "near-reader"],
    listeners: LISTENERS,
    migrations: Object.fromEntries(writers.map((sense) => [sense, [...FIRST_MIGRATIONS, ...added]])),
    history,
  };
}
