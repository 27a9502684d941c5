/**
 * Owns what is wrong now and what was wrong last: the store, incidents, runs that ended badly, senses, groups, workflows and channels that are not
 * well, addresses that nobody listens on, hosts that are silent, numbers that a sense `host-health` finds bad.
 */
import type { Incident } from "../model/incident-row.ts";
import { BAD_ENDINGS, type Run } from "../model/run.ts";
import { incidentOf } from "../model/run-decision.ts";
import { ALL_INCIDENTS } from "../store/incidents.ts";
import { ALL_RUNS } from "../store/runs.ts";
import { healthOf, staleness, suspectsIn } from "./health.ts";
import { type BadCheck, badChecks } from "./host-checks.ts";
import { inboxTrouble, inboxWords, troubledInboxes } from "./inboxes.ts";
import type { Scene } from "./scene.ts";
import { type Silent, silentHosts } from "./silent-hosts.ts";
import { mendedBy } from "./why-run.ts";

export type Trouble = { readonly at: number } & (
  | { readonly kind: "incident"; readonly incident: Incident }
  | { readonly kind: "run"; readonly run: Run }
  | { readonly kind: "sense"; readonly name: string; readonly state: string; readonly reason: string | null }
  | {
      readonly kind: "group";
      readonly name: string;
      readonly state: "stuck" | "backoff";
      readonly restarts: number;
      readonly reason: string | null;
    }
  | {
      readonly kind: "workflow";
      readonly name: string;
      readonly state: "broken" | "stale";
      readonly reason: string | null;
    }
  | { readonly kind: "channel"; readonly name: string; readonly reason: string | null }
  | { readonly kind: "store"; readonly says: string }
  | {
      readonly kind: "listener";
      readonly name: "http" | "push" | "fleet" | "otlp";
      readonly address: string;
      readonly reason: string | null;
    }
  | { readonly kind: "hosts"; readonly silent: Silent }
  | { readonly kind: "check"; readonly check: BadCheck }
);

/** Runs that ended badly, the newest, that are looked at. */
const RUNS = 1_000;
/** Incidents that were resolved, the newest, that are looked at. */
const RESOLVED = 100;
/** A run that no clock repeats is of yesterday after so long. */
const FRESH_MS = 24 * 3_600_000;

/** The store first, then the newest, behind it channels that fail and numbers that are bad, and last what a person has acknowledged. */
export function wrongNow(scene: Scene): Trouble[] {
  const { store } = scene;
  const incidents: Trouble[] = store.incidents
    .open()
    .map((incident) => ({ kind: "incident", at: incident.opened_at, incident }));
  const all = [
    ...storeNow(scene),
    ...incidents,
    ...runsNow(scene),
    ...sensesNow(scene),
    ...groupsNow(scene),
    ...listenersNow(scene),
    ...hostsNow(scene),
    ...workflowsNow(scene),
    ...channelsNow(scene),
    ...checksNow(scene),
  ];
  return all.toSorted((a, b) => rank(a) - rank(b) || b.at - a.at);
}

/** A channel that fails comes after what it was to report, and a bad number after the rules that may look at that number. */
function rank(trouble: Trouble): number {
  if (trouble.kind === "store") return -1;
  if (trouble.kind === "channel" || trouble.kind === "check") return 1;
  return trouble.kind === "incident" && trouble.incident.state === "acked" ? 2 : 0;
}

const badRuns = ({ store }: Scene): Run[] =>
  store.runs.list({ ...ALL_RUNS, states: BAD_ENDINGS, limit: RUNS, newest: true }).reverse();

const endOf = ({ ended_at, queued_at }: Run): number => ended_at ?? queued_at;

/** Of each workflow the newest run that ended badly, until one completes. An incident speaks for the runs that report it. */
function runsNow(scene: Scene): Trouble[] {
  const { store, now, config } = scene;
  const open = new Set(store.incidents.open().map(({ id }) => `incident:${id}`));
  const newest = new Map<string, Run>();
  for (const run of badRuns(scene)) {
    const reported = incidentOf(run.decision);
    if (reported !== null && open.has(reported)) continue;
    if (config !== null && !config.workflows.has(run.workflow)) continue;
    const isRepeated = run.decision?.startsWith("due:") === true;
    if (!isRepeated && now - endOf(run) > FRESH_MS) continue;
    if (!newest.has(run.workflow)) newest.set(run.workflow, run);
  }
  return [...newest.values()]
    .filter((run) => mendedBy(scene, run) === null)
    .map((run) => ({ kind: "run", at: endOf(run), run }));
}

