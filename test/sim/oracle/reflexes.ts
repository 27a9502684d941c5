/**
 * What reflexes must decide: every signal that a reflex has heard is kept, each word is worked out over all of them by
 * `decisions.ts`, and that is what the log must say, no more and no less.
 */
import type { Json } from "../../../src/base/json.ts";
import type { ReflexConfig } from "../../../src/model/config.ts";
import type { Rule } from "../../../src/rules/decision.ts";
import type { Fields } from "../words.ts";
import { actsAt, actsWhen, type Blind } from "./axis.ts";
import { type ActsAt, expectedDecisions, type Happening } from "./decisions.ts";
import { type Chapter, storyOf } from "./incident-story.ts";
import { OneAxis } from "./one-axis.ts";
import { hasWords, isMet, keyOf, ruleOf, wordsOf } from "./reflex-words.ts";
import { violation } from "./report.ts";

interface KeyHistory {
  readonly shown: Json;
  readonly history: Happening[];
  /** What befell the incidents of the key, and what the log says of them. */
  readonly chapters: Chapter[];
  readonly story: string[];
  isOn: boolean;
}

/** A reflex from when its words came into force until they were others, or it was switched off. */
class Segment {
  readonly config: ReflexConfig;
  readonly rule: Rule;
  readonly words: string;
  readonly keys = new Map<string, KeyHistory>();
  readonly fired: string[] = [];
  readonly everySignal: string[] = [];
  readonly blinds: Blind[];
  /** Elapsed time of the newest commit that changed something of it. */
  touchedAt = -1;

  constructor(config: ReflexConfig, words: string, blinds: readonly Blind[]) {
    this.config = config;
    this.words = words;
    this.rule = ruleOf(config);
    this.blinds = [...blinds];
  }

  /** Null: it keeps no incidents. */
  get resolveAfterMs(): number | null {
    const { config } = this;
    return config.kind === "workflow" && config.incident !== null ? (config.incident.resolveAfterMs ?? 0) : null;
  }

  key(shown: Json): KeyHistory {
    const name = JSON.stringify(shown);
    const known = this.keys.get(name) ?? { shown, history: [], chapters: [], story: [], isOn: false };
    this.keys.set(name, known);
    return known;
  }
}

const lineOf = (signal: number, key: Json): string => `signal ${signal}, key ${JSON.stringify(key)}`;

export class ReflexOracle {
  /** All moments in here are of it. */
  readonly #axis = new OneAxis();
  #segments = new Map<string, Segment>();
  readonly #disabled = new Set<string>();
  #configs: readonly ReflexConfig[] = [];
  #listeners = new Map<string, string[]>();
  #blind: Blind | null = null;
  /** Of each open incident: of which reflex it is, and of which key. */
  readonly #incidents = new Map<number, { readonly segment: Segment; readonly history: KeyHistory }>();
  /** What was to be committed from a moment on, and was so at another: SQLite refused it meanwhile. */
  readonly #waits: { readonly from: number; readonly to: number }[] = [];
  /** Decisions that were compared. */
  compared = 0;

  // ── which there are ──────────────────────────────────────────────────

  /** `end`: until when deadlines of what is replaced have acted. */
  configured(configs: readonly ReflexConfig[], end: number): void {
    this.#configs = configs;
    const before = this.#segments;
    this.#segments = new Map();
    this.#listeners = new Map();
    for (const config of configs) {
      if (config.on.length === 0) continue;
      const { name } = config;
      for (const sense of new Set(config.on)) this.#listeners.set(sense, [...(this.#listeners.get(sense) ?? []), name]);
      const words = wordsOf(config);
      const known = before.get(name);
      const goesOn = known?.words === words && known.config.kind === config.kind;
      this.#segments.set(name, goesOn ? Object.assign(known, { config }) : this.#begin(config, words));
      if (goesOn) before.delete(name);
    }
    for (const segment of before.values()) this.#close(segment, this.#axis.of(end));
  }

  #begin(config: ReflexConfig, words: string): Segment {
    return new Segment(config, words, this.#blind === null ? [] : [this.#blind]);
  }

