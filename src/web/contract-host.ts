/** Owns the shapes of the answers about the configuration, the store, other hosts, silences and series: numbers over time. Types only. */
import type { JsonObject } from "../base/json.ts";
import type { SilenceAnswer } from "../control/contract.ts";
import type { FleetStatus } from "../model/fleet-status.ts";
import type { OriginState } from "../model/origin.ts";
import type { ShownTrouble } from "../model/shown-trouble.ts";
import type { KernelLink } from "./contract.ts";

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
  /** A sense of another host, `HOST/SENSE`; `*` stands for any characters. */
  | { readonly id: string; readonly kind: "remote"; readonly name: string }
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
  /** What the newest look at the archive and at the tables has found, what is damaged first; null: nobody has looked. */
  readonly verify: { readonly at: number; readonly state: "ok" | "damaged"; readonly message: string } | null;
  /** What nobody has looked at in this store, and how to look; null: everything was looked at. */
  readonly unverified: string | null;
}

/** `GET /api/v1/why`: what is wrong, and the paragraph of `nerve why` about the newest of it; where nothing is wrong, since when. */
export interface WhyAnswer {
  /** The clock of the host, at the judgement. */
  readonly at: number;
  readonly wrong: boolean;
  /** Since when the paragraph holds; null where nothing says so. */
  readonly since: number | null;
  readonly what: readonly string[];
  readonly cause: readonly string[];
  readonly done: readonly string[];
  readonly not_done: readonly { readonly reason: string; readonly until: number | null; readonly text: string }[];
  readonly coming: readonly string[];
  readonly next: readonly { readonly command: string; readonly does: string }[];
  readonly text: string;
  /** All that is wrong, critical before warning, then the newest; and how many more there are. */
  readonly troubles: readonly ShownTrouble[];
  readonly more: number;
}

/**
 * `GET /api/v1/hosts`: other hosts whose signals came, or are missed; the silent ones first. `state` (`up`, `silent`) and `host` (may be
 * repeated) choose among them; `limit` is 1 to 5,000, 200 where it is absent.
 */
export interface HostsAnswer {
  readonly link: KernelLink;
  /** Null: the configuration has no `fleet`, or the kernel has not answered yet. */
  readonly fleet: FleetStatus | null;
  readonly hosts: readonly HostRow[];
  /** How many more there are. */
  readonly more: number;
}

export interface HostRow {
  readonly host: string;
  readonly state: OriginState;
  /** Since when it is in `state`. */
  readonly since: number;
  /** When something of it came last; null: nothing came yet. */
  readonly last_heard: number | null;
  /** Of the ids of its signals; null: none came yet. */
  readonly epoch: string | null;
  /** All of its signals of `epoch` up to this id are here, or are counted in `missing`. */
  readonly upto: number;
  /** How many of its signals were stored. */
  readonly signals: number;
  /** How often ids of it were left out, and how many signals may be missing because of that at most. */
  readonly gaps: number;
  readonly missing: number;
  /** How many were too old on arrival: no reflex looked at them. */
  readonly late: number;
}

/** `GET /api/v1/silences`. */
export interface SilencesAnswer {
  readonly silences: readonly SilenceAnswer[];
}

/**
 * `GET /api/v1/series?sense=NAME`: `field` (may be repeated, 10 at most; all where it is absent), `key` (lines that are wanted; may be
 * repeated), `from` and `to` (times; the last hour), `width` (pixels, 1 to 2,000; 600). Rows of the time `to` are not in it.
 * Each pixel that has a value is one entry of `at`, with the lowest and the highest value of that pixel.
 */
export interface SeriesAnswer {
  readonly sense: string;
  readonly from: number;
  readonly to: number;
  /** Milliseconds of one pixel. Pixels begin at `from`. */
  readonly step_ms: number;
  /** `table`: the sense's own table. `signals`: payloads of the newest 50,000 signals of the store. */
  readonly source: "table" | "signals";
  /** The columns whose values tell the lines apart, as `path`; null: each field has one line. */
  readonly by: string | null;
  /** Whether rows of the range were not looked at, or lines have no room, and why in a sentence; null: all is there. */
  readonly cut: string | null;
  /** Everything from this time on was looked at. */
  readonly looked_to: number;
  /** Parameters that take the place of `to` and `width` for the rest of the range; null: there is no more. */
  readonly next: string | null;
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
