/** Owns the messages between `nerve sql` and the process of its query. Both ends are the same executable. */
import type { Problem } from "../model/problem.ts";

/** A sense's database, under the name that the query gives it. */
export interface SenseFile {
  readonly sense: string;
  readonly file: string;
}

export const FORMATS = ["table", "json", "csv"] as const;
export type Format = (typeof FORMATS)[number];

export interface Question {
  readonly type: "query";
  readonly sql: string;
  /** The data directory. */
  readonly data: string;
  readonly senses: readonly SenseFile[];
  readonly format: Format;
  /** `archive.logs` holds the files of so many days, today included. */
  readonly days: number;
  /** Unix milliseconds. */
  readonly now: number;
  /** The process ends itself after this time, should nobody read its rows. */
  readonly limitMs: number;
}

export type SqlParentMessage =
  | Question
  /** The rows of the last message are written. */
  | { readonly type: "more" };

/** A value in a table for a person. */
export interface Cell {
  readonly text: string;
  readonly kind: "number" | "text" | "null";
}

export type Rows =
  | { readonly format: "table"; readonly cells: readonly (readonly Cell[])[] }
  | { readonly format: "json" | "csv"; readonly lines: readonly string[] };

/** Why there is no answer, or not all of it. */
export interface Refusal {
  /** The query is wrong, or something that the query asks for is damaged, or the answer broke off. */
  readonly about: "query" | "store" | "answer";
  readonly problem: Problem;
}

export type SqlMessage =
  | { readonly type: "columns"; readonly names: readonly string[] }
  | { readonly type: "rows"; readonly rows: Rows }
  /** `archive.logs` does not hold all that was asked for. */
  | { readonly type: "cut"; readonly message: string }
  | { readonly type: "end"; readonly refusal: Refusal | null };
