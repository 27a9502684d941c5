/**
 * Owns the shapes of `/api/v1/…`: what each path takes and answers. Types only, for the web process and for the page in the
 * browser. Keys are as in the tables and in `--json` of the verbs. Times are Unix milliseconds, durations milliseconds, sizes bytes.
 */
import type { Json, JsonObject } from "../base/json.ts";
import type { SilenceAnswer, Status } from "../control/contract.ts";
import type { Incident } from "../model/incident-row.ts";
import type { Log } from "../model/log.ts";
import type { Run, RunState } from "../model/run.ts";
import type { Signal } from "../model/signal.ts";

/** A row of `signals`, with the payload as a value. */
export type ShownSignal = Omit<Signal, "payload"> & { readonly payload: Json };
/** A row of `logs`, with `data` as a value. */
export type ShownLog = Omit<Log, "data"> & { readonly data: Json };
/** A row of `workflow_runs`, with `input` and `output` as values. */
export type ShownRun = Omit<Run, "input" | "output"> & { readonly input: Json; readonly output: Json };

/**
 * A page of rows, in the order of their ids. Parameters of every list: `limit` (1 to 200, 50 where it is absent); `before=ID`
 * (the newest rows under it) or `after=ID` (the oldest rows above it); with neither, the newest rows. `since` and `until`
 * are times in milliseconds, `trace` is 32 hex digits. A parameter that may be repeated means any of its values.
 */
export interface Listing<Row> {
  readonly rows: readonly Row[];
  /** The parameter for the next page in the same direction, `before=ID` or `after=ID`; null: there are no more rows. */
  readonly next: string | null;
  /** True where the time for one answer ran out before the page was full. `next` goes on from there. */
  readonly short: boolean;
  /** The id up to which rows were looked at, in the direction of the list. */
  readonly looked_to: number;
}

/** `GET /api/v1/session`. */
export interface SessionAnswer {
  /** The name of this instance: it is in the name of the cookie, and a page keeps what it remembers under this name. */
  readonly instance: string;
  readonly version: string;
  /** The clock of the host, at the answer. */
  readonly at: number;
  /** When the cookie ends; null where the request came with a token. */
  readonly until: number | null;
}

/** Whether the kernel answers: `up`, or `silent` since a time. */
export interface KernelLink {
  readonly state: "up" | "silent";
  /** When the kernel last answered; null: it has not answered yet. */
  readonly answered_at: number | null;
}

/** `GET /api/v1/status`. While the kernel is silent, `status` is what the kernel last said. */
export interface StatusAnswer {
  readonly instance: string;
  /** The name of the host. */
  readonly host: string;
  /** The clock of the host, at the answer. */
  readonly at: number;
  /** The zone of the host, as in `Europe/Berlin`. */
  readonly tz: string;
  readonly link: KernelLink;
  readonly status: Status | null;
  /** The highest ids that are committed. */
  readonly watermarks: Watermarks;
}

export interface Watermarks {
  readonly signals: number;
  readonly logs: number;
}

/** `GET /api/v1/senses`: in the order of nerve.yaml. */
export interface SensesAnswer {
  readonly link: KernelLink;
  readonly senses: readonly SenseRow[];
}

export type SenseRow = Status["senses"][number] & {
  readonly use: string;
  /** How often it is due by the clock, in words: `every 5s`, `at start`. */
  readonly clocks: readonly string[];
  /** Reflexes that look at its signals. */
  readonly heard_by: readonly string[];
  /** Its newest signal, as far as that is kept. */
  readonly last: ShownSignal | null;
  /** What `/api/v1/series` can give of it. */
  readonly series: readonly SeriesField[];
};

/** A number of a sense over time. */
export interface SeriesField {
  /** The name to ask for. */
  readonly name: string;
  /** `percent`, `bytes`, `bytes_per_second`, `seconds`, `ms`, or null. */
  readonly unit: string | null;
  /** The word by which there is a line for each value, as `path` of a disk; null: there is one line. */
  readonly by: string | null;
}

