/**
 * Holds that the kernel reaches outside through its world alone (`src/kernel/world.ts`): timers, clocks, chance, files and
 * processes are named in `src/kernel/host`, which is the real world, and in `boot.ts`, which makes it.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Glob } from "bun";

const FREE = /^src\/kernel\/(host\/|daemon\/boot\.ts$)/;

/** What goes around the world, and is not said of it in a comment. */
const OUTSIDE =
  /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask|nextTick|Date\.now|new Date\(\)|Math\.random|randomBytes|randomUUID|getRandomValues|hrtime|performance\.now|fetch)\b|(?<![\w-])process\.|\bBun\.(?!deepEquals\b|cron\.parse\b)|from "(?:node:(?!path"|crypto")|bun:)/;

/** Types are no way out. */
const TYPES = /^import type /;

const isComment = (line: string): boolean => /^\s*(\/\*|\*|\/\/)/.test(line);

export function waysOut(file: string, source: string): string[] {
  if (FREE.test(file)) return [];
  return source.split("\n").flatMap((line, index) => {
    const found = isComment(line) || TYPES.test(line) ? null : OUTSIDE.exec(line);
    return found === null
      ? []
      : [`${file}:${index + 1}: ${found[0]} goes around the kernel's world (src/kernel/world.ts)`];
  });
}

/** Of the whole kernel. */
export function allWaysOut(root: string): string[] {
  const files = [...new Glob("src/kernel/**/*.ts").scanSync(root)].sort();
  return files.flatMap((file) => waysOut(file, readFileSync(join(root, file), "utf8")));
}

if (import.meta.main) {
  const found = allWaysOut(dirname(import.meta.dir));
  for (const line of found) console.error(line);
  if (found.length > 0) process.exit(1);
}
