/** Owns the answer about one thing, and the answer where nothing is named: the newest thing that is wrong, else what was wrong last. */
import { counted } from "../base/counted.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { NerveConfig } from "../model/config.ts";
import type { FleetStatus } from "../model/fleet-status.ts";
import { type Problem, problem } from "../model/problem.ts";
import { ALL_LOGS } from "../store/logs.ts";
import { ALL_RUNS } from "../store/runs.ts";
import { findStory } from "../stories/find-story.ts";
import { type Pending, pendingIn } from "./pending.ts";
import { aboutName, type NextCommand, notDone, type Scene, type Why } from "./scene.ts";
import { type Standstill, standstillBefore } from "./standstill.ts";
import { type Trouble, wrongLast, wrongNow } from "./troubles.ts";
import { whyChannel } from "./why-channel.ts";
import { whyCheck } from "./why-check.ts";
import { whyGroup } from "./why-group.ts";
import { whyHosts } from "./why-hosts.ts";
import { whyIncident } from "./why-incident.ts";
import { whyListener } from "./why-listener.ts";
import { whyRun } from "./why-run.ts";
import { whySense } from "./why-sense.ts";
import { whyWorkflow } from "./why-workflow.ts";
import { lasted, listed, moment, short, span } from "./words.ts";

export interface Answer {
  readonly why: Why;
  /** What the answer is about, where nothing was named and something is wrong; else null. */
  readonly trouble: Trouble | null;
  /** What is wrong beside that. */
  readonly others: readonly Trouble[];
}

export function answerNow(scene: Scene): Result<Answer, Problem> {
  const [newest, ...others] = wrongNow(scene);
  if (newest !== undefined) {
    const why = whyTrouble(scene, newest);
    return why.ok ? ok({ why: withDown(scene, why.value), trouble: newest, others }) : why;
  }
  const last = wrongLast(scene);
  const before = last === null ? null : whyTrouble(scene, last);
  if (before !== null && !before.ok) return before;
  return ok({ why: whyWell(scene, last, before?.value ?? null), trouble: null, others: [] });
}

export function whyTrouble(scene: Scene, trouble: Trouble): Result<Why, Problem> {
  if (trouble.kind === "incident") return ofIncident(scene, trouble.incident.id);
  if (trouble.kind === "run") return ofRun(scene, trouble.run.id);
  if (trouble.kind === "channel") return ok(whyChannel(scene, trouble.name));
  if (trouble.kind === "store") return ok(whyHeld(trouble.says));
  if (trouble.kind === "group") return ok(whyGroup(scene, trouble));
  if (trouble.kind === "listener") return ok(whyListener(scene, trouble));
  if (trouble.kind === "hosts") return ok(whyHosts(scene, trouble.silent));
  if (trouble.kind === "check") return ok(whyCheck(scene, trouble.check));
  const { config } = scene;
  const { name } = trouble;
  if (config === null) return ok({ ...EMPTY, about: aboutName(trouble.kind, name), what: [`${name} is not well.`] });
  return trouble.kind === "sense" ? ofSense(scene, config, name) : ok(whyWorkflow(scene, config, name));
}

const EMPTY: Omit<Why, "about" | "what"> = {
  isWrong: true,
  since: null,
  signal: null,
  cause: [],
  done: [],
  notDone: [],
  coming: [],
  next: [{ command: "nerve check", does: "the config has problems: what, and where" }],
};

export function ofIncident(scene: Scene, id: number): Result<Why, Problem> {
  const found = findStory(scene.store, `incident:${id}`);
  if (!found.ok) return found;
  const { incident } = found.value;
  if (incident === null) throw new Error(`the story of incident ${id} is of none`);
  return ok(whyIncident(scene, incident, found.value));
}

export function ofRun(scene: Scene, id: number): Result<Why, Problem> {
  const found = findStory(scene.store, `run:${id}`);
  if (!found.ok) return found;
  const { run } = found.value;
  if (run === null) throw new Error(`the story of run ${id} is of none`);
  return ok(whyRun(scene, run, found.value));
}

