/** Owns the content of `nerve library NAME`: it comes from the module's declarations and from the module's README. */
import { parse } from "yaml";
import type { BuiltInSenseName } from "../../../senses/names.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { type Definition, definitionIn, isDeclaration } from "../../model/declaration.ts";
import { SENSE_NEEDS, WORKFLOW_NEEDS } from "../../needs/built-in.ts";
import type { BuiltInWorkflowName } from "../../workflows/names.ts";
import type { BuiltIn } from "./built-in.ts";
import { type Readme, readReadme } from "./readme.ts";

export interface OptionLine {
  readonly name: string;
  /** `a duration from 1m to 90d`. */
  readonly type: string;
  readonly required: boolean;
  /** The default as nerve.yaml writes it; null where the option is required. */
  readonly default: string | null;
  readonly about: string;
}

export interface FieldLine {
  readonly name: string;
  readonly type: string;
  /** The unit that the key's name gives, or null. */
  readonly unit: string | null;
  readonly about: string;
}

export interface Page {
  readonly kind: BuiltIn["kind"];
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionLine[];
  /** Null where the payload depends on the options, or can be anything. */
  readonly payload: readonly FieldLine[] | null;
  /** `kinds`: the kinds of `needs` that the unit opens for the built-in. `because`: the reason. Null without needs. */
  readonly needs: { readonly kinds: readonly string[]; readonly because: string } | null;
  readonly notes: readonly string[];
  readonly tables: Readme["tables"];
  readonly example: string;
}

type Path = readonly (string | number)[];
/** The shape of the options that `nerve/options` makes. */
interface Options {
  read(given: unknown, path: Path, report: (path: Path, problem: string) => void): Readonly<Record<string, Json>>;
}

/** The first sentence of the built-in's README. */
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
    needs: needsOf(builtIn, readme.example),
    notes: readme.notes,
    tables: readme.tables,
    example: readme.example,
  };
}

/** The needs of the built-in with the options of its example. */
function needsOf({ kind, name }: BuiltIn, example: string): Page["needs"] {
  const written = parse(example) as Readonly<Record<string, Readonly<Record<string, Entry | null>>>>;
  const entries = Object.entries(written[`${kind}s`] ?? {});
  const [, entry = null] = entries.find(([key, one]) => (one?.use ?? key) === name) ?? [];
  const of = kind === "sense" ? SENSE_NEEDS[name as BuiltInSenseName] : WORKFLOW_NEEDS[name as BuiltInWorkflowName];
  const { needs, because } = of(entry?.with ?? {}, () => false);
  const kinds = Object.entries(needs).flatMap(([key, wanted]) => (wanted.length > 0 ? [key] : []));
  return because === null ? null : { kinds, because };
}

/** The entry of a sense or workflow in nerve.yaml. */
interface Entry {
  readonly use: string | undefined;
  readonly with: JsonObject | undefined;
}

const ignored = (): void => {};

/** No option accepts this value, so each option's refusal names what the option accepts. */
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
