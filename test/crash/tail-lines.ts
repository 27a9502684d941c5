/** A log of numbers that the sense `log` (`tail`) reads, and what became of its lines. */
import { Database } from "bun:sqlite";
import { appendFileSync, copyFileSync, existsSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CrashSite } from "../helpers/crash.ts";

/** The log, and how many lines were written to it. */
export class Log {
  lines = 0;
  #generation = 0;
  readonly #path: string;

  constructor(folder: string) {
    this.#path = join(folder, "app.log");
    // What was rotated before nerve looked for the first time is not read.
    this.write(1);
  }

  write(count: number): void {
    const numbers = Array.from({ length: count }, () => `${this.lines++}\n`);
    appendFileSync(this.#path, numbers.join(""));
  }

  /** What is not read yet is read under the new name. */
  rename(): void {
    renameSync(this.#path, `${this.#path}.${++this.#generation}`);
    writeFileSync(this.#path, "");
  }

  copyAndCut(): void {
    copyFileSync(this.#path, `${this.#path}.${++this.#generation}`);
    truncateSync(this.#path, 0);
  }
}

export const valuesOf = (site: CrashSite): number[] =>
  site.ask([] as number[], (db) =>
    db
      .query<{ payload: string }, []>("SELECT payload FROM signals WHERE sense = 'log' ORDER BY id")
      .all()
      .map(({ payload }) => Number((JSON.parse(payload) as { readonly line: string }).line)),
  );

function countedOn(site: CrashSite): number {
  const file = join(site.data, "senses/log.db");
  if (!existsSync(file)) return 0;
  using db = new Database(file, { readonly: true });
  return db.query<{ lines: number | null }, []>("SELECT sum(lines) AS lines FROM samples").get()?.lines ?? 0;
}

/** Whether all lines are counted by now: while nerve runs, the database may be in use. */
export function areCounted(site: CrashSite, lines: number): boolean {
  try {
    return countedOn(site) >= lines;
  } catch (error) {
    if (/^SQLITE_(BUSY|CANTOPEN|READONLY)/.test((error as { code?: string }).code ?? "")) return false;
    throw error;
  }
}

/** What is wrong once every line of 0 to `lines` has had its time: each is in one signal, and is counted once. */
export function wrongOn(site: CrashSite, lines: number): string[] {
  const values = valuesOf(site);
  const there = new Set(values);
  const lost = Array.from({ length: lines }, (_, line) => line).filter((line) => !there.has(line));
  const counted = countedOn(site);
  return [
    ...(lost.length > 0 ? [`lost: ${lost.join(", ")}`] : []),
    ...(there.size === values.length ? [] : [`${values.length - there.size} of ${values.length} came twice`]),
    ...(counted === lines ? [] : [`${lines} lines, ${counted} counted`]),
  ];
}
