/**
 * Pings an address while nerve commits, so that somebody outside notices when nerve does not. The address is asked for by a
 * process of its own. Before each ping the kernel commits something: where commits fail, or the kernel stands still, no ping leaves.
 */
import { formatDuration } from "../../base/duration.ts";
import type { WatchdogStatus } from "../../control/contract.ts";
import { parseWatchdogMessage } from "../../ipc/parse-aside.ts";
import type { WatchdogMessage, WatchdogMessageOf, WatchdogParentMessage } from "../../ipc/watchdog-definitions.ts";
import type { WatchdogConfig } from "../../model/config.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Handle } from "../time/ticker.ts";
import type { Crew, Death, LifeHost } from "../workers/crew.ts";
import { WorkerLife } from "../workers/life.ts";

/** A process that has not given up by then hangs. A try takes 10 s at most. */
const PING_HARD_MS = 15_000;
/** The process needs a fifth of it. */
const MEMORY_BYTES = 256 * 1024 * 1024;

export interface WatchdogParts {
  readonly host: LifeHost;
  readonly ledger: Ledger;
  /** Changes something in the store, inside a commit. */
  readonly touch: () => void;
  readonly command: () => WorkerCommand;
}

export class Watchdog implements Crew<WatchdogParentMessage, WatchdogMessage, number> {
  readonly title = "the watchdog";
  readonly about = { role: "watchdog" } as const;
  readonly noun = "ping";
  readonly memoryBytes = MEMORY_BYTES;
  readonly places = 0;
  readonly parse = parseWatchdogMessage;
  readonly #host: LifeHost;
  readonly #ledger: Ledger;
  readonly #touch: () => void;
  readonly command: () => WorkerCommand;
  readonly #life: WorkerLife<WatchdogParentMessage, WatchdogMessage, number>;
  #config: WatchdogConfig | null = null;
  #next: Handle | null = null;
  /** A ping is due, and nothing of it has begun. */
  #isDue = false;
  #isCommitting = false;
  #pings = 0;
  /** The ping under way. */
  #sent: number | null = null;
  #status: Pick<WatchdogStatus, "state" | "reason" | "last_answer"> = UNASKED;

  constructor({ host, ledger, touch, command }: WatchdogParts) {
    this.#host = host;
    this.#ledger = ledger;
    this.#touch = touch;
    this.command = command;
    this.#life = new WorkerLife(this, host);
  }

  /** Null: the configuration has none. */
  get status(): WatchdogStatus | null {
    return this.#config === null ? null : { ...this.#status, every_ms: this.#config.everyMs };
  }

  /** The configuration that is in force from now on. */
  configure(config: WatchdogConfig | null): void {
    if (Bun.deepEquals(this.#config, config)) return;
    const isOther = this.#config?.url !== config?.url;
    this.#config = config;
    this.#next?.cancel();
    this.#next = null;
    if (isOther) this.#status = UNASKED;
    if (config === null) return void this.#life.leave("retire", false);
    this.#fallDue();
    if (!isOther) return;
    void this.#life.leave("retire", false).then(() => this.#life.start());
  }

  stop(): Promise<void> {
    this.#next?.cancel();
    return this.#life.leave("stop", false);
  }

  kill(why: string): void {
    this.#life.kill(why);
  }

  // ── pings ────────────────────────────────────────────────────────────

  #fallDue(): void {
    if (this.#config === null) return;
    this.#isDue = true;
    this.#next = this.#host.ticker.after(this.#config.everyMs, () => this.#fallDue());
    this.#commit();
  }

  #commit(): void {
    if (!this.#isDue || !this.#life.isOpen || this.#isCommitting || this.#sent !== null) return;
    this.#isDue = false;
    this.#isCommitting = true;
    this.#ledger.add({
      write: () => this.#touch(),
      kept: () => {
        this.#isCommitting = false;
        this.#ping();
      },
    });
  }

  #ping(): void {
    if (!this.#life.isOpen || this.#sent !== null) return;
    const id = ++this.#pings;
    this.#sent = id;
    this.#life.post({ type: "ping", generation: this.#life.generation, id });
    // The time of the ping counts from here.
    this.#life.tasks.expects();
    this.#life.tasks.begins(id, Number.POSITIVE_INFINITY, PING_HARD_MS);
  }

  #pinged({ id, error }: WatchdogMessageOf<"pinged">): void {
    if (id !== this.#sent) return this.#life.malformed(`"pinged" for ping ${id}, which is not under way`);
    this.#life.tasks.ends(id);
    this.#sent = null;
    this.#answered(error);
    this.#commit();
  }

  #answered(error: string | null): void {
    const { state: before, last_answer } = this.#status;
    const voice = this.#host.journal.of("kernel");
    if (error === null) {
      this.#status = { state: "ok", reason: null, last_answer: this.#host.world.clock.wallMs() };
      if (before === "failing") voice.info("watchdog.recovered", "the watchdog's address answers again", null);
      return;
    }
    this.#status = { state: "failing", reason: error, last_answer };
    if (before !== "failing") voice.warn("watchdog.failing", `the watchdog's address fails: ${error}`, null);
  }

  // ── the crew ─────────────────────────────────────────────────────────

  isWanted(): boolean {
    return this.#config !== null;
  }

  init(generation: number): WatchdogParentMessage {
    return { type: "init", generation, url: this.#config?.url ?? "" };
  }

  receive(message: WatchdogMessage): void {
    switch (message.type) {
      case "ready":
        return this.#isReady();
      case "pinged":
        return this.#pinged(message);
      case "error":
        return this.#host.journal.of("kernel").error("worker.error", message.message, this.about);
      case "bye":
        return;
    }
  }

  #isReady(): void {
    if (!this.#life.isReady()) return this.#life.malformed("a second ready");
    const { pid, generation } = this.#life;
    const data = { ...this.about, pid, generation };
    this.#host.journal.of("kernel").info("worker.started", `worker ${pid} of ${this.title} is up`, data);
    this.#commit();
  }

  output(stream: "stdout" | "stderr", line: string): void {
    const level = stream === "stdout" ? "info" : "error";
    const row = { level, source: "kernel", event: "output", message: line, data: this.about, trace: null } as const;
    this.#host.journal.relay(row, null, () => {});
  }

  nameOf(): string {
    return "ping";
  }

  speakOf(): string {
    return "a ping";
  }

  describeLimit(): string {
    return `it had not ended after ${formatDuration(PING_HARD_MS)}`;
  }

  wasTold(): boolean {
    return false;
  }

  noted(): void {}

  soonestLimitMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  isLate(): void {}

  awaits(): boolean {
    return false;
  }

  dispatch(): void {}

  unsettle(): void {
    this.#sent = null;
  }

  died({ culprit }: Death<number>): boolean {
    if (culprit !== null) this.#answered("its process ended before the answer came");
    return false;
  }
}

const UNASKED = { state: "starting", reason: null, last_answer: null } as const;
