/**
 * The schemas of what the API answers, from the types in `src/web/contract*.ts`: `bun scripts/openapi.ts` writes them, a test
 * holds the file to the types. The routes add their paths and parameters when the document is asked for.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import type { JsonSchema } from "../src/base/json-schema.ts";

const ROOT = join(import.meta.dir, "..");
export const SCHEMAS_FILE = join(ROOT, "src/web/schemas.json");
const CONTRACTS = ["contract.ts", "contract-reflexes.ts", "contract-host.ts"].map((name) =>
  join(ROOT, "src/web", name),
);
/** Any JSON value. */
const ANY: JsonSchema = {};
const NULL: JsonSchema = { type: "null" };

/** Names of types → what they look like as JSON. */
type Schemas = Record<string, JsonSchema>;

class Reader {
  readonly #checker: ts.TypeChecker;
  readonly schemas: Schemas = {};

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  /** Under its name, with all that it refers to. */
  add(name: string, type: ts.Type, about: string): void {
    if (Object.hasOwn(this.schemas, name)) return;
    this.schemas[name] = ANY;
    this.schemas[name] = { ...described(about), ...this.#shape(type) };
  }

  #of(type: ts.Type): JsonSchema {
    const alias = type.aliasSymbol;
    if (alias?.name === "Json") return ANY;
    if (alias?.name === "JsonObject" || type.symbol?.name === "JsonObject") return { type: "object" };
    const symbol = alias ?? (isInterface(type) ? type.symbol : undefined);
    const isGeneric =
      (alias === undefined ? argumentsOf(this.#checker, type) : (type.aliasTypeArguments ?? [])).length > 0;
    if (symbol === undefined || isGeneric || !isObject(type)) return this.#shape(type);
    this.add(symbol.name, type, documentation(this.#checker, symbol));
    return { $ref: `#/components/schemas/${symbol.name}` };
  }

  #shape(type: ts.Type): JsonSchema {
    const { flags } = type;
    if (flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return ANY;
    if (flags & ts.TypeFlags.Null) return NULL;
    if (flags & ts.TypeFlags.BooleanLike && !(flags & ts.TypeFlags.Union)) {
      return flags & ts.TypeFlags.BooleanLiteral
        ? { const: this.#checker.typeToString(type) === "true" }
        : { type: "boolean" };
    }
    if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
    if (flags & ts.TypeFlags.StringLike) return { type: "string" };
    if (flags & ts.TypeFlags.NumberLike) return { type: "number" };
    if (type.isUnion()) return this.#union(type.types);
    if (this.#checker.isArrayLikeType(type)) {
      const [item] = argumentsOf(this.#checker, type);
      return { type: "array", items: item === undefined ? ANY : this.#of(item) };
    }
    return this.#object(type);
  }

  #union(types: readonly ts.Type[]): JsonSchema {
    const isNullable = types.some(({ flags }) => flags & ts.TypeFlags.Null);
    const others = types.filter(({ flags }) => !(flags & ts.TypeFlags.Null));
    const booleans = others.filter(({ flags }) => flags & ts.TypeFlags.BooleanLiteral);
    const texts = others.flatMap((type) => (type.isStringLiteral() ? type.value : []));
    const rest = others.filter((type) => !type.isStringLiteral() && !(type.flags & ts.TypeFlags.BooleanLiteral));
    const schemas: JsonSchema[] = [
      ...(booleans.length === 2 ? [{ type: "boolean" }] : booleans.map((type) => this.#shape(type))),
      ...(texts.length === 0 ? [] : [{ enum: texts.sort() }]),
      ...rest.map((type) => this.#of(type)),
      ...(isNullable ? [NULL] : []),
    ];
    const [only] = schemas;
    return schemas.length === 1 && only !== undefined ? only : { anyOf: schemas };
  }

  #object(type: ts.Type): JsonSchema {
    const values = type.getStringIndexType();
    const properties: Record<string, JsonSchema> = {};
    const required: string[] = [];
    for (const symbol of this.#checker.getPropertiesOfType(type)) {
      const property = this.#of(this.#checker.getTypeOfSymbol(symbol));
      properties[symbol.name] = { ...described(documentation(this.#checker, symbol)), ...property };
      if (!(symbol.flags & ts.SymbolFlags.Optional)) required.push(symbol.name);
    }
    if (required.length === 0 && values !== undefined)
      return { type: "object", additionalProperties: this.#of(values) };
    return { type: "object", properties, required };
  }
}

const isObject = (type: ts.Type): boolean =>
  (type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0 ||
  (type.isUnion() && type.types.every((part) => isObject(part)));

const isInterface = (type: ts.Type): boolean => ((type.symbol?.flags ?? 0) & ts.SymbolFlags.Interface) !== 0;

const argumentsOf = (checker: ts.TypeChecker, type: ts.Type): readonly ts.Type[] =>
  type.flags & ts.TypeFlags.Object && (type as ts.ObjectType).objectFlags & ts.ObjectFlags.Reference
    ? checker.getTypeArguments(type as ts.TypeReference)
    : [];

const documentation = (checker: ts.TypeChecker, symbol: ts.Symbol): string =>
  ts.displayPartsToString(symbol.getDocumentationComment(checker)).replaceAll(/\s+/g, " ");

const described = (about: string): JsonSchema => (about === "" ? {} : { description: about });

/** Every type that the contracts export, and those that these refer to, by name. */
export function schemas(): Schemas {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [], include: [] }, ts.sys, ROOT);
  const program = ts.createProgram(CONTRACTS, options);
  const checker = program.getTypeChecker();
  const reader = new Reader(checker);
  for (const file of CONTRACTS) {
    const source = program.getSourceFile(file);
    const module = source === undefined ? undefined : checker.getSymbolAtLocation(source);
    for (const symbol of module === undefined ? [] : checker.getExportsOfModule(module)) {
      const declared = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      const type = checker.getDeclaredTypeOfSymbol(declared);
      if (argumentsOf(checker, type).length > 0 && symbol.name === "Listing") continue;
      reader.add(symbol.name, type, documentation(checker, declared));
    }
  }
  return Object.fromEntries(Object.entries(reader.schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
}

if (import.meta.main) {
  writeFileSync(SCHEMAS_FILE, `${JSON.stringify(schemas())}\n`);
  Bun.spawnSync(["bun", "x", "biome", "format", "--write", SCHEMAS_FILE], { cwd: ROOT });
}
