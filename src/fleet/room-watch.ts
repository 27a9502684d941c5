/** Owns how often the server is asked how full the stream is: at the beginning of a session, and then once a minute, or oftener while it fills up. Only a host that receives may ask. */
import { nextLookMs, type StreamRoom } from "../model/stream-room.ts";
import { isTrouble, type Session } from "./engine/engine.ts";

const RETRY_MS = 60_000;

export class RoomWatch {
  readonly #report: (room: StreamRoom) => void;
  #session: Session | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(report: (room: StreamRoom) => void) {
    this.#report = report;
  }

  /** From now on this session is asked; null: there is none. */
  over(session: Session | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#session = session;
    if (session !== null) void this.#look(session);
  }

  async #look(session: Session): Promise<void> {
    const state = await session.stream();
    if (this.#session !== session) return;
    // Why it says nothing stands at what comes.
    if (!isTrouble(state)) this.#report(state.room);
    this.#timer = setTimeout(() => this.#look(session), isTrouble(state) ? RETRY_MS : nextLookMs(state.room));
  }
}
