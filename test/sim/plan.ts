/** One number makes everything: the configuration, what workers do, what goes wrong and when, and what people ask. */
import { unwrittenSense } from "../../src/config/senses.ts";
import type { NerveConfig, ReflexConfig, RetentionConfig, SenseConfig } from "../../src/model/config.ts";
import type { FleetConfig } from "../../src/model/fleet.ts";
import type { OtlpConfig } from "../../src/model/otlp.ts";
import { senseReflex, workflowReflex } from "../helpers/reflex.ts";
import { type Below, pick, randomOf } from "../rules/random.ts";
import type { AsideTroubles } from "./aside-worker.ts";
import { BEAT_MS, NEVER_LATE_MS, PROBE, SILENT_AFTER_MS } from "./far-hosts.ts";
import type { FlowTroubles, Program } from "./flow-worker.ts";
import { SENT_LOGS } from "./oracle/otlp.ts";
import { quietHoursOf, reflexesOf } from "./reflex-plan.ts";
import type { SenseDisk, SenseTroubles } from "./sense-worker.ts";
import { FILES, NAMER, withSources } from "./source-plan.ts";
import { CHANNELS, DAY, HOUR, LISTENERS, MINUTE, patternAt, SECOND, type Size, WORKFLOWS } from "./words.ts";
import { programOf, workflowOf } from "./workflow-plan.ts";

export interface Plan {
  readonly seed: number;
  readonly size: Size;
  readonly wall: number;
  readonly config: NerveConfig;
  readonly disks: ReadonlyMap<string, SenseDisk>;
  readonly programs: ReadonlyMap<string, Program>;
  readonly senseTroubles: SenseTroubles;
  readonly flowTroubles: FlowTroubles;
  readonly asideTroubles: AsideTroubles;
  /** Senses that a cron time alone makes compute. */
  readonly cronSenses: ReadonlyMap<string, number>;
}

/** What a message to people names is read from the sense `processes`; `nerve` watches the kernel. */
const USES: Readonly<Record<number, string>> = { 2: "nerve", 3: "processes" };

/** So many worlds have one whose senses compute as often as they may. */
const BUSY_ONE_IN = 8;

/** The sense that may have an inbox. */
export const RECEIVER = 4;

const HTTP = { hostname: "127.0.0.1", port: 7_878, hosts: [], public: false, url: null };

const FLEET: FleetConfig = {
  servers: ["nats://127.0.0.1:4222"],
  ...{ nkey: null, creds: null, ca: null, cert: null, key: null, domain: null, stream: "NERVE", send: [] },
  receive: [`*/${PROBE}`],
  ...{ everyMs: SECOND, beatMs: BEAT_MS, freshMs: NEVER_LATE_MS, silentAfterMs: SILENT_AFTER_MS },
};

/** The receiver of these worlds is asked for minutes apart: a day has thousands of rows, and few requests show what becomes of each. */
const otlpOf = (size: Size, below: Below): OtlpConfig | null =>
  size.isDense || below(3) > 0
    ? null
    : {
        ...{ endpoint: "http://127.0.0.1:4318", headers: {}, signals: ["*"], logs: SENT_LOGS, runs: false },
        everyMs: pick(below, [1, 5]) * MINUTE,
      };

/** What looks at signals of other hosts. Without words about time: a batch may wait for room before the kernel looks at it. */
const farReflexes = (below: Below): readonly ReflexConfig[] => [
  workflowReflex({
    ...{ name: "far-edge", workflow: pick(below, WORKFLOWS), on: [`*/${PROBE}`], when: patternAt(0) },
    ...{
      edge: pick(below, ["rising", "falling"] as const),
      key: pick(below, ["$host", ["$host", "id"], "$sense"] as const),
    },
  }),
  workflowReflex({ name: "far-presence", workflow: pick(below, WORKFLOWS), on: ["*/presence"], key: "$host" }),
  senseReflex({ name: "far-sense", sense: "s0", on: [`web1/${PROBE}`], when: below(2) === 0 ? null : patternAt(1) }),
];

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

export const GOOD_FLOWS: FlowTroubles = {
  fails: 0,
  dies: 0,
  hangs: 0,
  lies: 0,
  prints: 0,
  lingers: 0,
  doesNotLoad: 0,
  unheard: 0,
};

