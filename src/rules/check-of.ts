/**
 * Owns the step from a type, as ArkType understood it, to nerve's own check of a payload. Payloads come from anywhere, so
 * some semantics are nerve's own: only own fields are fields, strings over 4 KiB match nothing, regular expressions cannot
 * hang. Anything that is no comparison of plain data (morphs, predicates, classes) is refused.
 */
import type { Json } from "../base/json.ts";
import { compileRegex } from "../base/regex/regex.ts";
import type { TypeNode } from "./arktype.ts";
import { ANYTHING, ARRAY, type Check, CONSTRAINTS, DOMAINS, every, isShort, missing, simple } from "./check.ts";
import { at, type Refusing } from "./definition.ts";
import { fieldOf } from "./field.ts";
import { formatOf } from "./formats.ts";

const NEEDS_CODE = {
  message: "is checked by code, which a pattern must not run",
  hint: "compare the text with a regular expression such as /^https?:/",
};
const CHANGES_VALUE = {
  message: "changes the value, and a pattern only looks",
  hint: "compare the value as it is",
};
const FORMAT_HINT = "write an expression of your own that is enough, such as /^[0-9]+[.][0-9]+/";
const NEVER = { message: "nothing can match this", hint: 'for a field that is not there write "NAME?": never' };

const isNever = ({ kind, inner }: TypeNode): boolean => kind === "union" && nodes(inner.branches).length === 0;

const nodes = (value: unknown): readonly TypeNode[] => (value as readonly TypeNode[] | undefined) ?? [];

interface Property {
  readonly key: string | symbol;
  readonly value: TypeNode;
}

/** Reads a type into a check. A part that it cannot check is reported to `refusing`, and matches anything. */
class CheckReader {
  readonly #refusing: Refusing;

  constructor(refusing: Refusing) {
    this.#refusing = refusing;
  }

  /** The check of a whole type. */
  whole(root: TypeNode): Check {
    return isNever(root) ? this.#refuse("", NEVER.message, NEVER.hint) : this.#visit(root, "");
  }

