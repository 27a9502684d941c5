/** Builds the executable `./nerve` (or the path given), and puts it in place only once it has started. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Glob } from "bun";
import { ensureInstalled, giveUp, ROOT } from "./toolchain.ts";

export const BINARY = join(ROOT, "nerve");

/**
 * How `src/main.ts` becomes a bundle. `splitting` is what keeps a role from loading the others, and the lazy `require`s
 * lazy; without it every start would evaluate everything. `bytecode` needs ESM here, for `main.ts` awaits at top level.
 * The condition gives a `require` the same copy of a package as an `import`: with a second one, of CommonJS, a built-in
 * schema would be no `instanceof` what the user imports, and would be parsed at every start of a worker.
 */
export const BUNDLE: Bun.BuildConfig = {
  entrypoints: [join(ROOT, "src/main.ts")],
  target: "bun",
  format: "esm",
  splitting: true,
  minify: true,
  // Fewer chunks: a command's start is about 1 ms shorter.
  minChunkSize: 16_384,
  conditions: ["import"],
};

/**
 * The functions that a start uses, by a hash of their syntax. The bytecode of these functions lies together, so that a process
 * maps less of the executable. The file is recorded (`scripts/bytecode/record.ts`) and kept, so that two builds of a commit
 * are equal. A line whose function has changed has no effect.
 */
export const BYTECODE_ORDER = join(ROOT, "scripts/bytecode/functions.order");

/**
 * How many times more often than usual a function runs before the JIT compiles the function: 5 MB less in kernel and worker of
 * a few senses. `src/base/jit.ts` puts a busy process back to 1.
 */
const JIT_POLICY = 64;

/** What goes into the executable: a change to any of them makes it stale. */
const SOURCES = [new Glob("{src,senses,migrations}/**"), new Glob("scripts/{bytecode,kit,licences,page}/*")];

/** Whether there is no binary, or one older than a source. A removed source shows in its folder's time. */
export function isStale(binary: string): boolean {
  if (!existsSync(binary)) return true;
  const builtAt = statSync(binary).mtimeMs;
  const sources = SOURCES.flatMap((glob) => [...glob.scanSync({ cwd: ROOT, onlyFiles: false })]);
  return ["package.json", "bun.lock", "scripts/build.ts", ...sources].some(
    (source) => statSync(join(ROOT, source)).mtimeMs > builtAt,
  );
}

/** How much of a commit's name an executable says. A fixed length: git's own choice depends on how much else a checkout holds. */
export const COMMIT_DIGITS = 12;

/** The commit of this checkout; a tree without one of its own (a tarball, perhaps inside some other checkout) has none. */
function commitHere(): string {
  if (!existsSync(join(ROOT, ".git")) || Bun.which("git") === null) return "unknown";
  const git = Bun.spawnSync(["git", "rev-parse", "HEAD"], { cwd: ROOT, stderr: "ignore" });
  return git.stdout.toString().trim().slice(0, COMMIT_DIGITS) || "unknown";
}

/** Another machine than this: what runs there, and its name. */
export interface Foreign {
  readonly target: Bun.Build.CompileTarget;
  /** The Bun of that machine. */
  readonly runtime: string;
}

/** What is embedded beside the program: each a file of the executable, read by name, so that no start reads it. */
export interface Embedded {
  readonly files: readonly string[];
  readonly kitId: string;
}

/** Where these files lie against the sources is part of the bytes, so it is the same for every build. */
const EMBEDDED = join(ROOT, "build/embedded");

/** Makes what is embedded. */
export async function writeEmbedded(): Promise<Embedded> {
  // Loaded only now: the makers import packages, which a fresh checkout has no sooner than this.
  const { KIT_FILE, writeKit } = await import("./kit/kit.ts");
  const { LICENCES_FILE, writeLicences } = await import("./licences/licences.ts");
  const { PAGE_FILE, writePage } = await import("./page/page.ts");
  mkdirSync(EMBEDDED, { recursive: true });
  // A build beside this one reads each file whole.
  const beside = mkdtempSync(join(EMBEDDED, ".writing-"));
  try {
    const kitId = await writeKit(join(beside, KIT_FILE));
    await writeLicences(join(beside, LICENCES_FILE));
    await writePage(join(beside, PAGE_FILE));
    const names = [KIT_FILE, LICENCES_FILE, PAGE_FILE];
    for (const name of names) renameSync(join(beside, name), join(EMBEDDED, name));
    return { files: names.map((name) => join(EMBEDDED, name)), kitId };
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

export interface Compiled {
  /** The last name is part of the bytes. */
  readonly outfile: string;
  readonly embedded: Embedded;
  readonly commit: string;
  /** Null: for this machine. */
  readonly foreign: Foreign | null;
  /** What changes a source on its way into the executable; nothing does in an executable that people get. */
  readonly plugins: readonly Bun.BunPlugin[];
}

export async function compile({ outfile, embedded, commit, foreign, plugins }: Compiled): Promise<void> {
  await Bun.build({
    ...BUNDLE,
    entrypoints: [...BUNDLE.entrypoints, ...embedded.files],
    loader: { ".bin": "file" },
    naming: { asset: "[name].[ext]" },
    // About 1 MB and no start-up time, for stack traces that name our files and lines.
    sourcemap: "inline",
    bytecode: true,
    plugins: [...plugins],
    define: { NERVE_COMMIT: JSON.stringify(commit), NERVE_KIT: JSON.stringify(embedded.kitId) },
    compile: {
      outfile,
      bytecodeOrder: BYTECODE_ORDER,
      jitPolicy: JIT_POLICY,
      ...(foreign === null ? {} : { target: foreign.target, executablePath: foreign.runtime }),
      // The folder nerve is started in must not change what it does …
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      // … but a sense's own packages resolve only when the package.json files of a node_modules are read.
      autoloadPackageJson: true,
    },
  });
}

/** Compiles beside the target and renames, so that a running daemon keeps its file and nobody sees half a one. */
export async function build(binary: string): Promise<void> {
  const startedAt = performance.now();
  mkdirSync(dirname(binary), { recursive: true });
  const folder = mkdtempSync(join(dirname(binary), ".nerve-build-"));
  try {
    const built = join(folder, basename(binary));
    const embedded = await writeEmbedded();
    await compile({ outfile: built, embedded, commit: commitHere(), foreign: null, plugins: [] });
    const tried = Bun.spawnSync([built, "version"], { env: {}, cwd: folder, timeout: 10_000 });
    if (tried.exitCode !== 0 || tried.stdout.length === 0) {
      throw new Error(`the executable does not start: ${tried.stderr.toString().trim() || `exit ${tried.exitCode}`}`);
    }
    renameSync(built, binary);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const megabytes = (statSync(binary).size / 1e6).toFixed(0);
  console.log(`built ${binary}: ${megabytes} MB in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

/** The bundler's errors with their places, anything else as it is. */
export function explain(error: unknown): string {
  const causes: unknown[] = error instanceof AggregateError ? error.errors : [error];
  return causes
    .map((cause) => {
      const position = cause instanceof BuildMessage || cause instanceof ResolveMessage ? cause.position : null;
      const where = position ? `${position.file}:${position.line}:${position.column}: ` : "";
      return where + (cause instanceof Error ? cause.message : String(cause));
    })
    .join("\n");
}

if (import.meta.main) {
  await ensureInstalled();
  try {
    await build(resolve(process.argv[2] ?? BINARY));
  } catch (error) {
    giveUp(explain(error));
  }
}
