/** Owns what is said of the two sides: each try that fails, and once that a side is connected. */
import type { FleetMessageOf } from "../ipc/fleet-definitions.ts";
import type { Trouble } from "./engine/engine.ts";

type Link = Omit<FleetMessageOf<"link">, "type" | "generation">;

/** A number that moves is said this often at most. */
const PENDING_MS = 1_000;

export class Sides {
  readonly #connected = new Set<Link["side"]>();
  readonly #post: (link: Link) => void;

  constructor(post: (link: Link) => void) {
    this.#post = post;
  }

  isConnected(side: Link["side"]): void {
    if (this.#connected.has(side)) return;
    this.#connected.add(side);
    this.#post({ side, state: "connected", why: null, nextMs: null });
  }

  /** `waitMs`: until the next try. */
  isShut(side: Link["side"], { kind, why }: Trouble, waitMs: number): void {
    this.#connected.delete(side);
    this.#post({ side, state: kind, why, nextMs: Math.round(waitMs) });
  }
}

export class Waiting {
  readonly #post: (pending: number | null) => void;
  #said: number | null | undefined;
  #now: number | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(post: (pending: number | null) => void) {
    this.#post = post;
  }

  /** At once where nothing waits any longer, or something begins to wait. */
  say(pending: number | null): void {
    this.#now = pending;
    const isEdge =
      this.#said === undefined || pending === null || this.#said === null || (pending === 0) !== (this.#said === 0);
    if (isEdge) return this.#tell();
    this.#timer ??= setTimeout(() => this.#tell(), PENDING_MS);
  }

  #tell(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#said === this.#now) return;
    this.#said = this.#now;
    this.#post(this.#now);
  }
}
