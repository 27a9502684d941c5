/** Owns the shape of a command: its options and arguments as data (help and parsing come from them), and its action. */
import type { Outcome } from "./outcome.ts";

export type Option =
  | { readonly kind: "flag"; readonly short: string | null; readonly help: string | null }
  | {
      readonly kind: "text" | "texts";
      readonly short: string | null;
      readonly value: string;
      readonly help: string | null;
    };

export type Options = Readonly<Record<string, Option>>;

type ValueOf<O extends Option> = O extends { readonly kind: "flag" }
  ? boolean
  : O extends { readonly kind: "texts" }
    ? readonly string[]
    : string | null;

export interface Input<O extends Options> {
  readonly options: { readonly [Name in keyof O]: ValueOf<O[Name]> };
  readonly arguments: readonly string[];
  /** The value of `-c`, or null. */
  readonly config: string | null;
  readonly json: boolean;
}

export interface Argument {
  /**
   * A last argument whose name ends with `…` may be given several times. A last one called `command…` is a command line: from its
   * first word on nothing is an option of nerve's.
   */
  readonly name: string;
  readonly required: boolean;
}

export interface Command<O extends Options = Options> {
  /** Further paragraphs of the help, or null. */
  readonly details: string | null;
  readonly arguments: readonly Argument[];
  readonly options: O;
  /** Command lines, each with its effect. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  run(input: Input<O>): Promise<Outcome>;
}

/** An option that the parser accepts and no help shows: a former word for another option, or a word of nerve's own. */
export const hiddenFlag = () => ({ kind: "flag", short: null, help: null }) as const;
export const flag = (help: string, short: string | null = null) => ({ kind: "flag", short, help }) as const;
export const text = (value: string, help: string, short: string | null = null) =>
  ({ kind: "text", short, value, help }) as const;
/** An option that may be given several times. */
export const texts = (value: string, help: string, short: string | null = null) =>
  ({ kind: "texts", short, value, help }) as const;

/** Every command has these. */
export const COMMON = {
  config: text("FILE", "the configuration; else $NERVE_CONFIG, else ./nerve.yaml", "c"),
  json: flag("JSON for programs: lists one object a line, errors on stderr"),
  help: flag("this text", "h"),
} as const;

export const defineCommand = <const O extends Options>(command: Command<O>): Command<O> => command;
