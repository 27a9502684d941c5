/** The migrations of a sense: those of its folder, or of the built-in. What looks like a migration and is none is refused. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { BUILT_IN_SENSES } from "../../senses/index.ts";
import { nearest } from "../base/nearest.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import { type MigrationFile, readMigrations } from "../sqlite/migrate.ts";
import type { ModuleSource } from "../worker/load-export.ts";

const FOLDER = "migrations";

export function migrationsOf({
  use,
  folder,
}: Pick<ModuleSource, "use" | "folder">): Result<readonly MigrationFile[], Problem> {
  if (folder === null) return ok(builtIn(use));
  const migrations = join(folder, FOLDER);
  try {
    const stray = misspeltFolder(folder) ?? misspeltFile(migrations);
    return stray === null ? ok(readMigrations(migrations)) : err(stray);
  } catch (error) {
    const message = `its migrations cannot be read: ${(error as Error).message}`;
    return err(problem("unreadable-migrations", message, null, migrations));
  }
}

const builtIn = (name: string): readonly MigrationFile[] =>
  Object.hasOwn(BUILT_IN_SENSES, name) ? BUILT_IN_SENSES[name as keyof typeof BUILT_IN_SENSES].migrations : [];

/** A folder in the module's that was meant to be `migrations`. */
function misspeltFolder(folder: string): Problem | null {
  const folders = list(folder).filter((entry) => entry.isDirectory());
  if (folders.some(({ name }) => name === FOLDER)) return null;
  for (const { name } of folders) {
    const path = join(folder, name);
    if (nearest(name, [FOLDER]) === null || !list(path).some((entry) => entry.name.endsWith(".sql"))) continue;
    const message = `the folder ${name}/ holds SQL files, and migrations are read from ${FOLDER}/ only`;
    return problem("stray-migration", message, `rename it to ${FOLDER}`, path);
  }
  return null;
}

/** A numbered file in `migrations` that was meant to end in `.sql`. */
function misspeltFile(migrations: string): Problem | null {
  for (const entry of list(migrations)) {
    const { name } = entry;
    const [, ending = "sql"] = /^\d.*\.([a-z]+)$/i.exec(name) ?? [];
    if (!entry.isFile() || ending === "sql" || nearest(ending, ["sql"]) === null) continue;
    const message = `${name} is not read: the name of a migration ends in .sql`;
    const hint = `rename it to ${name.slice(0, -ending.length)}sql`;
    return problem("stray-migration", message, hint, join(migrations, name));
  }
  return null;
}

function list(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
