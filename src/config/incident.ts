/** Owns `incident` of a workflow reflex: its keys, and the names that it refers to. */
import type { IncidentConfig } from "../model/config.ts";
import { SEVERITIES } from "../model/incident.ts";
import { FILLED_IN, hasTemplate, isSummaryTemplate } from "../rules/summary.ts";
import { key, list, oneOf, type Reader, reader, readFields, readText, schemaOf, shapeOf, text } from "./fields.ts";
import { duration, durationOrNone } from "./quantities.ts";
import { type Reference, reference } from "./reference.ts";
import { child, found } from "./tree.ts";

const readTemplate: Reader<string> = reader(text("a text").schema, (tree, label, report) => {
  const value = readText('a text such as "{{ payload.path }} is full"', tree, label, report);
  if (value === null || isSummaryTemplate(value)) return value;
  report.expected("bad-value", tree, label, `a text that fills in only ${FILLED_IN}`, null);
  return null;
});

const ONE_OF_THREE = oneOf(...SEVERITIES);

const readSeverity: Reader<string> = reader(
  { anyOf: [ONE_OF_THREE.schema, { type: "string", pattern: "\\{\\{" }] },
  (tree, label, report) => {
    const isTemplate = tree.kind === "scalar" && hasTemplate(tree.text);
    return isTemplate ? readTemplate(tree, label, report) : ONE_OF_THREE(tree, label, report);
  },
);

/** An entry of `escalate` as written: the workflow may not exist. */
interface WrittenEscalation {
  readonly afterMs: number;
  readonly workflow: Reference;
}

const ESCALATION = { after: duration, workflow: reference };

const readEscalation: Reader<WrittenEscalation> = reader(
  { ...schemaOf(ESCALATION), required: ["after", "workflow"] },
  (tree, label, report) => {
    const fields = readFields(tree, label, ESCALATION, report);
    if (!fields) return null;
    for (const one of ["after", "workflow"] as const) {
      if (fields.placeOf(one) === null)
        report.add(
          "missing-key",
          tree.place,
          `\`${child(label, one)}\` is missing`,
          "write `{ after: 30m, workflow: NAME }`",
        );
    }
    const { after, workflow } = fields.values;
    return after === null || workflow === null ? null : { afterMs: after, workflow };
  },
);

const ESCALATIONS = list(readEscalation, "a list such as [{ after: 30m, workflow: call }]");
const readEscalations: Reader<readonly WrittenEscalation[]> = reader(ESCALATIONS.schema, (tree, label, report) => {
  return ESCALATIONS(tree, label, report)?.filter((one) => one !== null) ?? null;
});

const NAMES = list(reference, "a list of reflexes such as [host-down]");
const readInhibitors: Reader<readonly Reference[]> = reader(NAMES.schema, (tree, label, report) => {
  const names = NAMES(tree, label, report)?.filter((one) => one !== null) ?? null;
  const seen = new Set<string>();
  for (const one of names ?? []) {
    if (seen.has(one.name)) {
      const message = `\`${one.label}\` is ${found(one.tree)}, which is listed already`;
      report.add("duplicate-reference", one.tree.place, message, "remove it");
    }
    seen.add(one.name);
  }
  return names;
});

/** The keys of `incident`: for each key its reader and its text in the docs. */
export const INCIDENT_KEYS = {
  severity: key(readSeverity, "`warning`", "`info`, `warning` or `critical`, or a template that gives one of them"),
  summary: key(readTemplate, "reflex, key and sense", `one line for people, filled in anew each time: ${FILLED_IN}`),
  resolve_after: key(durationOrNone, "`0`", "how long the key must have stopped matching before the incident resolves"),
  remind_every: key(
    duration,
    "none",
    "while it is open and nobody has acknowledged it: a run this long after the last one",
  ),
  escalate: key(
    readEscalations,
    "none",
    "`[{ after, workflow }]`: a run of `workflow` this long after the opening was reported, unless it is acknowledged",
  ),
  inhibited_by: key(readInhibitors, "none", "reflexes: while one of them has an open incident, nothing is reported"),
};

const INCIDENT = shapeOf(INCIDENT_KEYS);

/** The `incident` as written: the names may not exist. */
export interface WrittenIncident {
  readonly config: IncidentConfig;
  readonly workflows: readonly Reference[];
  readonly inhibitors: readonly Reference[];
}

export const readIncident: Reader<WrittenIncident> = reader(
  { ...schemaOf(INCIDENT), type: ["object", "null"] },
  (tree, label, report) => {
    const fields = readFields(tree, label, INCIDENT, report);
    if (!fields) return null;
    const { severity, summary, resolve_after, remind_every, escalate, inhibited_by } = fields.values;
    const entries = escalate ?? [];
    const inhibitors = inhibited_by ?? [];
    return {
      config: {
        severity,
        summary,
        resolveAfterMs: resolve_after,
        remindEveryMs: remind_every,
        escalate: entries.map(({ afterMs, workflow }) => ({ afterMs, workflow: workflow.name })),
        inhibitedBy: inhibitors.map(({ name }) => name),
      },
      workflows: entries.map(({ workflow }) => workflow),
      inhibitors,
    };
  },
);