function sensesNow(scene: Scene): Trouble[] {
  const waiting = new Set(groupsIn(scene).flatMap(({ waits }) => waits));
  const unwell = suspectsIn(scene, [...(scene.config?.senses.keys() ?? [])]).flatMap((name): Trouble[] => {
    if (waiting.has(name)) return [];
    const { state, since, reason } = healthOf(scene, name);
    if (state === "ok" || state === "disabled") return [];
    return [{ kind: "sense", at: since ?? 0, name, state, reason }];
  });
  const named = new Set(unwell.map((trouble) => (trouble.kind === "sense" ? trouble.name : "")));
  return [...unwell, ...inboxesNow(scene).filter(({ name }) => !named.has(name))];
}

/** Senses that are well, and have an inbox that wants a person. */
const inboxesNow = (scene: Scene) =>
  troubledInboxes(scene).map((inbox) => ({
    kind: "sense" as const,
    at: (inbox.firstDead ?? inbox.oldest)?.at ?? 0,
    name: inbox.sense,
    state: inboxTrouble(inbox) ?? "",
    reason: inboxWords(scene, inbox).join(" "),
  }));

/** Groups that do not go, and the senses that wait for each: the group speaks for these. */
const groupsIn = ({ status }: Scene) =>
  (status?.groups ?? []).flatMap(({ name, state, restarts }) => {
    if (state !== "stuck" && state !== "backoff") return [];
    const stale = (status?.senses ?? []).filter((sense) => sense.group === name && sense.state === "stale");
    return [{ name, state, restarts, waits: stale.map((sense) => sense.name) }];
  });

const groupsNow = (scene: Scene): Trouble[] =>
  groupsIn(scene).map(({ name, state, restarts, waits: [first] }) => {
    const health = first === undefined ? null : healthOf(scene, first);
    return { kind: "group", at: health?.since ?? 0, name, state, restarts, reason: health?.reason ?? null };
  });

function storeNow({ status }: Scene): Trouble[] {
  const says = status?.kernel.store ?? "ok";
  return says === "ok" ? [] : [{ kind: "store", at: 0, says }];
}

function workflowsNow(scene: Scene): Trouble[] {
  const { status } = scene;
  const broken = (status?.broken_workflows ?? []).map(
    ({ name, reason }) => ({ kind: "workflow", at: 0, name, state: "broken", reason }) as const,
  );
  const stale = (status?.workflows ?? []).flatMap((workflow) => {
    if (!workflow.stale || broken.some(({ name }) => name === workflow.name)) return [];
    const { at, message } = staleness(scene, `workflow:${workflow.name}`);
    return [{ kind: "workflow", at: at ?? 0, name: workflow.name, state: "stale", reason: message } as const];
  });
  return [...broken, ...stale];
}

const channelsNow = ({ status }: Scene): Trouble[] =>
  (status?.channels ?? []).flatMap(({ name, state, reason, last_failed }) =>
    state === "ok" ? [] : [{ kind: "channel" as const, at: last_failed ?? 0, name, reason }],
  );

const listenersNow = ({ status }: Scene): Trouble[] =>
  (status?.listeners ?? []).flatMap(({ name, address, state, reason, since }) =>
    state === "failed" ? [{ kind: "listener" as const, at: since ?? 0, name, address, reason }] : [],
  );

function hostsNow(scene: Scene): Trouble[] {
  const silent = silentHosts(scene);
  return silent === null ? [] : [{ kind: "hosts", at: silent.hosts[0]?.since ?? 0, silent }];
}

const checksNow = (scene: Scene): Trouble[] =>
  badChecks(scene).map((check) => ({ kind: "check", at: check.since ?? 0, check }));

/** What was wrong last and is over: an incident that resolved, or a run that ended badly. */
export function wrongLast(scene: Scene): Trouble | null {
  const resolved = scene.store.incidents.list({
    ...ALL_INCIDENTS,
    states: ["resolved"],
    limit: RESOLVED,
    newest: true,
  });
  // One that was opened earlier may have ended later.
  const incident = resolved.toSorted((a, b) => (b.resolved_at ?? 0) - (a.resolved_at ?? 0))[0];
  const [run] = badRuns(scene);
  const found: Trouble[] = [
    ...(incident === undefined
      ? []
      : [{ kind: "incident" as const, at: incident.resolved_at ?? incident.opened_at, incident }]),
    ...(run === undefined ? [] : [{ kind: "run" as const, at: endOf(run), run }]),
  ];
  return found.toSorted((a, b) => b.at - a.at)[0] ?? null;
}
