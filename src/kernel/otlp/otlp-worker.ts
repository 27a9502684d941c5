/**
 * Owns the process that sends by OTLP as the kernel sees it: it lives while the configuration has `otlp`, restarts like any worker, and
 * begins anew with other settings.
 */
import type { OtlpMessage, OtlpMessageOf, OtlpParentMessage, OtlpParentMessageOf } from "../../ipc/otlp-definitions.ts";
import { parseOtlpMessage } from "../../ipc/parse-aside.ts";
import type { NerveConfig } from "../../model/config.ts";
import type { OtlpKind } from "../../model/otlp.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { LifeHost } from "../workers/crew.ts";
import { WorkerLife } from "../workers/life.ts";
import { TasklessCrew } from "../workers/taskless-crew.ts";

/** It holds one request of each kind. */
const MEMORY_BYTES = 256 * 1024 * 1024;

type Init = OtlpParentMessageOf<"init">;
type Settings = Pick<Init, "host" | "endpoint" | "headers" | "signals" | "logs" | "everyMs"> & {
  readonly kinds: readonly OtlpKind[];
};

export interface OtlpHost extends LifeHost {
  readonly data: string;
  command(): WorkerCommand;
  /** What is committed: a process begins with it. */
  beginning(): Pick<Init, "epoch" | "cursors">;
  link(link: OtlpMessageOf<"link">): void;
  /** Commits a step; calls `kept` after the commit. */
  step(step: OtlpMessageOf<"step">, kept: () => void): void;
  /** The process is gone: no kind is connected. */
  gone(): void;
}

function settingsOf({ otlp, host }: NerveConfig, kinds: readonly OtlpKind[]): Settings | null {
  if (otlp === null || kinds.length === 0) return null;
  const { endpoint, signals, logs, everyMs } = otlp;
  const headers = Object.entries(otlp.headers).map(([name, value]) => ({ name, value }));
  return { host, endpoint, headers, signals: [...signals], logs, everyMs, kinds };
}

export class OtlpWorker extends TasklessCrew<OtlpParentMessage, OtlpMessage> {
  readonly title = "the sending by OTLP";
  readonly about = { role: "otlp" } as const;
  readonly noun = "request";
  readonly memoryBytes = MEMORY_BYTES;
  readonly parse = parseOtlpMessage;
  protected readonly life: WorkerLife<OtlpParentMessage, OtlpMessage, never>;
  readonly #host: OtlpHost;
  #settings: Settings | null = null;

  constructor(host: OtlpHost) {
    super(host);
    this.#host = host;
    this.life = new WorkerLife(this, host);
  }

  /** The configuration that is in force from now on, and the kinds that are sent. `isCut`: another process is to try at once, though nothing changed. */
  configure(config: NerveConfig, kinds: readonly OtlpKind[], isCut: boolean): void {
    const settings = settingsOf(config, kinds);
    if (!isCut && Bun.deepEquals(settings, this.#settings)) return;
    this.#settings = settings;
    this.anew();
  }

  command(): WorkerCommand {
    return this.#host.command();
  }

  isWanted(): boolean {
    return this.#settings !== null;
  }

  init(generation: number): OtlpParentMessage {
    if (this.#settings === null) throw new Error("the process that sends by OTLP starts after its configuration");
    const { kinds: _, ...settings } = this.#settings;
    return { type: "init", generation, data: this.#host.data, ...settings, ...this.#host.beginning() };
  }

  receive(message: OtlpMessage): void {
    switch (message.type) {
      case "ready":
        return this.isReady();
      case "link":
        return this.#host.link(message);
      case "step":
        return this.#host.step(message, () => this.#isKept(message));
      case "error":
        return this.complained(message);
      case "bye":
        return;
    }
  }

  /** The process that made the step may be gone, and another one in its place. */
  #isKept({ generation, kind }: OtlpMessageOf<"step">): void {
    if (this.life.isOpen && generation === this.life.generation) this.life.post({ type: "kept", generation, kind });
  }

  unsettle(): void {
    this.#host.gone();
  }
}