  switched(name: string, enabled: boolean, end: number): void {
    if (this.#disabled.has(name) === !enabled) return;
    if (enabled) this.#disabled.delete(name);
    else this.#disabled.add(name);
    const segment = this.#segments.get(name);
    if (segment === undefined) return;
    this.#close(segment, this.#axis.of(end));
    this.#segments.set(name, this.#begin(segment.config, segment.words));
  }

  listensTo(sense: string): readonly ReflexConfig[] {
    return this.#listenersTo(sense).flatMap((name) => this.#segments.get(name)?.config ?? []);
  }

  /** `HOST/SENSE` is a sense of another host: any listener whose `on` has `*` in the place of either may mean it. */
  #listenersTo(sense: string): readonly string[] {
    if (!sense.includes("/")) return this.#listeners.get(sense) ?? [];
    const [host, name] = sense.split("/");
    const patterns = [sense, `*/${name}`, `${host}/*`, "*/*"];
    return [...new Set(patterns.flatMap((pattern) => this.#listeners.get(pattern) ?? []))];
  }

  /** Whether a listener without words makes its sense compute at each signal. */
  owesAtEach(sense: string): string[] {
    return this.listensTo(sense).flatMap((config) =>
      config.kind === "sense" && !hasWords(config) && !this.#disabled.has(config.name) ? [config.sense] : [],
    );
  }

  targetOf(reflex: string): string | null {
    const config = this.#configs.find(({ name }) => name === reflex);
    return config?.kind === "sense" ? config.sense : null;
  }

  // ── what they hear ───────────────────────────────────────────────────

  signal(id: number, sense: string, payload: Fields, heardAt: number): void {
    const elapsed = this.#axis.of(heardAt);
    for (const name of this.#listenersTo(sense)) {
      const segment = this.#segments.get(name);
      if (segment === undefined || this.#disabled.has(name)) continue;
      const { config } = segment;
      if (!hasWords(config)) {
        if (config.kind === "workflow") segment.everySignal.push(lineOf(id, null));
      } else if (config.each === null) this.#hears(segment, id, sense, payload, elapsed);
      else this.#hearsEach(segment, id, sense, payload.items ?? [], elapsed);
    }
  }

  #hears(segment: Segment, id: number, sense: string, payload: Fields, elapsed: number): void {
    const { when, clear, key } = segment.config;
    const shown = keyOf(key, sense, payload);
    const matches = when === null || isMet(when, payload);
    const clears = clear !== null && isMet(clear, payload);
    this.#keep(segment, shown, { id, elapsed, matches, clears });
  }

  #keep(
    segment: Segment,
    shown: Json,
    { id, elapsed, matches, clears }: Pick<Happening, "id" | "elapsed" | "matches" | "clears">,
  ): void {
    const known = segment.key(shown);
    const happening: Happening = { kind: "signal", id, elapsed, matches, clears, element: null };
    if (segment.resolveAfterMs === null) known.history.push(happening);
    else known.chapters.push(happening);
    if (!segment.rule.hasClear) known.isOn = matches;
    else if (matches || clears) known.isOn = !clears;
  }

  /** Keys that match, and of which the signal has no element, are gone: that ends their matching. */
  #hearsEach(segment: Segment, id: number, sense: string, items: readonly Fields[], elapsed: number): void {
    const seen = new Set<string>();
    for (const item of items) {
      const name = JSON.stringify(keyOf(segment.config.key, sense, item));
      if (!seen.has(name)) this.#hears(segment, id, sense, item, elapsed);
      seen.add(name);
    }
    const { hasWhen, hasClear, edge } = segment.rule;
    const lasts = edge !== "level" || hasClear || segment.resolveAfterMs !== null;
    if (!hasWhen || !lasts) return;
    for (const [name, { isOn, shown }] of segment.keys) {
      if (isOn && !seen.has(name)) this.#keep(segment, shown, { id, elapsed, matches: false, clears: true });
    }
  }

  fired(reflex: string, signal: number, key: Json): void {
    const segment = this.#segments.get(reflex);
    if (segment === undefined) return violation("fired", `${reflex} fired and is not configured`);
    segment.fired.push(lineOf(signal, key));
  }

  // ── incidents ────────────────────────────────────────────────────────

  opened(reflex: string, incident: number, signal: number, key: Json): void {
    const segment = this.#segments.get(reflex);
    if (segment === undefined)
      return violation("incident", `${reflex} opens incident ${incident}, and is not configured`);
    const history = segment.key(key);
    history.story.push(`opened ${signal}`);
    this.#incidents.set(incident, { segment, history });
  }

  again(incident: number, signal: number): void {
    this.#incidents.get(incident)?.history.story.push(`again ${signal}`);
  }

  /** `reason`: of whoever resolves it; null: its key no longer matches. */
  resolved(incident: number, reason: string | null, elapsed: number): void {
    const known = this.#incidents.get(incident);
    this.#incidents.delete(incident);
    if (known === undefined) return;
    const { segment, history } = known;
    // Of a reflex that is gone the incidents end a moment later.
    if (this.#segments.get(segment.config.name) !== segment) return;
    if (reason !== null) history.chapters.push({ kind: "resolve", reason, elapsed: this.#axis.of(elapsed) });
    history.story.push(`resolved ${reason}`);
  }

  touched(reflex: string, elapsed: number): void {
    const segment = this.#segments.get(reflex);
    if (segment !== undefined) segment.touchedAt = this.#axis.of(elapsed);
  }

  /** A kernel was seen at `last`, and the next goes on at `now`. */
  goesOn(last: number, now: number): void {
    this.#axis.goesOn(last, now);
    this.sees(now);
  }

  // ── when nobody looks ────────────────────────────────────────────────

  /** From `from` on. `isLost`: what was not committed by then is lost. Who is blind already stays so. */
  goesBlind(from: number, isLost: boolean): void {
    const began = this.#axis.of(from);
    const since = Math.min(began, this.#blind?.from ?? began);
    this.#blind = { from: since, isOpen: true, to: null };
    for (const segment of this.#segments.values()) {
      const isOpen = !isLost || segment.touchedAt === since;
      const { blinds } = segment;
      if (blinds.at(-1)?.to === null) blinds.pop();
      // A kernel that has looked, and kept nothing of it, has not looked.
      while (isLost && (blinds.at(-1)?.from ?? Number.NEGATIVE_INFINITY) >= since) blinds.pop();
      blinds.push({ from: since, isOpen, to: null });
    }
  }

  sees(now: number): void {
    const to = this.#axis.of(now);
    this.#blind = null;
    for (const { blinds } of this.#segments.values()) {
      const last = blinds.at(-1);
      if (last !== undefined && last.to === null) last.to = to;
    }
  }

  /** What befell at `from`, or between the two, is committed at `to`. */
  hasWaited(from: number, to: number): void {
    this.#waits.push({ from: this.#axis.of(from), to: this.#axis.of(to) });
  }

  /** A deadline that something sets which waits for its commit is looked at from the commit on, or with the next signal. */
  #actsAt({ blinds }: Segment, history: readonly { readonly elapsed: number }[], end: number): ActsAt {
    return (due, setAt) => {
      const wait = this.#waits.findLast(({ from, to }) => from <= setAt && setAt < to);
      if (wait === undefined || wait.to <= due) return actsAt(due, blinds, end);
      const next = history.find(({ elapsed }) => elapsed >= due)?.elapsed ?? wait.to;
      const noticed = Math.min(next, wait.to);
      return noticed > end ? null : actsWhen(due, noticed);
    };
  }

  // ── what must have been ──────────────────────────────────────────────

  #closeIncidents(segment: Segment, end: number): void {
    const { config, keys, rule, resolveAfterMs } = segment;
    if (resolveAfterMs === null) return;
    const words = { hasClear: rule.hasClear, forMs: rule.forMs, resolveAfterMs };
    for (const { shown, chapters, story } of keys.values()) {
      const { must, may } = storyOf(words, chapters, this.#actsAt(segment, chapters, end), end, this.#axis.later);
      const all = [...must, ...may];
      this.compared += story.length;
      const at = [...all, ...story].findIndex((_, index) => all[index] !== story[index]);
      if (at < 0 || (at >= must.length && at >= story.length)) continue;
      const where = `the incidents of ${config.name}, key ${JSON.stringify(shown)}`;
      violation(
        "incident-story",
        `${where}: \`${all[at] ?? "nothing"}\` is to come, and \`${story[at] ?? "nothing"}\` is said`,
      );
    }
  }

  #close(segment: Segment, end: number): void {
    this.#closeIncidents(segment, end);
    const must = new Map<string, number>();
    const may = new Map<string, number>();
    const count = (map: Map<string, number>, line: string): void => void map.set(line, (map.get(line) ?? 0) + 1);
    for (const line of segment.everySignal) count(must, line);
    for (const { shown, history } of segment.keys.values()) {
      const actsAt = this.#actsAt(segment, history, end);
      for (const decision of expectedDecisions(segment.rule, history, actsAt, this.#axis.later, this.#axis.between)) {
        if (decision.kind !== "fire") continue;
        // A deadline of this very moment may come before what ends here, or after.
        const isOpen = decision.due !== null && decision.elapsed >= end - 2;
        count(isOpen ? may : must, lineOf(decision.signal, shown));
      }
    }
    const name = `${segment.config.name} (${segment.words})`;
    for (const line of segment.fired) {
      this.compared++;
      const from = (must.get(line) ?? 0) > 0 ? must : may;
      const left = from.get(line) ?? 0;
      if (left === 0) violation("decisions", `${name} fired for ${line}, and should not have`);
      from.set(line, left - 1);
    }
    for (const [line, left] of must) if (left > 0) violation("decisions", `${name} has not fired for ${line}`);
  }

  /** Everything that was to be decided by `end` has been. */
  ends(end: number): void {
    for (const segment of this.#segments.values()) this.#close(segment, this.#axis.of(end));
  }
}
