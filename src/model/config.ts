/**
 * The configuration after parsing: what nerve.yaml says, every absent value an explicit null, every duration in
 * milliseconds and every size in bytes. Defaults are not filled in here; `config/defaults.ts` holds those the kernel uses.
 */
import type { Json, JsonObject } from "../base/json.ts";
import type { Secret } from "../base/secrets.ts";
import type { ChannelConfig } from "./channel.ts";
import type { FleetConfig } from "./fleet.ts";
import type { Severity } from "./incident.ts";
import type { Needs } from "./needs.ts";
import type { OtlpConfig } from "./otlp.ts";

export interface NerveConfig {
  /** Absolute path of the file this came from. */
  readonly file: string;
  /** Absolute path of the data directory. */
  readonly data: string;
  /** The name of this host among others. */
  readonly host: string;
  readonly durability: "full" | "normal";
  readonly http: ListenConfig | null;
  readonly push: ListenConfig | null;
  /** What joins this host to others; null: it stands alone. */
  readonly fleet: FleetConfig | null;
  /** Where numbers, logs and runs are sent by OTLP, or null. */
  readonly otlp: OtlpConfig | null;
  readonly retention: RetentionConfig;
  readonly quietHours: readonly QuietHours[];
  /** The address that is asked for while nerve commits, or null. The address is never printed. */
  readonly watchdog: WatchdogConfig | null;
  /** By name; a group that is only named by a sense is present too, with null limits. */
  readonly groups: ReadonlyMap<string, GroupConfig>;
  readonly senses: ReadonlyMap<string, SenseConfig>;
  readonly reflexes: readonly ReflexConfig[];
  readonly workflows: ReadonlyMap<string, WorkflowConfig>;
  /** Where people are told. Their addresses are never printed. */
  readonly channels: ReadonlyMap<string, ChannelConfig>;
  /** By name, reflexes in whose patterns something was filled in: as they stand in the file, safe to show. */
  readonly written: ReadonlyMap<string, Patterns>;
  /** What was filled in from outside the file, each value with how it is shown. Never printed. */
  readonly secrets: readonly Secret[];
  /** The whole as it stands in the files, without what was filled in and without addresses of people: safe to show. */
  readonly shown: JsonObject;
}

/** Where nerve is looked at by HTTP, or where items are pushed. */
export interface ListenConfig {
  readonly hostname: string;
  readonly port: number;
  /** Names beside those of loopback that a request may be addressed to, in small letters. */
  readonly hosts: readonly string[];
  /** Whether it may listen on another address than loopback. */
  readonly public: boolean;
  /** What links in messages begin with, or null. */
  readonly url: string | null;
}

export interface WatchdogConfig {
  readonly url: string;
  readonly everyMs: number;
}

export interface RetentionConfig {
  readonly logsMs: number | null;
  readonly signalsMs: number | null;
  readonly archiveMs: number | null;
}

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** A time of the day in which incidents below a severity are not reported. */
export interface QuietHours {
  readonly below: Severity;
  /** Minutes since midnight, by the local wall clock. `to` before `from` is on the next day. */
  readonly fromMinute: number;
  readonly toMinute: number;
  /** Null: of the host. */
  readonly tz: string | null;
  /** On which the window begins; null: on all. */
  readonly days: readonly (typeof DAYS)[number][] | null;
}

export interface GroupConfig {
  readonly name: string;
  /** Resident bytes of the worker and its children. */
  readonly memoryBytes: number | null;
}

export interface SenseConfig {
  readonly name: string;
  /** The module: a folder under `senses/` beside the config, else a built-in of that name. */
  readonly use: string;
  readonly group: string;
  readonly throttleMs: number | null;
  readonly timeoutMs: number | null;
  readonly gracePeriodMs: number | null;
  readonly with: JsonObject | null;
  /** What it lets in from outside; null: nothing. */
  readonly inbox: InboxConfig | null;
  /** Whether its database survives a power loss too; null: as an inbox needs it, else not. */
  readonly durability: "full" | "normal" | null;
  /** So long after the newest signal or item it is stale; null: nothing is expected. */
  readonly expectEveryMs: number | null;
  /** What of its newest payload stands on `/metrics`; null: nothing. */
  readonly metrics: MetricPaths | null;
  /** What the entry says the module needs of the host. */
  readonly needs: Needs | null;
}

/** The bounds of what waits for a sense, and what a sender without a token signs with. */
export interface InboxConfig {
  /** Items. */
  readonly max: number | null;
  /** Of their bodies together. */
  readonly bytes: number | null;
  readonly secret: string | null;
}

/** Every number, or those at and under these dotted paths. */
export type MetricPaths = "all" | readonly string[];

export type ReflexConfig = SenseReflexConfig | WorkflowReflexConfig;

/** Name of the sense or workflow that the reflex runs or starts; `kind` says which of the two. */
export const targetOf = (reflex: ReflexConfig): string => (reflex.kind === "sense" ? reflex.sense : reflex.workflow);

/** Whether the reflex keeps something open per key, and reports that. */
export const keepsIncidents = (reflex: ReflexConfig): boolean => reflex.kind === "workflow" && reflex.incident !== null;

export type Patterns = Pick<ReflexWords, "when" | "clear">;

