/**
 * Sees that a database file which is open is no longer the file at its path, or was cut off: what is committed from then on
 * goes where nobody finds it. SQLite does not look. A database never gets shorter while nerve has it open.
 */
import { statSync } from "node:fs";

interface Look {
  readonly identity: string;
  readonly bytes: number;
}

/** Null: there is no such file. Undefined: the operating system does not tell. */
function lookAt(file: string): Look | null | undefined {
  try {
    const stats = statSync(file, { throwIfNoEntry: false });
    return stats === undefined ? null : { identity: `${stats.dev}:${stats.ino}`, bytes: stats.size };
  } catch {
    return undefined;
  }
}

export class FileWatch {
  readonly file: string;
  readonly #identity: string | null;
  #bytes: number;

  /** The file is as it should be now. */
  constructor(file: string) {
    this.file = file;
    const look = lookAt(file);
    this.#identity = look?.identity ?? null;
    this.#bytes = look?.bytes ?? 0;
  }

  /** What has happened to the file, as words that go on after its name; null: nothing that is known. */
  lost(): "was removed" | "was replaced by another" | "was cut off" | null {
    const look = lookAt(this.file);
    if (this.#identity === null || look === undefined) return null;
    if (look === null) return "was removed";
    if (look.identity !== this.#identity) return "was replaced by another";
    if (look.bytes < this.#bytes) return "was cut off";
    this.#bytes = look.bytes;
    return null;
  }
}