/** `GET /api/v1/signals`: `sense` (may be repeated), `since`, `until`, `trace`. */
export type SignalsAnswer = Listing<ShownSignal>;
/** `GET /api/v1/logs`: `level` (this level and graver ones), `source`, `event` (both may be repeated), `text` (part of the message, case ignored), `since`, `until`, `trace`. Reads the archive as well. */
export type LogsAnswer = Listing<ShownLog>;
/** `GET /api/v1/runs`: `workflow`, `state`, `reflex` (all may be repeated), `since`, `until`, `trace`. */
export type RunsAnswer = Listing<ShownRun>;
/** `GET /api/v1/incidents`: `reflex`, `state` (both may be repeated), `since`, `until`, `trace`. */
export type IncidentsAnswer = Listing<Incident>;
/** `GET /api/v1/deaths`: the logs `worker.exited`, with the reason in `data` and `message`. `since`, `until`. */
export type DeathsAnswer = Listing<ShownLog>;

/** What became of a step, one for each time that the step ended or was interrupted. */
export interface ShownStep {
  readonly step: string;
  readonly nth: number;
  readonly attempt: number;
  readonly state: "started" | "completed" | "failed";
  /** The time of the log that the step's state comes from. */
  readonly at: number;
  readonly duration_ms: number | null;
  readonly result: unknown;
  readonly error: string | null;
  /** The time of the next attempt, or null. */
  readonly until: number | null;
}

/**
 * `GET /api/v1/runs/ID` and `GET /api/v1/traces/ID`, and `nerve show --json`. ID of a trace is what `nerve show` takes: 8 to 32 hex
 * digits, `signal:4`, `run:4`, `incident:4`.
 */
export type StoryAnswer = StoryRows &
  (
    | { readonly kind: "trace" }
    | { readonly kind: "run"; readonly run: ShownRun }
    | { readonly kind: "incident"; readonly incident: Incident }
  );

export interface StoryRows {
  readonly trace: string;
  /** When the story begins. */
  readonly at: number;
  readonly duration_ms: number;
  readonly signals: readonly ShownSignal[];
  readonly runs: readonly (ShownRun & { readonly steps: readonly ShownStep[] })[];
  readonly logs: readonly ShownLog[];
}

/** `GET /api/v1/reflexes`: in the order of nerve.yaml. */
export interface ReflexesAnswer {
  readonly link: KernelLink;
  readonly reflexes: readonly ReflexRow[];
}

export type ReflexRow = Status["reflexes"][number] & {
  readonly on: readonly string[];
  /** Words of the clock: `every 5s`, `at start`. */
  readonly clocks: readonly string[];
  /** Its words in short, in the order in which they apply: `when status 'critical'`, `for 30s`. */
  readonly words: readonly string[];
  readonly key: string | readonly string[] | null;
  /** Whether it keeps incidents. */
  readonly incident: boolean;
  /** How many keys it remembers anything of, and how many of these wait for a deadline. */
  readonly keys: number;
  readonly pending: number;
};

/** How a key stands, or stood for a while. */
export type KeyStanding =
  | "rest"
  | "matching"
  | "pending"
  | "debouncing"
  | "throttled"
  | "incident"
  | "spent"
  | "disabled";

/** What a key did between two times. `to` is null while it goes on. */
export interface KeySegment {
  readonly from: number;
  readonly to: number | null;
  readonly state: KeyStanding;
}

/** A key of a reflex, as the reflex remembers it now. */
export interface KeyNow {
  /** The value of `key`; null in a reflex without one. */
  readonly key: Json;
  readonly matching: boolean;
  /** Since which signal it matches; null where it does not match, or began to match before what was replayed. */
  readonly matching_since: { readonly signal: number; readonly at: number } | null;
  readonly for_until: number | null;
  readonly debounce_until: number | null;
  /** How many signals `count` counts by now. */
  readonly counted: number;
  readonly throttled_until: number | null;
  /** The signal that it waits with. */
  readonly signal: number | null;
  /** The open incident, or null. */
  readonly incident: { readonly id: number; readonly opened_at: number; readonly acked: boolean } | null;
}

