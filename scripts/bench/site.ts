/** A folder with a configuration and senses, and nerve or the floor running in it until it is told to stop. */
import { Database } from "bun:sqlite";
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { USER_MODULE } from "./floor/shape.ts";
import { childrenOf } from "./processes.ts";

const PATIENCE_MS = 15_000;

export async function until<T>(what: string, condition: () => T | null | Promise<T | null>, everyMs = 5): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await condition();
    if (answer !== null) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${PATIENCE_MS} ms until ${what}`);
    await Bun.sleep(everyMs);
  }
}

export class Site implements Disposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "nerve-bench-")));
  readonly config = join(this.folder, "nerve.yaml");
  readonly data = join(this.folder, "data");

  write(name: string, text: string): string {
    const file = join(this.folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  }

  /** Makes the folder `name`, and those above. */
  folderFor(name: string): string {
    const folder = join(this.folder, name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  /** What the floor's worker imports. */
  writeUserModule(): void {
    this.write(USER_MODULE, "export const answer: number = 42;\n");
  }

  /** A user's sense: `body` is its compute, `shape.ts` lies beside it. */
  sense(name: string, body: string): string {
    const folder = this.folderFor(join("senses", name));
    cpSync(join(import.meta.dir, "floor", "shape.ts"), join(folder, "shape.ts"));
    this.write(
      `senses/${name}/index.ts`,
      `import { payload, probe, reaction } from "./shape.ts";\nexport const compute = async (_db, _peers, { now }) => ${body};\n`,
    );
    return folder;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A daemon with one worker or more; nerve or the floor. */
export class Running implements AsyncDisposable {
  readonly child: Subprocess;
  readonly #store: string;
  #reader: Database | null = null;

  constructor(command: readonly string[], folder: string, store: string) {
    this.#store = store;
    this.child = Bun.spawn([...command], {
      cwd: folder,
      env: { PATH: "/usr/bin:/bin" },
      stdio: ["ignore", "ignore", "ignore"],
    });
  }

  get pid(): number {
    return this.child.pid;
  }

  get workers(): number[] {
    return childrenOf(this.pid);
  }

  /** Rows of the store, once there is one. */
  query<T>(sql: string, ...values: number[]): T[] {
    this.#reader ??= new Database(this.#store, { readonly: true });
    this.#reader.run("PRAGMA busy_timeout = 1000");
    return this.#reader.query<T, number[]>(sql).all(...values);
  }

  /** The highest signal id. */
  lastId(): number {
    return this.query<{ id: number | null }>("SELECT max(id) AS id FROM signals")[0]?.id ?? 0;
  }

  /** Resolves once the first signal is stored. */
  async working(): Promise<void> {
    await until("the first signal is stored", () => {
      if (this.child.exitCode !== null) throw new Error(`it ended with ${this.child.exitCode}`);
      try {
        return existsSync(this.#store) && this.lastId() > 0 ? true : null;
      } catch {
        this.#reader?.close();
        this.#reader = null;
        return null;
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#reader?.close();
    this.child.kill("SIGTERM");
    const patience = setTimeout(() => this.child.kill("SIGKILL"), PATIENCE_MS);
    await this.child.exited;
    clearTimeout(patience);
  }
}

export const runNerve = (nerve: string, site: Site): Running =>
  new Running([nerve, site.config], site.folder, join(site.data, "logs.db"));

export function runFloor(floor: string, site: Site, synchronous: string, job: string, senses: number): Running {
  site.writeUserModule();
  const store = join(site.folder, "floor.db");
  return new Running([floor, store, synchronous, job, String(senses)], site.folder, store);
}
