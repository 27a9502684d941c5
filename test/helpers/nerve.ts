/**
 * The real program, driven as a user drives it: a folder with nerve.yaml and senses, the executable as a child, and what it
 * keeps read from logs.db. Whatever is started here is ended here, and nothing of it may be left alive.
 */
import { Database } from "bun:sqlite";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { BINARY, isStale } from "../../scripts/build.ts";
import type { Status } from "../../src/control/contract.ts";
import { allGone } from "./processes.ts";
import { until } from "./until.ts";

const ROOT = join(import.meta.dir, "../..");
const FIXTURES = join(ROOT, "test/fixtures");

/** How nerve is started: `$NERVE_BINARY`, else `./nerve` when it is newer than its sources, else the sources. */
export const NERVE: readonly string[] = (() => {
  const { NERVE_BINARY: given = "" } = process.env;
  if (given !== "") return [given];
  return isStale(BINARY) ? [process.execPath, join(ROOT, "src/main.ts")] : [BINARY];
})();

/** The compiled executable, or null when the tests run from source. */
export const COMPILED: string | null = (() => {
  const [file = ""] = NERVE;
  return NERVE.length === 1 && readFileSync(file).subarray(0, 4).toString("latin1") === "\x7fELF" ? file : null;
})();

export interface Project extends Disposable {
  readonly path: string;
  /** Writes a file readable by all and the folders above it; its path. */
  write(name: string, content: string): string;
  /** Copies `test/fixtures/FIXTURE` to `senses/NAME`. */
  sense(name: string, fixture: string): void;
  remove(name: string): void;
}

/** A folder of its own: file name → content, and sense name → fixture. */
export function project(
  files: Readonly<Record<string, string>>,
  senses: Readonly<Record<string, string>> = {},
): Project {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "nerve-e2e-")));
  const write = (name: string, content: string): string => {
    const file = join(path, name);
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    writeFileSync(file, content);
    chmodSync(file, 0o644);
    return file;
  };
  const sense = (name: string, fixture: string): void =>
    cpSync(join(FIXTURES, fixture), join(path, "senses", name), { recursive: true });
  for (const [name, content] of Object.entries(files)) write(name, content);
  for (const [name, fixture] of Object.entries(senses)) sense(name, fixture);
  return {
    path,
    write,
    sense,
    remove: (name) => rmSync(join(path, name), { recursive: true }),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

export interface Projects extends Disposable {
  make(files: Readonly<Record<string, string>>): Project;
}

/** Projects that are gone together; each has a folder `tmp`, for what is left in a temporary folder to be seen. */
export function projects(): Projects {
  const made: Project[] = [];
  return {
    make(files) {
      const one = project(files);
      mkdirSync(join(one.path, "tmp"));
      made.push(one);
      return one;
    },
    [Symbol.dispose]() {
      for (const one of made) one[Symbol.dispose]();
    },
  };
}

/** A verb whose temporary folder is the project's own. */
export const runInTmp = (folder: Project, args: readonly string[]) =>
  runNerve(folder.path, args, { environment: { TMPDIR: join(folder.path, "tmp") } });

export interface SignalRow {
  readonly id: number;
  readonly sense: string;
  readonly at: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a payload by reading it
  readonly payload: any;
  readonly cause: number | null;
  readonly trace: string;
}

export interface LogRow {
  readonly id: number;
  readonly at: number;
  readonly level: string;
  readonly source: string;
  readonly event: string;
  readonly trace: string | null;
  readonly message: string;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly data: any;
}

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly body: any;
}

export interface Nerve extends AsyncDisposable {
  readonly pid: number;
  readonly data: string;
  /** What it wrote to stderr so far. */
  stderr(): string;
  /** Rows of logs.db in the order of their ids. */
  signals(sense?: string): SignalRow[];
  logs(about?: { source?: string; event?: string }): LogRow[];
  /** What the kernel says of itself; fails while it cannot be reached. */
  status(): Promise<Status>;
  sense(name: string): Promise<Status["senses"][number]>;
  group(name: string): Promise<Status["groups"][number]>;
  /** POSTs to the control socket. */
  post(path: string, body?: object): Promise<Answer>;
  kill(signal: NodeJS.Signals): void;
  /** Exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
  /** SIGTERM; how it ended. */
  stop(): Promise<number | string>;
}

