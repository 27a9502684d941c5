/**
 * Owns the web process from its first message to its last. It opens logs.db and the databases of senses to read, and asks its
 * kernel one question. Nothing that it does can change what nerve does.
 */
import { clipLine } from "../base/row-limiter.ts";
import { Secrets } from "../base/secrets.ts";
import { receivedConfig } from "../config/sent.ts";
import type { WebLook } from "../control/web-look.ts";
import { type Listener, listen } from "../http/listener.ts";
import { parseWebParentMessage } from "../ipc/parse-aside.ts";
import type { WebMessage, WebParentMessage, WebParentMessageOf } from "../ipc/web-definitions.ts";
import { type Channel, openChannel } from "../worker/channel.ts";
import { enterWorker } from "../worker/entry.ts";
import { inbox } from "../worker/inbox.ts";
import { KernelLink } from "./kernel-link.ts";
import { Place } from "./place.ts";
import { Site } from "./site.ts";

type Report = {
  [Type in WebMessage["type"]]: Omit<Extract<WebMessage, { type: Type }>, "generation">;
}[WebMessage["type"]];

class WebProcess {
  readonly #channel: Channel<WebMessage>;
  #generation = 1;
  #place: Place | null = null;
  #link: KernelLink | null = null;
  #site: Site | null = null;
  #listener: Listener | null = null;

  constructor() {
    const refuse = (what: string): void => this.complain(`the kernel sent ${what}`, null);
    this.#channel = openChannel<WebMessage>(inbox(parseWebParentMessage, (message) => this.#receive(message), refuse));
  }

  complain(message: string, stack: string | null): void {
    this.#tell({ type: "error", message: clipLine(message), stack: stack === null ? null : clipLine(stack) });
  }

  #tell(message: Report): void {
    this.#channel.post({ ...message, generation: this.#generation } as WebMessage);
  }

  #receive(message: WebParentMessage): void {
    switch (message.type) {
      case "init":
        this.#begin(message);
        return;
      case "config":
        this.#place?.configure(receivedConfig(message.config as never), message.secrets);
        return;
      case "seen":
        this.#link?.seen(message.id, message.look as WebLook);
        return;
      case "watermarks":
        this.#link?.moved(message);
        return;
      case "shutdown":
        void this.#leave();
        return;
    }
  }

  #begin({ generation, data, version, config: sent, secrets }: WebParentMessageOf<"init">): void {
    this.#generation = generation;
    const config = receivedConfig(sent as never);
    if (config.http === null) throw new Error("the web process was started without an address");
    const place = new Place(data, version, config, new Secrets());
    place.configure(config, secrets);
    const link = new KernelLink((id, follows) => this.#tell({ type: "look", id, follows }));
    const site = new Site(place, link, (error) => this.complain(error.message, error.stack ?? null));
    this.#place = place;
    this.#link = link;
    this.#site = site;
    this.#tell({ type: "ready" });
    this.#listener = listen(config.http, site, (reason) => this.#tell({ type: "listening", reason }));
  }

  async #leave(): Promise<void> {
    this.#site?.close();
    await this.#listener?.stop();
    this.#channel.leave({ type: "bye", generation: this.#generation });
  }
}

export function runWeb(kernelPid: number): void {
  const web = new WebProcess();
  enterWorker(kernelPid, (message, stack) => web.complain(message, stack));
}
