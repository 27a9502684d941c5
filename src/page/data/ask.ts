/**
 * Answers that stay on the screen: each path is asked for once however many parts show it, again as often as they want, and at what
 * the stream brings. The old answer stays until the new one is there.
 */
import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { paused } from "../state/clock.ts";
import { access, get } from "./api.ts";
import { type LiveEvent, onLive, shownAgain } from "./live.ts";

export interface Asked<T> {
  /** Null until the first answer. */
  readonly value: T | null;
  /** Why the newest request has no answer; null: it has one. */
  readonly error: { readonly message: string; readonly hint: string | null } | null;
  readonly loading: boolean;
}

/** When an answer is asked for anew. */
export interface Freshness {
  /** Null: never by the clock. */
  readonly everyMs: number | null;
  /** Kinds of events after which the answer may be another. */
  readonly after: readonly LiveEvent["kind"][];
}

export const ONCE: Freshness = { everyMs: null, after: [] };

/** However much happens, an answer is asked for at most this often. */
const LEAST_MS = 1_000;
/** Answers that nobody shows any longer, kept so that going back shows them at once. */
const KEPT = 40;

class Asking {
  readonly state: Signal<Asked<unknown>> = signal({ value: null, error: null, loading: true });
  readonly #path: string;
  #users = 0;
  #timer = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #running: AbortController | null = null;
  #wanted = false;
  #freshness: Freshness[] = [];
  #unlisten: () => void = () => undefined;

  constructor(path: string) {
    this.#path = path;
  }

  get isUsed(): boolean {
    return this.#users > 0;
  }

  use(freshness: Freshness): () => void {
    this.#users += 1;
    this.#freshness = [...this.#freshness, freshness];
    if (this.#users === 1) this.#begin();
    else this.#schedule();
    return () => {
      this.#users -= 1;
      // The others that show it may have the same constant.
      this.#freshness = this.#freshness.toSpliced(this.#freshness.indexOf(freshness), 1);
      if (this.#users === 0) this.#end();
    };
  }

  #begin(): void {
    const unlisten = onLive((events) => {
      const kinds = this.#freshness.flatMap(({ after }) => after);
      if (events.some(({ kind }) => kinds.includes(kind))) this.soon();
    });
    let first = true;
    const unshown = shownAgain.subscribe(() => {
      if (!first) this.soon();
      first = false;
    });
    this.#unlisten = () => {
      unlisten();
      unshown();
    };
    void this.ask();
  }

  #end(): void {
    this.#unlisten();
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = null;
  }

  /** Asks at once, or as soon as it may. */
  soon(): void {
    if (paused.peek() || document.hidden) return;
    const waitMs = this.#askedAt + LEAST_MS - performance.now();
    if (this.#running !== null || waitMs > 0) this.#wanted = true;
    if (this.#running !== null) return;
    if (waitMs <= 0) void this.ask();
    else this.#wake(waitMs);
  }

  async ask(): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#wanted = false;
    this.#askedAt = performance.now();
    const answer = await get<unknown>(this.#path, {}, running.signal);
    if (answer === null || this.#running !== running) return;
    this.#running = null;
    const { value } = this.state.peek();
    this.state.value = answer.ok
      ? { value: answer.value, error: null, loading: false }
      : { value, error: answer, loading: false };
    this.#schedule();
  }

  #schedule(): void {
    if (this.#users === 0 || this.#running !== null) return;
    const every = this.#freshness.flatMap(({ everyMs }) => everyMs ?? []);
    if (this.#wanted) every.push(LEAST_MS);
    if (every.length > 0) this.#wake(Math.max(Math.min(...every), LEAST_MS));
  }

  #wake(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (paused.peek() || document.hidden || access.peek() === "refused") this.#schedule();
      else void this.ask();
    }, ms) as unknown as number;
  }
}

const asked = new Map<string, Asking>();

function askingOf(path: string): Asking {
  const known = asked.get(path);
  if (known !== undefined) {
    asked.delete(path);
    asked.set(path, known);
    return known;
  }
  const made = new Asking(path);
  asked.set(path, made);
  for (const [old, asking] of asked) {
    if (asked.size <= KEPT) break;
    if (!asking.isUsed) asked.delete(old);
  }
  return made;
}

export const askAgain = (path: string): void => void askingOf(path).ask();

const NOTHING: Asked<never> = { value: null, error: null, loading: false };

/** The answer of `path`, kept fresh while it is shown; of no path: nothing. `freshness` is a constant of its caller. */
export function useAnswer<T>(path: string | null, freshness: Freshness): Asked<T> {
  const asking = useMemo(() => (path === null ? null : askingOf(path)), [path]);
  useEffect(() => asking?.use(freshness), [asking, freshness]);
  return (asking === null ? NOTHING : asking.state.value) as Asked<T>;
}
