/** Owns why other hosts are silent as far as this one knows: since when, which reflex reports that, and what it has started. */
import { counted } from "../base/counted.ts";
import type { WorkflowReflexConfig } from "../model/config.ts";
import type { Origin } from "../model/origin.ts";
import { ALL_RUNS } from "../store/runs.ts";
import { pendingIn } from "./pending.ts";
import { aboutName, type NotDone, notDone, type Scene, type Why } from "./scene.ts";
import { type Silent, type SilentHost, watchersOf } from "./silent-hosts.ts";
import { listed, moment } from "./words.ts";

/** Hosts that are named one by one. */
const NAMED = 5;
/** Runs of a reflex that are looked at. */
const LOOKED_AT = 1_000;

/** `web1`, `web1, web2 and 7 more`. */
export function namesOf({ hosts, count }: Silent): string {
  const names = hosts.slice(0, NAMED).map(({ host }) => host);
  const more = count - names.length;
  return listed([...names, ...(more > 0 ? [`${more} more`] : [])]);
}

export function whyHosts(scene: Scene, silent: Silent): Why {
  const { hosts, count } = silent;
  const named = hosts.slice(0, NAMED);
  const [first] = named;
  const watched = named.map((host) => ({ host, watchers: watchersOf(scene, host.host) }));
  const one = watched.find(({ watchers }) => watchers.length > 0);
  return {
    about: aboutName("nerve", "fleet"),
    isWrong: true,
    since: first?.since ?? null,
    signal: null,
    what: [whatOf(scene, silent, named)],
    cause: [],
    done: watched.flatMap(({ host, watchers }) => watchers.flatMap((watcher) => doneBy(scene, watcher, host))),
    notDone: [
      ...unwatched(watched),
      ...disabled(
        scene,
        watched.flatMap(({ watchers }) => watchers),
      ),
    ],
    coming: pendingIn(scene).flatMap(({ reflex, signal, text }) => {
      const origin = scene.store.signals.byId(signal)?.origin ?? null;
      const isOfThese = watched.some(
        ({ host, watchers }) => host.host === origin && watchers.some(({ name }) => name === reflex),
      );
      return isOfThese ? [text] : [];
    }),
    next: [
      {
        command: "nerve fleet status",
        does: count === 1 ? "what was heard of it last" : "what was heard of each last",
      },
      ...(one === undefined
        ? []
        : [{ command: `nerve explain ${one.watchers[0]?.name}`, does: "what the reflex made of that" }]),
      ...(first === undefined || first.at === null
        ? []
        : [{ command: `nerve fleet forget ${first.host}`, does: "where the host is gone for good" }]),
    ],
  };
}

/** A host that is named: silent, or heard. */
export function whyHost(scene: Scene, { host, state, since, at }: Origin): Why {
  if (state === "silent") return whyHosts(scene, { hosts: [{ host, since, at: at === 0 ? null : at }], count: 1 });
  const { now, isRunning } = scene;
  const heard = at === 0 ? "nothing of it has come yet" : `something of it came at ${moment(at, now)}`;
  const next = { command: `nerve fleet status ${host}`, does: "what was heard of it, and what is missing" };
  return {
    about: aboutName("nerve", "fleet"),
    isWrong: false,
    since,
    signal: null,
    what: [`Host ${host} ${isRunning ? "is" : "was"} heard: ${heard}.`],
    ...{ cause: [], done: [], notDone: [], coming: [], next: [next] },
  };
}

function whatOf({ now }: Scene, silent: Silent, named: readonly SilentHost[]): string {
  const { count } = silent;
  const each = named.map(({ host, since, at }) =>
    at === null ? `${host} has never been heard` : `${host} since ${moment(since, now)}`,
  );
  const [one] = named;
  if (count === 1 && one !== undefined)
    return one.at === null
      ? `Host ${one.host} is silent: nothing of it has ever come.`
      : `Host ${one.host} is silent: nothing of it has come since ${moment(one.since, now)}.`;
  const more = count - named.length;
  return `${counted(count, "host")} are silent: ${listed([...each, ...(more > 0 ? [`${more} more`] : [])])}.`;
}

/** The runs that the reflex has started for the host since it is silent. */
function doneBy(
  { store, now }: Scene,
  { name, workflow }: WorkflowReflexConfig,
  { host, since }: SilentHost,
): string[] {
  const run = store.runs
    .list({ ...ALL_RUNS, reflexes: [name], since, limit: LOOKED_AT })
    .find(({ signal_id: signal }) => signal !== null && store.signals.byId(signal)?.origin === host);
  if (run === undefined) return [];
  return [
    `Reflex ${name} started run ${run.id} of ${workflow} for ${host} at ${moment(run.queued_at, now)} (${run.state}).`,
  ];
}

interface Watched {
  readonly host: SilentHost;
  readonly watchers: readonly WorkflowReflexConfig[];
}

function unwatched(watched: readonly Watched[]): NotDone[] {
  const alone = watched.filter(({ watchers }) => watchers.length === 0).map(({ host }) => host.host);
  if (alone.length === 0) return [];
  const [of, who] = alone.length === watched.length ? ["*", ""] : [alone[0], ` of ${listed(alone)}`];
  const text = `Nobody is told of that${who}, because no reflex on \`${of}/presence\` starts a workflow.`;
  return [notDone("nobody-listens", text)];
}

function disabled({ status }: Scene, watchers: readonly WorkflowReflexConfig[]): NotDone[] {
  const names = new Set(watchers.map(({ name }) => name));
  return (status?.reflexes ?? [])
    .filter(({ name, enabled }) => names.has(name) && !enabled)
    .map(({ name }) => notDone("disabled", `Reflex ${name} looks at that, and is disabled.`));
}
