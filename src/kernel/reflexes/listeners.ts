/** Owns which reflexes look at the signals of a sense, and which run a sense when an item comes in. */
import { isWatching, targetOf } from "../../model/config.ts";
import { BySense } from "../../rules/by-sense.ts";
import type { Reflex } from "./reflex.ts";

const NONE: readonly Reflex[] = [];

/** Those that look at a signal. */
export interface Audience {
  readonly reflexes: readonly Reflex[];
  /** Some decide by words, so the signal has to be matched. */
  readonly hasWords: boolean;
}

const audienceOf = (reflexes: readonly Reflex[]): Audience => ({
  reflexes,
  hasWords: reflexes.some(({ states }) => states !== null),
});

export class Listeners {
  readonly #signals = new BySense<Reflex>();
  readonly #inboxes = new Map<string, Reflex[]>();
  /** Of senses of this host, as they were asked for. */
  readonly #audiences = new Map<string, Audience>();

  clear(): void {
    this.#signals.clear();
    this.#inboxes.clear();
    this.#audiences.clear();
  }

  add(reflex: Reflex): void {
    const { config } = reflex;
    this.#signals.add(config.on, reflex);
    this.#audiences.clear();
    if (isWatching(config, "inbox")) append(this.#inboxes, targetOf(config), reflex);
  }

  /** Those that look at the signals of `sense`, one of this host, in the order of the configuration. */
  to(sense: string): Audience {
    const known = this.#audiences.get(sense);
    if (known !== undefined) return known;
    const audience = audienceOf(this.#signals.to(sense) ?? NONE);
    this.#audiences.set(sense, audience);
    return audience;
  }

  /** The same for the full name of a sense of another host. */
  toRemote(fullName: string): Audience {
    return audienceOf(this.#signals.toRemote(fullName));
  }

  /** Counts a firing of those that run `sense` when an item comes in. False where none is enabled. */
  ring(sense: string): boolean {
    const ringing = (this.#inboxes.get(sense) ?? NONE).filter(({ enabled }) => enabled);
    for (const reflex of ringing) reflex.fired++;
    return ringing.length > 0;
  }
}

function append(lists: Map<string, Reflex[]>, sense: string, reflex: Reflex): void {
  const list = lists.get(sense);
  if (list === undefined) lists.set(sense, [reflex]);
  else list.push(reflex);
}
