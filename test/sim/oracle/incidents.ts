/**
 * What must be of incidents, from their events alone: an incident opens once, its reports are numbered without a gap, nobody
 * is reminded of what is acknowledged or over, whoever heard of it hears of its end, and what is held back is reported once
 * nothing holds it back. What is due of reports, `incident-reports.ts` says; which signal opens an incident, and when it ends,
 * `incident-story.ts`.
 */
import type { IncidentConfig, NerveConfig, QuietHours, ReflexConfig } from "../../../src/model/config.ts";
import type { Notification } from "../../../src/model/incident.ts";
import type { Incident } from "../../../src/model/incident-row.ts";
import { MINUTE } from "../words.ts";
import { type DueReport, IncidentReports, type ReportWords } from "./incident-reports.ts";
import { violation } from "./report.ts";

interface Known {
  readonly id: number;
  readonly reflex: string;
  state: "open" | "acked" | "resolved";
  lastLog: number;
  /** Elapsed time of its newest event. */
  movedAt: number;
  readonly reports: IncidentReports;
  /** Workflows that entries of `escalate` have reported it to. */
  readonly escalated: Map<string, number>;
  /**
   * Workflows that were removed since it opened: what they were to report had a number, and they report its end only if they are
   * back by then.
   */
  readonly gone: Set<string>;
}

type Row = Pick<Incident, "id" | "state" | "last_log_id">;

export interface Told {
  readonly incident: number;
  readonly key: unknown;
  readonly severity: "info" | "warning" | "critical";
  readonly signal: number;
  readonly notification: Notification;
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

  /** How late what is decided may be committed. */
  readonly #lateMs: number;

  constructor(runOf: (reflex: string, decision: string) => number | null, lateMs = REFUSED_MS) {
    this.#runOf = runOf;
    this.#lateMs = lateMs;
  }

