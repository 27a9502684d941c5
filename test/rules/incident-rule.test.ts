/**
 * What becomes of incidents, against a slow and obvious model. `NERVE_FUZZ=1000000` tries more, `NERVE_FUZZ_SEED=N` repeats a
 * run.
 */
import { describe, expect, test } from "bun:test";
import type { NerveConfig } from "../../src/model/config.ts";
import type { IncidentEvent, IncidentRule, Outcome, Rule } from "../../src/rules/decision.ts";
import { deadlinesOf, incidentDeadline } from "../../src/rules/incident-deadlines.ts";
import type { IncidentMove, IncidentWorld } from "../../src/rules/incident-moves.ts";
import { decideIncident } from "../../src/rules/incident-rule.ts";
import { type KeyState, REST, readKeyState, storedKeyState, underOtherWords } from "../../src/rules/key-state.ts";
import { isAtRest } from "../../src/rules/rule.ts";
import { workflowReflex } from "../helpers/reflex.ts";
import {
  type Edition,
  type Happening,
  IncidentModel,
  isHeld,
  isWithin,
  LATE_MS,
  type Span,
  STEP_MS,
  type Story,
} from "../sim/oracle/incident-model.ts";
import { IncidentOracle, type Told } from "../sim/oracle/incidents.ts";
import { type Below, pick, randomOf, SEED, trials } from "./random.ts";

const TRIALS = trials(8_000);
const LONG_MS = 4 * 3_600_000;
const WORKFLOWS = ["notify", "call", "boss"] as const;

const steps = (below: Below, most: number): number => (1 + below(most)) * STEP_MS;
const maybe = <T>(below: Below, value: () => T): T | null => (below(2) === 0 ? value() : null);

/** Mostly the same; a reload may name another workflow. */
const ownWorkflow = (below: Below): string => (below(6) === 0 ? pick(below, WORKFLOWS) : "notify");

function randomWords(below: Below): IncidentRule {
  const entries = Array.from({ length: below(4) }, () => ({
    afterMs: steps(below, 12),
    workflow: pick(below, WORKFLOWS),
  }));
  return {
    workflow: ownWorkflow(below),
    resolveAfterMs: below(3) === 0 ? 0 : steps(below, 8),
    remindEveryMs: maybe(below, () => steps(below, 12)),
    escalate: entries.sort((a, b) => a.afterMs - b.afterMs),
  };
}

/** What ends by a time ends at a step, what ends by itself between two. While nerve is down none begins, and none ends by itself. */
function spans(below: Below, most: number, end: number, downs: readonly Span[], isTimed: boolean): Span[] {
  return Array.from({ length: below(most + 1) }, () => {
    const from = below(end / STEP_MS) * STEP_MS;
    const to = from + steps(below, 16) + (isTimed ? 0 : STEP_MS / 2);
    return { from: from + STEP_MS / 2 - STEP_MS, to };
  }).filter(({ from, to }) => !isWithin(downs, isTimed ? from : to));
}

const editionAt = (at: number, below: Below): Edition => ({
  at,
  words: randomWords(below),
  forMs: maybe(below, () => steps(below, 6)),
  hasClear: below(3) === 0,
  decidesAnew: true,
});

/** Each takes the place of the one before, in a few words or in all. */
function editions(below: Below, end: number, downs: readonly Span[]): Story["editions"] {
  const all: [Edition, ...Edition[]] = [editionAt(0, below)];
  for (let at = steps(below, 40); below(3) === 0 && at < end; at += steps(below, 20)) {
    if (isWithin(downs, at)) continue;
    const [before, next] = [all.at(-1) ?? all[0], editionAt(at, below)];
    const { forMs, hasClear } = before;
    all.push(below(2) === 0 ? next : { ...next, forMs, hasClear, decidesAnew: false });
  }
  return all;
}

