/**
 * Checks values against definitions written in the part of ArkType's notation that `definitions.ts` uses, without
 * ArkType: a worker starts 100 ms sooner for it. A test proves that both read every definition alike.
 */
type Guard = (value: unknown) => boolean;

const isInteger = (value: unknown): value is number => Number.isInteger(value);
const literal = /^'([^']*)'$/;

const KEYWORDS: Readonly<Record<string, Guard>> = {
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  unknown: () => true,
  null: (value) => value === null,
  "0 <= number <= 100000000000000": (value) => typeof value === "number" && value >= 0 && value <= 1e14,
  "number.integer >= 0": (value) => isInteger(value) && value >= 0,
  "number.integer >= 1": (value) => isInteger(value) && value >= 1,
};

const either = (guards: readonly Guard[]): Guard => {
  const [first, second] = guards;
  if (guards.length === 1 && first) return first;
  if (guards.length === 2 && first && second) return (value) => first(value) || second(value);
  return (value) => guards.some((guard) => guard(value));
};

function fromText(definition: string): Guard {
  const parts = definition.split(" | ").map((part): Guard => {
    const keyword = KEYWORDS[part];
    if (keyword) return keyword;
    const text = literal.exec(part)?.[1];
    if (text === undefined) throw new Error(`the light guard does not know "${part}"`);
    return (value) => value === text;
  });
  return either(parts);
}

function fromObject(definition: Readonly<Record<string, unknown>>): Guard {
  const keys = Object.keys(definition);
  const guards = keys.map((key) => lightGuard(definition[key]));
  return (value) => {
    if (typeof value !== "object" || value === null) return false;
    const record = value as Record<string, unknown>;
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] as string;
      const field = record[key];
      if (field === undefined && !(key in record)) return false;
      if (!(guards[index] as Guard)(field)) return false;
    }
    return true;
  };
}

/** Throws for a definition outside the notation: that is a bug of this build, seen at its first start. */
export function lightGuard(definition: unknown): Guard {
  if (typeof definition === "string") return fromText(definition);
  if (!Array.isArray(definition)) return fromObject(definition as Record<string, unknown>);
  const [item, operator, other] = definition;
  if (operator === "[]") {
    const guard = lightGuard(item);
    // Not every(), which passes over holes.
    return (value) => {
      if (!Array.isArray(value)) return false;
      for (const element of value) if (!guard(element)) return false;
      return true;
    };
  }
  if (operator === "|") return either([lightGuard(item), lightGuard(other)]);
  throw new Error(`the light guard does not know the operator ${String(operator)}`);
}
