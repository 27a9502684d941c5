/**
 * The worker's end checks messages without ArkType: here it is proved to agree with ArkType on every definition.
 * `NERVE_FUZZ=200000` tries more values a message, `NERVE_FUZZ_SEED=N` repeats a run.
 */
import { describe, expect, test } from "bun:test";
import { type } from "arktype";
import fc from "fast-check";
import { parentDefinitions, workerDefinitions } from "../../src/ipc/definitions.ts";
import { fleetDefinitions, fleetParentDefinitions } from "../../src/ipc/fleet-definitions.ts";
import { lightGuard } from "../../src/ipc/light-guard.ts";
import { otlpDefinitions, otlpParentDefinitions } from "../../src/ipc/otlp-definitions.ts";
import { pushDefinitions, pushParentDefinitions } from "../../src/ipc/push-definitions.ts";
import { watchdogDefinitions, watchdogParentDefinitions } from "../../src/ipc/watchdog-definitions.ts";
import { webDefinitions, webParentDefinitions } from "../../src/ipc/web-definitions.ts";
import { workflowParentDefinitions, workflowWorkerDefinitions } from "../../src/ipc/workflow-definitions.ts";

const SEED = Number(process.env.NERVE_FUZZ_SEED ?? Date.now() % 1_000_000_000);
const VALUES = Number(process.env.NERVE_FUZZ ?? 20_000);
const named = (pair: string, definitions: Readonly<Record<string, Definition>>) =>
  Object.entries(definitions).map(([name, definition]) => [`${pair}: ${name}`, definition] as const);

type Definition = string | readonly unknown[] | { readonly [key: string]: unknown };

const DEFINITIONS = [
  ...named("sense", { ...parentDefinitions, ...workerDefinitions }),
  ...named("watchdog", { ...watchdogParentDefinitions, ...watchdogDefinitions }),
  ...named("otlp", { ...otlpParentDefinitions, ...otlpDefinitions }),
  ...named("fleet", { ...fleetParentDefinitions, ...fleetDefinitions }),
  ...named("push", { ...pushParentDefinitions, ...pushDefinitions }),
  ...named("web", { ...webParentDefinitions, ...webDefinitions }),
  ...named("workflow", { ...workflowParentDefinitions, ...workflowWorkerDefinitions }),
];

/** What is at the edge of some type. */
const ODD: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  undefined,
  null,
  Number.NaN,
  -0,
  0,
  1,
  -1,
  1.5,
  0.1,
  2 ** 53,
  2 ** 53 + 2,
  -(2 ** 53),
  Infinity,
  -Infinity,
  1e308,
  5e-324,
  "",
  "1",
  "null",
  "init",
  "'init'",
  "failed",
  "debug",
  true,
  false,
  1n,
  Symbol("x"),
  [],
  [null],
  [undefined],
  new Array(2),
  {},
  [[]],
  { type: "init" },
  Object.create(null),
  new Date(0),
  new Map(),
  new Uint8Array(2),
  () => 1,
);

/** Values that are right for `definition`. */
function valid(definition: Definition): fc.Arbitrary<unknown> {
  if (typeof definition === "string") return fc.oneof(...definition.split(" | ").map(validWord));
  if (!Array.isArray(definition)) {
    const fields = Object.entries(definition as Record<string, Definition>);
    return fc.record(Object.fromEntries(fields.map(([key, field]) => [key, valid(field)])));
  }
  const [item, operator, other] = definition as [Definition, string, Definition];
  return operator === "[]" ? fc.array(valid(item), { maxLength: 4 }) : fc.oneof(valid(item), valid(other));
}

function validWord(word: string): fc.Arbitrary<unknown> {
  switch (word) {
    case "string":
      return fc.string({ maxLength: 8 });
    case "unknown":
      return fc.oneof(fc.jsonValue({ maxDepth: 2 }), ODD);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "0 <= number <= 100000000000000":
      return fc.oneof(fc.double({ min: 0, max: 1e14, noNaN: true }), fc.nat(), fc.constantFrom(1e14));
    case "number.integer >= 0":
      return fc.oneof(fc.nat(), fc.constantFrom(0, -0, 2 ** 53, 1e300));
    case "number.integer >= 1":
      return fc.oneof(fc.integer({ min: 1 }), fc.constantFrom(1, 2 ** 53, 1e300));
    default:
      return fc.constant(word.slice(1, -1));
  }
}