function randomStory(below: Below): Story {
  const end = 60 * STEP_MS;
  const downs: Span[] = [];
  for (let from = steps(below, 50); below(2) === 0 && from < end; from += steps(below, 20)) {
    const to = from + steps(below, 10);
    if (!downs.some((down) => down.from <= to && from <= down.to)) downs.push({ from: from - STEP_MS / 2, to });
  }
  const likely = 1 + below(4);
  const happenings: Happening[] = [];
  for (let at = 0; at <= end; at += steps(below, 5)) {
    if (isWithin(downs, at)) continue;
    const kind = below(12);
    if (kind === 0) happenings.push({ kind: "ack", at });
    else if (kind === 1) happenings.push({ kind: "resolve", at });
    else happenings.push({ kind: "signal", at, matches: below(likely) === 0, clears: below(3) === 0 });
  }
  return {
    editions: editions(below, end, downs),
    happenings,
    downs,
    // What is found late is found by what was known: one that began behind another is not.
    held: [...spans(below, downs.length === 0 ? 2 : 1, end, downs, true), ...spans(below, 1, end, downs, false)],
    full: new Map(WORKFLOWS.map((workflow) => [workflow, spans(below, 1, end, downs, false)])),
    // Only resolutions end it, and there are none while nerve is down.
    limited: spans(below, below(8) === 0 ? 1 : 0, end, downs, true).filter((one) =>
      downs.every(({ from, to }) => one.to < from || to < one.from),
    ),
    end,
  };
}

const spelled = (move: IncidentMove): string => {
  switch (move.kind) {
    case "opened":
    case "again":
    case "acked":
      return `${move.kind} ${move.id}`;
    case "suppressed":
      return `suppressed ${move.id} ${move.notification} ${move.workflow}`;
    case "notified":
      return `notified ${move.id} ${move.notification} ${move.workflow} run ${move.n} after ${move.durationMs} held ${move.suppressedMs}`;
    case "resolved":
      return `resolved ${move.id} ${move.reason}`;
    case "limited":
      return "limited";
  }
};

const SCOPE = "s";
const REST_OF_RULE = { edge: "rising", hasWhen: true, count: null, debounce: null, throttleMs: null } as const;

const ruleUnder = ({ words, hasClear, forMs }: Edition): { readonly words: IncidentRule; readonly rule: Rule } => ({
  words,
  rule: { ...REST_OF_RULE, hasClear, forMs, incident: words },
});

/** Under these words something was due within the last second, and would act before they were there: they are left out. */
const wasDueJustNow = ({ words }: Edition, state: KeyState, at: number): boolean =>
  deadlinesOf(words, state).some(({ due }) => due < at && at - due <= LATE_MS);

/** A signal between the one that opened the incident, or was the first that does not match, and the next change. */
const isNothingNew = ({ kind }: IncidentEvent, { moves, stage }: Outcome): boolean =>
  kind === "signal" && moves.length === 0 && stage?.kind === "incident" && stage.step === "open";

/** Who follows what the rule does. */
interface Follower {
  edited(words: IncidentRule): void;
  moved(move: IncidentMove, elapsed: number): void;
}

/**
 * As the kernel drives the rule: at signals, at deadlines, and where something that held back is over. Returns the editions that
 * came into force.
 */
function driven(story: Story, below: Below, follower: Follower): Story["editions"] {
  const { editions, held, full, limited, downs, end, happenings } = story;
  const met: [Edition, ...Edition[]] = [editions[0]];
  let { words, rule } = ruleUnder(editions[0]);
  let state: KeyState = REST;
  let lastId = 0;
  let id = 0;
  const happen = (event: IncidentEvent): void => {
    const world: IncidentWorld = {
      scope: SCOPE,
      nextId: () => (isWithin(limited, event.elapsed) ? null : lastId + 1),
      suppression({ workflow, elapsed }) {
        if (!isHeld(story, workflow, elapsed)) return null;
        const ends = held.filter(({ from, to }) => from <= elapsed && elapsed < to).map(({ to }) => to);
        const timed = ends.filter((to) => to % STEP_MS === 0);
        return { by: ["something"], until: timed.length === 0 ? null : Math.max(...timed) };
      },
    };
    const outcome = decideIncident(rule, words, state, event, world);
    // A state that is the same is the very same: nothing is stored.
    const isSame = isNothingNew(event, outcome) || (event.kind === "look" && Bun.deepEquals(outcome.state, state));
    if (isSame) expect(outcome.state).toBe(state);
    for (const move of outcome.moves) if (move.kind === "opened") lastId = move.id;
    for (const move of outcome.moves) follower.moved(move, event.elapsed);
    state = outcome.state;
    expect(outcome.deadline).toBe(incidentDeadline(words, state));
    if (isAtRest(rule, state, event.elapsed)) state = REST;
  };
  follower.edited(words);
  const changes = new Set([...held, ...full.values()].flat().map(({ to }) => to));
  for (let at = 0; at <= end; at += STEP_MS / 2) {
    if (isWithin(downs, at)) continue;
    if (below(8) === 0) {
      const stored = readKeyState(JSON.parse(JSON.stringify(storedKeyState(state))));
      expect(stored).toEqual(state);
      state = stored ?? REST;
    }
    const deadline = incidentDeadline(words, state);
    if (deadline !== null && deadline <= at) happen({ kind: "time", elapsed: at });
    if (changes.has(at)) happen({ kind: "look", elapsed: at });
    for (const edition of editions) {
      // One follows another: behind one that is left out there is none.
      if (edition.at !== at || edition !== editions[met.length]) continue;
      const after = edition.decidesAnew ? (underOtherWords(state, SCOPE) ?? REST) : state;
      if (wasDueJustNow(edition, after, at)) continue;
      met.push(edition);
      ({ words, rule } = ruleUnder(edition));
      follower.edited(words);
      state = after;
      happen({ kind: "time", elapsed: at });
      happen({ kind: "look", elapsed: at });
    }
    for (const happening of happenings) {
      if (happening.at !== at) continue;
      if (happening.kind === "ack") happen({ kind: "ack", elapsed: at, by: "a person", why: null });
      else if (happening.kind === "resolve") happen({ kind: "resolve", elapsed: at, reason: "by hand" });
      else happen({ ...happening, kind: "signal", id: ++id, elapsed: at, element: null });
    }
  }
  return met;
}

