/** One number makes everything: the configuration, what workers do, what goes wrong and when, and what people ask. */

import type { Json } from "../../src/base/json.ts";
import { unwrittenSense } from "../../src/config/senses.ts";
import type { NerveConfig, ReflexConfig, SenseConfig, WorkflowConfig } from "../../src/model/config.ts";
import { senseReflex, workflowReflex } from "../helpers/reflex.ts";
import { type Below, pick, randomOf } from "../rules/random.ts";
import type { FlowTroubles, Op, Program } from "./flow-worker.ts";
import type { SenseDisk, SenseTroubles } from "./sense-worker.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** What a person or a failing shrinker leaves of a seed. */
export interface Size {
  readonly senses: number;
  readonly reflexes: number;
  readonly lengthMs: number;
  /** Kinds of faults that do not happen. */
  readonly without: readonly FaultKind[];
  /** Every sense computes each second. */
  readonly isDense: boolean;
}

export const FAULTS = ["crash", "reload", "clock", "disk", "people", "workers", "pauses"] as const;
export type FaultKind = (typeof FAULTS)[number];

export interface Plan {
  readonly seed: number;
  readonly size: Size;
  readonly wall: number;
  readonly config: NerveConfig;
  readonly disks: ReadonlyMap<string, SenseDisk>;
  readonly programs: ReadonlyMap<string, Program>;
  readonly senseTroubles: SenseTroubles;
  readonly flowTroubles: FlowTroubles;
  /** Senses that a cron time alone makes compute. */
  readonly cronSenses: ReadonlyMap<string, number>;
}

export const GOOD_SENSES: SenseTroubles = {
  isNull: 9,
  fails: 0,
  timesOut: 0,
  hangs: 0,
  spins: 0,
  dies: 0,
  diesAfter: 0,
  lies: 0,
  prints: 0,
  leaks: 0,
  repeats: 0,
  diesLoading: 0,
  doesNotLoad: 0,
};

export const GOOD_FLOWS: FlowTroubles = { fails: 0, dies: 0, hangs: 0, lies: 0, prints: 0, lingers: 0, doesNotLoad: 0 };

/** The patterns that are used, and what each means, said by hand. */
export const PATTERNS: readonly { readonly definition: Json; readonly isMet: (payload: Fields) => boolean }[] = [
  { definition: { status: "'bad'" }, isMet: ({ status }) => status === "bad" },
  { definition: { level: "number >= 7" }, isMet: ({ level }) => level >= 7 },
  { definition: { level: "number < 3" }, isMet: ({ level }) => level < 3 },
  { definition: { status: "'ok'" }, isMet: ({ status }) => status === "ok" },
  { definition: { level: "number >= 5" }, isMet: ({ level }) => level >= 5 },
];

export interface Fields {
  readonly n: number;
  readonly level: number;
  readonly status: string;
  readonly host: string;
  readonly id: string;
  readonly items: readonly Fields[] | null;
}

const WHEN = [0, 1, 4] as const;
const CLEAR = [2, 3] as const;

const patternAt = (index: number): Json => (PATTERNS[index] as { definition: Json }).definition;

export const sizeOf = (some: Partial<Size>): Size => ({
  senses: 20,
  reflexes: 26,
  lengthMs: DAY,
  without: [],
  isDense: false,
  ...some,
});

/** So many senses are computed for what reflexes decide. */
const LISTENERS = 2;
const senseName = (index: number): string => `s${index}`;
export const WORKFLOWS = ["quick", "steps", "long", "drops"] as const;

/** From ten seconds to an hour: every length is as likely as any other, on a scale of powers. */
const intervalOf = (below: Below): number => Math.round(10 * 360 ** (below(1_000) / 999)) * SECOND;

