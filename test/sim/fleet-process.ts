/** The process that carries signals between hosts, as the kernel meets it: it brings some frames twice, is cut off, and dies. */
import type { Message } from "../helpers/kernel-bench.ts";
import { type AsideTroubles, type AsideWatcher, AsideWorker } from "./aside-worker.ts";
import type { FarHosts } from "./far-hosts.ts";
import type { Around } from "./process.ts";
import { MINUTE, SECOND } from "./words.ts";

const STREAM = "NERVE 1";
const CREDIT = 2;
const MOST_FRAMES = 40;

export class FleetProcess extends AsideWorker {
  readonly name = "fleet";
  readonly #far: FarHosts;
  #ids = 0;
  /** Batches without an answer. */
  #open = 0;
  /** Up to this place frames were brought. */
  #brought = 0;
  #isCutOff = false;

  constructor(around: Around, troubles: () => AsideTroubles, watcher: AsideWatcher, far: FarHosts) {
    super(around, troubles, watcher);
    this.#far = far;
  }

  isUp(): void {
    this.says({ type: "link", side: "out", state: "connected", why: null, nextMs: null });
    this.#connects();
    this.#looks();
  }

  #connects(): void {
    this.#isCutOff = false;
    this.#far.isHeard(true);
    this.says({ type: "link", side: "in", state: "connected", why: null, nextMs: null });
  }

  #looks(): void {
    this.later(20 * SECOND + this.below(40 * SECOND), () => {
      const { troubles } = this;
      if (this.oneIn(troubles.dies * 5)) return this.exits(null, "SIGKILL");
      if (!this.#isCutOff && this.oneIn(troubles.fails * 10)) this.#isCut();
      this.#far.catchUp();
      this.#brings();
      this.#looks();
    });
  }

  #isCut(): void {
    this.#isCutOff = true;
    this.#far.isHeard(false);
    const nextMs = this.below(20 * MINUTE);
    this.says({ type: "link", side: "in", state: "offline", why: "nobody answers", nextMs });
    this.says({ type: "waiting", pending: null });
    this.later(nextMs, () => this.#connects());
  }

  #brings(): void {
    const { stream } = this.#far;
    while (!this.#isCutOff && this.#open < CREDIT && this.#brought < stream.length) {
      // What is known comes once more.
      if (this.#brought > 0 && this.oneIn(30)) this.#brought -= Math.min(this.#brought, 1 + this.below(30));
      const frames = stream.slice(this.#brought, this.#brought + 1 + this.below(MOST_FRAMES));
      this.#brought += frames.length;
      this.#open++;
      const sent = frames.map(({ position: _, ...frame }) => ({
        ...frame,
        lost: 0,
        refused: null,
        sentAt: null,
        storedAt: null,
      }));
      this.says({ type: "batch", id: ++this.#ids, place: { stream: STREAM, position: this.#brought }, frames: sent });
    }
    if (!this.#isCutOff) this.says({ type: "waiting", pending: stream.length - this.#brought });
  }

  receive(message: Message): void {
    switch (message.type) {
      case "init":
        this.#far.isHeard(false);
        this.#brought = (message.place as { readonly position: number } | null)?.position ?? 0;
        return this.boots(message);
      case "stored":
        this.#open--;
        return this.#brings();
      case "shutdown":
        return this.leaves();
    }
  }
}
