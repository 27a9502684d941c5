/**
 * What must be of incidents, from their events alone: an incident opens once, its reports are numbered without a gap, nobody
 * is reminded of what is acknowledged or over, whoever heard of it hears of its end, and what is held back is reported once
 * nothing holds it back. Which signal opens one, and when it ends, `incident-story.ts` says.
 */
import type { IncidentConfig, NerveConfig, QuietHours, ReflexConfig } from "../../../src/model/config.ts";
import type { Incident } from "../../../src/model/incident-row.ts";
import { MINUTE } from "../words.ts";
import { violation } from "./report.ts";

interface Known {
  readonly id: number;
  readonly reflex: string;
  state: "open" | "acked" | "resolved";
  lastLog: number;
  /** Elapsed time of its newest event. */
  movedAt: number;
  reports: number;
  /** Workflows that have reported it, and have not reported its end. */
  readonly owed: Set<string>;
  /** What is held back, by its workflow. */
  readonly pending: Map<string, string>;
  openingReported: number | null;
  reported: number | null;
  readonly escalated: Map<string, number>;
  /** Workflows that were removed since it opened: they report nothing of it, and what they were to report had a number. */
  readonly gone: Set<string>;
}

type Row = Pick<Incident, "id" | "state" | "last_log_id">;

export interface Told {
  readonly incident: number;
  readonly key: unknown;
  readonly severity: "info" | "warning" | "critical";
  readonly signal: number;
  readonly notification: string;
  readonly workflow: string;
  readonly run: number;
  readonly reason: string | null;
  readonly by: readonly string[] | string;
}

/** For as long a disk may take nothing: what was decided before then is committed after. */
const REFUSED_MS = 130_000;
const GRAVITY = { info: 0, warning: 1, critical: 2 } as const;

export class IncidentOracle {
  readonly incidents = new Map<number, Known>();
  readonly #open = new Set<Known>();
  /** Opened in the transaction that is looked at. */
  #fresh: Known[] = [];
  readonly #rows = new Map<number, Row>();
  #newest = 0;
  #config: NerveConfig | null = null;
  #words = new Map<string, IncidentConfig & { readonly workflow: string }>();
  readonly #runOf: (reflex: string, decision: string) => number | null;

  constructor(runOf: (reflex: string, decision: string) => number | null) {
    this.#runOf = runOf;
  }

  configured(config: NerveConfig): void {
    const removed = [...(this.#config?.workflows.keys() ?? [])].filter((name) => !config.workflows.has(name));
    if (removed.length > 0) {
      for (const { gone, owed } of this.incidents.values())
        for (const workflow of removed) {
          gone.add(workflow);
          owed.delete(workflow);
        }
    }
    this.#config = config;
    this.#words = new Map(config.reflexes.flatMap(wordsOf));
  }

  /** The reflex of an incident. */
  reflexOf(id: number): string | null {
    return this.incidents.get(id)?.reflex ?? null;
  }

  log(log: number, event: string, reflex: string, told: Told, elapsed: number, wallMs: number): void {
    if (event === "incident.opened") return this.#opens(log, reflex, told.incident, elapsed);
    const known = this.incidents.get(told.incident);
    if (known === undefined || known.reflex !== reflex)
      return violation("incident", `${event} of incident ${told.incident} of ${reflex}, which was not opened`);
    known.lastLog = log;
    known.movedAt = elapsed;
    if (known.state === "resolved" && event !== "incident.notified" && event !== "incident.suppressed")
      violation("incident", `incident ${known.id}, which is resolved, comes to ${event}`);
    switch (event) {
      case "incident.acked":
        if (known.state !== "open") violation("incident", `incident ${known.id} is acknowledged twice`);
        known.state = "acked";
        for (const [workflow, held] of known.pending) if (held !== "opened") known.pending.delete(workflow);
        return;
      case "incident.resolved":
        known.state = "resolved";
        known.pending.clear();
        this.#open.delete(known);
        return;
      case "incident.suppressed":
        if (told.by.length === 0) violation("incident", `a report of incident ${known.id} is held back by nothing`);
        known.pending.set(told.workflow, told.notification);
        return;
      case "incident.notified":
        return this.#reports(known, told, elapsed, wallMs);
    }
  }

  #opens(log: number, reflex: string, id: number, elapsed: number): void {
    if (id !== this.#newest + 1) violation("incident-ids", `incident ${id} comes after ${this.#newest}`);
    this.#newest = id;
    const known: Known = {
      id,
      reflex,
      state: "open",
      lastLog: log,
      movedAt: elapsed,
      reports: 0,
      owed: new Set(),
      pending: new Map(),
      openingReported: null,
      reported: null,
      escalated: new Map(),
      gone: new Set(),
    };
    this.incidents.set(id, known);
    this.#open.add(known);
    this.#fresh.push(known);
  }

  #reports(known: Known, told: Told, elapsed: number, wallMs: number): void {
    const { id, reflex } = known;
    const { notification, workflow, run } = told;
    const fail = (why: string): void => violation("incident-report", `\`${notification}\` of incident ${id} ${why}`);
    const first = known.reports + 1;
    const gaps = 3 * known.gone.size;
    const most = notification === "resolved" ? known.reports + known.owed.size + gaps : first + gaps;
    const numbers = [...Array(Math.max(0, most - first + 1)).keys()].map((index) => first + index);
    // Reports of the end have their numbers from the end on, whichever is made first.
    const isNumbered = numbers.some((n) => this.#runOf(reflex, `incident:${id}:${n}`) === run);
    if (!isNumbered && notification !== "resolved") fail(`is run ${run}, and report ${first} is to come`);
    known.pending.delete(workflow);
    if (notification === "resolved") {
      if (known.state !== "resolved") fail("is made while it is open");
      if (!known.owed.delete(workflow)) fail(`is made by ${workflow}, which never reported it or has reported its end`);
      return;
    }
    known.reports++;
    known.owed.add(workflow);
    if (known.state === "resolved") fail("is made after its end");
    if (notification === "opened") {
      if (known.openingReported !== null) fail("is made twice");
      known.openingReported = elapsed;
    } else if (known.state === "acked") fail("is made, though it is acknowledged");
    this.#isInTime(known, told, elapsed, fail);
    const words = this.#words.get(reflex);
    if (words === undefined || workflow === words.workflow) known.reported = elapsed;
    if (this.#isQuiet(told.severity, wallMs)) fail(`of severity ${told.severity} is made in quiet hours`);
  }

  #isInTime(known: Known, { notification, workflow }: Told, elapsed: number, fail: (why: string) => void): void {
    const words = this.#words.get(known.reflex);
    if (words === undefined) return;
    if (notification === "reminded") {
      const since = elapsed - (known.reported ?? elapsed);
      if (words.remindEveryMs !== null && since < words.remindEveryMs - REFUSED_MS)
        fail(`comes ${since} ms after the report before`);
    }
    if (notification !== "escalated") return;
    const entries = words.escalate.filter((entry) => entry.workflow === workflow);
    const times = (known.escalated.get(workflow) ?? 0) + 1;
    known.escalated.set(workflow, times);
    if (times > entries.length) fail(`comes to ${workflow} ${times} times`);
    const least = Math.min(...entries.map(({ afterMs }) => afterMs));
    const since = elapsed - (known.openingReported ?? elapsed);
    if (since < least - REFUSED_MS) fail(`comes ${since} ms after the opening was reported`);
  }

  /** Not within some minutes of their begin and end: what is due then may be committed later. */
  #isQuiet(severity: keyof typeof GRAVITY, wallMs: number): boolean {
    const edgeMs = 3 * MINUTE;
    return (this.#config?.quietHours ?? []).some(
      (quiet) =>
        GRAVITY[severity] < GRAVITY[quiet.below] && isIn(quiet, wallMs - edgeMs) && isIn(quiet, wallMs + edgeMs),
    );
  }

  /** Each event leaves a row; the last of a transaction stays. */
  row(row: Row): void {
    this.#rows.set(row.id, row);
  }

  /** The row is what its events say. */
  #isAsSaid({ id, state, last_log_id: lastLog }: Row): void {
    const known = this.incidents.get(id);
    if (known === undefined) return violation("incident-rows", `incident ${id} has a row and no event`);
    if (known.state !== state || known.lastLog !== lastLog)
      violation(
        "incident-rows",
        `the row of incident ${id} is ${state} at log ${lastLog}, its events say ${known.state} at ${known.lastLog}`,
      );
  }

