/** Owns the answer about other hosts: the links of the fleet, and what is known of each host. */
import { ORIGIN_STATES, type Origin } from "../model/origin.ts";
import type { StoreReader } from "../store/open-reader.ts";
import type { HostRow, HostsAnswer } from "./contract-host.ts";
import type { KernelLink } from "./kernel-link.ts";
import { choice, many, type Parameters, whole } from "./query.ts";

const MOST_HOSTS = 5_000;
const HOSTS = 200;

export const HOSTS_QUERY = { limit: whole(1, MOST_HOSTS), state: choice(...ORIGIN_STATES), host: many };

/** Silent hosts first, of these the newest; then by name. */
const worstFirst = (a: Origin, b: Origin): number =>
  ORIGIN_STATES.indexOf(b.state) - ORIGIN_STATES.indexOf(a.state) || (a.state === "silent" ? b.since - a.since : 0);

function rowOf({ host, state, since, at, epoch, upto, signals, gaps, missing, late }: Origin): HostRow {
  const heard = at === 0 ? null : at;
  return {
    host,
    state,
    since,
    last_heard: heard,
    epoch: epoch === "" ? null : epoch,
    upto,
    signals,
    gaps,
    missing,
    late,
  };
}

export async function hostsAnswer(
  link: Pick<KernelLink, "look" | "state">,
  { origins }: Pick<StoreReader, "origins">,
  { limit, state, host }: Parameters<typeof HOSTS_QUERY>,
): Promise<HostsAnswer> {
  const look = await link.look();
  const asked = new Set(host);
  const isAsked = (one: Origin): boolean =>
    (state === null || one.state === state) && (asked.size === 0 || asked.has(one.host));
  const found = origins.all().filter(isAsked).sort(worstFirst);
  const hosts = found.slice(0, limit ?? HOSTS).map(rowOf);
  return { link: link.state, fleet: look?.status.fleet ?? null, hosts, more: found.length - hosts.length };
}
