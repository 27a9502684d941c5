/** How an event is described (model/events.ts), and the type of its `data` that follows from the description. */
import type { Json } from "../base/json.ts";
import type { LogLevel } from "./log.ts";

/** A value of `data`: `string[]` is a list, `string | null` may be null. `any` is whatever user code gave. */
type Plain = "string" | "number" | "object" | "any";
export type Field = Plain | `${Plain} | null` | `${Plain}[]`;

/** A key that ends with `?` may be absent. Null: the event has no `data`. `any`: user code decides. */
type Shape = Readonly<Record<string, Field>> | "any" | null;

export interface EventKind {
  readonly levels: readonly LogLevel[];
  readonly sentence: string;
  readonly data: Shape;
}

type Value<F> = F extends `${infer Inner} | null`
  ? Value<Inner> | null
  : F extends `${infer Inner}[]`
    ? readonly Value<Inner>[]
    : F extends "string"
      ? string
      : F extends "number"
        ? number
        : F extends "object"
          ? object
          : Json;

type Present<Keys> = Keys extends `${string}?` ? never : Keys;
type Absent<Keys> = Keys extends `${infer Key}?` ? Key : never;

/** The `data` that a description stands for. */
export type DataOf<S> = S extends null
  ? null
  : S extends "any"
    ? Json
    : { readonly [Key in Present<keyof S>]: Value<S[Key]> } & {
        readonly [Key in Absent<keyof S>]?: `${Key}?` extends keyof S ? Value<S[`${Key}?`]> : never;
      };
