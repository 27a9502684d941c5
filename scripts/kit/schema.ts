/**
 * The schema of nerve.yaml for editors, from the parser's own definitions; what stands under `with`, `when`, `clear` and `key`
 * follows from what the built-in modules export. A module of one's own is not known here: `nerve check` knows it.
 */
import { BUILT_IN_SENSES } from "../../senses/index.ts";
import type { JsonSchema } from "../../src/base/json-schema.ts";
import { schemaOf } from "../../src/config/fields.ts";
import { NOT_YET } from "../../src/config/not-yet.ts";
import { ROOT } from "../../src/config/parse.ts";
import { type Definition, definitionIn, dependsOnOptions, isDeclaration } from "../../src/model/declaration.ts";
import type { Options } from "../../src/sdk/options.ts";
import { BUILT_IN_WORKFLOWS } from "../../src/workflows/index.ts";

type Properties = Readonly<Record<string, JsonSchema>>;

/** A variable may stand for every value. */
const VARIABLE = "\\$\\{";
const A_VARIABLE: JsonSchema = { type: "string", pattern: VARIABLE };

const propertiesOf = (schema: JsonSchema): Properties => (schema.properties ?? {}) as Properties;

/** The same, where text that holds a variable is allowed for every scalar. */
function withVariables(schema: JsonSchema): JsonSchema {
  const inner = Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => {
      if (keyword === "properties" || keyword === "patternProperties") return [keyword, eachOf(value as Properties)];
      if (keyword === "anyOf") return [keyword, (value as JsonSchema[]).map(withVariables)];
      const isSchema = ["items", "additionalProperties"].includes(keyword) && typeof value === "object";
      return [keyword, isSchema ? withVariables(value as JsonSchema) : value];
    }),
  );
  if (typeof inner.pattern === "string") return { ...inner, pattern: `${inner.pattern}|${VARIABLE}` };
  const isClosed = "enum" in inner || ["boolean", "integer", "number"].includes(String(inner.type));
  if (!isClosed) return inner;
  const { description, default: fallback, ...rest } = inner;
  return {
    anyOf: [rest, A_VARIABLE],
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
  };
}

const eachOf = (properties: Properties): Properties =>
  Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, withVariables(schema)]));

interface Module {
  readonly options: Options<unknown>;
  readonly payload: unknown;
}

type Library = Readonly<Record<string, { readonly load: () => Readonly<Record<string, unknown>> }>>;

const modulesOf = (library: Library): readonly (readonly [string, Module])[] =>
  Object.entries(library).map(([name, { load }]) => [name, load() as unknown as Module]);

/** What holds beside the rest where `condition` does. */
// biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
const where = (condition: JsonSchema, schema: JsonSchema): JsonSchema => ({ if: condition, then: schema });

const refTo = (definition: string): JsonSchema => ({ $ref: `#/definitions/${definition}` });

interface Section {
  readonly schema: JsonSchema;
  readonly definitions: Properties;
}

/** A section of modules. `kind`: what one of them is called. A name without `use` is the module's. */
function sectionOf(kind: string, section: JsonSchema, library: Library): Section {
  const modules = modulesOf(library);
  const withOf = (name: string): JsonSchema => ({ properties: { with: refTo(`${kind}-${name}`) } });
  const one = withVariables(section.additionalProperties as JsonSchema);
  const properties = propertiesOf(one);
  const use = { ...properties.use, anyOf: [{ enum: modules.map(([name]) => name) }, { type: "string" }] };
  const byUse = modules.map(([name]) =>
    where({ properties: { use: { const: name } }, required: ["use"] }, withOf(name)),
  );
  const named = modules.map(([name]) => [
    name,
    { allOf: [refTo(kind), where({ not: { required: ["use"] } }, withOf(name))] },
  ]);
  const options = modules.map(([name, module]) => [
    `${kind}-${name}`,
    // In the words of the key: an editor offers the two as one.
    { ...withVariables(module.options.schema()), description: properties.with?.description },
  ]);
  return {
    schema: { ...section, properties: Object.fromEntries(named), additionalProperties: refTo(kind) },
    definitions: {
      [kind]: { ...one, properties: { ...properties, use }, allOf: byUse },
      ...Object.fromEntries(options),
    },
  };
}

