/**
 * Owns the web process as the kernel sees it: it lives while the configuration has `http`, restarts like any worker, and may ask
 * one question, `look`. The answer is made once a second at most, whoever watches; nothing that the process says changes anything.
 */
import { sentConfig } from "../../config/sent.ts";
import type { WebLook } from "../../control/web-look.ts";
import { parseWebMessage } from "../../ipc/parse.ts";
import type { WebMessage, WebMessageOf, WebParentMessage } from "../../ipc/web-definitions.ts";
import type { ListenConfig, NerveConfig } from "../../model/config.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { Handle } from "../time/ticker.ts";
import type { Crew, LifeHost } from "../workers/crew.ts";
import { WorkerLife } from "../workers/life.ts";

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

/** How the web process listens. */
export interface Listening {
  readonly name: "http";
  readonly state: "up" | "starting" | "failed";
  readonly reason: string | null;
}

const addressOf = ({ hostname, port }: ListenConfig): string =>
  hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;

export class WebWorker implements Crew<WebParentMessage, WebMessage, never> {
  readonly title = "the page";
  readonly about = { role: "web" } as const;
  readonly noun = "request";
  readonly memoryBytes = MEMORY_BYTES;
  readonly parse = parseWebMessage;
  readonly #host: WebHost;
  readonly #life: WorkerLife<WebParentMessage, WebMessage, never>;
  #config: NerveConfig | null = null;
  /** Null: it has not said yet. */
  #listening: { readonly reason: string | null } | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #look: WebLook | null = null;
  /** The newest question without an answer. */
  #asked: { readonly id: number; readonly handle: Handle } | null = null;
  #followedUntil = Number.NEGATIVE_INFINITY;
  #posting: Handle | null = null;
  #posted = "";

  constructor(host: WebHost) {
    this.#host = host;
    this.#life = new WorkerLife(this, host);
  }

  /** The configuration that is in force from now on. */
  configure(config: NerveConfig): void {
    const before = this.#config?.http ?? null;
    this.#config = config;
    if (config.http !== null) this.#host.makeTokens();
    if (this.#life.pid !== null && before !== null && Bun.deepEquals(before, config.http)) {
      const { secrets } = config;
      this.#life.post({
        type: "config",
        generation: this.#life.generation,
        config: sentConfig(config),
        secrets: [...secrets],
      });
      return;
    }
    void this.#life.leave("retire", false).then(() => this.#life.start());
  }

  /** Null without `http`. */
  listening(): Listening | null {
    if (!this.isWanted()) return null;
    if (this.#listening === null) return { name: "http", state: "starting", reason: null };
    const { reason } = this.#listening;
    return { name: "http", state: reason === null ? "up" : "failed", reason };
  }

  stop(): Promise<void> {
    return this.#life.leave("stop", false);
  }

  kill(why: string): void {
    this.#life.kill(why);
  }

  // ── the worker's crew ────────────────────────────────────────────────

  command(): WorkerCommand {
    return this.#host.command();
  }

  isWanted(): boolean {
    return this.#http !== null;
  }

  get #http(): ListenConfig | null {
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
        this.#isReady();
        return;
      case "listening":
        this.#listens(message.reason);
        return;
      case "look":
        this.#asks(message);
        return;
      case "error":
        this.#life.complaint("kernel", { kind: "worker", message: message.message, stack: message.stack });
        return;
      case "bye":
        return;
    }
  }

  #isReady(): void {
    if (!this.#life.isReady()) return this.#life.malformed('a second "ready"');
    const data = { ...this.about, pid: this.#life.pid, generation: this.#life.generation };
    this.#host.journal.of("kernel").info("worker.started", "the worker of the page is up", data);
  }

  #listens(reason: string | null): void {
    const { journal } = this.#host;
    const address = this.#http === null ? "nothing" : addressOf(this.#http);
    const wasUp = this.#listening?.reason === null && this.#listening !== null;
    this.#listening = { reason };
    if (reason !== null)
      journal.folding("kernel").error("http.failed", `http does not listen on ${address}: ${reason}`, null);
    else if (!wasUp) journal.of("kernel").info("http.listening", `http listens on ${address}: nerve open`, null);
  }

  output(stream: "stdout" | "stderr", line: string): void {
    const entry = { level: stream === "stdout" ? "info" : "warn", event: "output", source: "kernel" } as const;
    this.#host.journal.relay({ ...entry, message: line, data: null, trace: null }, null, () => {});
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
    this.#life.post({ type: "seen", generation: this.#life.generation, id, look: this.#look });
  }

  /** Watermarks that have moved, now and again while somebody follows. */
  #post(): void {
    if (this.#posting !== null) return;
    const marks = this.#host.watermarks();
    const print = `${marks.signals} ${marks.logs}`;
    if (print !== this.#posted) {
      this.#posted = print;
      this.#life.post({ type: "watermarks", generation: this.#life.generation, ...marks });
    }
    this.#posting = this.#host.ticker.after(POST_MS, () => {
      this.#posting = null;
      if (this.#life.isOpen && this.#host.ticker.awakeMs() < this.#followedUntil) this.#post();
    });
  }

  awaits(): boolean {
    return false;
  }

  dispatch(): void {}

  unsettle(): void {
    this.#listening = null;
    this.#posted = "";
    this.#followedUntil = Number.NEGATIVE_INFINITY;
    this.#asked?.handle.cancel();
    this.#asked = null;
  }

  died(): boolean {
    return false;
  }

  // It has no tasks: a request is the web process's own.

  nameOf(): string {
    return "";
  }

  speakOf(): string {
    return "";
  }

  describeLimit(): string {
    return "";
  }

  wasTold(): boolean {
    return false;
  }

  isLate(): void {}
}