  #refuse(path: string, message: string, hint: string | null): Check {
    this.#refusing.add({ path, message, hint });
    return ANYTHING;
  }
  #refuseNotJson(what: string, path: string): Check {
    const hint = what === "undefined" ? 'for a field that is not there write "NAME?": never' : "a payload is JSON";
    return this.#refuse(path, `${what} is no JSON, so no payload has it`, hint);
  }

  #union(node: TypeNode, path: string): Check {
    const checks = nodes(node.inner.branches).map((branch) => this.#visit(branch, path).matches);
    return simple(node.expression, (value) => {
      for (const matches of checks) if (matches(value)) return true;
      return false;
    });
  }

  #unit(node: TypeNode, path: string): Check {
    const expected = node.inner.unit;
    const isJson =
      expected === null ||
      typeof expected === "string" ||
      typeof expected === "boolean" ||
      (typeof expected === "number" && Number.isFinite(expected));
    return isJson ? simple(node.expression, (value) => value === expected) : this.#refuseNotJson(node.expression, path);
  }

  #regex(node: TypeNode, path: string): Check {
    const { rule, flags } = node.inner as { rule: string; flags: string | undefined };
    if (flags) return this.#refuse(path, `the regular expression has the flags ${flags}`, "write it without");
    const format = formatOf(rule);
    if (format !== null) return simple(node.expression, (value) => format(value as string));
    const compiled = compileRegex(rule);
    // A person's own expression was compiled before.
    if (!compiled.ok) return this.#refuse(path, `ArkType's expression for it ${compiled.error.message}`, FORMAT_HINT);
    const { test } = compiled.value;
    return simple(node.expression, (value) => test(value as string));
  }

  #property({ key, value: node }: Property, isRequired: boolean, path: string): Check {
    if (typeof key === "symbol") return this.#refuseNotJson("a symbol", path);
    if (isRequired && isNever(node)) return this.#refuse(at(path, key), NEVER.message, NEVER.hint);
    const check = this.#visit(node, at(path, key));
    return {
      matches: (value) => {
        const field = fieldOf(value, key);
        return field === undefined ? !isRequired : check.matches(field);
      },
      explain: (value, here, mismatches) => {
        const field = fieldOf(value, key);
        if (field !== undefined) check.explain(field, at(here, key), mismatches);
        else if (isRequired) mismatches.push(missing(at(here, key), node.expression));
      },
    };
  }

  /** `[signature]: type`: the type of every own field whose name fits the signature. */
  #index(node: TypeNode, path: string): Check {
    const { signature, value: type } = node.inner as { signature: TypeNode; value: TypeNode };
    const where = at(path, `[${signature.expression}]`);
    const name = this.#visit(signature, where);
    const check = this.#visit(type, where);
    // A name over 4 KiB matches no signature, and no other rule either.
    const entries = (value: Json): [string, Json][] => Object.entries(value as Record<string, Json>);
    const fits = ([key, field]: [string, Json]): boolean =>
      isShort(key) && (!name.matches(key) || check.matches(field));
    return {
      matches: (value) => entries(value).every(fits),
      explain: (value, here, mismatches) => {
        for (const [key, field] of entries(value)) {
          if (!isShort(key))
            mismatches.push({ path: here, value, isMissing: false, expected: "keys of at most 4 KiB" });
          else if (name.matches(key)) check.explain(field, at(here, key), mismatches);
        }
      },
    };
  }

  /** Checks each item by the type of its place. Lengths are constraints of their own. */
  #sequence(node: TypeNode, path: string): Check {
    if (node.inner.defaultables !== undefined)
      return this.#refuse(path, `a default ${CHANGES_VALUE.message}`, CHANGES_VALUE.hint);
    const each = (list: unknown): Check[] => nodes(list).map((item, position) => this.#visit(item, at(path, position)));
    const front = [...each(node.inner.prefix), ...each(node.inner.optionals)];
    const back = each(node.inner.postfix);
    const variadic = node.inner.variadic as TypeNode | undefined;
    const rest = variadic ? this.#visit(variadic, `${path}[]`) : null;
    const checkAt = (position: number, length: number): Check | null => {
      if (position < front.length) return front[position] ?? null;
      const fromBack = position - Math.max(front.length, length - back.length);
      return fromBack < 0 ? rest : (back[fromBack] ?? rest);
    };
    return {
      matches: (value) => {
        const items = value as Json[];
        for (let position = 0; position < items.length; position++) {
          const check = checkAt(position, items.length);
          if (check && !check.matches(items[position] as Json)) return false;
        }
        return true;
      },
      explain: (value, here, mismatches) => {
        for (const [position, item] of (value as Json[]).entries()) {
          checkAt(position, (value as Json[]).length)?.explain(item, at(here, position), mismatches);
        }
      },
    };
  }

  #onlyDeclared(names: ReadonlySet<string>, signatures: readonly Check[]): Check {
    const isDeclared = (key: string): boolean =>
      names.has(key) || (isShort(key) && signatures.some((signature) => signature.matches(key)));
    return {
      matches: (value) => Object.keys(value as object).every(isDeclared),
      explain: (value, here, mismatches) => {
        for (const key of Object.keys(value as object)) {
          if (isDeclared(key)) continue;
          mismatches.push({
            path: at(here, key),
            value: fieldOf(value, key) ?? null,
            isMissing: false,
            expected: "no such field",
          });
        }
      },
    };
  }

  #structure(node: TypeNode, path: string): Check {
    const { inner } = node;
    const properties: Check[] = [];
    const names = new Set<string>();
    for (const kind of ["required", "optional"] as const) {
      for (const one of nodes(inner[kind])) {
        const written = one.inner as unknown as Property;
        names.add(String(written.key));
        if ("default" in one.inner) {
          this.#refuse(at(path, String(written.key)), `a default ${CHANGES_VALUE.message}`, CHANGES_VALUE.hint);
        }
        properties.push(this.#property(written, kind === "required", path));
      }
    }
    for (const one of nodes(inner.index)) properties.push(this.#index(one, path));
    if (inner.sequence !== undefined) properties.push(this.#sequence(inner.sequence as TypeNode, path));
    if (inner.undeclared === "delete") this.#refuse(path, `"+": delete ${CHANGES_VALUE.message}`, 'write "+": reject');
    // The sequence declares the items of a list, and a list from JSON has nothing else.
    if (inner.undeclared === "reject" && inner.sequence === undefined) {
      const signatures = nodes(inner.index).map((one) => this.#visit(one.inner.signature as TypeNode, path));
      properties.push(this.#onlyDeclared(names, signatures));
    }
    return {
      ...every(properties),
      // Fields are independent of each other, so a person sees the mismatches of all of them.
      explain: (value, here, mismatches) => {
        for (const check of properties) check.explain(value, here, mismatches);
      },
    };
  }

  #intersection(node: TypeNode, path: string): Check {
    const children = Object.values(node.inner).flat() as TypeNode[];
    const isBasis = ({ kind }: TypeNode): boolean => kind === "domain" || kind === "proto";
    const isStructure = ({ kind }: TypeNode): boolean => kind === "structure";
    const rank = (child: TypeNode): number => (isBasis(child) ? 0 : isStructure(child) ? 2 : 1);
    return every([...children].sort((a, b) => rank(a) - rank(b)).map((child) => this.#visit(child, path)));
  }

  #visit(node: TypeNode, path: string): Check {
    const { kind, expression, inner } = node;
    switch (kind) {
      case "union":
        return this.#union(node, path);
      case "unit":
        return this.#unit(node, path);
      case "intersection":
        return this.#intersection(node, path);
      case "structure":
        return this.#structure(node, path);
      case "pattern":
        return this.#regex(node, path);
      case "domain": {
        const matches = DOMAINS[inner.domain as string];
        return matches ? simple(expression, matches) : this.#refuseNotJson(expression, path);
      }
      case "proto":
        return inner.proto === Array ? ARRAY : this.#refuseNotJson(expression, path);
      case "morph":
        return this.#refuse(path, `it ${CHANGES_VALUE.message}`, CHANGES_VALUE.hint);
      case "predicate":
        return this.#refuse(path, `it ${NEEDS_CODE.message}`, NEEDS_CODE.hint);
      case "alias":
        return this.#refuse(path, "it refers to itself", "write out as many levels as there are");
      default: {
        const constraint = CONSTRAINTS[kind];
        if (!constraint) return this.#refuse(path, `a pattern cannot use ${expression}`, null);
        return simple(expression, constraint(inner.rule as number, inner.exclusive === true));
      }
    }
  }
}

export const checkOf = (root: TypeNode, refusing: Refusing): Check => new CheckReader(refusing).whole(root);