export function ofSense(scene: Scene, config: NerveConfig, name: string): Result<Why, Problem> {
  const sense = config.senses.get(name);
  if (sense !== undefined) return ok(whySense(scene, config, sense));
  // The daemon runs by a config that was changed since.
  const hint = "`nerve reload` takes the config over";
  return err(problem("unknown-sense", `sense ${name} is no longer in ${config.file}`, hint));
}

/** A workflow is its newest run, or what keeps it from running. */
export function ofWorkflow(scene: Scene, config: NerveConfig, name: string): Result<Why, Problem> {
  const isBroken = scene.status?.broken_workflows.some((one) => one.name === name) === true;
  const [run] = scene.store.runs.list({ ...ALL_RUNS, workflows: [name], limit: 1, newest: true });
  if (run === undefined || isBroken) return ok(whyWorkflow(scene, config, name));
  const isStale = scene.status?.workflows.some((one) => one.name === name && one.stale) === true;
  return isStale && run.state === "completed" ? ok(whyWorkflow(scene, config, name)) : ofRun(scene, run.id);
}

/** nerve commits nothing, or begins nothing new. */
const whyHeld = (store: string): Why => ({
  ...EMPTY,
  about: aboutName("nerve", "store"),
  what: [`nerve begins nothing new: ${short(store)}.`],
  notDone: [notDone("waiting", "No compute and no run starts until that is mended; nerve goes on by itself then.")],
  next: [
    { command: "df -h", does: "how full the disks are" },
    { command: "nerve status", does: "what nerve says of itself" },
  ],
});

/** When nerve was last heard of. */
function lastHeard({ store }: Scene): { readonly at: number; readonly isStopped: boolean } | null {
  const [log] = store.logs.list({ ...ALL_LOGS, limit: 1, newest: true });
  const signal = store.signals.byId(store.signals.lastId());
  const at = Math.max(log?.at ?? 0, signal?.at ?? 0);
  return at === 0 ? null : { at, isStopped: log?.event === "kernel.stopped" };
}

function downWords(scene: Scene): string | null {
  if (scene.isRunning) return null;
  const heard = lastHeard(scene);
  if (heard === null) return "nerve does not run.";
  const since = moment(heard.at, scene.now);
  return heard.isStopped ? `nerve was stopped at ${since}.` : `nerve does not run, and was last heard of at ${since}.`;
}

const START: NextCommand = { command: "nerve start", does: "starts nerve; under systemd: systemctl start nerve" };

const STANDS_STILL = notDone("not-running", "Until nerve starts nothing is looked at, and nobody is told.");

/** A stopped nerve changes nothing: what it left is as old as its last log. */
export function withDown(scene: Scene, why: Why): Why {
  const down = downWords(scene);
  if (down === null) return why;
  const [lead = "", ...rest] = why.what;
  return { ...why, what: [lead, down, ...rest], notDone: [...why.notDone, STANDS_STILL], next: [START, ...why.next] };
}

function whyWell(scene: Scene, last: Trouble | null, before: Why | null): Why {
  const [first, ...more] = pendingIn(scene);
  const down = downWords(scene);
  const stood = standstillBefore(scene);
  const since = sinceOf(scene, last, stood);
  const lead = down !== null ? down : first === undefined ? wellWords(scene, since, stood) : "Nothing is reported yet.";
  const said =
    last === null || before === null ? [] : [lastWords(scene, last), ...before.what.slice(1), ...before.cause];
  return {
    about: aboutName("nerve", down === null ? "all" : "kernel"),
    isWrong: down !== null,
    since: down === null ? since : (lastHeard(scene)?.at ?? null),
    signal: first?.signal ?? null,
    what: [lead, ...(first === undefined ? [] : [first.text])],
    cause: first === undefined ? said : [],
    done: first === undefined ? (before?.done ?? []) : [],
    notDone: [
      ...(down === null ? [] : [STANDS_STILL]),
      ...(first === undefined ? (before?.notDone ?? []) : [pendingNotDone(first)]),
    ],
    coming:
      more.length === 0
        ? []
        : [`${counted(more.length, "more key")} of reflexes wait${more.length === 1 ? "s" : ""} as well.`],
    next: [
      ...(down === null ? [] : [START]),
      ...(first === undefined
        ? []
        : [{ command: `nerve explain ${first.reflex}`, does: "what it made of its latest signals" }]),
      ...(first === undefined && before !== null ? before.next.slice(0, 1) : []),
      { command: "nerve status", does: "groups, senses, reflexes, workflows" },
    ],
  };
}