/** The model of the simulator, which looks at what a kernel logs, looks at the moves. */
class Events implements Follower {
  reported = 0;
  #logs = 0;
  readonly #runs = new Map<string, number>();
  /** What was due a moment ago acts at its own time. */
  readonly #oracle = new IncidentOracle((reflex, decision) => this.#runs.get(`${reflex} ${decision}`) ?? null, LATE_MS);

  edited({ workflow, resolveAfterMs, remindEveryMs, escalate }: IncidentRule): void {
    const words = {
      severity: null,
      summary: null,
      resolveAfterMs,
      remindEveryMs,
      escalate: [...escalate],
      inhibitedBy: [],
    };
    const reflexes = [workflowReflex({ name: "rule", workflow, incident: words })];
    this.#oracle.configured({ reflexes, workflows: new Map(), quietHours: [] } as unknown as NerveConfig);
  }

  moved(move: IncidentMove, elapsed: number): void {
    if (move.kind === "limited") return;
    const run = ++this.#logs;
    if (move.kind === "notified") {
      this.reported++;
      this.#runs.set(`rule incident:${move.id}:${move.n}`, run);
    }
    const told = { severity: "warning", ...move, incident: move.id, run } as unknown as Told;
    this.#oracle.log(run, `incident.${move.kind}`, "rule", told, elapsed, elapsed);
  }
}

describe("incidents", () => {
  test(
    `open, wait, are reported and resolve as the slow way says (seed ${SEED})`,
    () => {
      for (let trial = 0; trial < TRIALS; trial++) {
        const seed = SEED + trial;
        const below = randomOf(seed);
        const story = randomStory(below);
        const found: string[] = [];
        const met = driven(story, below, { edited: () => {}, moved: (move) => found.push(spelled(move)) });
        const expected = new IncidentModel({ ...story, editions: met }).run();
        if (!Bun.deepEquals(found, expected)) {
          console.error(
            `NERVE_FUZZ_SEED=${seed} NERVE_FUZZ=1`,
            JSON.stringify(story, (_, value) => (value instanceof Map ? [...value] : value)),
          );
          expect(found).toEqual(expected);
        }
      }
    },
    LONG_MS,
  );

  test(
    `are reported no more often than they may, and a resolution only by who reported them (seed ${SEED})`,
    () => {
      let reported = 0;
      for (let trial = 0; trial < TRIALS / 4; trial++) {
        const seed = SEED + trial + 1_000_000_000;
        const below = randomOf(seed);
        const story = randomStory(below);
        const events = new Events();
        try {
          driven(story, below, events);
        } catch (error) {
          console.error(`seed ${seed}`);
          throw error;
        }
        reported += events.reported;
      }
      expect(reported).toBeGreaterThan(TRIALS / 4);
    },
    LONG_MS,
  );
});
