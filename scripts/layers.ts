/**
 * Holds the arrows between the folders: who may import whom, type-only imports included. The rows are in `scripts/layers/`.
 * A folder under `src/` or `senses/` without a row is itself a violation, so a new folder says where it stands.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Glob } from "bun";
import { type Layers, violationsOf } from "./arrows.ts";
import { FACES } from "./layers/faces.ts";
import { GROUND } from "./layers/ground.ts";
import { KERNEL } from "./layers/kernel.ts";
import { WORKERS } from "./layers/workers.ts";

/**
 * Each table: folder or file → what it may import besides itself: folders, files and packages (their subpaths included).
 * `type x` allows only what is gone at run time. The row of a file adds to the row of its folder. In `senses/*` and in the
 * folders of `HOUSES` (`arrows.ts`) each subfolder has a row of its own. `node:*` and `bun` are free to all; `bun:*` is not.
 */
export const TABLES: readonly Layers[] = [GROUND, KERNEL, WORKERS, FACES];

/** The tables as one. */
export const LAYERS: Layers = Object.assign({}, ...TABLES);

/** What `file` (its path from the root) imports against the table, one sentence each. */
export const violations = (file: string, source: string): string[] => violationsOf(LAYERS, file, source);

/** Every violation under `root`. */
export const allViolations = (root: string): string[] =>
  [...new Glob("{src,senses}/**/*.{ts,tsx}").scanSync(root)]
    .sort()
    .flatMap((file) => violations(file, readFileSync(join(root, file), "utf8")));

if (import.meta.main) {
  const found = allViolations(dirname(import.meta.dir));
  for (const violation of found) console.error(violation);
  process.exitCode = found.length > 0 ? 1 : 0;
}