/** The patterns of a reflex as they may be shown to a person. */
export const shownPatterns = ({ written }: NerveConfig, reflex: ReflexConfig): Patterns =>
  written.get(reflex.name) ?? reflex;

interface ReflexWords {
  /** Given, or `TARGET#N`: the Nth (from 1) reflex of that target in file order. */
  readonly name: string;
  /** Senses whose signals the reflex looks at: names, and patterns of senses of other hosts. Empty when it has none. */
  readonly on: readonly string[];
  /** ArkType definitions, as they stand in the file. */
  readonly when: Json | null;
  readonly clear: Json | null;
  readonly edge: "level" | "rising" | "falling" | null;
  readonly forMs: number | null;
  readonly count: { readonly n: number; readonly withinMs: number } | null;
  readonly debounce: { readonly waitMs: number; readonly maxMs: number | null } | null;
  readonly throttleMs: number | null;
  /** Dotted payload path, `$sense`, `$host`, `$one`, or a list of paths, `$sense` and `$host`. */
  readonly key: string | readonly string[] | null;
  /** What `$host` and `{{ host }}` stand for at a signal of this host. Null where no such signal needs it. */
  readonly host: string | null;
  /** Dotted path of an array of the payload, whose elements the reflex looks at. */
  readonly each: string | null;
}

/** When the clock makes a reflex due. */
export interface ClockWords {
  readonly intervalMs: number | null;
  readonly align: boolean | null;
  readonly jitterMs: number | null;
  /** Five fields or a nickname such as `@hourly`. */
  readonly cron: string | null;
  readonly tz: string | null;
  readonly catchUp: "none" | "one" | null;
  readonly onStart: boolean | null;
}

/** The words of a reflex that has none. */
export const NO_WORDS = {
  when: null,
  clear: null,
  edge: null,
  forMs: null,
  count: null,
  debounce: null,
  throttleMs: null,
  key: null,
  host: null,
  each: null,
} as const satisfies Omit<ReflexWords, "name" | "on">;

export const NO_CLOCK = {
  intervalMs: null,
  align: null,
  jitterMs: null,
  cron: null,
  tz: null,
  catchUp: null,
  onStart: null,
} as const satisfies ClockWords;

export interface SenseReflexConfig extends ReflexWords, ClockWords {
  readonly kind: "sense";
  readonly sense: string;
  /** What wakes the sense when it changes; null: nothing. */
  readonly watch: readonly Watching[] | null;
  /** True: the sense is handed the signals of `on`, each once. */
  readonly deliver: boolean | null;
}

/** `module`: what the module of the sense exports as `watch`. `inbox`: an item comes in. `journal`: of systemd. */
export type Watching =
  | { readonly kind: "module" | "inbox" | "journal" }
  | WatchedFile
  | (Omit<WatchedFile, "kind"> & { readonly kind: "dir"; readonly match: string });

interface WatchedFile {
  readonly kind: "file";
  /** Absolute. */
  readonly path: string;
  /** As it stands in nerve.yaml. */
  readonly written: string;
}

export const isWatching = (reflex: ReflexConfig, kind: Watching["kind"]): boolean =>
  reflex.kind === "sense" && reflex.watch !== null && reflex.watch.some((one) => one.kind === kind);

/** Has clock words or `on`, never both. */
export interface WorkflowReflexConfig extends ReflexWords, ClockWords {
  readonly kind: "workflow";
  readonly workflow: string;
  /** The payload of runs that the clock starts. */
  readonly input: JsonObject | null;
  readonly incident: IncidentConfig | null;
}

/** What a reflex keeps and reports per key. */
export interface IncidentConfig {
  /** One of the three, or a template. */
  readonly severity: string | null;
  readonly summary: string | null;
  readonly resolveAfterMs: number | null;
  readonly remindEveryMs: number | null;
  readonly escalate: readonly { readonly afterMs: number; readonly workflow: string }[];
  /** Names of reflexes with incidents of their own. */
  readonly inhibitedBy: readonly string[];
}

interface WorkflowCommon {
  readonly name: string;
  readonly use: string;
  readonly with: JsonObject | null;
  /** As of a sense. */
  readonly needs: Needs | null;
  /** So long after its newest completed run it is stale; null: no run is expected. */
  readonly expectEveryMs: number | null;
  readonly concurrency: number | null;
  readonly timeoutMs: number | null;
  readonly gracePeriodMs: number | null;
  readonly retry: RetryConfig | null;
}

/** What happens above `concurrency`. */
export type WorkflowConfig = DroppingWorkflow | QueueingWorkflow;

interface DroppingWorkflow extends WorkflowCommon {
  readonly overflow: "drop";
}

interface QueueingWorkflow extends WorkflowCommon {
  readonly overflow: "queue";
  /** How many runs may wait. */
  readonly maxQueue: number;
  readonly batch: BatchConfig | null;
}

/** Decisions that wait for one another, and begin as one run. */
export interface BatchConfig {
  readonly waitMs: number;
  /** A word of `BATCH_WORDS`, or a dotted payload path; null: all are one group. */
  readonly by: string | null;
}

export const batchConfigOf = (config: WorkflowConfig): BatchConfig | null =>
  config.overflow === "queue" ? config.batch : null;

export interface RetryConfig {
  readonly limit: number;
  readonly intervalMs: number | null;
  readonly backoff: number | null;
  readonly maxIntervalMs: number | null;
}
