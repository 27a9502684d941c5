/** JSON Schema in its draft-07, as far as it says what a person may write: editors read no later draft. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** A map with these keys and no others. An empty value is a map without keys. */
export const mapSchema = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: ["object", "null"],
  properties,
  additionalProperties: false,
});

export const choiceSchema = (choices: readonly string[]): JsonSchema => ({ type: "string", enum: choices });

export const rangeSchema = (type: "integer" | "number", least: number, most: number): JsonSchema => ({
  type,
  minimum: least,
  ...(most < Number.MAX_SAFE_INTEGER ? { maximum: most } : {}),
});
