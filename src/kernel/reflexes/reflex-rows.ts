/**
 * Owns the stored rows of reflexes: the memory of each reflex, and the signal since which each reflex is loaded. A row
 * belongs to one definition. A row of another definition, or a damaged row, is forgotten with a log.
 */
import type { Clock } from "../../base/clock.ts";
import { keepsIncidents, type ReflexConfig } from "../../model/config.ts";
import { type KeyState, readKeyState, storedKeyState, underOtherWords } from "../../rules/key-state.ts";
import { definitionOf, isDefinitionOf, isScheduleOf, scheduleOf, scopeOf } from "../../rules/same-reflex.ts";
import type { Store } from "../../store/open.ts";
import { CLOCK_KEY, type ReflexState, type StoredReflexState } from "../../store/reflex-state.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Reflex } from "./reflex.ts";

export interface ReflexRowsParts {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly store: Store;
}

/** The stored memory of one reflex. */
export interface Kept {
  /** Due time of the newest firing by the clock. */
  readonly last: number | null;
  readonly keys: readonly { readonly key: string; readonly state: KeyState }[];
}

export const clockRow = (reflex: Reflex, due: number): ReflexState => ({
  reflex: reflex.config.name,
  key: CLOCK_KEY,
  definition: reflex.schedule,
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

  /** Reflex → its rows. */
  all(): Map<string, StoredReflexState[]> {
    return Map.groupBy(this.#store.reflexes.all(), (row) => row.reflex);
  }

  /** The rows that belong to `config` and can be read. All other rows are forgotten. */
  restore(config: ReflexConfig, rows: readonly StoredReflexState[]): Kept {
    const keyRows = rows.filter((row) => !isClock(row));
    return { last: this.#restoreClock(config, rows.find(isClock) ?? null), keys: this.#restoreKeys(config, keyRows) };
  }

  #restoreClock(config: ReflexConfig, row: StoredReflexState | null): number | null {
    if (row === null) return null;
    if (!isScheduleOf(config, row.definition)) {
      this.forgetClock(config.name);
      return null;
    }
    if (!isDue(row.state)) {
      this.#forgetDamaged(config.name, row.key);
      return null;
    }
    this.#rebind(row, scheduleOf(config));
    return (row.state as { last: number }).last;
  }

  #restoreKeys(config: ReflexConfig, rows: readonly StoredReflexState[]): Kept["keys"] {
    if (!rows.every((row) => isDefinitionOf(config, row.definition))) {
      this.#forgetKeys(config.name);
      return this.#keepIncidents(config, rows);
    }
    return rows.flatMap((row) => {
      const { key } = row;
      const state = readKeyState(row.state);
      if (state === null) this.#forgetDamaged(config.name, key);
      else this.#rebind(row, definitionOf(config));
      if (state === null) return [];
      if (state.incident === null || keepsIncidents(config)) return [{ key, state }];
      const without = { ...state, incident: null };
      this.#set(row, definitionOf(config), without);
      return [{ key, state: without }];
    });
  }

  #set({ reflex, key }: StoredReflexState, definition: string, state: KeyState): void {
    const store = this.#store;
    this.#ledger.write(() => store.reflexes.set({ reflex, key, definition, state: storedKeyState(state) }));
  }

  /** The words that decide have changed. */
  #keepIncidents(config: ReflexConfig, rows: readonly StoredReflexState[]): Kept["keys"] {
    if (!keepsIncidents(config)) return [];
    const scope = scopeOf(config);
    const definition = definitionOf(config);
    return rows.flatMap((row) => {
      const was = readKeyState(row.state);
      const state = was === null ? null : underOtherWords(was, scope);
      if (state === null) return [];
      this.#set(row, definition, state);
      return [{ key: row.key, state }];
    });
  }

  /** Gives a row this build's spelling of the same words. */
  #rebind({ reflex, key, definition: before }: StoredReflexState, definition: string): void {
    const store = this.#store;
    if (before !== definition) this.#ledger.write(() => store.reflexes.rebind(reflex, key, definition));
  }

  /** Forgets the newest due time, which belongs to former due times. */
  forgetClock(name: string): void {
    const store = this.#store;
    this.#ledger.write(() => store.reflexes.forget(name, CLOCK_KEY));
  }

  #forgetKeys(name: string): void {
    const store = this.#store;
    this.#ledger.write(() => store.reflexes.clearKeys(name));
    this.#sayCleared(name, "its definition has changed");
  }

  forget(name: string, why: string): void {
    const store = this.#store;
    this.#ledger.write(() => store.reflexes.clear(name));
    this.#sayCleared(name, why);
  }

  #sayCleared(name: string, why: string): void {
    this.#journal.of(`reflex:${name}`).info("reflex.cleared", `what it remembered is cleared: ${why}`, null);
  }

  /** Forgets a row that nerve did not write, or that the disk has damaged. */
  #forgetDamaged(name: string, key: string): void {
    const store = this.#store;
    this.#ledger.write(() => store.reflexes.forget(name, key));
    const of = key === "" || key === CLOCK_KEY ? "" : ` of the key ${key}`;
    const message = `what it remembered${of} cannot be read (table reflex_state) and begins anew`;
    this.#journal.of(`reflex:${name}`).error("reflex.state-damaged", message, { key });
  }

  /**
   * Stores, for each reflex, the last signal before it was loaded. The reflex decides on later signals only (G1), and a
   * replay starts there.
   */
  keepSince(reflexes: ReadonlyMap<string, Reflex>): void {
    const { loadedReflexes: table, signals } = this.#store;
    const isUnknown = table.isUnknown();
    const now = { since: isUnknown ? 0 : signals.lastId(), at: isUnknown ? 0 : this.#clock.wallMs() };
    const known = new Map(table.all().map((row) => [row.name, row]));
    const changed = [...reflexes.values()].flatMap(({ config, definition }) => {
      const row = known.get(config.name);
      if (row?.definition === definition) return [];
      const { since, at } = row !== undefined && isDefinitionOf(config, row.definition) ? row : now;
      return [{ name: config.name, definition, since, at }];
    });
    const gone = [...known.keys()].filter((name) => !reflexes.has(name));
    if (changed.length === 0 && gone.length === 0 && !isUnknown) return;
    this.#ledger.write(() => {
      for (const row of changed) table.set(row);
      for (const name of gone) table.remove(name);
      if (isUnknown) table.setKnown();
    });
  }
}