  committed(): void {
    if (this.#rows.size === 0) return;
    for (const row of this.#rows.values()) this.#isAsSaid(row);
    this.#rows.clear();
    for (const { id, reports, pending, state } of this.#fresh)
      if (reports === 0 && pending.size === 0 && state === "open")
        violation("incident-report", `incident ${id} opens, and its opening is neither reported nor held back`);
    this.#fresh = [];
  }

  /** Everything is well for long enough that what is due has acted. */
  rested(elapsed: number): void {
    for (const known of this.#open) this.#isUpToDate(known, elapsed - 5 * MINUTE);
    for (const { id, reflex, state, owed, movedAt } of this.incidents.values()) {
      if (state !== "resolved" || owed.size === 0 || movedAt > elapsed - 5 * MINUTE || this.#mayBeHeld(reflex))
        continue;
      violation("incident-report", `the end of incident ${id} was never reported to ${[...owed]}`);
    }
  }

  /** Something may hold reports of it back for as long as the world rests. */
  #mayBeHeld(reflex: string): boolean {
    const words = this.#words.get(reflex);
    return words === undefined || words.inhibitedBy.length > 0 || (this.#config?.quietHours.length ?? 0) > 0;
  }

  #isUpToDate(known: Known, before: number): void {
    const { id, reflex, state, pending, openingReported, reported, escalated, gone, movedAt } = known;
    const words = this.#words.get(reflex);
    if (words === undefined || this.#mayBeHeld(reflex) || gone.size > 0) return;
    if (pending.size > 0 && movedAt < before)
      violation("incident-report", `${[...pending.values()]} of incident ${id} is never made`);
    if (state === "acked" || openingReported === null || reported === null) return;
    if (words.remindEveryMs !== null && reported + words.remindEveryMs < before)
      violation("incident-report", `nobody is reminded of incident ${id}`);
    const due = words.escalate.filter(({ afterMs }) => openingReported + afterMs < before).length;
    const done = [...escalated.values()].reduce((sum, times) => sum + times, 0);
    if (done < due) violation("incident-report", `incident ${id} is escalated ${done} times, and ${due} are due`);
  }
}

const wordsOf = (config: ReflexConfig): [string, IncidentConfig & { readonly workflow: string }][] =>
  config.kind === "workflow" && config.incident !== null
    ? [[config.name, { ...config.incident, workflow: config.workflow }]]
    : [];

/** All of them are by UTC. */
function isIn({ fromMinute, toMinute, days }: QuietHours, wallMs: number): boolean {
  if (days !== null) return false;
  const minute = (wallMs / MINUTE) % (24 * 60);
  return fromMinute < toMinute ? minute >= fromMinute && minute < toMinute : minute >= fromMinute || minute < toMinute;
}
