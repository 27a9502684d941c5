/** Owns what `nerve check` finds in the files and the seed of `fleet`, without asking a server. */
import { STAND_IN } from "../../config/source.ts";
import { isTrouble } from "../../fleet/engine/engine.ts";
import type { NerveConfig } from "../../model/config.ts";
import { type Problem, problem } from "../../model/problem.ts";

const NOTHING = { nkey: null, creds: null, ca: null, cert: null, key: null };

/** A file that is not there is left out: that it is absent is found for every section alike. What only the daemon gets cannot be checked. */
export async function fleetProblems(
  { host, fleet, file }: NerveConfig,
  exists: (path: string) => boolean,
): Promise<Problem[]> {
  if (fleet === null) return [];
  const { identityOf, tlsOf } = await import("../../fleet/nats/access.ts");
  const readable = (path: string | null): string | null =>
    path === null || path.includes(STAND_IN) || !exists(path) ? null : path;
  const nkey = fleet.nkey?.includes(STAND_IN) === true ? null : fleet.nkey;
  const none = { ...NOTHING, host };
  const troubles = [
    identityOf({ ...none, nkey }),
    identityOf({ ...none, creds: readable(fleet.creds) }),
    tlsOf({ ...none, ca: readable(fleet.ca) }),
    tlsOf({ ...none, cert: readable(fleet.cert), key: readable(fleet.key) }),
  ].filter(isTrouble);
  return troubles.map(({ why }) => problem("bad-file", why, null, file));
}
