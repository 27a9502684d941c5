/** The schemas of an OpenAPI document as a strict reader takes them: what a schema does not name may not be there. */
import Ajv, { type ValidateFunction } from "ajv/dist/2020";

type Schema = Readonly<Record<string, unknown>>;

function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const parts = Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => [
      keyword,
      keyword === "properties" && typeof value === "object"
        ? Object.fromEntries(Object.entries(value as Schema).map(([name, part]) => [name, closed(part)]))
        : closed(value),
    ]),
  );
  return "properties" in parts && !("additionalProperties" in parts)
    ? { ...parts, additionalProperties: false }
    : parts;
}

export class ClosedSchemas {
  // The schemas stay where the document has them, so that its own references hold.
  readonly #ajv = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true, keywords: ["components"] });

  constructor(components: Schema) {
    this.#ajv.addSchema({ $id: "api:", components: closed(components) as Schema });
  }

  /** What is wrong with `value`; empty: nothing. `ref` as the document has it: `#/components/schemas/NAME`. */
  complaints(ref: string, value: unknown): readonly string[] {
    const validate = this.#ajv.getSchema(`api:${ref}`) as ValidateFunction | undefined;
    if (validate === undefined) return [`there is no ${ref}`];
    return validate(value)
      ? []
      : (validate.errors ?? []).map(
          ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
        );
  }
}