export function planOf(seed: number, size: Size, data: string): Plan {
  const below = randomOf(seed * 7 + 1);
  const senses = new Map<string, SenseConfig>();
  const disks = new Map<string, SenseDisk>();
  const groups = 1 + below(Math.min(6, size.senses));
  for (let index = 0; index < size.senses; index++) {
    const name = senseName(index);
    senses.set(name, {
      ...unwrittenSense(name),
      group: `g${below(groups)}`,
      throttleMs: below(index < LISTENERS ? 2 : 4) === 0 ? pick(below, [5, 30, 120, 600]) * SECOND : null,
      timeoutMs: pick(below, [null, 5 * SECOND, 10 * SECOND]),
      gracePeriodMs: pick(below, [null, SECOND]),
    });
    const hasItems = below(4) === 0;
    const writes = below(2) === 0;
    disks.set(name, { name, writes, hasItems, n: 0, level: below(10), items: [], lastRow: 0, outbox: [] });
  }
  const { reflexes, cronSenses } = reflexesOf(below, size, disks);
  const config: NerveConfig = {
    file: "/etc/nerve.yaml",
    data,
    durability: "normal",
    http: null,
    watchdog: null,
    retention: {
      logsMs: pick(below, [null, 3 * HOUR, 40 * MINUTE]),
      signalsMs: pick(below, [null, 6 * HOUR, HOUR]),
      archiveMs: pick(below, [null, DAY]),
    },
    groups: new Map(
      [...Array(groups).keys()].map((index) => [
        `g${index}`,
        { name: `g${index}`, memoryBytes: below(3) === 0 ? 500_000_000 : null },
      ]),
    ),
    senses,
    reflexes,
    workflows: new Map(WORKFLOWS.map((name) => [name, workflowOf(below, name)])),
    channels: new Map(),
    quietHours: quietHoursOf(below),
    written: new Map(),
    secrets: [],
  };
  const isWell = size.without.includes("workers");
  const often = size.isDense ? 10 : 1;
  return {
    seed,
    size,
    wall: Date.UTC(2026, 2, 1) + below(200) * DAY + below(DAY),
    config,
    disks,
    programs: new Map(WORKFLOWS.map((name) => [name, programOf(below, name)])),
    senseTroubles: isWell ? GOOD_SENSES : senseTroublesOf(below, often),
    flowTroubles: isWell ? GOOD_FLOWS : flowTroublesOf(below),
    cronSenses,
  };
}

function reflexesOf(below: Below, size: Size, disks: ReadonlyMap<string, SenseDisk>) {
  const names = [...disks.keys()];
  const reflexes: ReflexConfig[] = [];
  const cronSenses = new Map<string, number>();
  const heard: string[] = [];
  for (const [index, sense] of names.entries()) {
    const name = `tick-${sense}`;
    // The first sense listens to another, the second has a cron time.
    if (index === 1 && !size.isDense) {
      const minutes = pick(below, [5, 15, 30, 60]);
      cronSenses.set(sense, minutes);
      const cron = minutes === 60 ? "0 * * * *" : `*/${minutes} * * * *`;
      reflexes.push(senseReflex({ name, sense, cron, tz: "UTC" }));
    } else if (index === 0 && names.length > 2) {
      const on = [pick(below, names.slice(2))];
      reflexes.push(senseReflex({ name, sense, on }));
    } else {
      const intervalMs = size.isDense ? SECOND : intervalOf(below);
      const catchUp = below(8) === 0 ? "one" : null;
      const onStart = below(3) === 0;
      reflexes.push(
        senseReflex({ name, sense, intervalMs, jitterMs: below(2) === 0 ? 5 * SECOND : null, catchUp, onStart }),
      );
      heard.push(sense);
    }
  }
  for (let index = 0; index < size.reflexes; index++) {
    const words = withWords(below, index, heard.length > 0 ? heard : names, disks);
    reflexes.push(withIncident(below, words, reflexes));
  }
  for (let index = 0; index < size.reflexes / 8; index++) reflexes.push(timedOf(below, index));
  return { reflexes, cronSenses };
}

/** Nights of a few hours, on some hosts. */
const quietHoursOf = (below: Below): NerveConfig["quietHours"] =>
  below(3) > 0
    ? []
    : [
        {
          below: pick(below, ["warning", "critical"]),
          fromMinute: 60 * below(24),
          toMinute: 60 * below(24) + 30,
          tz: "UTC",
          days: null,
        },
      ];

