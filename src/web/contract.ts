/**
 * Owns the shapes of `/api/v1/…`: what each path takes and answers. `contract-reflexes.ts` has the
 * answers about reflexes, `contract-host.ts` those about configuration, store and series. Types only, for the web process and for the page in the
 * browser. Keys are as in the tables and in `--json` of the verbs. Times are Unix milliseconds, durations milliseconds, sizes bytes.
 */
import type { Status } from "../control/contract.ts";
import type { Incident } from "../model/incident-row.ts";
import type { ShownLog, ShownRun, ShownSignal, ShownStep } from "../model/shown-rows.ts";

export type { ShownLog, ShownRun, ShownSignal, ShownStep };

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
  /** Null: it has no inbox. */
  readonly inbox: ShownInbox | null;
};

/** How many items wait and are dead, whether a small item finds no room, and when the newest item was accepted (null: none was since the start). */
export interface ShownInbox {
  readonly waiting: number;
  readonly dead: number;
  readonly full: boolean;
  readonly newest_at: number | null;
}

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

/**
 * `GET /api/v1/events`: server-sent events. `id` is `s<signal>.l<log>`: what came up to there. `Last-Event-ID` (or `from=<id>`) resumes after it;
 * without either the stream begins with what is committed next. `sense` chooses among signals, `source` and `level` among logs; runs and incidents
 * come in any case. An `id` without an event says how far the stream is past what was left out.
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