type Change = "none" | "odd" | "missing" | "extra" | "other";

/** `value` with one thing in it changed, at any depth. */
function mutate(value: unknown, picks: readonly number[], change: Change, odd: unknown): unknown {
  const [pick = 0, ...rest] = picks;
  if (change === "none" || typeof value !== "object" || value === null) return change === "none" ? value : odd;
  const keys = Object.keys(value);
  const key = keys[pick % (keys.length + 1)];
  if (Array.isArray(value)) {
    if (key === undefined) return change === "missing" ? value.slice(1) : [...value, odd];
    const copy = [...value];
    copy[Number(key)] = rest.length > 0 ? mutate(copy[Number(key)], rest, change, odd) : odd;
    return copy;
  }
  const copy: Record<string, unknown> = { ...value };
  if (key === undefined) return change === "extra" ? { ...copy, [`extra${pick}`]: odd } : odd;
  if (change === "missing" && rest.length < 2) delete copy[key];
  else copy[key] = rest.length > 0 && typeof copy[key] === "object" ? mutate(copy[key], rest, change, odd) : odd;
  return copy;
}

describe(`the light guard agrees with ArkType (seed ${SEED})`, () => {
  test.each(DEFINITIONS)(`on %s, for ${VALUES} values`, (name, definition) => {
    const arktype = type(definition as never) as { allows(value: unknown): boolean };
    const guard = lightGuard(definition);
    let accepted = 0;
    let refused = 0;
    const compare = (value: unknown): void => {
      const expected = arktype.allows(value);
      if (guard(value) !== expected) {
        const shown = Bun.inspect(value, { depth: 6 });
        throw new Error(`${name} (seed ${SEED}): ArkType ${expected ? "accepts" : "refuses"} ${shown}`);
      }
      if (expected) accepted++;
      else refused++;
    };
    const changes = fc.constantFrom<Change>("none", "odd", "missing", "extra", "other");
    const picks = fc.array(fc.nat(20), { minLength: 1, maxLength: 3 });
    // One sample of valid values, each changed in several ways: as many comparisons for less generating.
    const sample = fc.tuple(
      valid(definition as Definition),
      fc.array(fc.tuple(picks, changes, ODD), { minLength: 9, maxLength: 9 }),
    );
    for (const [value, mutations] of fc.sample(sample, { numRuns: Math.ceil(VALUES / 10), seed: SEED })) {
      compare(value);
      for (const [where, change, odd] of mutations) compare(mutate(value, where, change, odd));
    }
    expect(accepted + refused).toBeGreaterThanOrEqual(VALUES);
    expect(Math.min(accepted, refused)).toBeGreaterThan(VALUES / 20);
  });

  test("on every odd value in every field, on missing fields, and on what is no object", () => {
    const oddities = fc.sample(ODD, { numRuns: 600, seed: SEED });
    for (const [name, definition] of DEFINITIONS) {
      const arktype = type(definition as never) as { allows(value: unknown): boolean };
      const guard = lightGuard(definition);
      const [base = {}] = fc.sample(valid(definition as Definition), { numRuns: 1, seed: SEED }) as Record<
        string,
        unknown
      >[];
      expect([name, arktype.allows(base), guard(base)]).toEqual([name, true, true]);
      for (const odd of oddities) expect([name, odd, guard(odd)]).toEqual([name, odd, arktype.allows(odd)]);
      for (const key of Object.keys(definition)) {
        const { [key]: _, ...without } = base;
        expect([name, key, guard(without), arktype.allows(without)]).toEqual([name, key, false, false]);
        for (const odd of oddities) {
          const value = { ...base, [key]: odd };
          expect([name, key, odd, guard(value)]).toEqual([name, key, odd, arktype.allows(value)]);
        }
      }
    }
  });
});

test("a definition outside the notation is a bug that shows at once", () => {
  for (const definition of ["number", "string[]", "string|null", ["string", "&", "null"], { a: "email" }]) {
    expect(() => lightGuard(definition)).toThrow("the light guard does not know");
  }
});