  configured(config: NerveConfig): void {
    const removed = [...(this.#config?.workflows.keys() ?? [])].filter((name) => !config.workflows.has(name));
    if (removed.length > 0) {
      for (const { gone } of this.incidents.values()) for (const workflow of removed) gone.add(workflow);
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
        known.reports.acks();
        return;
      case "incident.resolved":
        known.state = "resolved";
        known.reports.pending = [];
        this.#open.delete(known);
        return;
      case "incident.suppressed":
        if (told.by.length === 0) violation("incident", `a report of incident ${known.id} is held back by nothing`);
        if (told.notification === "escalated") known.reports.escalates(told.workflow);
        known.reports.holds(told.notification, told.workflow, elapsed);
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
      reports: new IncidentReports(),
      escalated: new Map(),
      gone: new Set(),
    };
    this.incidents.set(id, known);
    this.#open.add(known);
    this.#fresh.push(known);
  }

  #reports(known: Known, told: Told, elapsed: number, wallMs: number): void {
    const { id, reflex, reports } = known;
    const { notification, workflow, run } = told;
    const fail = (why: string): void => violation("incident-report", `\`${notification}\` of incident ${id} ${why}`);
    const first = reports.runs + 1;
    const gaps = 3 * known.gone.size;
    const most = notification === "resolved" ? reports.runs + reports.heard.size + gaps : first + gaps;
    const numbers = [...Array(Math.max(0, most - first + 1)).keys()].map((index) => first + index);
    // Reports of the end have their numbers from the end on, whichever is made first.
    const isNumbered = numbers.some((n) => this.#runOf(reflex, `incident:${id}:${n}`) === run);
    if (!isNumbered && notification !== "resolved") fail(`is run ${run}, and report ${first} is to come`);
    if (notification === "resolved") {
      reports.forgets(workflow);
      if (known.state !== "resolved") fail("is made while it is open");
      if (!reports.heard.delete(workflow))
        fail(`is made by ${workflow}, which never reported it or has reported its end`);
      return;
    }
    if (known.state === "resolved") fail("is made after its end");
    if (notification === "opened" && reports.openingReported !== null) fail("is made twice");
    if (notification !== "opened" && reports.openingReported === null) fail("is made before its opening");
    if (notification !== "opened" && known.state === "acked") fail("is made, though it is acknowledged");
    const words = this.#words.get(reflex);
    if (words !== undefined) this.#isInTime(known, told, words, elapsed, fail);
    reports.tells(notification, workflow, words === undefined || workflow === words.workflow, elapsed);
    if (this.#isQuiet(told.severity, wallMs)) fail(`of severity ${told.severity} is made in quiet hours`);
  }

  #isInTime(
    { reports, escalated }: Known,
    { notification, workflow }: Told,
    words: ReportWords,
    elapsed: number,
    fail: (why: string) => void,
  ): void {
    const held = reports.pendingOf(workflow);
    if (notification === "reminded" && held === null) {
      const reminder = reports.due(words).find((one) => one.notification === "reminded");
      if (reminder !== undefined && elapsed < reminder.at - this.#lateMs)
        fail(`comes ${elapsed - (reports.reported ?? elapsed)} ms after the report before`);
    }
    // What was held back may be of words that are no longer there.
    if (notification === "escalated" && held === null) {
      const entries = words.escalate.filter((entry) => entry.workflow === workflow);
      const times = (escalated.get(workflow) ?? 0) + 1;
      escalated.set(workflow, times);
      if (times > entries.length) fail(`comes to ${workflow} ${times} times`);
      const since = elapsed - (reports.openingReported ?? elapsed);
      const least = Math.min(...entries.map(({ afterMs }) => afterMs));
      if (since < least - this.#lateMs) fail(`comes ${since} ms after the opening was reported`);
      reports.escalates(workflow);
    }
    if (held === null) return;
    // Entries that had their turn while something was held back are in what is reported now.
    for (let next = nextEscalation(reports, words); next !== undefined; next = nextEscalation(reports, words)) {
      if (next.workflow !== workflow || next.at > elapsed) return;
      reports.escalates(workflow);
    }
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
    for (const { id, reports, state } of this.#fresh)
      if (reports.runs === 0 && reports.pending.length === 0 && state === "open")
        violation("incident-report", `incident ${id} opens, and its opening is neither reported nor held back`);
    this.#fresh = [];
  }

  /** Everything is well for long enough that what is due has acted. */
  rested(elapsed: number): void {
    for (const known of this.#open) this.#isUpToDate(known, elapsed - 5 * MINUTE);
    for (const { id, reflex, state, reports, gone, movedAt } of this.incidents.values()) {
      if (state !== "resolved" || movedAt > elapsed - 5 * MINUTE || this.#mayBeHeld(reflex)) continue;
      const unheard = [...reports.heard].filter((workflow) => !gone.has(workflow));
      if (unheard.length > 0)
        violation("incident-report", `the end of incident ${id} was never reported to ${unheard}`);
    }
  }

  /** Something may hold reports of it back for as long as the world rests. */
  #mayBeHeld(reflex: string): boolean {
    const words = this.#words.get(reflex);
    return words === undefined || words.inhibitedBy.length > 0 || (this.#config?.quietHours.length ?? 0) > 0;
  }

  #isUpToDate({ id, reflex, reports, gone, movedAt }: Known, before: number): void {
    const words = this.#words.get(reflex);
    if (words === undefined || this.#mayBeHeld(reflex) || gone.size > 0) return;
    const { pending } = reports;
    if (pending.length > 0 && movedAt < before)
      violation("incident-report", `${pending.map((one) => one.notification)} of incident ${id} is never made`);
    for (const { notification, workflow, at } of reports.due(words))
      if (at < before) violation("incident-report", `nobody has ${notification} incident ${id} to ${workflow}`);
  }
}

/** The next entry of `escalate`. */
const nextEscalation = (reports: IncidentReports, words: ReportWords): DueReport | undefined =>
  reports.due(words).find(({ notification }) => notification === "escalated");

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
