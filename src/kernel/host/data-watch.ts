/**
 * Sees that the data directory is no longer what this kernel opened: removed, or replaced by another (G2, G9). Whatever was
 * committed since would be in files that nobody can open, and a second kernel could run on the same path.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { SOCKET_NAME } from "../../control/contract.ts";
import { type Problem, problem } from "../../model/problem.ts";
import type { Watch } from "../world.ts";

/** What must stay the same file: the folder, what its lock lies in, and the log with its newest commits. */
const KEPT = ["", join("locks", "kernel.lock"), "logs.db", "logs.db-wal"];

type Identity = string | null;

/** Null: there is no such file. Where the operating system does not tell, nothing is said to have changed. */
function identityOf(file: string): Identity | undefined {
  try {
    const stats = statSync(file, { throwIfNoEntry: false });
    return stats === undefined ? null : `${stats.dev}:${stats.ino}`;
  } catch {
    return undefined;
  }
}

export class DataWatch implements Watch {
  readonly #socket: string;
  #socketIdentity: Identity | undefined;
  readonly #known: readonly (readonly [file: string, identity: Identity | undefined])[];

  /** Everything in `data` is as it should be now. */
  constructor(data: string) {
    this.#socket = join(data, SOCKET_NAME);
    this.#socketIdentity = identityOf(this.#socket);
    this.#known = KEPT.map((name) => join(data, name)).map((file) => [file, identityOf(file)]);
  }

  /** What is lost, or null. */
  lost(): Problem | null {
    for (const [file, identity] of this.#known) {
      const found = identityOf(file);
      if (typeof identity !== "string" || found === undefined || found === identity) continue;
      const message = `${file} ${found === null ? "was removed" : "was replaced by another"} while nerve ran, so what it commits may be lost: nerve ends`;
      return problem(
        "data-lost",
        message,
        "start nerve anew once `data` is as it should be; stop nerve before touching it",
      );
    }
    return null;
  }

  /** The control socket is gone: nothing is lost with it, and it can be made anew. */
  get isSocketGone(): boolean {
    return typeof this.#socketIdentity === "string" && identityOf(this.#socket) === null;
  }

  /** The control socket was made anew. */
  socketRenewed(): void {
    this.#socketIdentity = identityOf(this.#socket);
  }
}
