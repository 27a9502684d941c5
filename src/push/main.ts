/**
 * Owns the push process from its first message to its last. It listens on TCP, checks what comes in and who sent it, and hands it to
 * the kernel. What it says is not believed further than that: the kernel decides, commits and answers.
 */
import { clipLine } from "../base/row-limiter.ts";
import { type Listener, listen } from "../http/listener.ts";
import { parsePushParentMessage } from "../ipc/parse-aside.ts";
import type { PushMessage, PushParentMessage, PushParentMessageOf } from "../ipc/push-definitions.ts";
import { type Channel, openChannel } from "../worker/channel.ts";
import { enterWorker } from "../worker/entry.ts";
import { inbox } from "../worker/inbox.ts";
import { Offers } from "./offers.ts";
import { Senders } from "./senders.ts";
import { PushSite } from "./site.ts";

type Report = {
  [Type in PushMessage["type"]]: Omit<Extract<PushMessage, { type: Type }>, "generation">;
}[PushMessage["type"]];

class PushProcess {
  readonly #channel: Channel<PushMessage>;
  readonly #offers = new Offers((offers) => this.#tell({ type: "offers", offers: [...offers] }));
  #generation = 1;
  #senders: Senders | null = null;
  #site: PushSite | null = null;
  #listener: Listener | null = null;

  constructor() {
    const refuse = (what: string): void => this.complain(`the kernel sent ${what}`, null);
    this.#channel = openChannel<PushMessage>(
      inbox(parsePushParentMessage, (message) => this.#receive(message), refuse),
    );
  }

  complain(message: string, stack: string | null): void {
    this.#tell({ type: "error", message: clipLine(message), stack: stack === null ? null : clipLine(stack) });
  }

  #tell(message: Report): void {
    this.#channel.post({ ...message, generation: this.#generation } as PushMessage);
  }

  #receive(message: PushParentMessage): void {
    switch (message.type) {
      case "init":
        this.#begin(message);
        return;
      case "config":
        this.#senders?.configure(message.senses);
        return;
      case "answers":
        this.#offers.answered(message.answers);
        return;
      case "shutdown":
        void this.#leave();
        return;
    }
  }

  #begin(init: PushParentMessageOf<"init">): void {
    this.#generation = init.generation;
    const senders = new Senders(init.data);
    senders.configure(init.senses);
    const complain = (error: Error): void => this.complain(error.message, error.stack ?? null);
    const site = new PushSite(init, senders, this.#offers, complain);
    this.#senders = senders;
    this.#site = site;
    this.#tell({ type: "ready" });
    this.#listener = listen(init, site, (reason) => this.#tell({ type: "listening", reason }));
  }

  async #leave(): Promise<void> {
    this.#site?.close();
    await this.#listener?.stop();
    this.#channel.leave({ type: "bye", generation: this.#generation });
  }
}

export function runPush(kernelPid: number): void {
  const push = new PushProcess();
  enterWorker(kernelPid, (message, stack) => push.complain(message, stack));
}