/** A field that kept a payload from matching. */
export interface ShownMismatch {
  readonly path: string;
  readonly value: Json;
  readonly missing: boolean;
  readonly expected: string;
}

/** What a reflex made of one signal. */
export interface ShownDecision {
  readonly id: number;
  readonly sense: string;
  readonly at: number;
  readonly key: Json;
  /** `no-match`, `holding`, `throttled`, `fired` …: how far the signal came. */
  readonly outcome: string;
  readonly gone: boolean;
  /** The same in a sentence. */
  readonly because: string;
  readonly mismatches: readonly ShownMismatch[];
  readonly matching_since: { readonly signal: number; readonly at: number } | null;
  /** What came of its waiting later. */
  readonly later:
    | { readonly kind: "broken-off" | "forgotten"; readonly signal: number | null; readonly at: number }
    | {
        readonly kind: "fired" | "throttled";
        readonly signal: number;
        readonly at: number;
        readonly due: number | null;
      }
    | null;
  readonly run: { readonly id: number; readonly state: RunState; readonly error: string | null } | null;
  readonly silenced_by: string | null;
  readonly recorded: boolean | null;
  readonly halted: string | null;
}

/** Equal neighbours of one key, folded: `newest` is the newest of `count` decisions that end alike. */
export interface DecisionFold {
  readonly count: number;
  /** Of the oldest and the newest signal in it. */
  readonly first: { readonly id: number; readonly at: number };
  readonly last: { readonly id: number; readonly at: number };
  readonly newest: ShownDecision;
}

/**
 * `GET /api/v1/reflexes/NAME`, and `nerve explain NAME --json`. Parameters: `limit` (folds, 50), `before=SIGNAL` (decisions on older
 * signals: the cursor), `key`, `from` and `to` (times: the range of the segments).
 */
export interface ReflexAnswer {
  readonly reflex: string;
  readonly target: string;
  readonly on: readonly string[];
  readonly enabled: boolean;
  readonly disabled_since: number | null;
  readonly silenced: { readonly pattern: string; readonly why: string; readonly until: number } | null;
  /** Whether its rules are loaded; null: that is not known. */
  readonly loaded: boolean | null;
  /** It looks at signals above this one. */
  readonly begins_after: number | null;
  readonly not_heard: string | null;
  /** What the clock has brought. */
  readonly due_times: readonly {
    readonly at: number;
    readonly due: number;
    readonly message: string;
    readonly run: { readonly id: number; readonly state: RunState; readonly error: string | null } | null;
  }[];
  readonly next_due: number | null;
  /** The decisions one by one, oldest first. */
  readonly signals: readonly ShownDecision[];
  /** The same, equal neighbours of a key folded; newest first. */
  readonly decisions: readonly DecisionFold[];
  /** `before` of the next page of decisions; null: there are no more. */
  readonly next: string | null;
  /** Keys that wait or remember. */
  readonly pending: readonly KeyNow[];
  /** What the keys did in the range, by `key`. */
  readonly strips: readonly {
    readonly key: Json;
    readonly segments: readonly KeySegment[];
    readonly fired: readonly number[];
  }[];
  /** What was replayed. */
  readonly replayed: {
    readonly from: number;
    readonly to: number;
    readonly signals: number;
    /** Whether that is all that the reflex has seen. */
    readonly whole: boolean;
    readonly unreadable: readonly number[];
  };
}

/** `GET /api/v1/graph`, and `nerve graph --json`. */
export interface GraphAnswer {
  readonly file: string;
  readonly nodes: readonly GraphNode[];
  /** From the id of a sense to reflexes that look at it, and from the id of a reflex to its target. */
  readonly edges: readonly { readonly from: string; readonly to: string }[];
  readonly unbounded: readonly (readonly string[])[];
}

/** A rate of null: nothing bounds it. */
export type GraphNode =
  | {
      readonly id: string;
      readonly kind: "sense";
      readonly name: string;
      readonly use: string;
      readonly group: string;
      readonly throttle_ms: number | null;
      readonly per_hour: number | null;
    }
  | {
      readonly id: string;
      readonly kind: "reflex";
      readonly name: string;
      readonly clocks: readonly string[];
      readonly words: readonly string[];
      readonly key: string | readonly string[] | null;
      readonly per_hour: number | null;
      readonly per_hour_per_key: number | null;
    }
  | {
      readonly id: string;
      readonly kind: "workflow";
      readonly name: string;
      readonly use: string;
      readonly per_hour: number | null;
    };

