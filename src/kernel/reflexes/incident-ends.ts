/**
 * Owns the search for open incidents whose key is forgotten. They resolve when a configuration takes the place of another.
 */
import type { WorkflowReflexConfig } from "../../model/config.ts";
import type { Incident } from "../../model/incident-row.ts";
import { scopeOf } from "../../rules/same-reflex.ts";
import type { IncidentKey } from "./incident-subject.ts";
import type { Reflex } from "./reflex.ts";

export interface IncidentEnd {
  readonly row: Incident;
  readonly of: IncidentKey;
  readonly reason: string;
}

type ByName = ReadonlyMap<string, Reflex>;

export function incidentEnds(open: readonly Incident[], now: ByName, before: ByName): IncidentEnd[] {
  const remembered = new Set([...now.values()].flatMap(({ states }) => states?.incidents?.ids ?? []));
  return open.flatMap((row) => {
    if (remembered.has(row.id)) return [];
    const reflex = now.get(row.reflex);
    return [{ row, of: keyOf(row, before.get(row.reflex) ?? reflex), reason: whyOf(reflex, before.get(row.reflex)) }];
  });
}

function whyOf(now: Reflex | undefined, before: Reflex | undefined): string {
  if (now === undefined) return "its reflex is no longer configured";
  const { config, enabled } = now;
  if (!enabled) return "its reflex is disabled";
  if (config.kind !== "workflow" || config.incident === null) return "its reflex keeps no incidents any more";
  const isSame = before !== undefined && scopeOf(before.config) === scopeOf(config);
  return isSame ? "what its reflex remembered is lost" : "`on`, `each` or `key` of its reflex has changed";
}

/** The key of the incident. The former reflex says which part of a payload is about the key. */
function keyOf(row: Incident, reflex: Reflex | undefined): IncidentKey {
  const { reflex: name, key } = row;
  const config = reflex?.config;
  const base = config?.kind === "workflow" ? config : unknownReflex(name, key);
  const stored = key === null ? "" : JSON.stringify(key);
  return {
    config: { ...base, name },
    scope: "",
    key: stored,
    newest: null,
    payloadFor: (sense, payload) => reflex?.states?.payloadFor(sense, payload, stored) ?? payload,
  };
}

/** A stand-in for a reflex that is known from its incident alone. */
const unknownReflex = (name: string, key: string | null): WorkflowReflexConfig => ({
  kind: "workflow",
  name,
  workflow: "",
  on: [],
  when: null,
  clear: null,
  edge: null,
  forMs: null,
  count: null,
  debounce: null,
  throttleMs: null,
  key: key === null ? null : "key",
  each: null,
  intervalMs: null,
  align: null,
  jitterMs: null,
  cron: null,
  tz: null,
  catchUp: null,
  onStart: null,
  input: null,
  incident: null,
});
