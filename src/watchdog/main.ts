/** The watchdog process: asks for one address whenever the kernel says that a commit has succeeded, and reports the answer. */
import { elapsedMs } from "../base/timer.ts";
import { parseWatchdogParentMessage } from "../ipc/parse-aside.ts";
import type { WatchdogMessage, WatchdogParentMessage } from "../ipc/watchdog-definitions.ts";
import { type Channel, openChannel } from "../worker/channel.ts";
import { enterWorker } from "../worker/entry.ts";
import { inbox } from "../worker/inbox.ts";
import { ask } from "./ask.ts";

/** A server that has not answered by then does not count as one that has. */
const TRY_MS = 10_000;

class WatchdogProcess {
  readonly #channel: Channel<WatchdogMessage>;
  #generation = 1;
  #url = "";

  constructor() {
    const take = (message: WatchdogParentMessage): void => this.#receive(message);
    this.#channel = openChannel<WatchdogMessage>(
      inbox(parseWatchdogParentMessage, take, (what) => this.complain(what)),
    );
  }

  complain(message: string): void {
    this.#channel.post({ type: "error", generation: this.#generation, message });
  }

  #receive(message: WatchdogParentMessage): void {
    switch (message.type) {
      case "init":
        this.#generation = message.generation;
        this.#url = message.url;
        return this.#channel.post({ type: "ready", generation: message.generation });
      case "ping":
        return void this.#ping(message.id);
      case "shutdown":
        return this.#channel.leave({ type: "bye", generation: this.#generation });
    }
  }

  async #ping(id: number): Promise<void> {
    const startedAt = performance.now();
    const error = await ask(this.#url, TRY_MS);
    const durationMs = elapsedMs(startedAt);
    this.#channel.post({ type: "pinged", generation: this.#generation, id, error, durationMs });
  }
}

/** Entry of the hidden role. */
export function runWatchdog(kernelPid: number): void {
  const watchdog = new WatchdogProcess();
  enterWorker(kernelPid, (message) => watchdog.complain(message));
}
