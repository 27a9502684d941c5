/**
 * Owns the one question to the kernel, whoever asks here: one look at a time, shared by all who wait for it. Knows whether the
 * kernel answers, and how far it has committed.
 */
import type { WebLook } from "../control/web-look.ts";
import type { KernelLink as LinkState, Watermarks } from "./contract.ts";

/** A look is good for this long. */
const FRESH_MS = 1_000;
/** An answer waits this long for the kernel's. Later it goes out with what the kernel said before. */
const WAIT_MS = 1_500;
/** A kernel that has not answered for this long is silent. */
export const SILENT_MS = 5_000;
/** While somebody follows, the kernel is asked this often, which keeps its watermarks coming. */
const FOLLOW_MS = 1_000;

type Ask = (id: number, follows: boolean) => void;

export class KernelLink {
  readonly #ask: Ask;
  #look: WebLook | null = null;
  /** Monotonic milliseconds of the answer, and of the oldest question without one. */
  #seenAt = Number.NEGATIVE_INFINITY;
  #askedAt: number | null = null;
  #answeredAt: number | null = null;
  #id = 0;
  #waiting: (() => void)[] = [];
  #followers = 0;
  #beat: Timer | null = null;
  #marks: Watermarks | null = null;
  readonly #changed = new Set<() => void>();

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  get newest(): WebLook | null {
    return this.#look;
  }

  /** How far the kernel has committed, as it said last; null: it has not said. */
  get watermarks(): Watermarks | null {
    return this.#marks;
  }

  get state(): LinkState {
    const silent = this.#askedAt !== null && performance.now() - this.#askedAt > SILENT_MS;
    return { state: silent ? "silent" : "up", answered_at: this.#answeredAt };
  }

  /** Milliseconds since the newest answer. */
  get ageMs(): number {
    return performance.now() - this.#seenAt;
  }

  /** The newest look, a second old at most, or as old as the kernel is silent. Null: it has never answered. */
  async look(): Promise<WebLook | null> {
    if (this.ageMs < FRESH_MS) return this.#look;
    this.#question();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((one) => one !== done);
        resolve();
      }, WAIT_MS);
      this.#waiting.push(done);
    });
    return this.#look;
  }

  /** Somebody follows until the returned function is called; `changed` hears of new watermarks, and of looks. */
  follow(changed: () => void): () => void {
    this.#followers++;
    this.#changed.add(changed);
    this.#question(true);
    this.#beat ??= setInterval(() => this.#question(true), FOLLOW_MS);
    return () => {
      if (!this.#changed.delete(changed)) return;
      this.#followers--;
      if (this.#followers > 0 || this.#beat === null) return;
      clearInterval(this.#beat);
      this.#beat = null;
      this.#question(true);
    };
  }

  seen(id: number, look: WebLook): void {
    if (id > this.#id) return;
    this.#look = look;
    this.#seenAt = performance.now();
    this.#answeredAt = Date.now();
    this.#askedAt = null;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
    this.#tell();
  }

  moved({ signals, logs }: Watermarks): void {
    this.#marks = { signals, logs };
    this.#tell();
  }

  #tell(): void {
    for (const changed of [...this.#changed]) changed();
  }

  /** One is under way at most, unless who follows has changed. */
  #question(anew = false): void {
    if (this.#askedAt !== null && !anew) return;
    this.#askedAt ??= performance.now();
    this.#ask(++this.#id, this.#followers > 0);
  }
}
