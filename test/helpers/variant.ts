/**
 * Another build of nerve: this tree with another version, one more migration of logs.db, and faults that an environment
 * variable of the daemon asks for. Built once, and again when a source is newer.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { isStale } from "../../scripts/build.ts";

const ROOT = join(import.meta.dir, "../..");
const BUILT = join(ROOT, "build/nerve-variant");
/** What is no source, or is not needed to build. */
const LEFT_OUT: ReadonlySet<string> = new Set([".git", "node_modules", "build", "data", "test", "nerve", "nerve.map"]);

export const VARIANT_VERSION = "99.0.0";
export const VARIANT_MIGRATION = "0099_variant.sql";

/** The variable, and what its values break. */
export const FAULT = "NERVE_VARIANT_FAULT";
export type Fault =
  /** `nerve check` ends with 1. */
  | "check"
  /** A migration of logs.db fails. */
  | "migration"
  /** The daemon ends once it has migrated logs.db. */
  | "crash"
  /** The daemon hangs once it has migrated logs.db. */
  | "hang"
  /** The daemon moves the config away once it has migrated logs.db, and ends. */
  | "config"
  /** The daemon ends a moment after it has begun to commit. */
  | "late";

const SQL = "ALTER TABLE signals ADD COLUMN variant TEXT;\nCREATE TABLE variant (id INTEGER PRIMARY KEY, text TEXT);\n";

/** File → what is replaced in it, by what. */
const EDITS: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>> = {
  "package.json": [['"version": "', `"version": "${VARIANT_VERSION}", "was": "`]],
  "src/store/migrations.ts": [
    [
      'import type { MigrationFile } from "../sqlite/migrate.ts";',
      `import type { MigrationFile } from "../sqlite/migrate.ts";\nimport variantSql from "../../migrations/${VARIANT_MIGRATION}" with { type: "text" };`,
    ],
    [
      "\n];",
      `\n  { name: "${VARIANT_MIGRATION}", sql: variantSql },\n  ...(process.env.${FAULT} === "migration" ? [{ name: "0100_bad.sql", sql: "CREATE TABL bad (id);" }] : []),\n];`,
    ],
  ],
  "src/main.ts": [
    ["holdSignals();", `if (process.env.${FAULT} === "check" && word === "check") process.exit(1);\n  holdSignals();`],
  ],
  "src/kernel/daemon/boot.ts": [
    [
      "  const daemon = new Daemon(",
      `  const fault = process.env.${FAULT};\n  if (fault === "crash") process.exit(70);\n  if (fault === "config") {\n    process.getBuiltinModule("node:fs").renameSync(options.configFile, options.configFile + ".off");\n    process.exit(70);\n  }\n  if (fault === "hang") Bun.sleepSync(3_600_000);\n  if (fault === "late") setTimeout(() => process.exit(70), 1_500);\n  const daemon = new Daemon(`,
    ],
  ],
};

function edit(tree: string): void {
  writeFileSync(join(tree, "migrations", VARIANT_MIGRATION), SQL);
  for (const [name, edits] of Object.entries(EDITS)) {
    const file = join(tree, name);
    let text = readFileSync(file, "utf8");
    for (const [from, to] of edits) {
      if (text.split(from).length !== 2) throw new Error(`${name} does not hold ${JSON.stringify(from)} once`);
      text = text.replace(from, () => to);
    }
    writeFileSync(file, text);
  }
}

const isOld = (): boolean => isStale(BUILT) || statSync(import.meta.path).mtimeMs > statSync(BUILT).mtimeMs;

/** The path of the executable. */
export function variant(): string {
  if (!isOld()) return BUILT;
  const tree = join(ROOT, "build", `variant-${process.pid}`);
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(tree, { recursive: true });
  try {
    for (const name of readdirSync(ROOT).filter((one) => !LEFT_OUT.has(one)))
      cpSync(join(ROOT, name), join(tree, name), { recursive: true, preserveTimestamps: true });
    const kept = join(ROOT, "build/declarations.json");
    if (existsSync(kept)) cpSync(kept, join(tree, "build/declarations.json"));
    // Hard links: the build asks whether packages are installed beside it.
    Bun.spawnSync(["cp", "-al", join(ROOT, "node_modules"), tree]);
    edit(tree);
    const { exitCode, stderr } = Bun.spawnSync(
      [process.execPath, join(tree, "scripts/build.ts"), join(tree, "nerve")],
      {
        cwd: tree,
        stdout: "ignore",
      },
    );
    if (exitCode !== 0) throw new Error(`the variant cannot be built: ${stderr.toString()}`);
    renameSync(join(tree, "nerve"), BUILT);
    return BUILT;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}
