/**
 * Owns what the crews of processes that listen on TCP have in common: no task is theirs (a request is the process's own), and the
 * process says whether it listens.
 */
import type { ListenConfig } from "../../model/config.ts";
import { TasklessCrew } from "./taskless-crew.ts";

/** How a process listens. */
export interface Listening {
  readonly name: "http" | "push";
  readonly address: string;
  readonly state: "up" | "starting" | "failed";
  readonly reason: string | null;
  /** Unix milliseconds since which it has failed; null where it has not. */
  readonly since: number | null;
}

/** For so long whoever asks waits for a process that has not said whether it listens. */
const MOMENT_MS = 5_000;

const addressOf = ({ hostname, port }: ListenConfig): string =>
  hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;

export abstract class ServingCrew<
  Down extends object,
  Up extends { readonly type: string; readonly generation: number },
> extends TasklessCrew<Down, Up> {
  readonly noun = "request";
  /** The key of nerve.yaml with the address. */
  protected abstract readonly section: Listening["name"];
  /** What one may do once it listens. */
  protected abstract readonly hint: string;
  /** Null: the process has not said yet. */
  #said: { readonly reason: string | null; readonly at: number } | null = null;
  #awaiting: (() => void)[] = [];

  /** Null: the configuration has none. */
  protected abstract get listens(): ListenConfig | null;
  /** Nothing that was asked of this process will be answered. */
  protected abstract forget(): void;

  /** Null without the section. */
  listening(): Listening | null {
    const { listens } = this;
    if (listens === null) return null;
    const about = { name: this.section, address: addressOf(listens) };
    if (this.#said === null) return { ...about, state: "starting", reason: null, since: null };
    const { reason, at } = this.#said;
    if (reason === null) return { ...about, state: "up", reason, since: null };
    return { ...about, state: "failed", reason, since: at };
  }

  /** Resolves once the process has said whether it listens, or after a moment. */
  hasSaid(): Promise<void> {
    if (this.listening()?.state !== "starting") return Promise.resolve();
    return new Promise((resolve) => {
      const late = this.host.ticker.after(MOMENT_MS, resolve);
      this.#awaiting.push(() => {
        late.cancel();
        resolve();
      });
    });
  }

  #answerAll(): void {
    const awaiting = this.#awaiting;
    this.#awaiting = [];
    for (const answer of awaiting) answer();
  }

  override stop(): Promise<void> {
    this.#answerAll();
    return super.stop();
  }

  isWanted(): boolean {
    return this.listens !== null;
  }

  /** The address is another, or is no longer there. */
  protected moved(): void {
    this.#said = null;
    this.anew();
  }

  /** `reason`: why it does not listen, or null. */
  protected said(reason: string | null): void {
    const { journal } = this.host;
    const address = this.listens === null ? "nothing" : addressOf(this.listens);
    const before = this.#said;
    const isRepeated = before !== null && before.reason !== null && reason !== null;
    this.#said = { reason, at: isRepeated ? before.at : this.host.world.clock.wallMs() };
    this.#answerAll();
    const { section } = this;
    if (reason !== null) {
      const message = `${section} does not listen on ${address}: ${reason}`;
      journal.folding("kernel").error(`${section}.failed`, message, null);
    } else if (before?.reason !== null)
      journal.of("kernel").info(`${section}.listening`, `${section} listens on ${address}: ${this.hint}`, null);
  }

  unsettle(): void {
    this.#said = null;
    this.forget();
  }
}
