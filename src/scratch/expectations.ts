/**
 * What reflexes and workflows expect of payloads: patterns, keys, lists, and the fields that templates fill in. Each is held
 * against what the senses declare their payloads to be, and what no payload can satisfy is a problem.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Json } from "../base/json.ts";
import { nearest } from "../base/nearest.ts";
import { modulesFolder } from "../config/module-folder.ts";
import { foundText, type Parts, type PatternPart } from "../config/pattern-parts.ts";
import type { NerveConfig, ReflexConfig, WorkflowConfig } from "../model/config.ts";
import type { Problem } from "../model/problem.ts";
import { compilePattern } from "../rules/pattern.ts";
import type { PatternFinding, ScratchPattern } from "./seat.ts";
import { templatesIn } from "./templates.ts";

export interface Expectation extends ScratchPattern {
  /** The senses whose payloads it is about. */
  readonly senses: readonly string[];
  /** Whether one sense that cannot satisfy it is a problem, though another of `senses` can. */
  readonly ofEach: boolean;
  /** `reflex \`x\`: \`when\`` */
  readonly subject: string;
  /** Begins the problem's kind. */
  readonly noun: "pattern" | "key" | "each" | "template";
  /** Ends a sentence about a field that is there, and of another type. */
  readonly misfit: string;
  /** Where the innermost part on the way to `path` stands. */
  readonly partAt: (path: string) => PatternPart | null;
}

export const expectationsOf = (config: NerveConfig, parts: Parts): Expectation[] => [
  ...config.reflexes.flatMap((reflex, index) => [
    ...patternsOf(reflex, index, parts),
    ...keysOf(reflex, index, parts),
    ...listOf(reflex, index, parts),
    ...incidentTextsOf(reflex, index, parts),
  ]),
  ...[...config.workflows.values()].flatMap((workflow) => templatesOf(config, workflow, parts)),
];

/** Those that the payloads of `sense` are held against. */
export const expectedOf = (expectations: readonly Expectation[], sense: string): ScratchPattern[] =>
  expectations
    .filter(({ senses }) => senses.includes(sense))
    .map(({ label, each, definition }) => ({ label, each, definition }));

/** By the place of the reflex: a bad config may give a name twice. */
const labelOf = (reflex: number, word: string): string => `reflexes[${reflex}].${word}`;

function patternsOf(reflex: ReflexConfig, index: number, { reflexPart }: Parts): Expectation[] {
  return (["when", "clear"] as const).flatMap((word) => {
    const definition = reflex[word];
    // What is no pattern has been reported.
    if (definition === null || !compilePattern(definition).ok) return [];
    return {
      label: labelOf(index, word),
      each: reflex.each,
      definition,
      senses: reflex.on,
      ofEach: false,
      subject: `reflex \`${reflex.name}\`: \`${word}\``,
      noun: "pattern" as const,
      misfit: "matches",
      partAt: (path: string) => reflexPart(reflex, word, path),
    };
  });
}

const SCALAR = "string | number | boolean";

function keysOf(reflex: ReflexConfig, index: number, { reflexPart }: Parts): Expectation[] {
  const { key } = reflex;
  const paths: readonly string[] = key === null ? [] : [key].flat();
  return paths.flatMap((path, nth) => {
    const definition = path.startsWith("$") ? null : definitionAt(path, SCALAR);
    if (definition === null) return [];
    const at = Array.isArray(key) ? `[${nth}]` : "";
    return {
      label: labelOf(index, `key[${nth}]`),
      each: reflex.each,
      definition,
      senses: reflex.on,
      ofEach: false,
      subject: `reflex \`${reflex.name}\`: \`key${at}\``,
      noun: "key" as const,
      misfit: "is a text, number or boolean in",
      partAt: () => reflexPart(reflex, "key", at),
    };
  });
}

function listOf(reflex: ReflexConfig, index: number, { reflexPart }: Parts): Expectation[] {
  const { each } = reflex;
  const definition = each === null ? null : definitionAt(each, "unknown[]");
  if (definition === null) return [];
  return [
    {
      label: labelOf(index, "each"),
      each: null,
      definition,
      senses: reflex.on,
      ofEach: false,
      subject: `reflex \`${reflex.name}\`: \`each\``,
      noun: "each",
      misfit: "is a list in",
      partAt: () => reflexPart(reflex, "each", ""),
    },
  ];
}

/** What `severity` and `summary` of an incident fill in. */
function incidentTextsOf(reflex: ReflexConfig, index: number, { reflexPart }: Parts): Expectation[] {
  if (reflex.kind !== "workflow" || reflex.incident === null) return [];
  const { severity, summary } = reflex.incident;
  return templatesIn({ severity, summary }).flatMap(({ at, root, path }, nth) => {
    const definition = definitionAt(path, "unknown");
    if (definition === null || (root === "signal" && reflex.each === null)) return [];
    return {
      label: labelOf(index, `incident[${nth}]`),
      each: root === "payload" ? reflex.each : null,
      definition,
      senses: reflex.on,
      ofEach: true,
      subject: `reflex \`${reflex.name}\`: \`incident.${at}\``,
      noun: "template" as const,
      misfit: `has \`${path}\` in`,
      partAt: () => reflexPart(reflex, "incident", at),
    };
  });
}

