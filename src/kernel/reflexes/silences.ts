/**
 * Owns the silences: a person said that some reflexes start no workflow for now. Their decisions are still made and logged.
 */
import { formatDuration } from "../../base/duration.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { SilenceAnswer, SilenceRequest } from "../../control/contract.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { type Silence, silencedBy } from "../../model/silence.ts";
import type { Store } from "../../store/open.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Lifetime } from "../time/lifetime.ts";

export interface SilencesParts {
  readonly ledger: Ledger;
  readonly lifetime: Lifetime;
  readonly journal: Journal;
  readonly store: Store;
}

interface Silenced {
  readonly silence: Silence;
  readonly covers: (reflex: string) => boolean;
}

export class Silences {
  readonly #parts: SilencesParts;
  readonly #silenced = new Map<string, Silenced>();
  /** Names of the reflexes that start workflows. A load of the configuration sets them. */
  reflexes: readonly string[] = [];
  /** Called when a silence is over. */
  onEnd: () => void = () => {};

  constructor(parts: SilencesParts) {
    this.#parts = parts;
    for (const silence of parts.store.silences.all()) this.#hold(silence);
  }

  #hold(silence: Silence): void {
    this.#silenced.set(silence.pattern, { silence, covers: silencedBy(silence.pattern) });
  }

  /** Silences that are not over, in the order of their patterns. */
  list(): SilenceAnswer[] {
    const now = this.#parts.lifetime.now();
    return [...this.#silenced.values()]
      .filter(({ silence }) => silence.due > now)
      .map((held) => this.#answer(held))
      .sort((a, b) => (a.pattern < b.pattern ? -1 : 1));
  }

  #answer({ silence, covers }: Silenced): SilenceAnswer {
    const { pattern, why, at, due } = silence;
    // When someone has set the clock since, the silence ends at another wall-clock time than planned.
    const until = this.#parts.lifetime.wallAt(due);
    const reflexes = this.reflexes.filter(covers);
    return { pattern, why, at, until, reflexes };
  }

  /** The silence of `reflex` at `elapsed`, or null. */
  over(reflex: string, elapsed: number): Silence | null {
    for (const { silence, covers } of this.#silenced.values()) {
      if (silence.due > elapsed && covers(reflex)) return silence;
    }
    return null;
  }

  /** Unix milliseconds until which `reflex` starts no workflow, or null. */
  until(reflex: string): number | null {
    const { lifetime } = this.#parts;
    const now = lifetime.now();
    const dues = [...this.#silenced.values()].filter(({ covers }) => covers(reflex)).map(({ silence }) => silence.due);
    const last = Math.max(0, ...dues);
    return last > now ? lifetime.wallAt(last) : null;
  }

  /** Durable when it resolves. A silence with the same pattern is replaced. */
  set({ pattern, for_ms: forMs, why }: SilenceRequest): Promise<Result<SilenceAnswer, Problem>> {
    const covers = silencedBy(pattern);
    const { reflexes } = this;
    if (!reflexes.some(covers)) {
      const there = reflexes.length === 0 ? "no reflex starts a workflow" : `they are: ${reflexes.join(", ")}`;
      const message = `\`${pattern}\` matches no reflex that starts a workflow`;
      return Promise.resolve(err(problem("unknown-reflex", message, there)));
    }
    const { ledger, lifetime, journal, store } = this.#parts;
    const now = lifetime.now();
    const due = now + forMs;
    const silence = { pattern, why, at: lifetime.wallAt(now), until: lifetime.wallAt(due), due };
    const message = `"${pattern}" is silenced for ${formatDuration(forMs)}: ${why}`;
    const committed = ledger.commit((draft) => {
      store.silences.set(silence);
      draft.afterwards(() => this.#hold(silence));
      journal.within(draft, "kernel").info("reflex.silenced", message, dataOf(silence));
    });
    return committed.then(() => ok(this.#answer({ silence, covers })));
  }

  clear(pattern: string): Promise<Result<SilenceAnswer, Problem>> {
    const held = this.#silenced.get(pattern);
    if (held === undefined || held.silence.due <= this.#parts.lifetime.now()) {
      const there = this.list().map((silence) => silence.pattern);
      const hint = there.length === 0 ? "nothing is silenced" : `silenced: ${there.join(", ")}`;
      return Promise.resolve(err(problem("unknown-silence", `\`${pattern}\` is not silenced`, hint)));
    }
    return this.#end(held.silence, "lifted by hand").then(() => ok(this.#answer(held)));
  }

  /** Forgets the silences that are over, with a log. */
  expire(): void {
    const now = this.#parts.lifetime.now();
    for (const { silence } of this.#silenced.values()) {
      if (silence.due <= now) void this.#end(silence, "its time is over");
    }
  }

  #end(silence: Silence, why: string): Promise<void> {
    const { ledger, journal, store } = this.#parts;
    const message = `"${silence.pattern}" is no longer silenced: ${why}`;
    return ledger.commit((draft) => {
      // The silence may have ended already, or been replaced.
      if (!store.silences.remove(silence)) return;
      draft.afterwards(() => {
        if (this.#silenced.get(silence.pattern)?.silence === silence) this.#silenced.delete(silence.pattern);
        this.onEnd();
      });
      journal.within(draft, "kernel").info("reflex.unsilenced", message, dataOf(silence));
    });
  }
}

const dataOf = ({ pattern, until, why }: Silence) => ({ pattern, until, why });
