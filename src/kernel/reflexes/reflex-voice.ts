/**
 * Owns the remarks about a reflex that are said once, or now and then: signals that the reflex cannot look at as its words
 * want.
 */
import { type Elements, MAX_ELEMENTS } from "../../rules/each.ts";
import { MAX_KEYS, shownKeyWord } from "../../rules/key.ts";
import type { Match } from "../../rules/matcher.ts";
import type { Journal } from "../commits/journal.ts";
import type { KeyStates } from "./key-states.ts";
import type { Reflex } from "./reflex.ts";

export class ReflexVoice {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  keysLimited({ name }: KeyStates): void {
    const message = `it remembers ${MAX_KEYS} keys, as many as it may: signals of further ones are not looked at until some come to rest`;
    this.#journal.folding(`reflex:${name}`).warn("reflex.keys-limited", message, { keys: MAX_KEYS });
  }

  /** Remarks once that signals lack the key, and once that they have more elements than the reflex looks at. */
  heard(reflex: Reflex, states: KeyStates, heard: Match | Elements): void {
    if (!("byKey" in heard)) {
      if (heard.isMissing && !states.saidMissing) this.#sayMissing(reflex, states);
      return;
    }
    const { byKey, total } = heard;
    const { each } = reflex.config;
    if (each !== null && total > MAX_ELEMENTS && !states.saidTooMany) this.#sayTooMany(states, each, total);
    if (states.saidMissing) return;
    for (const { match } of byKey.values()) if (match.isMissing) return this.#sayMissing(reflex, states);
  }

  #sayTooMany(states: KeyStates, each: string, total: number): void {
    states.saidTooMany = true;
    const message = `a payload has ${total} elements at "${each}": the first ${MAX_ELEMENTS} are looked at`;
    const data = { each, elements: total, looked_at: MAX_ELEMENTS };
    this.#journal.of(`reflex:${states.name}`).warn("reflex.elements-limited", message, data);
  }

  #sayMissing({ config }: Reflex, states: KeyStates): void {
    states.saidMissing = true;
    if (config.key === null) return;
    const isList = typeof config.key !== "string";
    const where = isList
      ? `one of "${shownKeyWord(config.key)}": null stands in its place`
      : `"${config.key}": such signals share the key null`;
    const key = isList ? [...config.key] : config.key;
    this.#journal
      .of(`reflex:${config.name}`)
      .warn("reflex.key-missing", `a payload has no scalar at ${where}`, { key });
  }
}