/** Some reflexes that start a workflow keep incidents in place of words of their own about when. */
function withIncident(below: Below, words: ReflexConfig, before: readonly ReflexConfig[]): ReflexConfig {
  if (words.kind !== "workflow" || words.when === null || below(3) > 0) return words;
  const others = before.flatMap((one) => (one.kind === "workflow" && one.incident !== null ? one.name : []));
  const inhibitedBy = others.length > 0 && below(4) === 0 ? [pick(below, others)] : [];
  const escalate = [...Array(below(3)).keys()].map((index) => ({
    afterMs: (10 + 20 * index + below(20)) * MINUTE,
    workflow: pick(below, WORKFLOWS),
  }));
  const isSeveral = words.on.length > 1 && words.key === null;
  return {
    ...words,
    edge: null,
    count: null,
    debounce: null,
    throttleMs: null,
    key: isSeveral ? "$sense" : words.key,
    incident: {
      severity: pick(below, [null, "info", "warning", "critical", "{{ payload.severity }}"]),
      summary: pick(below, [null, "{{ payload.level }} of {{ payload.host }}"]),
      resolveAfterMs: pick(below, [null, MINUTE, 7 * MINUTE]),
      remindEveryMs: pick(below, [null, 10 * MINUTE, HOUR]),
      escalate,
      inhibitedBy,
    },
  };
}

/** A workflow that the clock starts. */
function timedOf(below: Below, index: number): ReflexConfig {
  const minutes = pick(below, [5, 15, 30, 60]);
  const isCron = below(2) === 0;
  const cron = minutes === 60 ? "7 * * * *" : `*/${minutes} * * * *`;
  return workflowReflex({
    name: `timed-${index}`,
    on: [],
    workflow: pick(below, WORKFLOWS),
    input: { by: "the clock" },
    cron: isCron ? cron : null,
    tz: isCron ? "UTC" : null,
    intervalMs: isCron ? null : minutes * MINUTE,
    jitterMs: isCron || below(2) === 0 ? null : 20 * SECOND,
    catchUp: pick(below, [null, "one", "none"] as const),
    onStart: below(2) === 0,
  });
}

/** A reflex with some of the words, as the rules of a configuration allow. */
function withWords(
  below: Below,
  index: number,
  names: readonly string[],
  disks: ReadonlyMap<string, SenseDisk>,
): ReflexConfig {
  const first = pick(below, names);
  const disk = disks.get(first);
  const each = disk?.hasItems && below(2) === 0 ? "items" : null;
  const several = each === null && below(4) === 0 ? [...new Set([first, pick(below, names)])] : [first];
  const when = below(5) === 0 ? null : patternAt(pick(below, WHEN));
  const edge = when === null ? null : pick(below, [null, "level", "rising", "falling"] as const);
  const clear = when !== null && edge !== "falling" && below(4) === 0 ? patternAt(pick(below, CLEAR)) : null;
  const forMs = when !== null && edge !== "level" && below(2) === 0 ? pick(below, [20, 60, 300, 1_200]) * SECOND : null;
  const count = forMs === null && below(5) === 0 ? { n: 2 + below(3), withinMs: pick(below, [1, 10]) * MINUTE } : null;
  const debounce =
    below(5) === 0 ? { waitMs: pick(below, [5, 60]) * SECOND, maxMs: below(2) === 0 ? 5 * MINUTE : null } : null;
  // Without it every signal would be a run: one in eight reflexes is like that.
  const throttleMs = below(8) > 0 ? pick(below, [5, 30, 60, 120, 240]) * MINUTE : null;
  const hasState = forMs !== null || clear !== null || count !== null || edge === "rising" || edge === "falling";
  const key =
    each !== null
      ? "id"
      : several.length > 1 && hasState
        ? "$sense"
        : pick(below, [null, "host", "$sense", "$one", ["$sense", "host"]] as const);
  const words = {
    name: `rule-${index}`,
    on: several,
    when,
    clear,
    edge,
    forMs,
    count,
    debounce,
    throttleMs,
    key,
    each,
  };
  if (below(5) === 0) return senseReflex({ ...words, sense: pick(below, [...disks.keys()].slice(0, LISTENERS)) });
  return workflowReflex({ ...words, workflow: pick(below, WORKFLOWS) });
}

