/**
 * Holds the arrows between the folders: who may import whom, in one table, type-only imports included.
 * A folder under `src/` or `senses/` without a row is itself a violation, so a new one has to say where it stands.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Glob } from "bun";
import { type Layers, violationsOf } from "./arrows.ts";

/** The ground, and the nouns. */
const NOUNS: readonly string[] = ["src/base", "src/model"];

/** What a worker of senses has at hand. */
const WORKSHOP = [...NOUNS, "src/ipc", "src/sqlite", "src/sdk", "senses/index.ts", "drizzle-orm", "type bun:sqlite"];

/** What the rooms of the kernel that decide stand on. */
const FLOOR: readonly string[] = [
  ...NOUNS,
  "src/store",
  "type src/kernel/world.ts",
  "src/kernel/time",
  "src/kernel/memory",
  "src/kernel/commits",
];

/**
 * Folder or file → what it may import besides itself: folders, files and packages (their subpaths included). `type x`
 * allows what is gone at run time only. A file's row adds to its folder's. In `senses/*` and in the folders of `HOUSES` (`arrows.ts`)
 * each subfolder stands for itself. `node:*` and `bun` are free to all; `bun:*` is not.
 */
export const LAYERS: Layers = {
  "src/main.ts": ["src"],
  "src/version.ts": ["package.json"],
  // Ground: no noun of nerve's.
  "src/base": [],
  "src/base/libc.ts": ["bun:ffi"],
  "src/base/line-writer.ts": ["bun:ffi"],
  "src/sqlite": ["src/base", "bun:sqlite"],
  // Nouns and contracts.
  "src/model": ["src/base"],
  "src/config": ["src/base", "src/model", "src/rules", "senses/names.ts", "yaml"],
  "src/ipc": ["src/base"],
  "src/ipc/definitions.ts": ["type arktype"],
  "src/ipc/workflow-definitions.ts": ["type arktype"],
  // Pure: what reflexes decide. No I/O, no clock.
  "src/rules": ["src/base", "src/model", "arktype"],
  // What the senses and workflows of a configuration need of the host. Pure, and loads none of their code.
  "src/needs": ["src/base", "src/model", "senses/names.ts", "src/workflows/names.ts"],
  "src/control": ["src/base", "src/model"],
  // What makes a release one: its sums, its signature. Used by the release script as well.
  "src/release": ["src/base", "src/model"],
  // What `nerve`, `nerve/options`, `nerve/proc` … give an author.
  "src/sdk": ["src/base", "src/model", "type drizzle-orm"],
  "src/sdk/status.ts": ["type src/control/contract.ts"],
  // The store: the kernel's alone.
  "src/store": ["src/base", "src/model", "src/sqlite", "migrations", "type bun:sqlite"],
  // What the tables should be: made in memory.
  "src/store/soundness.ts": ["bun:sqlite"],
  // Backups of a data directory: taken, proven, put back. Beside a kernel or without one, and without its help.
  "src/backup": [...NOUNS, "src/release/sums.ts", "src/sqlite", "src/store", "bun:sqlite"],
  // Another executable in the place of this one, with the data, and the way back.
  "src/upgrade": [
    ...NOUNS,
    "src/release/sums.ts",
    "src/sqlite",
    "src/store/restoring.ts",
    "src/control",
    "src/backup",
    "bun:sqlite",
  ],
  // How workers are started and where modules lie: below the kernel and the commands, which both start workers.
  "src/spawn": ["src/base", "src/model", "src/config", "src/ipc", "senses/names.ts", "src/workflows/names.ts"],
  // Processes. The kernel cannot run user code, for it imports no loader; a worker cannot open logs.db, for it imports no
  // store. Each folder of the kernel is a room of its own.
  "src/kernel/daemon": [
    ...FLOOR,
    "src/config",
    "src/rules/calendar.ts",
    "src/control",
    "src/spawn",
    "src/version.ts",
    "src/kernel/engine.ts",
    "src/kernel/senses",
    "src/kernel/upkeep",
    "src/kernel/host",
  ],
  "src/kernel": [
    ...FLOOR,
    "type src/control",
    "src/config",
    "src/spawn",
    "src/kernel/senses",
    "src/kernel/reflexes",
    "src/kernel/runs",
  ],
  "src/kernel/time": ["src/base", "src/rules/calendar.ts"],
  "src/kernel/memory": ["src/base", "src/model", "src/rules", "src/store", "type src/spawn", "src/kernel/time"],
  "src/kernel/commits": [
    "src/base",
    "src/model",
    "src/rules",
    "src/store",
    "src/kernel/memory",
    "type src/kernel/world.ts",
  ],
  "src/kernel/workers": [
    "src/base",
    "type src/model",
    "src/ipc",
    "src/spawn",
    "src/kernel/time",
    "src/kernel/commits",
    "type src/kernel/world.ts",
  ],
  "src/kernel/runs": [...FLOOR, "src/config", "src/ipc", "src/control", "src/spawn", "src/kernel/workers"],
  "src/kernel/reflexes": [...FLOOR, "src/config", "src/rules", "src/control", "src/kernel/runs"],
  "src/kernel/senses": [...FLOOR, "src/config", "src/ipc", "src/spawn", "src/kernel/workers", "src/kernel/reflexes"],
  "src/kernel/upkeep": [
    ...NOUNS,
    "src/config",
    "src/store",
    "src/control",
    "src/kernel/time",
    "src/kernel/commits",
    "type src/kernel/world.ts",
  ],
  "src/kernel/host": [
    ...NOUNS,
    "src/config",
    "src/control",
    "src/spawn",
    "src/sqlite/lock.ts",
    "src/store/damage.ts",
    "src/store/restoring.ts",
    "type src/kernel/world.ts",
  ],
  "src/kernel/host/sd-notify.ts": ["bun:ffi"],
  "src/worker": [...WORKSHOP, "arktype"],
  "src/sense-worker": [...WORKSHOP, "src/worker"],
  "src/sense-worker/payload-patterns.ts": ["src/rules/payload-type.ts"],
  "src/workflow-worker": [...NOUNS, "src/ipc", "src/sdk", "src/worker", "src/workflows/index.ts", "src/channels"],
  // The built-in workflows live like a user's: they see what `nerve` and `nerve/…` give them.
  "src/workflows": ["nerve"],
  // How people are told: what goes to a channel, and one try to hand it over. In workers of workflows, and in `nerve notify`.
  "src/channels": [...NOUNS, "type src/sdk", "src/workflows/webhook"],
  "src/channels/mail.ts": ["nodemailer"],
  // Faces.
  // Modules tried on copies, in workers without a kernel.
  "src/scratch": [
    ...NOUNS,
    "src/config",
    "src/ipc",
    "src/rules",
    "src/sqlite",
    "src/control",
    "src/spawn",
    "type bun:sqlite",
  ],
  "src/scratch/store.ts": ["src/store"],
  "src/cli": [
    "src/base",
    "src/model",
    "src/version.ts",
    "src/cli/commands",
    "src/cli/completion",
    "src/cli/frame",
    "src/cli/screen",
  ],
  // What a command finds damaged in the midst of its answer.
  "src/cli/main.ts": ["src/cli/place/denied.ts", "src/cli/place/store.ts"],
  "src/cli/frame": ["src/base", "src/model"],
  "src/cli/screen": ["src/base", "src/model"],
  "src/cli/place": [...NOUNS, "src/config", "src/control", "src/store", "src/cli/frame", "src/cli/screen"],
  "src/cli/place/place.ts": ["yaml"],
  "src/cli/place/elapsed.ts": ["src/kernel/time/lifetime.ts"],
  // `nerve once` of a workflow: a kernel on scratch copies.
  "src/cli/place/scratch-daemon.ts": ["src/kernel/daemon/boot.ts", "src/scratch/folder.ts", "src/spawn/peer-files.ts"],
  // `nerve archive run` where no daemon runs.
  "src/cli/place/archive-here.ts": [
    "src/kernel/commits/journal.ts",
    "src/kernel/commits/ledger.ts",
    "src/kernel/host/data-directory.ts",
    "src/kernel/host/real-world.ts",
    "type src/kernel/world.ts",
    "src/kernel/time/ticker.ts",
    "src/kernel/upkeep/archiver.ts",
    "src/kernel/upkeep/retention.ts",
  ],
  // What fits at the end of a command line.
  "src/cli/completion": [
    "src/base",
    "src/model",
    "src/config",
    "src/store",
    "src/workflows/names.ts",
    "src/cli/frame",
    "src/cli/place",
    "senses/names.ts",
  ],
  // What is built in, with its sources.
  "src/cli/library": [
    ...NOUNS,
    "src/needs/built-in.ts",
    "src/workflows/index.ts",
    "src/workflows/names.ts",
    "src/cli/frame",
    "src/cli/screen",
    "senses/index.ts",
    "senses/names.ts",
    "yaml",
  ],
  "src/cli/lists": ["src/base", "src/model", "src/store", "src/cli/frame", "src/cli/screen"],
  "src/cli/stories": [
    "src/cli/place/ids.ts",
    ...NOUNS,
    "src/store",
    "src/cli/frame",
    "src/cli/lists",
    "src/cli/screen",
  ],
  "src/cli/waits": [
    ...NOUNS,
    "src/control",
    "src/store",
    "src/cli/frame",
    "src/cli/lists",
    "src/cli/place",
    "src/cli/screen",
    "src/cli/stories",
  ],
  "src/cli/replays": ["src/base", "src/model", "src/config", "src/rules", "src/store", "src/cli/screen"],
  "src/cli/graph": ["src/base", "src/model", "src/config", "src/rules", "src/cli/screen"],
  "src/cli/unit": [
    ...NOUNS,
    "src/config",
    "src/needs",
    "src/spawn",
    "src/cli/frame",
    "src/cli/place",
    "src/cli/screen",
  ],
  "src/cli/kit": ["src/base", "src/model", "src/version.ts"],
  "src/cli/commands": [
    ...NOUNS,
    "src/config",
    "src/rules",
    "src/store",
    "src/control",
    "src/release",
    "src/spawn",
    "src/scratch",
    "src/version.ts",
    "src/cli/frame",
    "src/cli/completion/scripts.ts",
    "src/cli/graph",
    "src/cli/kit",
    "src/cli/library",
    "src/cli/lists",
    "src/cli/place",
    "src/cli/replays",
    "src/cli/screen",
    "src/cli/stories",
    "src/cli/unit",
    "src/cli/waits",
  ],
  // A trial is sent from where it is asked for.
  "src/cli/commands/notify.ts": ["src/channels"],
  "src/cli/commands/backup.ts": ["src/backup"],
  "src/cli/commands/restore.ts": ["src/backup"],
  "src/cli/commands/upgrade.ts": ["src/upgrade"],
  "src/cli/commands/start.ts": ["src/kernel/daemon/boot.ts", "type src/kernel/daemon/daemon.ts"],
  // The built-in senses live like a user's: they see what `nerve` and `nerve/…` give them, so each can be copied as it is.
  senses: ["senses/*"],
  "senses/*": ["nerve", "drizzle-orm"],
};

/** What `file` (its path from the root) imports against the table, one sentence each. */
export const violations = (file: string, source: string): string[] => violationsOf(LAYERS, file, source);

/** Every violation under `root`. */
export const allViolations = (root: string): string[] =>
  [...new Glob("{src,senses}/**/*.ts").scanSync(root)]
    .sort()
    .flatMap((file) => violations(file, readFileSync(join(root, file), "utf8")));

if (import.meta.main) {
  const found = allViolations(dirname(import.meta.dir));
  for (const violation of found) console.error(violation);
  process.exitCode = found.length > 0 ? 1 : 0;
}
