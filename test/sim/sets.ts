/** The seeds that are to be simulated, in sets; and a file of those that are done, so that whoever comes later goes on. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readJson } from "../../src/base/json.ts";
import type { Task, Told } from "./told.ts";
import { DAY, HOUR, type Size, sizeOf } from "./words.ts";

export interface SeedSet {
  readonly name: string;
  readonly from: number;
  readonly count: number;
  readonly size: Size;
}

/** All that a release has to pass. */
export const WHOLE: readonly SeedSet[] = [
  { name: "day", from: 1, count: 2_000, size: sizeOf({ lengthMs: DAY }) },
  { name: "dense", from: 1, count: 100, size: sizeOf({ senses: 100, lengthMs: HOUR, isDense: true }) },
  { name: "month", from: 1, count: 20, size: sizeOf({ lengthMs: 30 * DAY }) },
];

export const tasksOf = (sets: readonly SeedSet[]): Task[] =>
  sets.flatMap(({ name, from, count, size }) =>
    Array.from({ length: count }, (_, index) => ({ set: name, seed: from + index, size })),
  );

export interface Done extends Told {
  readonly set: string;
  /** What the simulator was made of: a seed that another source has done is not done. */
  readonly source: string;
  readonly commit: string;
}

const ROOT = dirname(dirname(import.meta.dir));
const MADE_OF = ["src", "senses", "migrations", "test/sim", "test/rules", "test/helpers"];

/** The same for the same files, whatever else a commit changes. */
export function sourceOf(root = ROOT): string {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const folder of MADE_OF)
    for (const path of [...new Bun.Glob("**/*").scanSync({ cwd: join(root, folder) })].sort())
      hasher.update(`${folder}/${path}\n`).update(readFileSync(join(root, folder, path)));
  return hasher.digest("hex").slice(0, 12);
}

export const commitOf = (): string =>
  Bun.spawnSync(["git", "rev-parse", "--short", "HEAD"], { cwd: ROOT }).stdout.toString().trim();

/** Lines of JSON, one a seed. What another source has done stays there, and counts for nothing. */
export class DoneFile {
  readonly #path: string;
  readonly #source: string;
  readonly #commit: string;

  constructor(path: string, source: string, commit: string) {
    this.#path = path;
    this.#source = source;
    this.#commit = commit;
    mkdirSync(dirname(path), { recursive: true });
    // A line whose writer was killed has no end.
    if (existsSync(path) && !/(^|\n)$/.test(readFileSync(path, "utf8"))) appendFileSync(path, "\n");
  }

  read(): Done[] {
    if (!existsSync(this.#path)) return [];
    const lines = readFileSync(this.#path, "utf8").split("\n");
    const done = lines.map((line) => readJson(line) as Done | null | undefined);
    return done.flatMap((one) => (one?.source === this.#source ? one : []));
  }

  add(set: string, told: Told): Done {
    const done = { ...told, set, source: this.#source, commit: this.#commit };
    appendFileSync(this.#path, `${JSON.stringify(done)}\n`);
    return done;
  }
}
