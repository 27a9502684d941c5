/** Owns which reflexes look at the signals of a sense, and which run a sense when an item comes in. */
import { isWatching, targetOf } from "../../model/config.ts";
import { BySense } from "../../rules/by-sense.ts";
import type { Reflex } from "./reflex.ts";

const NONE: readonly Reflex[] = [];

export class Listeners {
  readonly #signals = new BySense<Reflex>();
  readonly #inboxes = new Map<string, Reflex[]>();

  clear(): void {
    this.#signals.clear();
    this.#inboxes.clear();
  }

  add(reflex: Reflex): void {
    const { config } = reflex;
    this.#signals.add(config.on, reflex);
    if (isWatching(config, "inbox")) append(this.#inboxes, targetOf(config), reflex);
  }

  /** Those that look at the signals of `sense`, one of this host, in the order of the configuration. */
  to(sense: string): readonly Reflex[] {
    return this.#signals.to(sense) ?? NONE;
  }

  /** The same for the full name of a sense of another host. */
  toRemote(fullName: string): readonly Reflex[] {
    return this.#signals.toRemote(fullName);
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