export interface StartOptions {
  /** Added to the environment the daemon is started with. */
  readonly environment?: Readonly<Record<string, string>>;
  /** In place of what runs nerve otherwise. */
  readonly command?: readonly string[];
  /** Only these variables, none of the usual. */
  readonly bare?: boolean;
}

const USUAL = { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: process.env.HOME ?? "/" };
const STOP_MS = 60_000;

/** Runs nerve to its end. */
export async function runNerve(
  folder: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = Bun.spawn([...(options.command ?? NERVE), ...args], {
    cwd: folder,
    env: { ...(options.bare ? {} : USUAL), ...options.environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, stdout, stderr };
}

const parsed = (text: string | null): unknown => (text === null ? null : JSON.parse(text));

/** A verb with `--json`: its one object, or what it said on stderr. */
export async function jsonOf(folder: string, args: readonly string[]) {
  const { code, stdout, stderr } = await runNerve(folder, [...args, "--json"]);
  return {
    code,
    value: stdout === "" ? null : JSON.parse(stdout),
    error: stderr === "" ? null : JSON.parse(stderr).error,
  };
}

/** Starts `nerve nerve.yaml` in the folder and resolves once it answers. */
export async function startNerve(folder: string, options: StartOptions = {}): Promise<Nerve> {
  const data = join(folder, "data");
  const child = Bun.spawn([...(options.command ?? NERVE), "nerve.yaml"], {
    cwd: folder,
    env: { ...(options.bare ? {} : USUAL), ...options.environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  const reading = (async () => {
    for await (const chunk of child.stderr) stderr += Buffer.from(chunk).toString("utf8");
  })();
  const exited = child.exited.then((code) => child.signalCode ?? code);

  let reader: Database | null = null;
  const rows = <T>(sql: string, ...values: string[]): T[] => {
    reader ??= new Database(join(data, "logs.db"), { readonly: true });
    return reader.query<T, string[]>(sql).all(...values);
  };
  const ask = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(`http://nerve${path}`, { ...init, unix: join(data, "nerve.sock") } as RequestInit);
    return { status: response.status, body: await response.json() };
  };
  const status = async (): Promise<Status> => (await ask("/status")).body;
  const find = <T extends { name: string }>(list: readonly T[], name: string): T => {
    const found = list.find((item) => item.name === name);
    if (found === undefined) throw new Error(`status knows no ${name}`);
    return found;
  };
  const nerve: Nerve = {
    pid: child.pid,
    data,
    stderr: () => stderr,
    signals: (sense) => {
      const where = sense === undefined ? "" : "WHERE sense = ?";
      const found = rows<SignalRow>(
        `SELECT * FROM signals ${where} ORDER BY id`,
        ...(sense === undefined ? [] : [sense]),
      );
      return found.map((row) => ({ ...row, payload: parsed(row.payload) }));
    },
    logs: ({ source = null, event = null } = {}) => {
      const found = rows<LogRow>("SELECT * FROM logs ORDER BY id");
      return found
        .filter((row) => (source === null || row.source === source) && (event === null || row.event === event))
        .map((row) => ({ ...row, data: parsed(row.data) }));
    },
    status,
    sense: async (name) => find((await status()).senses, name),
    group: async (name) => find((await status()).groups, name),
    post: (path, body = {}) => ask(path, { method: "POST", body: JSON.stringify(body) }),
    kill: (signal) => child.kill(signal),
    exited,
    async stop() {
      child.kill("SIGTERM");
      const patience = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      const how = await exited;
      clearTimeout(patience);
      return how;
    },
    async [Symbol.asyncDispose]() {
      await nerve.stop();
      await reading;
      reader?.close(true);
      await allGone(data);
    },
  };
  const answers = async (): Promise<boolean> => {
    if (child.exitCode !== null || child.signalCode !== null) {
      await reading;
      throw new Error(`nerve ended with ${await exited} instead of starting:\n${stderr}`);
    }
    return (
      existsSync(join(data, "nerve.sock")) &&
      (await ask("/status")
        .then(() => true)
        .catch(() => false))
    );
  };
  try {
    await until("nerve answers", answers);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return nerve;
}
