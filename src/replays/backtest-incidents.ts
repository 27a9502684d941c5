/**
 * Owns the incidents of a backtest. Openings and resolutions follow from the rules. Reports follow from the silences and
 * the acts of persons in the log, and from the quiet hours of the tested config. Full queues are not known.
 */
import type { Json } from "../base/json.ts";
import { keepsIncidents, type QuietHours, type ReflexConfig } from "../model/config.ts";
import { DEFAULT_SEVERITY } from "../model/incident.ts";
import { silencedBy } from "../model/silence.ts";
import type { IncidentEvent } from "../rules/decision.ts";
import type { IncidentMove, IncidentWorld, Suppression } from "../rules/incident-moves.ts";
import { isKeyed, shownKey } from "../rules/key.ts";
import { quietUntil } from "../rules/quiet-hours.ts";
import type { ReplayedIncidents } from "../rules/replayed.ts";
import { fixedSeverity } from "../rules/summary.ts";
import type { Recorded, RecordedAct, RecordedSilence } from "./recorded.ts";

/** While another reflex has an open incident, a report is tried again this often. */
const INHIBITED_MS = 60_000;

export interface IncidentCounts {
  incidents: number;
  messages: number;
}

/** One reflex under test. */
export interface TestedReflex {
  readonly config: ReflexConfig;
  readonly quietHours: readonly QuietHours[];
  /** The tested reflexes of the same config: name → place in the list. */
  readonly others: ReadonlyMap<string, number>;
}

/** `reflex` is the place of the reflex in the list. */
type Reported = (reflex: number, workflow: string, key: string, at: number) => void;

export class BacktestIncidents implements ReplayedIncidents {
  readonly #reflexes: readonly TestedReflex[];
  readonly #silences: Recorded["silences"];
  readonly #acts = new Map<string, RecordedAct[]>();
  readonly #counts: IncidentCounts[];
  readonly #open: number[];
  readonly #reported: Reported;
  #lastId = 0;
  /** Incidents and messages are counted only while this is true. */
  isCounted = false;

  /** `reported` hears of each report that is counted. */
  constructor(
    reflexes: readonly TestedReflex[],
    { silences, acts }: Pick<Recorded, "silences" | "acts">,
    reported: Reported = () => {},
  ) {
    this.#reflexes = reflexes;
    this.#reported = reported;
    this.#silences = silences;
    this.#counts = reflexes.map(() => ({ incidents: 0, messages: 0 }));
    this.#open = reflexes.map(() => 0);
    for (const act of acts) {
      const place = placeOf(act.reflex, act.key);
      this.#acts.set(place, [...(this.#acts.get(place) ?? []), act]);
    }
  }

  /** Null where the reflex keeps no incidents. */
  countsOf(reflex: number): IncidentCounts | null {
    const config = this.#reflexes[reflex]?.config;
    return config !== undefined && keepsIncidents(config) ? (this.#counts[reflex] ?? null) : null;
  }

  world(reflex: number, _key: string, wallAt: (elapsed: number) => number): IncidentWorld {
    return {
      scope: "",
      nextId: () => this.#lastId + 1,
      suppression: ({ elapsed }) => this.#suppression(reflex, elapsed, wallAt(elapsed)),
    };
  }

  #suppression(reflex: number, elapsed: number, wallMs: number): Suppression | null {
    const tested = this.#reflexes[reflex];
    const incident = tested?.config.kind === "workflow" ? tested.config.incident : null;
    if (tested === undefined || incident === null) return null;
    const by: string[] = [];
    const ends: number[] = [];
    const isOver = ({ pattern, from, to }: RecordedSilence): boolean =>
      from <= elapsed && elapsed < to && silencedBy(pattern)(tested.config.name);
    for (const { to } of this.#silences.filter(isOver)) {
      by.push("silence");
      ends.push(to);
    }
    const isOpen = (name: string): boolean => (this.#open[tested.others.get(name) ?? -1] ?? 0) > 0;
    if (incident.inhibitedBy.some(isOpen)) {
      by.push("inhibited_by");
      ends.push(elapsed + INHIBITED_MS);
    }
    const severity = fixedSeverity(incident.severity) ?? DEFAULT_SEVERITY;
    const quiet = quietUntil(tested.quietHours, severity, wallMs);
    if (quiet !== null) {
      by.push("quiet_hours");
      ends.push(elapsed + Math.max(1, quiet - wallMs));
    }
    return by.length === 0 ? null : { by, until: Math.max(...ends) };
  }

  acts(reflex: number, key: string, elapsed: number): readonly IncidentEvent[] {
    if (this.#acts.size === 0) return [];
    const config = this.#reflexes[reflex]?.config;
    const place = placeOf(config?.name ?? "", config !== undefined && isKeyed(config.key) ? shownKey(key) : null);
    const all = this.#acts.get(place);
    const due: IncidentEvent[] = [];
    for (let act = all?.[0]; act !== undefined && act.elapsed <= elapsed; act = all?.[0]) {
      all?.shift();
      const { elapsed: at } = act;
      due.push(
        act.event === "ack"
          ? { kind: "ack", elapsed: at, by: "", why: null }
          : { kind: "resolve", elapsed: at, reason: "by hand" },
      );
    }
    return due;
  }

  moved(reflex: number, key: string, move: IncidentMove, at: number): void {
    const counts = this.#counts[reflex];
    if (move.kind === "opened") {
      this.#lastId = move.id;
      this.#open[reflex] = (this.#open[reflex] ?? 0) + 1;
    }
    if (move.kind === "resolved") this.#open[reflex] = (this.#open[reflex] ?? 1) - 1;
    if (!this.isCounted || counts === undefined) return;
    if (move.kind === "opened") counts.incidents++;
    if (move.kind !== "notified") return;
    counts.messages++;
    this.#reported(reflex, move.workflow, key, at);
  }
}

const placeOf = (reflex: string, key: Json): string => `${reflex}\0${JSON.stringify(key)}`;
