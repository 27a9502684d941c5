/**
 * What becomes of incidents, against a slow and obvious model. `NERVE_FUZZ=1000000` tries more, `NERVE_FUZZ_SEED=N` repeats a
 * run.
 */
import { describe, expect, test } from "bun:test";
import type { IncidentEvent, IncidentRule, Rule } from "../../src/rules/decision.ts";
import { incidentDeadline } from "../../src/rules/incident-deadlines.ts";
import type { IncidentMove, IncidentWorld } from "../../src/rules/incident-moves.ts";
import { decideIncident } from "../../src/rules/incident-rule.ts";
import { type KeyState, REST, readKeyState, storedKeyState } from "../../src/rules/key-state.ts";
import { isAtRest } from "../../src/rules/rule.ts";
import { type Happening, IncidentModel, isHeld, isWithin, type Span, STEP_MS, type Story } from "./incident-model.ts";
import { type Below, pick, randomOf, SEED, trials } from "./random.ts";

const TRIALS = trials(20_000);
const LONG_MS = 30 * 60_000;
const WORKFLOWS = ["notify", "call", "boss"] as const;

const steps = (below: Below, most: number): number => (1 + below(most)) * STEP_MS;
const maybe = <T>(below: Below, value: () => T): T | null => (below(2) === 0 ? value() : null);

function randomWords(below: Below): IncidentRule {
  const entries = Array.from({ length: below(4) }, () => ({
    afterMs: steps(below, 12),
    workflow: pick(below, WORKFLOWS),
  }));
  return {
    workflow: "notify",
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

function randomStory(below: Below): Story {
  const end = 60 * STEP_MS;
  const hasClear = below(3) === 0;
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
    else happenings.push({ kind: "signal", at, matches: below(likely) === 0, clears: hasClear && below(3) === 0 });
  }
  return {
    words: randomWords(below),
    forMs: maybe(below, () => steps(below, 6)),
    hasClear,
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

/** As the kernel drives the rule: at signals, at deadlines, and where something that held back is over. */
function driven(story: Story, below: Below): { readonly moves: IncidentMove[]; readonly state: KeyState } {
  const { words, forMs, hasClear, held, full, limited, downs, end, happenings } = story;
  const rest = { edge: "rising", hasWhen: true, count: null, debounce: null, throttleMs: null } as const;
  const rule: Rule = { ...rest, hasClear, forMs, incident: words };
  const moves: IncidentMove[] = [];
  let state: KeyState = REST;
  let lastId = 0;
  let id = 0;
  const happen = (event: IncidentEvent): void => {
    const world: IncidentWorld = {
      scope: "s",
      nextId: () => (isWithin(limited, event.elapsed) ? null : lastId + 1),
      suppression({ workflow, elapsed }) {
        if (!isHeld(story, workflow, elapsed)) return null;
        const ends = held.filter(({ from, to }) => from <= elapsed && elapsed < to).map(({ to }) => to);
        const timed = ends.filter((to) => to % STEP_MS === 0);
        return { by: ["something"], until: timed.length === 0 ? null : Math.max(...timed) };
      },
    };
    const outcome = decideIncident(rule, words, state, event, world);
    for (const move of outcome.moves) if (move.kind === "opened") lastId = move.id;
    moves.push(...outcome.moves);
    state = outcome.state;
    expect(outcome.deadline).toBe(incidentDeadline(words, state));
    if (isAtRest(rule, state, event.elapsed)) state = REST;
  };
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
    for (const happening of happenings) {
      if (happening.at !== at) continue;
      if (happening.kind === "ack") happen({ kind: "ack", elapsed: at, by: "a person", why: null });
      else if (happening.kind === "resolve") happen({ kind: "resolve", elapsed: at, reason: "by hand" });
      else happen({ ...happening, kind: "signal", id: ++id, elapsed: at, element: null });
    }
  }
  return { moves, state };
}

describe("incidents", () => {
  test(
    `open, wait, are reported and resolve as the slow way says (seed ${SEED})`,
    () => {
      for (let trial = 0; trial < TRIALS; trial++) {
        const seed = SEED + trial;
        const below = randomOf(seed);
        const story = randomStory(below);
        const expected = new IncidentModel(story).run();
        const found = driven(story, below).moves.map(spelled);
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
        const below = randomOf(SEED + trial + 1_000_000_000);
        const { moves } = driven(randomStory(below), below);
        let open: number | null = null;
        const reports = new Map<number, Extract<IncidentMove, { kind: "notified" }>[]>();
        for (const move of moves) {
          if (move.kind === "opened") {
            expect(open).toBeNull();
            open = move.id;
          }
          if (move.kind === "resolved") {
            expect(open).toBe(move.id);
            open = null;
          }
          if (move.kind !== "notified") continue;
          const before = reports.get(move.id) ?? [];
          reports.set(move.id, [...before, move]);
          expect(move.n).toBeGreaterThan(0);
          if (move.notification === "resolved") {
            expect(before.some(({ workflow }) => workflow === move.workflow)).toBe(true);
          } else expect(before.some(({ notification }) => notification === "resolved")).toBe(false);
        }
        for (const all of reports.values()) {
          const count = (kind: string): number => all.filter(({ notification }) => notification === kind).length;
          const workflows = new Set(all.map(({ workflow }) => workflow)).size;
          expect(count("opened")).toBe(1);
          expect(count("resolved")).toBeLessThanOrEqual(workflows);
          expect(new Set(all.map(({ n }) => n)).size).toBe(all.length);
          reported += all.length;
        }
      }
      expect(reported).toBeGreaterThan(TRIALS / 4);
    },
    LONG_MS,
  );
});
