/**
 * Owns who is heard while this host is behind: what comes then is old, and says nothing of who lives now. So the last frame of each host is
 * looked at in the stream, again and again; a host whose last frame is another than before is heard. Who sends most of what comes is counted.
 */
import type { FleetMessageOf } from "../ipc/fleet-definitions.ts";
import { rollCallMs } from "../model/fleet.ts";
import { type CarriedFrame, isTrouble, type Session } from "./engine/engine.ts";

export type Behind = Omit<FleetMessageOf<"behind">, "type" | "generation">;

export interface RollCallHost {
  /** This host is behind once it has not caught up for so long. */
  readonly silentAfterMs: number;
  isWanted(host: string): boolean;
  report(behind: Behind): void;
}

type LastFrames = readonly Pick<CarriedFrame, "host" | "position" | "storedMs">[];

export class RollCall {
  readonly #host: RollCallHost;
  #session: Session | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Frames of each host since the last call. */
  readonly #came = new Map<string, number>();
  /** Of the newest frame that was taken: where it lies, and when it was stored. */
  #position = 0;
  #storedMs: number | null = null;
  /** Where the last frame of each host was at the last call; null: there was no call. */
  #positions: ReadonlyMap<string, number> | null = null;

  constructor(host: RollCallHost) {
    this.#host = host;
  }

  /** From now on this session is asked; null: there is none. */
  over(session: Session | null): void {
    this.#session = session;
    this.#hasCaughtUp();
  }

  took({ host, position, storedMs }: LastFrames[number]): void {
    this.#came.set(host, (this.#came.get(host) ?? 0) + 1);
    this.#position = position;
    this.#storedMs = storedMs ?? this.#storedMs;
  }

  /** Frames that wait; null: nobody knows. */
  pending(pending: number | null): void {
    if (pending === null || pending === 0) return this.#hasCaughtUp();
    this.#timer ??= setTimeout(() => this.#call(), this.#host.silentAfterMs);
  }

  #hasCaughtUp(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#positions = null;
    this.#came.clear();
  }

  async #call(): Promise<void> {
    const [session, timer] = [this.#session, this.#timer];
    const last = session === null ? null : await session.roll();
    // Meanwhile this host may have caught up, or may be cut off.
    if (this.#timer !== timer) return;
    if (last !== null && !isTrouble(last) && last.length > 0) this.#report(last);
    this.#timer = setTimeout(() => this.#call(), rollCallMs(this.#host.silentAfterMs));
  }

  #report(last: LastFrames): void {
    const newest = Math.max(...last.map(({ position }) => position));
    const newestMs = Math.max(...last.map(({ storedMs }) => storedMs ?? 0));
    const heard = last.filter((frame) => this.#host.isWanted(frame.host) && this.#isHeard(frame, newestMs));
    this.#positions = new Map(last.map(({ host, position }) => [host, position]));
    const [busiest, most] = [...this.#came].reduce((a, b) => (b[1] > a[1] ? b : a), ["", 0] as [string, number]);
    const all = [...this.#came.values()].reduce((sum, count) => sum + count, 0);
    this.#came.clear();
    this.#host.report({
      pending: Math.max(0, newest - this.#position),
      lagMs: this.#storedMs === null ? 0 : Math.max(0, newestMs - this.#storedMs),
      busiest: busiest === "" ? null : busiest,
      share: all === 0 ? 0 : Math.round((100 * most) / all),
      heard: heard.map(({ host }) => host),
    });
  }

  /** At the first call nobody knows what the last frame was: its age by the server's clock counts. */
  #isHeard({ host, position, storedMs }: LastFrames[number], newestMs: number): boolean {
    if (this.#positions === null) return (storedMs ?? 0) >= newestMs - this.#host.silentAfterMs;
    return this.#positions.get(host) !== position;
  }
}
