/** Owns which other hosts are silent, and which reflexes look at that. */
import type { WorkflowReflexConfig } from "../model/config.ts";
import { PRESENCE } from "../model/fleet.ts";
import type { FleetStatus } from "../model/fleet-status.ts";
import { fullNameOf, matchesName } from "../model/full-name.ts";
import type { Scene } from "./scene.ts";

export type SilentHost = FleetStatus["origins"]["silent_hosts"][number];

/** `hosts`: the newest that are named. `count`: of all. */
export interface Silent {
  readonly hosts: readonly SilentHost[];
  readonly count: number;
}

/** Reflexes that start a workflow for the presence of this host. */
export const watchersOf = ({ config }: Scene, host: string): WorkflowReflexConfig[] => {
  const name = fullNameOf({ sense: PRESENCE, origin: host });
  return (config?.reflexes ?? []).flatMap((reflex) =>
    reflex.kind === "workflow" && reflex.on.some((pattern) => matchesName(pattern, name)) ? [reflex] : [],
  );
};

/** Hosts of whose silence an open incident speaks. */
function reportedHosts(scene: Scene): ReadonlySet<string> {
  const { store } = scene;
  const reported = new Set<string>();
  for (const { reflex, last_signal_id: last } of store.incidents.open()) {
    const origin = last === null ? null : (store.signals.byId(last)?.origin ?? null);
    if (origin !== null && watchersOf(scene, origin).some(({ name }) => name === reflex)) reported.add(origin);
  }
  return reported;
}

/** Null: none is silent but what incidents speak of. */
export function silentHosts(scene: Scene): Silent | null {
  const { silent, silent_hosts: listed } = scene.status?.fleet?.origins ?? { silent: 0, silent_hosts: [] };
  if (silent === 0) return null;
  const reported = reportedHosts(scene);
  const hosts = listed.filter(({ host }) => !reported.has(host)).toSorted((a, b) => b.since - a.since);
  return hosts.length === 0 ? null : { hosts, count: silent - (listed.length - hosts.length) };
}
