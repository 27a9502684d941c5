/** Owns how full the stream is, as its server said last: nearly full is said once until there is room again. */
import type { FleetStream } from "../../model/fleet-status.ts";
import { fullInMs, isFilling, percentFull, roomWords, type StreamRoom } from "../../model/stream-room.ts";
import type { Journal } from "../commits/journal.ts";

export class Filling {
  readonly #journal: Journal;
  readonly #wallMs: () => number;
  #now: FleetStream | null = null;

  constructor(journal: Journal, wallMs: () => number) {
    this.#journal = journal;
    this.#wallMs = wallMs;
  }

  /** Null: no server has said it. */
  get now(): FleetStream | null {
    return this.#now;
  }

  take(room: StreamRoom, stream: string): void {
    const at = this.#wallMs();
    const before = this.#now?.filling_since ?? null;
    const filling = isFilling(room, before !== null);
    const percent = percentFull(room);
    this.#now = {
      ...room,
      stream,
      percent,
      full_in_ms: fullInMs(room),
      looked_at: at,
      filling_since: filling ? (before ?? at) : null,
    };
    const voice = this.#journal.of("kernel");
    const data = { stream, percent, bytes: room.bytes, max_bytes: room.max_bytes };
    if (filling && before === null)
      voice.warn("fleet.filling", `the stream ${stream} is ${roomWords(room, at)}: a full stream takes no frame`, data);
    else if (!filling && before !== null)
      voice.info("fleet.filling", `the stream ${stream} has room again: it is ${roomWords(room, at)}`, data);
  }

  /** Other servers may be asked from now on. */
  forget(): void {
    this.#now = null;
  }
}