function workflowOf(below: Below, name: string): WorkflowConfig {
  const common = {
    name,
    use: "program",
    with: null,
    needs: null,
    concurrency: pick(below, [null, 2, 4]),
    timeoutMs: name === "long" ? 10 * MINUTE : pick(below, [null, MINUTE]),
    gracePeriodMs: pick(below, [null, 2 * SECOND]),
    retry:
      below(2) === 0
        ? { limit: 1 + below(3), intervalMs: pick(below, [5, 60]) * SECOND, backoff: 2, maxIntervalMs: null }
        : null,
  };
  if (name === "drops") return { ...common, overflow: "drop" };
  return { ...common, overflow: "queue", maxQueue: pick(below, [3, 20, 100]), batch: null };
}

function programOf(below: Below, name: string): Program {
  const step = (n: number, ms: number): Op => ({
    kind: "step",
    name: `${name}-${n}`,
    ms,
    retries: below(3),
    retryMs: pick(below, [1, 4, 30]) * SECOND,
  });
  const sleep = (ms: number, nth: number): Op => ({ kind: "sleep", ms, nth });
  switch (name) {
    case "quick":
      return [step(1, 50)];
    case "steps":
      return [step(1, 100), step(2, 400), step(3, 100)];
    case "long":
      return [step(1, 200), sleep(MINUTE, 0), step(2, 200), sleep(10 * MINUTE, 0), sleep(MINUTE, 1), step(3, 100)];
    default:
      return [step(1, 2_000), step(2, 500)];
  }
}

const rare = (below: Below, usual: number, often: number): number =>
  below(3) === 0 ? 0 : Math.ceil(usual * often * (0.5 + below(100) / 100));

const senseTroublesOf = (below: Below, often: number): SenseTroubles => ({
  isNull: 9,
  fails: rare(below, 40, 1),
  timesOut: rare(below, 300, often),
  hangs: rare(below, 700, often),
  spins: rare(below, 900, often),
  dies: rare(below, 300, often),
  diesAfter: rare(below, 300, often),
  lies: rare(below, 400, often),
  prints: rare(below, 100, often),
  leaks: rare(below, 300, often),
  repeats: rare(below, 60, often),
  diesLoading: rare(below, 60, 1),
  doesNotLoad: rare(below, 80, 1),
});

const flowTroublesOf = (below: Below): FlowTroubles => ({
  fails: rare(below, 8, 1),
  dies: rare(below, 80, 1),
  hangs: rare(below, 100, 1),
  lies: rare(below, 60, 1),
  prints: rare(below, 20, 1),
  lingers: rare(below, 20, 1),
  doesNotLoad: rare(below, 30, 1),
});

function editedReflex(was: ReflexConfig, below: Below): ReflexConfig {
  if (was.kind !== "workflow" || was.incident === null)
    return { ...was, throttleMs: pick(below, [null, MINUTE, 7 * MINUTE]) };
  const incident = {
    ...was.incident,
    remindEveryMs: pick(below, [null, 10 * MINUTE, 30 * MINUTE]),
    severity: pick(below, ["info", "critical"]),
  };
  return { ...was, incident, workflow: pick(below, WORKFLOWS) };
}

/** Another configuration, as somebody might edit this one. */
export function editOf(config: NerveConfig, below: Below): NerveConfig {
  const workflows = new Map(config.workflows);
  const senses = new Map(config.senses);
  const names = [...senses.keys()];
  // What is owed is owed to senses that listen.
  const someSense = (): string => pick(below, below(2) === 0 ? names.slice(0, LISTENERS) : names);
  let reflexes = [...config.reflexes];
  switch (below(6)) {
    case 0: {
      const name = pick(below, WORKFLOWS);
      workflows.set(name, workflowOf(below, name));
      break;
    }
    case 1: {
      const name = someSense();
      const was = senses.get(name);
      if (was) senses.set(name, { ...was, throttleMs: pick(below, [null, 30 * SECOND, 2 * MINUTE]) });
      break;
    }
    case 2: {
      const index = reflexes.findIndex(({ name }) => name === `rule-${below(20)}`);
      const was = reflexes[index];
      if (was) reflexes[index] = editedReflex(was, below);
      break;
    }
    case 3:
      reflexes = reflexes.filter(({ name }) => name !== `rule-${below(40)}`);
      break;
    case 4: {
      const name = someSense();
      const was = senses.get(name);
      if (was) senses.set(name, { ...was, group: pick(below, [...config.groups.keys()]) });
      break;
    }
    default: {
      // The same, read again.
    }
  }
  return { ...config, senses, workflows, reflexes };
}
