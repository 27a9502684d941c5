/**
 * Owns the damaged rows that a command met in the store: rows that are not as nerve wrote them. The command shows the other
 * rows. Each damaged row is named on stderr, and the command ends with a finding.
 */
import { counted } from "../../base/counted.ts";
import { type Problem, problem } from "../../model/problem.ts";

/** At most this many rows are named one by one. */
const NAMED = 20;

class FoundDamage {
  readonly #known = new Set<string>();
  #unnamed: Problem[] = [];
  #more = 0;

  add(found: Problem): void {
    if (this.#known.has(found.message)) return;
    this.#known.add(found.message);
    if (this.#known.size > NAMED) this.#more++;
    else this.#unnamed.push(found);
  }

  get isEmpty(): boolean {
    return this.#known.size === 0;
  }

  /** Problems that no earlier call has taken. */
  take(): Problem[] {
    const taken = this.#unnamed;
    const more = this.#more;
    this.#unnamed = [];
    this.#more = 0;
    if (more === 0) return taken;
    const [first] = taken;
    return [
      ...taken,
      problem("store-damaged", `${counted(more, "more row is damaged", "more rows are damaged")}`, first?.hint ?? null),
    ];
  }
}

export const FOUND_DAMAGE = new FoundDamage();