export const GOOD_ASIDES: AsideTroubles = { fails: 0, hangs: 0, dies: 0, lies: 0 };

export function planOf(seed: number, size: Size, data: string): Plan {
  const below = randomOf(seed * 7 + 1);
  const senses = new Map<string, SenseConfig>();
  const disks = new Map<string, SenseDisk>();
  const groups = 1 + below(Math.min(6, size.senses));
  const hasInbox = !size.isDense && below(2) === 0;
  for (let index = 0; index < size.senses; index++) {
    const name = `s${index}`;
    senses.set(name, {
      ...unwrittenSense(name),
      use: USES[index] ?? name,
      inbox: index === RECEIVER && hasInbox ? { max: pick(below, [4, 200]), bytes: null, secret: null } : null,
      group: `g${below(groups)}`,
      throttleMs: below(index < LISTENERS ? 2 : 4) === 0 ? pick(below, [5, 30, 120, 600]) * SECOND : null,
      timeoutMs: pick(below, [null, 5 * SECOND, 10 * SECOND]),
      gracePeriodMs: pick(below, [null, SECOND]),
    });
    const hasItems = below(4) === 0;
    const writes = below(2) === 0;
    disks.set(name, {
      name,
      writes,
      hasItems,
      isSeveral: writes && below(3) === 0,
      puts: index >= LISTENERS && below(6) === 0,
      n: 0,
      level: below(10),
      items: [],
      lastRow: 0,
      outbox: [],
      taken: new Map(),
      watches: name === NAMER ? [{ kind: "file", path: FILES[0], match: null }] : [],
    });
  }
  const { reflexes, cronSenses } = reflexesOf(below, size, seed % BUSY_ONE_IN === 0, disks);
  const receiver = `s${RECEIVER}`;
  if (hasInbox && senses.has(receiver))
    reflexes.push(senseReflex({ name: `${receiver}#inbox`, sense: receiver, watch: [{ kind: "inbox" }] }));
  const sources = withSources(randomOf(seed * 7 + 3), size, senses, reflexes);
  const fleet = size.isDense || randomOf(seed * 7 + 4)(2) === 0 ? null : FLEET;
  const config: NerveConfig = {
    file: "/etc/nerve.yaml",
    data,
    host: "here",
    durability: "normal",
    http: below(2) === 0 ? null : HTTP,
    watchdog: below(2) === 0 ? null : { url: "http://dead-man.test/", everyMs: pick(below, [5, 30]) * MINUTE },
    push: null,
    fleet,
    otlp: otlpOf(size, randomOf(seed * 7 + 7)),
    retention: retentionOf(below),
    groups: new Map(
      [...Array(groups).keys()].map((index) => [
        `g${index}`,
        { name: `g${index}`, memoryBytes: below(3) === 0 ? 500_000_000 : null },
      ]),
    ),
    senses,
    reflexes: fleet === null ? sources : [...sources, ...farReflexes(randomOf(seed * 7 + 5))],
    workflows: new Map(WORKFLOWS.map((name) => [name, workflowOf(below, name)])),
    channels: new Map(CHANNELS.map((name) => [name, { kind: "ntfy", name, url: `http://${name}.test/`, token: null }])),
    quietHours: quietHoursOf(below),
    written: new Map(),
    secrets: [],
    shown: {},
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
    asideTroubles: isWell ? GOOD_ASIDES : asideTroublesOf(below),
    cronSenses,
  };
}

export const retentionOf = (below: Below): RetentionConfig => ({
  logsMs: pick(below, [null, 3 * HOUR, 90 * MINUTE]),
  signalsMs: pick(below, [null, 6 * HOUR, HOUR]),
  archiveMs: pick(below, [null, DAY]),
});

const rare = (below: Below, usual: number, often: number): number =>
  below(3) === 0 ? 0 : Math.ceil(usual * often * (0.5 + below(100) / 100));

const asideTroublesOf = (below: Below): AsideTroubles => ({
  fails: rare(below, 12, 1),
  hangs: rare(below, 30, 1),
  dies: rare(below, 30, 1),
  lies: rare(below, 30, 1),
});

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
  unheard: rare(below, 12, 1),
});