/** `GET /api/v1/config`: as it was loaded. What came from a variable stands as `${…}`, and what a channel is reached by is left out. */
export interface ConfigAnswer {
  readonly file: string;
  readonly loaded_at: number;
  readonly config: JsonObject;
}

/** `GET /api/v1/store`. */
export interface StoreAnswer {
  readonly data: string;
  /** Name from the data directory on, `logs.db`, `senses/cpu-usage.db`, `archive`, `blobs`, `ballast`; and bytes. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** Of the file system; null where that cannot be told. */
  readonly free_bytes: number | null;
  /** Bytes a day by the rows of the last day; null: there is less than an hour of rows. */
  readonly growth_per_day: number | null;
  readonly signals: { readonly first: number | null; readonly last: number; readonly since: number | null };
  readonly logs: { readonly first: number | null; readonly last: number; readonly since: number | null };
  /** Logs up to this id are in the archive. */
  readonly archived_up_to: number;
  readonly archive: {
    readonly files: number;
    readonly rows: number;
    readonly bytes: number;
    readonly newest: string | null;
  };
  readonly retention: {
    readonly logs_ms: number | null;
    readonly signals_ms: number | null;
    readonly archive_ms: number | null;
  };
  /** Since the kernel started; null: the kernel has not answered yet. */
  readonly slowest_commit_ms: number | null;
  /** What the newest look at the archive found; null: nobody has looked. */
  readonly verify: { readonly at: number; readonly state: "ok" | "damaged"; readonly message: string } | null;
}

/** `GET /api/v1/silences`. */
export interface SilencesAnswer {
  readonly silences: readonly SilenceAnswer[];
}

/**
 * `GET /api/v1/series?sense=NAME&field=NAME` (`field` may be repeated), `from`, `to` (times; the last hour), `width` (pixels, 1 to 2,000; 600).
 * Each pixel that has a value is one entry of `at`, with the lowest and the highest value of that pixel.
 */
export interface SeriesAnswer {
  readonly sense: string;
  readonly from: number;
  readonly to: number;
  /** Milliseconds of one pixel. */
  readonly step_ms: number;
  /** `table`: the sense's own table. `signals`: payloads of the newest signals, at most 50,000. */
  readonly source: "table" | "signals";
  /** Whether rows of the range were not looked at, and why in a sentence; null: all were. */
  readonly cut: string | null;
  readonly lines: readonly SeriesLine[];
}

export interface SeriesLine {
  readonly field: string;
  readonly unit: string | null;
  /** The value of `by`, as `/var`; null where the field has one line. */
  readonly of: string | null;
  /** The start of each pixel, rising. */
  readonly at: readonly number[];
  readonly min: readonly number[];
  readonly max: readonly number[];
}

/**
 * `GET /api/v1/events`: server-sent events. `id` is `s<signal>.l<log>`: what came up to there. `Last-Event-ID` (or `from=<id>`) resumes after it;
 * without either the stream begins with what is committed next. `sense`, `source`, `level` filter as in the lists.
 */
export interface StreamEvents {
  /** A row as in `/api/v1/signals`. */
  readonly signal: ShownSignal;
  /** A row as in `/api/v1/logs`. */
  readonly log: ShownLog;
  /** A run after a change. It follows the log of that change. */
  readonly run: ShownRun;
  /** An incident after a change. It follows the log of that change. */
  readonly incident: Incident;
  /** At the beginning, at each change, and every 5 s: whether the kernel answers. It has no `id`. */
  readonly link: KernelLink & { readonly at: number };
}

/** What a refused request answers with; `/api/v1/…` and `/session`. */
export interface RefusalAnswer {
  readonly error: { readonly kind: string; readonly message: string; readonly hint: string | null };
}
