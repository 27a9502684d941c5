/** Owns the processes that listen on TCP: the page's and the push listener. */
import type { NerveConfig } from "../../model/config.ts";
import { PUSH_ROLE, WEB_ROLE } from "../../spawn/own-image.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { PushWorker } from "../push/push-worker.ts";
import type { WebWorker } from "../web/web-worker.ts";
import type { Listening } from "../workers/serving-crew.ts";
import { type PushParts, pushOf } from "./push.ts";
import { type WebParts, webOf } from "./web.ts";

export interface ListenersParts extends Omit<WebParts & PushParts, "command"> {
  readonly command: (role: string) => WorkerCommand;
}

export class Listeners {
  readonly #web: WebWorker;
  readonly #push: PushWorker;

  constructor({ command, ...parts }: ListenersParts) {
    this.#web = webOf({ ...parts, command: () => command(WEB_ROLE) });
    this.#push = pushOf({ ...parts, command: () => command(PUSH_ROLE) });
  }

  /** The configuration that is in force from now on. */
  configure(config: NerveConfig): void {
    this.#web.configure(config);
    this.#push.configure(config);
  }

  /** Those that the configuration has. */
  get listening(): readonly Listening[] {
    return [this.#web.listening(), this.#push.listening()].filter((one) => one !== null);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#web.stop(), this.#push.stop()]);
  }
}
