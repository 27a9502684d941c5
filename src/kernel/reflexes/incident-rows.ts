/**
 * Owns the rows of incidents. Each event is a log, and its effect on the row follows in the same transaction. Memory and
 * stderr follow the commit.
 */
import type { Json } from "../../base/json.ts";
import { advanceIncident, type Incident, type IncidentEvent, isResolved } from "../../model/incident-row.ts";
import type { LogLevel } from "../../model/log.ts";
import type { Store } from "../../store/open.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";

/** The changes of one transaction to incidents so far. */
interface Drafted {
  readonly rows: Map<number, Incident>;
  lastId: number;
}

/** An event, and the words of its log. */
export interface Happening {
  readonly reflex: string;
  readonly level: LogLevel;
  readonly event: IncidentEvent;
  /** The words after `incident N`. */
  readonly said: string;
  /** The trace of the signal that opens the incident. Null for an incident that is open already. */
  readonly opening: string | null;
}

export class IncidentRows {
  readonly #store: Store;
  readonly #journal: Journal;
  /** Incidents that have not resolved. */
  readonly #open = new Map<number, Incident>();
  /** Reflex → number of its open incidents. */
  readonly #openOf = new Map<string, number>();
  readonly #drafts = new WeakMap<Draft, Drafted>();
  #lastId: number;
  /** Called when an incident of `reflex` has resolved. */
  onResolved: (reflex: string) => void = () => {};

  constructor(store: Store, journal: Journal) {
    this.#store = store;
    this.#journal = journal;
    this.#lastId = store.incidents.lastId();
    for (const row of store.incidents.open()) this.#hold(row);
  }

  /** Incidents that have not resolved, oldest first. */
  get open(): readonly Incident[] {
    return [...this.#open.values()];
  }

  /** An incident that has not resolved, or null. */
  openById(id: number): Incident | null {
    return this.#open.get(id) ?? null;
  }

  #hold(row: Incident): void {
    if (!this.#open.has(row.id)) this.#openOf.set(row.reflex, (this.#openOf.get(row.reflex) ?? 0) + 1);
    this.#open.set(row.id, row);
  }

  #letGo({ id, reflex }: Incident): void {
    if (!this.#open.delete(id)) return;
    this.#openOf.set(reflex, (this.#openOf.get(reflex) ?? 1) - 1);
  }

  #drafted(draft: Draft): Drafted {
    const known = this.#drafts.get(draft);
    if (known !== undefined) return known;
    const drafted: Drafted = { rows: new Map(), lastId: this.#lastId };
    this.#drafts.set(draft, drafted);
    draft.afterwards(() => this.#keep(drafted));
    return drafted;
  }

  #keep({ rows, lastId }: Drafted): void {
    this.#lastId = Math.max(this.#lastId, lastId);
    const resolved = new Set<string>();
    for (const row of rows.values()) {
      if (!isResolved(row)) this.#hold(row);
      else {
        this.#letGo(row);
        resolved.add(row.reflex);
      }
    }
    for (const reflex of resolved) this.onResolved(reflex);
  }

  /** The row as `draft` leaves it. An incident that resolved earlier is read from the table. */
  row(draft: Draft, id: number): Incident | null {
    const row = this.#drafts.get(draft)?.rows.get(id) ?? this.#open.get(id);
    return row ?? this.#store.incidents.byId(id);
  }

  /** The open incidents of `reflex` after the newest commit. */
  openOf(reflex: string): number {
    return this.#openOf.get(reflex) ?? 0;
  }

  /** The number of open incidents of `reflex`, as `draft` leaves it. */
  countOf(draft: Draft, reflex: string): number {
    let count = this.openOf(reflex);
    for (const row of this.#drafts.get(draft)?.rows.values() ?? []) {
      if (row.reflex !== reflex) continue;
      const was = this.#open.has(row.id) ? 1 : 0;
      count += (isResolved(row) ? 0 : 1) - was;
    }
    return count;
  }

  nextId(draft: Draft): number {
    return (this.#drafts.get(draft)?.lastId ?? this.#lastId) + 1;
  }

  record(draft: Draft, { reflex, level, event, said, opening }: Happening): void {
    const { incident } = event.data;
    const drafted = this.#drafted(draft);
    drafted.lastId = Math.max(drafted.lastId, incident);
    const before = opening === null ? this.row(draft, incident) : null;
    const trace = opening ?? before?.trace ?? "";
    const head = {
      level,
      source: `reflex:${reflex}`,
      event: event.event,
      message: `incident ${incident} ${said}`,
      trace,
    };
    const id = draft.append({ ...head, at: draft.now, run: null, data: JSON.stringify(event.data) });
    const row = advanceIncident(before, { id, at: draft.now, reflex, trace }, event);
    this.#store.incidents.put(row);
    drafted.rows.set(incident, row);
    draft.afterwards(() => this.#journal.say({ ...head, data: event.data as Json }));
  }
}
