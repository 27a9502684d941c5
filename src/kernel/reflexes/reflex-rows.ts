/**
 * What the store keeps of reflexes: what each remembers, and since which signal each is there. A row belongs to one
 * definition; a row of another definition, or a damaged row, is forgotten with a log.
 */
import type { Clock } from "../../base/clock.ts";
import type { ReflexConfig } from "../../model/config.ts";
import { type KeyState, readKeyState } from "../../rules/rule.ts";
import type { Store } from "../../store/open.ts";
import type { ReflexState, StoredReflexState } from "../../store/reflex-state.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Reflex } from "./reflex.ts";

export interface ReflexRowsParts {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly store: Store;
}

/** What is kept of one reflex. */
export interface Kept {
  /** Due time of the newest firing by the clock. */
  readonly last: number | null;
  readonly keys: readonly { readonly key: string; readonly state: KeyState }[];
}

/** Row of the newest due time of a reflex with a clock; the others are named by JSON scalars, and by nothing. */
const CLOCK_KEY = "clock";

export const clockRow = (reflex: Reflex, due: number): ReflexState => ({
  reflex: reflex.config.name,
  key: CLOCK_KEY,
  definition: reflex.definition,
  state: { last: due },
});

const isClock = ({ key }: StoredReflexState): boolean => key === CLOCK_KEY;
const isDue = (state: unknown): boolean => Number.isFinite((state as { last?: unknown } | null | undefined)?.last);

export class ReflexRows {
  readonly #clock: Clock;
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  readonly #store: Store;

  constructor({ clock, ledger, journal, store }: ReflexRowsParts) {
    this.#clock = clock;
    this.#ledger = ledger;
    this.#journal = journal;
    this.#store = store;
  }

  /** By the name of the reflex. */
  all(): Map<string, StoredReflexState[]> {
    return Map.groupBy(this.#store.reflexes.all(), (row) => row.reflex);
  }

  /** What of `rows` belongs to `definition` and can be read; the rest is forgotten. */
  restore({ name }: ReflexConfig, definition: string, rows: readonly StoredReflexState[]): Kept {
    if (!rows.every((row) => row.definition === definition)) {
      this.forget(name, "its definition has changed");
      return { last: null, keys: [] };
    }
    let last: number | null = null;
    const keys: { readonly key: string; readonly state: KeyState }[] = [];
    for (const row of rows) {
      const { key } = row;
      const state = isClock(row) ? null : readKeyState(row.state);
      if (state !== null) keys.push({ key, state });
      else if (isClock(row) && isDue(row.state)) last = (row.state as { last: number }).last;
      else this.#forgetDamaged(name, key);
    }
    return { last, keys };
  }

  forget(name: string, why: string): void {
    const store = this.#store;
    this.#ledger.write(() => store.reflexes.clear(name));
    this.#journal.of(`reflex:${name}`).info("reflex.cleared", `what it remembered is cleared: ${why}`, null);
  }

  /** Something else than nerve has written the row, or the disk has lost it. */
  #forgetDamaged(name: string, key: string): void {
    const store = this.#store;
    this.#ledger.write(() => store.reflexes.forget(name, key));
    const of = key === "" || key === CLOCK_KEY ? "" : ` of the key ${key}`;
    const message = `what it remembered${of} cannot be read (table reflex_state) and begins anew`;
    this.#journal.of(`reflex:${name}`).error("reflex.state-damaged", message, { key });
  }

  /** Stores, per reflex, the last signal before it was loaded: it decides on later ones only (G1), and a replay starts there. */
  keepSince(reflexes: ReadonlyMap<string, Reflex>): void {
    const { loadedReflexes: table, signals } = this.#store;
    const isUnknown = table.isUnknown();
    const since = isUnknown ? 0 : signals.lastId();
    const at = isUnknown ? 0 : this.#clock.wallMs();
    const known = new Map(table.all().map(({ name, definition }) => [name, definition]));
    const begun = [...reflexes.values()].filter(({ config, definition }) => known.get(config.name) !== definition);
    const gone = [...known.keys()].filter((name) => !reflexes.has(name));
    if (begun.length === 0 && gone.length === 0 && !isUnknown) return;
    this.#ledger.write(() => {
      for (const { config, definition } of begun) table.set({ name: config.name, definition, since, at });
      for (const name of gone) table.remove(name);
      if (isUnknown) table.setKnown();
    });
  }
}
