/**
 * The two processes beside the workers as the kernel meets them: the page, which asks how the kernel is, and the watchdog,
 * which asks for an address when it is told to.
 */
import type { WebLook } from "../../src/control/web-look.ts";
import type { Message } from "../helpers/kernel-bench.ts";
import { type Around, Worker } from "./process.ts";
import { MINUTE, SECOND } from "./words.ts";

/** How often what goes wrong: once in so many pings or looks, 0 never. */
export interface AsideTroubles {
  readonly fails: number;
  readonly hangs: number;
  readonly dies: number;
  readonly lies: number;
}

export interface AsideWatcher {
  began(name: string): void;
  /** The kernel has said how it is. */
  seen(look: WebLook): void;
  watermarks(signals: number, logs: number): void;
  pinged(): void;
}

export abstract class AsideWorker extends Worker {
  readonly #now: () => AsideTroubles;
  readonly watcher: AsideWatcher;

  constructor(around: Around, troubles: () => AsideTroubles, watcher: AsideWatcher) {
    super(around);
    this.#now = troubles;
    this.watcher = watcher;
  }

  abstract readonly name: string;

  get troubles(): AsideTroubles {
    return this.#now();
  }

  boots(message: Message): void {
    this.generation = message.generation as number;
    this.watcher.began(this.name);
    this.later(5 + this.below(80), () => {
      if (this.oneIn(this.troubles.dies)) return this.exits(1, null);
      this.says({ type: "ready" });
      this.isUp();
    });
  }

  abstract isUp(): void;

  leaves(): void {
    this.says({ type: "bye" });
    this.exits(0, null);
  }
}

export class WatchdogWorker extends AsideWorker {
  readonly name = "watchdog";

  isUp(): void {}

  receive(message: Message): void {
    switch (message.type) {
      case "init":
        return this.boots(message);
      case "ping":
        return this.#pings(message.id as number);
      case "shutdown":
        return this.leaves();
    }
  }

  #pings(id: number): void {
    this.watcher.pinged();
    if (this.oneIn(this.troubles.hangs)) return;
    if (this.oneIn(this.troubles.dies)) return this.later(this.below(200), () => this.exits(null, "SIGKILL"));
    const error = this.oneIn(this.troubles.fails) ? "it answers with 503" : null;
    const durationMs = this.oneIn(8) ? this.below(9_000) : this.below(200);
    this.later(durationMs, () => {
      this.says({ type: "pinged", id, error, durationMs });
      if (this.oneIn(this.troubles.lies)) this.says({ type: "pinged", id: id + 7, error, durationMs });
    });
  }
}

export class WebProcess extends AsideWorker {
  readonly name = "web";
  #looks = 0;

  isUp(): void {
    this.says({ type: "listening", reason: this.oneIn(this.troubles.fails) ? "EADDRINUSE" : null });
    this.#visit();
  }

  /** Somebody comes now and again, and stays for some moments. */
  #visit(): void {
    this.later(this.below(40 * MINUTE), () => {
      this.#looksOn(1 + this.below(6));
      this.#visit();
    });
  }

  #looksOn(left: number): void {
    if (this.oneIn(this.troubles.dies)) return this.exits(null, "SIGKILL");
    this.says({ type: "look", id: ++this.#looks, follows: left > 1 });
    if (this.oneIn(this.troubles.lies)) this.says({ type: "listening", reason: "it listens no longer" });
    if (left > 1) this.later(300 + this.below(2 * SECOND), () => this.#looksOn(left - 1));
  }

  receive(message: Message): void {
    switch (message.type) {
      case "init":
        return this.boots(message);
      case "seen":
        return this.watcher.seen(message.look as unknown as WebLook);
      case "watermarks":
        return this.watcher.watermarks(message.signals as number, message.logs as number);
      case "shutdown":
        return this.leaves();
    }
  }
}
