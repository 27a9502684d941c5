/** What the made-up host finds wrong: as the judgement of `nerve why` would, from the same rows. */
import type { ShownTrouble } from "../../../src/model/shown-trouble.ts";
import { checksOf } from "../../../src/page/data/checks.ts";
import type { WhyAnswer } from "../../../src/web/contract-host.ts";
import type { World } from "./world.ts";

const NONE = { id: null, key: null, check: null };
const SILENT = { since: null, says: "silent: never-heard and a-host-with-a-long-name-in-the-basement" };

export function troublesOf({ status, senses, incidents, runs }: World): readonly ShownTrouble[] {
  const health = senses.find(({ use, state }) => use === "host-health" && state === "ok") ?? null;
  const found: ShownTrouble[] = [
    ...incidents
      .filter(({ state }) => state !== "resolved")
      .map((row) => ({
        ...NONE,
        kind: "incident" as const,
        id: row.id,
        name: row.reflex,
        key: row.key,
        state: row.state,
        severity: row.state === "acked" ? ("warning" as const) : row.severity,
        since: row.opened_at,
        says: row.summary,
      })),
    ...senses
      .filter(({ state }) => state !== "ok" && state !== "disabled")
      .map(({ name, state, reason, last_signal }) => ({
        ...NONE,
        kind: "sense" as const,
        name,
        state,
        severity: state === "failing" ? ("warning" as const) : ("critical" as const),
        since: last_signal ?? status.kernel.started_at,
        says: reason,
      })),
    ...checksOf(health).flatMap(({ sense, check, value, status: state, warning, critical }) => {
      if (state === "ok") return [];
      const limit = state === "critical" ? critical : warning;
      return {
        ...NONE,
        kind: "check" as const,
        name: sense,
        state,
        severity: state,
        since: (health?.last?.at ?? 0) - 38_000,
        says: `${check} of ${sense} is ${value}, ${state} from ${limit}`,
        check: { check, value, limit, by: health?.name ?? "", signal: health?.last?.id ?? 0 },
      };
    }),
    ...status.listeners
      .filter(({ state }) => state === "failed")
      .map(({ name, state, since, reason }) => ({
        ...NONE,
        kind: "listener" as const,
        name,
        state,
        severity: "warning" as const,
        since,
        says: reason,
      })),
    ...((status.fleet?.origins.silent ?? 0) === 0
      ? []
      : [{ ...NONE, kind: "hosts" as const, name: null, state: "silent", severity: "warning" as const, ...SILENT }]),
    ...runs
      .filter(({ id }) => status.failures.some(({ run }) => run === id))
      .map(({ id, workflow, state, error, ended_at }) => ({
        ...NONE,
        kind: "run" as const,
        id,
        name: workflow,
        state,
        severity: "warning" as const,
        since: ended_at,
        says: error,
      })),
  ];
  const rank = { critical: 0, warning: 1, info: 2 };
  const late = ({ kind }: ShownTrouble): number => Number(kind === "check");
  return found.sort(
    (a, b) => rank[a.severity] - rank[b.severity] || late(a) - late(b) || (b.since ?? 0) - (a.since ?? 0),
  );
}

export function whyOf(world: World, at: number): WhyAnswer {
  const troubles = troublesOf(world);
  return {
    at,
    wrong: troubles.length > 0,
    since: troubles.length > 0 ? null : world.status.kernel.started_at,
    what: [],
    cause: [],
    done: [],
    not_done: [],
    coming: [],
    next: [],
    text: "",
    troubles: troubles.slice(0, 100),
    more: Math.max(0, troubles.length - 100),
  };
}