/** Workflows whose options hold templates. */
const TEMPLATED: readonly string[] = ["exec", "webhook"];

function templatesOf(config: NerveConfig, workflow: WorkflowConfig, { withPart }: Parts): Expectation[] {
  const { name, use } = workflow;
  const isOwn = existsSync(join(modulesFolder(config, "workflow"), use, "index.ts"));
  if (isOwn || !TEMPLATED.includes(use)) return [];
  const templates = templatesIn(workflow.with ?? {});
  return config.reflexes.flatMap((reflex, index) => {
    if (reflex.kind !== "workflow" || reflex.workflow !== name) return [];
    return templates.flatMap(({ at, root, path }, nth) => {
      const definition = definitionAt(path, "unknown");
      if (definition === null || (root === "signal" && reflex.each === null)) return [];
      return {
        label: labelOf(index, `template[${nth}]`),
        each: root === "payload" ? reflex.each : null,
        definition,
        senses: reflex.on,
        ofEach: true,
        subject: `workflow \`${name}\`, which reflex \`${reflex.name}\` starts: \`with.${at}\``,
        noun: "template" as const,
        misfit: `has \`${path}\` in`,
        partAt: () => withPart("workflow", name, at),
      };
    });
  });
}

/** A pattern that only a payload with something of type `leaf` at `path` matches; null where a name means more to ArkType. */
function definitionAt(path: string, leaf: string): Json | null {
  const names = path.split(".");
  if (names.some((name) => name === "" || /^(\[|\.\.\.|\+$)|\?$/.test(name))) return null;
  // A pattern cannot look at one item of a list.
  const item = names.findIndex((name) => /^\d+$/.test(name));
  if (item === 0) return null;
  return names
    .slice(0, item < 0 ? names.length : item)
    .reduceRight<Json>((inner, name) => ({ [name]: inner }), item < 0 ? leaf : "unknown");
}

/**
 * What no payload satisfies. Where one of several senses declares nothing, nothing is reported. It is no problem that only
 * one of them can match: that is what `clear` is for.
 */
export const unsatisfied = (
  expectations: readonly Expectation[],
  findings: ReadonlyMap<string, readonly PatternFinding[]>,
): Problem[] =>
  expectations.flatMap((expectation) => {
    const bySense = expectation.senses.map((sense) => ({
      sense,
      found: (findings.get(sense) ?? []).filter(({ label }) => label === expectation.label),
    }));
    const isSatisfied = ({ found }: (typeof bySense)[number]): boolean =>
      found.length === 0 || found.some(({ kind }) => kind === "possible");
    if (!expectation.ofEach && bySense.some(isSatisfied)) return [];
    return bySense
      .filter((one) => !isSatisfied(one))
      .flatMap(({ sense, found }) => inOrder(found.map((finding) => describe(expectation, sense, finding))));
  });

const inOrder = (problems: readonly Problem[]): Problem[] =>
  problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));

const NOWHERE = { file: null, line: null, column: null };

function describe(expectation: Expectation, sense: string, finding: PatternFinding): Problem {
  const { subject, noun, misfit, each, partAt } = expectation;
  const { kind, path, expected, fields } = finding;
  const part = partAt(path);
  const payload =
    each === null ? `the payload of \`${sense}\`` : `an item of \`${each}\` in the payload of \`${sense}\``;
  const listed = fields.length === 0 ? null : `${payload} has ${fields.join(", ")}`;
  if (kind === "unknown-field") {
    const meant = nearest(path, fields);
    return {
      kind: `${noun}-unknown-field`,
      message: `${subject} asks for \`${path}\`, which ${payload} does not declare`,
      hint: meant === null ? listed : `did you mean \`${meant}\`? ${listed}`,
      ...((noun === "pattern" ? part?.keyPlace : part?.tree.place) ?? NOWHERE),
    };
  }
  const text = part === null || noun === "template" ? null : foundText(part);
  const at = noun === "pattern" && path !== "" ? `${subject.slice(0, -1)}.${path}\`` : subject;
  const what = text === null ? misfit : `is ${text}, which ${misfit}`;
  const none = each === null ? `no payload of \`${sense}\`` : `no item of \`${each}\` in a payload of \`${sense}\``;
  return {
    kind: `${noun}-never-matches`,
    message: `${at} ${what} ${none}${expected === null ? "" : `: there it is ${expected}`}`,
    hint: listed,
    ...(part?.tree.place ?? NOWHERE),
  };
}
