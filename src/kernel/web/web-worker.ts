/**
 * Owns the web process as the kernel sees it: it lives while the configuration has `http`, restarts like any worker, and may ask
 * one question, `look`. The answer is made once a second at most, whoever watches; nothing that the process says changes anything.
 */
import { sentConfig } from "../../config/sent.ts";
import type { WebLook } from "../../control/web-look.ts";
import { parseWebMessage } from "../../ipc/parse-aside.ts";
import type { WebMessage, WebMessageOf, WebParentMessage } from "../../ipc/web-definitions.ts";
import type { ListenConfig, NerveConfig } from "../../model/config.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { Handle } from "../time/ticker.ts";
import type { LifeHost } from "../workers/crew.ts";
import { WorkerLife } from "../workers/life.ts";
import { ServingCrew } from "../workers/serving-crew.ts";

/** A look is made this often at most. */
const LOOK_MS = 1_000;
/** While somebody follows, watermarks are posted this often at most. */
const POST_MS = 250;
/** Who follows says so with each look; without a look for this long nobody does. */
const FOLLOWED_MS = 5_000;
/** A process that serves pages needs far less; one that leaks ends here. */
const MEMORY_BYTES = 512 * 1024 * 1024;

export interface WebHost extends LifeHost {
  readonly data: string;
  readonly version: string;
  command(): WorkerCommand;
  look(): WebLook;
  /** Makes the tokens that are not there yet. */
  makeTokens(): void;
  /** The highest ids that are committed. */
  watermarks(): { readonly signals: number; readonly logs: number };
}

export class WebWorker extends ServingCrew<WebParentMessage, WebMessage> {
  readonly title = "the page";
  readonly about = { role: "web" } as const;
  readonly memoryBytes = MEMORY_BYTES;
  readonly parse = parseWebMessage;
  protected readonly section = "http";
  protected readonly hint = "nerve open";
  protected readonly life: WorkerLife<WebParentMessage, WebMessage, never>;
  readonly #host: WebHost;
  #config: NerveConfig | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #look: WebLook | null = null;
  /** The newest question without an answer. */
  #asked: { readonly id: number; readonly handle: Handle } | null = null;
  #followedUntil = Number.NEGATIVE_INFINITY;
  #posting: Handle | null = null;
  #posted = "";

  constructor(host: WebHost) {
    super(host);
    this.#host = host;
    this.life = new WorkerLife(this, host);
  }

  /** The configuration that is in force from now on. */
  configure(config: NerveConfig): void {
    const before = this.#config?.http ?? null;
    this.#config = config;
    if (config.http !== null) this.#host.makeTokens();
    if (this.life.pid !== null && before !== null && Bun.deepEquals(before, config.http)) {
      const { secrets } = config;
      this.life.post({
        type: "config",
        generation: this.life.generation,
        config: sentConfig(config),
        secrets: [...secrets],
      });
      return;
    }
    this.moved();
  }

  // ── the worker's crew ────────────────────────────────────────────────

  command(): WorkerCommand {
    return this.#host.command();
  }

  protected get listens(): ListenConfig | null {
    return this.#config?.http ?? null;
  }

  init(generation: number): WebParentMessage {
    const config = this.#config;
    if (config === null) throw new Error("the web process starts after its configuration");
    const { data, version } = this.#host;
    return { type: "init", generation, data, version, config: sentConfig(config), secrets: [...config.secrets] };
  }

  receive(message: WebMessage): void {
    switch (message.type) {
      case "ready":
        return this.isReady();
      case "listening":
        return this.said(message.reason);
      case "look":
        return this.#asks(message);
      case "error":
        return this.complained(message);
      case "bye":
        return;
    }
  }

  // ── the one question ─────────────────────────────────────────────────

  #asks({ id, follows }: WebMessageOf<"look">): void {
    const { ticker } = this.#host;
    const now = ticker.awakeMs();
    this.#followedUntil = follows ? now + FOLLOWED_MS : Number.NEGATIVE_INFINITY;
    if (follows) this.#post();
    this.#asked?.handle.cancel();
    this.#asked = null;
    const waitMs = this.#lookedAt + LOOK_MS - now;
    if (waitMs <= 0) return this.#answer(id);
    this.#asked = { id, handle: ticker.after(waitMs, () => this.#answer(id)) };
  }

  #answer(id: number): void {
    this.#asked = null;
    this.#lookedAt = this.#host.ticker.awakeMs();
    this.#look = this.#host.look();
    this.life.post({ type: "seen", generation: this.life.generation, id, look: this.#look });
  }

  /** Watermarks that have moved, now and again while somebody follows. */
  #post(): void {
    if (this.#posting !== null) return;
    const marks = this.#host.watermarks();
    const print = `${marks.signals} ${marks.logs}`;
    if (print !== this.#posted) {
      this.#posted = print;
      this.life.post({ type: "watermarks", generation: this.life.generation, ...marks });
    }
    this.#posting = this.#host.ticker.after(POST_MS, () => {
      this.#posting = null;
      if (this.life.isOpen && this.#host.ticker.awakeMs() < this.#followedUntil) this.#post();
    });
  }

  protected forget(): void {
    this.#posted = "";
    this.#followedUntil = Number.NEGATIVE_INFINITY;
    this.#asked?.handle.cancel();
    this.#asked = null;
  }
}
