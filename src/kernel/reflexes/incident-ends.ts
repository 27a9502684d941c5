/**
 * Owns the search for what a new configuration forgets of incidents: open incidents, which resolve, and held-back
 * resolutions, which are reported at once.
 */
import { keepsIncidents, NO_CLOCK, NO_WORDS, type WorkflowReflexConfig } from "../../model/config.ts";
import type { Incident } from "../../model/incident-row.ts";
import type { OwedResolution } from "../../rules/incident-state.ts";
import { readKeyState } from "../../rules/key-state.ts";
import { scopeOf } from "../../rules/same-reflex.ts";
import type { StoredReflexState } from "../../store/reflex-state.ts";
import type { IncidentKey } from "./incident-subject.ts";
import type { Reflex } from "./reflex.ts";

export interface IncidentEnd {
  readonly row: Incident;
  readonly of: IncidentKey;
  readonly reason: string;
}

export interface HeldEnd {
  readonly owed: OwedResolution;
  readonly of: IncidentKey;
}

type ByName = ReadonlyMap<string, Reflex>;
/** The stored rows of each reflex, by its name. */
type Stored = ReadonlyMap<string, readonly StoredReflexState[]>;

export function incidentEnds(
  open: readonly Incident[],
  now: ByName,
  before: ByName,
  stored: Stored,
): readonly IncidentEnd[] {
  const remembered = new Set([...now.values()].flatMap(({ states }) => states?.incidents?.ids ?? []));
  return open.flatMap((row) => {
    if (remembered.has(row.id)) return [];
    const { reflex: name, key } = row;
    const [is, was] = [now.get(name), before.get(name)];
    const isKeyOf = ({ state }: StoredReflexState): boolean => readKeyState(state)?.incident?.open?.id === row.id;
    const known = stored.get(name)?.find(isKeyOf)?.key;
    return [{ row, of: keyOf(name, known ?? keyIn(key), was ?? is), reason: whyOf(is, was) }];
  });
}

/** The key as far as its column says it: a number reads like a text there. */
const keyIn = (shown: string | null): string => (shown === null ? "" : JSON.stringify(shown));

/** Held-back resolutions of reflexes that are gone or no longer keep incidents. */
export function heldEnds(now: ByName, before: ByName, stored: Stored): readonly HeldEnd[] {
  return [...stored].flatMap(([name, rows]) => {
    const reflex = now.get(name);
    if (reflex !== undefined && keepsIncidents(reflex.config)) return [];
    return rows.flatMap(({ key, state }) => {
      const of = keyOf(name, key, before.get(name) ?? reflex);
      return (readKeyState(state)?.incident?.owed ?? []).map((owed) => ({ owed, of }));
    });
  });
}

function whyOf(now: Reflex | undefined, before: Reflex | undefined): string {
  if (now === undefined) return "its reflex is no longer configured";
  const { config, enabled } = now;
  if (!enabled) return "its reflex is disabled";
  if (config.kind !== "workflow" || config.incident === null) return "its reflex no longer keeps incidents";
  const isSame = before !== undefined && scopeOf(before.config) === scopeOf(config);
  return isSame ? "what its reflex remembered is lost" : "`on`, `each` or `key` of its reflex has changed";
}

/** The key of the incident. The former reflex says which part of a payload is about the key. */
function keyOf(name: string, key: string, reflex: Reflex | undefined): IncidentKey {
  const config = reflex?.config;
  const base = config?.kind === "workflow" ? config : unknownReflex(name, key);
  return {
    config: { ...base, name },
    scope: "",
    key,
    newest: null,
    payloadFor: (sense, payload) => reflex?.states?.payloadFor(sense, payload, key) ?? payload,
  };
}

/** A stand-in for a reflex that is known from its incident alone. */
const unknownReflex = (name: string, key: string): WorkflowReflexConfig => ({
  kind: "workflow",
  name,
  workflow: "",
  on: [],
  ...NO_WORDS,
  ...NO_CLOCK,
  key: key === "" ? null : "key",
  input: null,
  incident: null,
});
