/** Owns what is said of the two sides: each change once, and not each try. */
import type { FleetMessageOf } from "../ipc/fleet-definitions.ts";
import type { Trouble } from "./engine/engine.ts";

type Link = Omit<FleetMessageOf<"link">, "type" | "generation">;

/** A number that moves is said this often at most. */
const PENDING_MS = 1_000;

export class Sides {
  readonly #said = new Map<Link["side"], string>();
  readonly #post: (link: Link) => void;

  constructor(post: (link: Link) => void) {
    this.#post = post;
  }

  say(side: Link["side"], state: "connected" | Trouble): void {
    const link: Link = state === "connected" ? { side, state, why: null } : { side, state: state.kind, why: state.why };
    // Why nobody answers changes from try to try; why somebody refuses is news.
    const print = link.state === "blocked" ? `blocked ${link.why}` : link.state;
    if (this.#said.get(side) === print) return;
    this.#said.set(side, print);
    this.#post(link);
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
