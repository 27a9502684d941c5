/** Owns a macro: it runs in the build, and its result becomes part of the executable. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../../..");

/** The files of each module in `folder`: path → text. */
export function modulesIn(folder: string): Record<string, Record<string, string>> {
  const modules: Record<string, Record<string, string>> = {};
  for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const within = join(ROOT, folder, entry.name);
    const files = readdirSync(within, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    modules[entry.name] = Object.fromEntries(
      files
        .map((file) => join(file.parentPath, file.name))
        .sort()
        .map((path) => [path.slice(within.length + 1), readFileSync(path, "utf8")]),
    );
  }
  return modules;
}