function lastWords({ now }: Scene, trouble: Trouble): string {
  const what = "What was wrong last:";
  if (trouble.kind === "incident") {
    const { id, severity, summary, opened_at, resolved_at } = trouble.incident;
    const end = resolved_at ?? opened_at;
    return `${what} incident ${id} (${severity}), ${short(summary)}, ${span(opened_at, end, now)}, for ${lasted(end - opened_at)}.`;
  }
  if (trouble.kind !== "run") return "";
  const { id, workflow, state, error } = trouble.run;
  return `${what} run ${id} of ${workflow}, ${state} at ${moment(trouble.at, now)}${error === null ? "" : `: ${short(error)}`}.`;
}

const pendingNotDone = ({ until }: Pending) =>
  notDone("pending", "Until then nothing is reported, and nobody is told.", until);

/** Since when nothing is wrong: the end of what was wrong last, else the oldest log that is not archived; not before a standstill, nor before a link came back. */
function sinceOf(scene: Scene, last: Trouble | null, stood: Standstill | null): number | null {
  const { store, status } = scene;
  const [oldest] = last === null ? store.logs.list({ ...ALL_LOGS, limit: 1 }) : [last];
  const at = Math.max(oldest?.at ?? 0, stood?.to ?? 0, linkedSince(status));
  // A clock that was set back since says nothing of that moment.
  return at === 0 || at > scene.now ? null : at;
}

/** The first connection of a link after a start takes less. */
const FIRST_LINK_MS = 10_000;

/** When the newest of the links to other machines came back; 0: all are up since nerve started. */
function linkedSince(status: Scene["status"]): number {
  if (status === null) return 0;
  const { fleet, otlp, kernel } = status;
  const links = [fleet?.out ?? null, fleet?.in ?? null, ...(otlp?.links ?? [])];
  const times = links.flatMap((link) => (link?.state === "connected" ? [link.since] : []));
  const newest = Math.max(0, ...times);
  return newest - kernel.started_at < FIRST_LINK_MS ? 0 : newest;
}

/** What joins this host to others is no trouble here: a side that is cut off is one. */
function fleetParts(fleet: FleetStatus | null): string[] {
  if (fleet === null) return [];
  const { out, in: incoming, origins } = fleet;
  if (incoming?.state === "connected")
    return [`${counted(origins.up, "other host")} ${origins.up === 1 ? "is" : "are"} heard`];
  return out.state === "connected" ? ["the fleet is connected"] : ["nothing was heard of the fleet yet"];
}

function wellWords({ status, config, now }: Scene, since: number | null, stood: Standstill | null): string {
  const senses = status?.senses.length ?? config?.senses.size ?? 0;
  const started =
    stood !== null && since === stood.to
      ? `, when nerve started: it stood still ${span(stood.from, stood.to, now)}`
      : "";
  const at = since === null ? "" : `, since ${moment(since, now)}${started}`;
  const parts = [
    "no incident is open",
    "no workflow's newest run has failed",
    ...(senses === 0 ? [] : [`${counted(senses, "sense")} ${senses === 1 ? "is" : "are"} well`]),
    ...fleetParts(status?.fleet ?? null),
  ];
  return `Nothing is wrong: ${listed(parts)}${at}.`;
}