interface Fields {
  readonly definition: Readonly<Record<string, Definition>>;
  /** Whether payloads have these fields and no others, whatever the options. */
  readonly areAll: boolean;
}

/** What payloads of a built-in sense look like with its options as they come, and with every choice of true or false. */
function fieldsOf({ options, payload }: Module): Fields | null {
  if (!isDeclaration(payload)) return null;
  const flags = Object.entries(propertiesOf(options.schema())).filter(([, { type }]) => type === "boolean");
  const variants = [{}, Object.fromEntries(flags.map(([name]) => [name, true]))].flatMap((given) => {
    const read = options["~standard"].validate(given);
    return "value" in read ? [definitionIn(payload, read.value)] : [];
  });
  const maps = variants.filter(isMap);
  return maps.length === 0 ? null : { definition: Object.assign({}, ...maps), areAll: !dependsOnOptions(payload) };
}

const isMap = (definition: Definition | null): definition is Readonly<Record<string, Definition>> =>
  typeof definition === "object" && definition !== null && !Array.isArray(definition);

const bare = (field: string): string => field.replace(/\?$/, "");

const PATTERN = { type: ["object", "string", "array"] };

const fieldNames = (definition: Fields["definition"]): readonly string[] =>
  Object.keys(definition).filter((field) => !/^[[.+]/.test(field));

/** What a pattern may ask of such a payload. */
function patternOf(definition: Definition): JsonSchema {
  if (!isMap(definition)) {
    const text = typeof definition === "string" ? definition : JSON.stringify(definition);
    return { ...PATTERN, description: `in the payload: ${text}` };
  }
  const fields = fieldNames(definition).map((field) => [bare(field), patternOf(definition[field] ?? "unknown")]);
  return { ...PATTERN, properties: Object.fromEntries(fields) };
}

/** A pattern with these fields at most. ArkType has keys of its own, and a field may end with a `?`. */
function closed(name: string, { definition }: Fields): JsonSchema {
  const fields = fieldNames(definition).map(bare);
  return {
    propertyNames: {
      pattern: `^(${fields.join("|")}|\\[.*|\\.\\.\\.|\\+)\\??$`,
      // Editors know this keyword, and it is no part of the draft.
      patternErrorMessage: `the payload of ${name} has ${fields.join(", ")}`,
    },
  };
}

/** What a reflex may say of the payloads it listens to. `each` makes a payload of one element: nothing is said of that. */
function reflexOf(reflex: JsonSchema): JsonSchema {
  const listens = modulesOf(BUILT_IN_SENSES).flatMap(([name, module]) => {
    const fields = fieldsOf(module);
    if (fields === null) return [];
    const about = (pattern: JsonSchema): JsonSchema => ({ properties: { when: pattern, clear: pattern } });
    const heard = (on: JsonSchema): JsonSchema => ({
      properties: { on },
      required: ["on"],
      not: { required: ["each"] },
    });
    return [
      where(heard({ contains: { const: name } }), about(patternOf(fields.definition))),
      ...(fields.areAll ? [where(heard({ const: [name] }), about(closed(name, fields)))] : []),
    ];
  });
  const properties = propertiesOf(withVariables(reflex));
  const senses = { anyOf: [{ enum: Object.keys(BUILT_IN_SENSES) }, { type: "string" }] };
  const workflows = { anyOf: [{ enum: Object.keys(BUILT_IN_WORKFLOWS) }, { type: "string" }] };
  const on = { ...properties.on, items: senses };
  return { ...reflex, properties: { ...properties, sense: senses, workflow: workflows, on }, allOf: listens };
}

export function configSchema(): JsonSchema {
  const root = schemaOf(ROOT);
  const { senses = {}, workflows = {}, reflexes = {}, ...others } = propertiesOf(root);
  const known = Object.entries(eachOf(others)).filter(([key]) => !NOT_YET.includes(key));
  const ofSenses = sectionOf("sense", senses, BUILT_IN_SENSES);
  const ofWorkflows = sectionOf("workflow", workflows, BUILT_IN_WORKFLOWS);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "nerve.yaml",
    ...root,
    properties: {
      ...Object.fromEntries(known),
      senses: ofSenses.schema,
      reflexes: { ...reflexes, items: reflexOf(reflexes.items as JsonSchema) },
      workflows: ofWorkflows.schema,
    },
    definitions: { ...ofSenses.definitions, ...ofWorkflows.definitions },
  };
}
