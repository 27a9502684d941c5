/** Owns the processes that listen on TCP: the page's and the push listener. */
import type { NerveConfig } from "../../model/config.ts";
import { type Problem, problem } from "../../model/problem.ts";
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

  /** Once each process has said whether it listens, or after a moment: why some do not. */
  async whyNotListening(): Promise<readonly Problem[]> {
    await Promise.all([this.#web.hasSaid(), this.#push.hasSaid()]);
    return this.listening.flatMap(({ name, address, state, reason }) => {
      if (state !== "failed") return [];
      const hint = `nerve tries again by itself; with another address in \`${name}\` type \`nerve reload\``;
      return [problem("not-listening", `${name} does not listen on ${address}: ${reason}`, hint)];
    });
  }

  async stop(): Promise<void> {
    await Promise.all([this.#web.stop(), this.#push.stop()]);
  }
}
