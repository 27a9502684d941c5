/** Owns the users of a fleet, as the words of `nerve fleet init` name them: a key for each host, who receives, and who belongs to a site. */
import { ok, type Result } from "../../base/result.ts";
import type { FleetUser } from "../../fleet/nats/permissions.ts";
import { receivedBy } from "../../model/fleet.ts";
import { isName } from "../../model/name.ts";
import { type Failure, usageError } from "../frame/outcome.ts";
import type { Joined } from "./access.ts";

const PUBLIC_KEY = /^U[A-Z2-7]{55}$/;
const SEED = /(^|=)\s*S[A-Z2-7]{20,}/;
const KEY_HINT = "`nerve fleet key` makes a pair for each host";

export interface Roles {
  readonly hub: readonly string[];
  /** `NAME=HOST,HOST`. */
  readonly site: readonly string[];
}

/** This host, with its own key, and those that are named. */
export async function usersOf(
  words: readonly string[],
  { hub: hubs, site }: Roles,
  { config, fleet }: Joined,
): Promise<Result<readonly FleetUser[], Failure>> {
  const named = keysOf(words);
  if (!named.ok) return named;
  const keys = new Map(named.value);
  if (!keys.has(config.host)) {
    const own = await ownKey(fleet.nkey);
    const twin = [...keys].find(([, key]) => key === own);
    if (twin !== undefined)
      return usageError(`the key of \`${twin[0]}\` is the one of this host, which is called ${config.host}`, KEY_HINT);
    if (own !== null) keys.set(config.host, own);
  }
  const unknown = hubs.find((hub) => !keys.has(hub));
  if (unknown !== undefined) return usageError(`there is no key of \`${unknown}\``, `add ${unknown}=PUBLIC-KEY`);
  if (keys.size === 0 && words.length > 0)
    return usageError(
      "no host is named",
      "`nerve fleet key hub web1` makes keys; then `nerve fleet init hub=U… web1=U… --hub hub`",
    );
  const receives = (host: string): boolean =>
    hubs.includes(host) || (host === config.host && receivedBy(fleet, config.reflexes).length > 0);
  const sites = sitesIn(site, keys, receives);
  if (!sites.ok) return sites;
  return ok(
    [...keys].map(([host, publicKey]) => ({
      host,
      publicKey,
      receives: receives(host),
      site: sites.value.get(host) ?? null,
    })),
  );
}

/** The public key of each host, from words such as `web1=U…`. */
function keysOf(words: readonly string[]): Result<ReadonlyMap<string, string>, Failure> {
  const keys = new Map<string, string>();
  for (const word of words) {
    const [host = "", publicKey = ""] = word.split("=");
    // A seed is never printed.
    if (SEED.test(word))
      return usageError(
        `${isName(host) ? `what stands behind \`${host}=\`` : "a word"} is a seed, which belongs on its host alone`,
        "write the public half, which begins with U; make another pair where others may have seen the seed",
      );
    if (!isName(host) || !PUBLIC_KEY.test(publicKey))
      return usageError(
        `\`${word}\` is not HOST=PUBLIC-KEY`,
        "`nerve fleet key HOST` makes a pair; its public half begins with U",
      );
    if (keys.has(host)) return usageError(`\`${host}\` is named twice`);
    const twin = [...keys].find(([, key]) => key === publicKey);
    if (twin !== undefined) return usageError(`\`${twin[0]}\` and \`${host}\` have the same key`, KEY_HINT);
    keys.set(host, publicKey);
  }
  return ok(keys);
}

/** The site of each host that belongs to one. */
function sitesIn(
  words: readonly string[],
  keys: ReadonlyMap<string, string>,
  receives: (host: string) => boolean,
): Result<ReadonlyMap<string, string>, Failure> {
  const sites = new Map<string, string>();
  const names = new Set<string>();
  for (const word of words) {
    const [, name = "", list = ""] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
    if (!isName(name) || list === "")
      return usageError("`--site` is not NAME=HOST,HOST", "such as paris=web1,web2: the hosts behind one leaf node");
    if (names.has(name)) return usageError(`the site \`${name}\` is named twice`);
    names.add(name);
    for (const host of list.split(",")) {
      if (!keys.has(host))
        return usageError(`there is no key of \`${host}\` of the site ${name}`, `add ${host}=PUBLIC-KEY`);
      if (receives(host))
        return usageError(
          `\`${host}\` receives, and cannot be behind a leaf node`,
          "a hub connects to the server itself",
        );
      const other = sites.get(host);
      if (other !== undefined) return usageError(`\`${host}\` is in the sites ${other} and ${name}`);
      sites.set(host, name);
    }
  }
  return ok(sites);
}

async function ownKey(seed: string | null): Promise<string | null> {
  if (seed === null) return null;
  const { publicKeyOf } = await import("../../fleet/nats/keys.ts");
  try {
    return publicKeyOf(seed);
  } catch {
    // Its value is with the daemon alone.
    return null;
  }
}
