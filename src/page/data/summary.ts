/** What the rail and *Now* both say of this host: what needs attention, and how much of everything there is. */
import type { Incident } from "../../model/incident-row.ts";
import type { IncidentsAnswer, SensesAnswer, StatusAnswer } from "../../web/contract.ts";
import type { WhyAnswer } from "../../web/contract-host.ts";
import type { ReflexesAnswer } from "../../web/contract-reflexes.ts";
import { heardClock, zone } from "../state/clock.ts";
import { apiPath } from "./api.ts";
import { type Freshness, useAnswer } from "./ask.ts";
import { type Attention, attentionOf } from "./attention.ts";

export const STATUS_FRESHNESS: Freshness = { everyMs: 2_000, after: [] };
const WHY_FRESHNESS: Freshness = { everyMs: 2_000, after: ["incident", "run"] };
const SENSES_FRESHNESS: Freshness = { everyMs: 5_000, after: ["signal"] };
const INCIDENTS_FRESHNESS: Freshness = { everyMs: 15_000, after: ["incident"] };
const REFLEXES_FRESHNESS: Freshness = { everyMs: 5_000, after: [] };

export const useStatus = () => {
  const asked = useAnswer<StatusAnswer>(apiPath("status", {}), STATUS_FRESHNESS);
  const { value } = asked;
  if (value !== null && zone.peek() !== value.tz) zone.value = value.tz;
  if (value !== null && asked.error === null && value !== lastHeard) {
    lastHeard = value;
    heardClock(value.at);
  }
  return asked;
};

let lastHeard: StatusAnswer | null = null;

/** What `nerve why` says: the page judges nothing itself. */
export const useWhy = () => useAnswer<WhyAnswer>(apiPath("why", {}), WHY_FRESHNESS);

export const SENSES = apiPath("senses", {});
export const useSenses = () => useAnswer<SensesAnswer>(SENSES, SENSES_FRESHNESS);
export const OPEN_INCIDENTS = apiPath("incidents", { state: ["open", "acked"], limit: 200 });
export const useOpenIncidents = () => useAnswer<IncidentsAnswer>(OPEN_INCIDENTS, INCIDENTS_FRESHNESS);
export const REFLEXES = apiPath("reflexes", {});
export const useReflexes = () => useAnswer<ReflexesAnswer>(REFLEXES, REFLEXES_FRESHNESS);

/** Whether the first answers are there, or the reasons why there are none: only then does anything stand in its place. */
export function useReady(): boolean {
  const firsts = [useStatus(), useWhy(), useSenses(), useOpenIncidents(), useReflexes()];
  return firsts.every(({ loading }) => !loading);
}

export interface Summary {
  readonly host: string;
  readonly startedAt: number | null;
  readonly items: readonly Attention[];
  /** Since when nothing is wrong; null: something is, or nothing says so. */
  readonly okSince: number | null;
  readonly attention: number;
  readonly worst: "ok" | "warn" | "crit";
  readonly notOk: number;
  readonly underWay: number;
  readonly pending: number;
  readonly openIncidents: readonly Incident[];
}

export function useSummary(): Summary {
  const status = useStatus().value;
  const senses = useSenses().value?.senses ?? [];
  const openIncidents = useOpenIncidents().value?.rows ?? [];
  const reflexes = useReflexes().value?.reflexes ?? [];
  const why = useWhy().value;
  const items = attentionOf({ troubles: why?.troubles ?? [], senses, incidents: openIncidents });
  const worst = items.some(({ tone }) => tone === "crit") ? "crit" : items.length > 0 ? "warn" : "ok";
  return {
    host: status?.host ?? "",
    startedAt: status?.status?.kernel.started_at ?? null,
    items,
    okSince: why === null || why.wrong ? null : why.since,
    attention: items.length + (why?.more ?? 0),
    worst,
    notOk: senses.filter(({ state }) => state !== "ok" && state !== "disabled").length,
    underWay: (status?.status?.workflows ?? []).reduce((sum, one) => sum + one.running + one.queued + one.sleeping, 0),
    pending: reflexes.reduce((sum, one) => sum + one.pending, 0),
    openIncidents,
  };
}
