/** What `nerve library NAME` says of a built-in: from what the module declares, in the words of its README. */
import type { Json } from "../../base/json.ts";
import { type Definition, definitionIn, isDeclaration } from "../../model/declaration.ts";
import type { BuiltIn } from "./built-in.ts";
import { type Readme, readReadme } from "./readme.ts";

export interface OptionLine {
  readonly name: string;
  /** `a duration from 1m to 90d`. */
  readonly type: string;
  readonly required: boolean;
  /** As nerve.yaml writes it; null where it is required. */
  readonly default: string | null;
  readonly about: string;
}

export interface FieldLine {
  readonly name: string;
  readonly type: string;
  /** As its name says it, or null. */
  readonly unit: string | null;
  readonly about: string;
}

export interface Page {
  readonly kind: BuiltIn["kind"];
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionLine[];
  /** Null: it depends on the options, or can be anything. */
  readonly payload: readonly FieldLine[] | null;
  readonly notes: readonly string[];
  readonly tables: Readme["tables"];
  readonly example: string;
}

type Path = readonly (string | number)[];
/** As `nerve/options` makes them. */
interface Options {
  read(given: unknown, path: Path, report: (path: Path, problem: string) => void): Readonly<Record<string, Json>>;
}

/** The first sentence of its README. */
export const summaryOf = ({ files }: BuiltIn): string =>
  readReadme(files["README.md"] ?? "").summary.split(". ", 1)[0] ?? "";

export function pageOf(builtIn: BuiltIn): Page {
  const { kind, name, files, load } = builtIn;
  const { options, payload } = load();
  const readme = readReadme(files["README.md"] ?? "");
  return {
    kind,
    name,
    summary: readme.summary,
    options: optionsOf(options as Options, readme),
    payload: payloadOf(payload, options as Options, readme),
    notes: readme.notes,
    tables: readme.tables,
    example: readme.example,
  };
}

const ignored = (): void => {};

/** No option takes it, so that each says what it takes. */
const NOT_TAKEN = Symbol("not taken");

function optionsOf(options: Options, { options: rows }: Readme): OptionLine[] {
  const missing = new Set<string | number | undefined>();
  const defaults = options.read({}, [], ([name]) => missing.add(name));
  return Object.entries(defaults).map(([name, value]) => {
    const row = rows.get(name);
    const required = missing.has(name);
    const written = row?.fallback ?? JSON.stringify(value);
    return { name, type: typeOf(options, name), required, default: required ? null : written, about: row?.about ?? "" };
  });
}

function typeOf(options: Options, name: string): string {
  let type: string | null = null;
  options.read({ [name]: NOT_TAKEN }, [], ([key], said) => {
    if (key === name) type ??= /^must be (.*) \(was /.exec(said)?.[1] ?? said;
  });
  return type ?? "anything";
}

function payloadOf(payload: unknown, options: Options, { keys: rows }: Readme): FieldLine[] | null {
  if (!isDeclaration(payload)) return null;
  const definition = definitionIn(payload, options.read({}, [], ignored));
  if (typeof definition !== "object" || definition === null || Array.isArray(definition)) return null;
  return Object.entries(definition).map(([key, type]) => {
    const name = key.replace(/\?$/, "");
    return { name, type: typeText(type), unit: unitOf(name), about: rows.get(name)?.about ?? "" };
  });
}

const typeText = (type: Definition): string =>
  typeof type === "string" ? type : JSON.stringify(type).replaceAll('"', "");

const UNITS: readonly (readonly [ends: RegExp, unit: string])[] = [
  [/percent$/, "%"],
  [/bytes_per_second$/, "bytes/s"],
  [/per_second$/, "1/s"],
  [/bytes$/, "bytes"],
  [/seconds$/, "s"],
  [/_ms$/, "ms"],
];

const unitOf = (name: string): string | null => UNITS.find(([ends]) => ends.test(name))?.[1] ?? null;
