/** What has happened: a digest of all of it, and its last moments in words where somebody wants to read them. */
import type { Machine } from "./machine.ts";
import type { Change } from "./store.ts";

const REMEMBERED = 400;

/** All of a change that others do not follow from. */
function textOf(change: Change): string {
  switch (change.kind) {
    case "signal": {
      const { sense, at, payload, cause, trace } = change.signal;
      return `signal ${change.id} ${sense} ${at} ${payload} ${cause} ${trace}`;
    }
    case "log":
      return `log ${change.id} ${change.digest}`;
    case "run":
      return `run ${change.run.id} ${change.run.state} ${change.run.last_log_id}`;
    case "meta":
      // Holds the epoch of the store, which is drawn outside this world.
      return change.key === "fleet.out" ? "meta fleet.out" : JSON.stringify(change);
    case "outbox":
      return `outbox ${change.sense} ${change.row}`;
    default:
      return JSON.stringify(change);
  }
}

export class Trace {
  readonly #machine: Machine;
  readonly #isRead: boolean;
  #digest = 0;
  #lines: string[] = [];

  constructor(machine: Machine, isRead: boolean) {
    this.#machine = machine;
    this.#isRead = isRead;
  }

  get digest(): string {
    return this.#digest.toString(16).padStart(8, "0");
  }

  get lines(): readonly string[] {
    return this.#lines.slice(-REMEMBERED);
  }

  /** Whatever is committed is part of the digest. */
  commit(changes: readonly Change[]): void {
    let text = `${this.#machine.now}`;
    for (const change of changes) text += ` ${textOf(change)}`;
    this.#digest = Bun.hash.crc32(text, this.#digest);
  }

  add(line: () => string): void {
    if (!this.#isRead) return;
    this.#lines.push(`${(this.#machine.now / 1_000).toFixed(3).padStart(11)}  ${line()}`);
    if (this.#lines.length > 4 * REMEMBERED) this.#lines = this.#lines.slice(-REMEMBERED);
  }
}
