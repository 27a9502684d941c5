/** What each host may do on the server: its account, and its permissions inside that account. Pure. */
import { ALL_SUBJECTS, askSubject, subjectOf } from "./frames.ts";

/** A user of the server. `publicKey`: of its nkey. */
export interface FleetUser {
  readonly host: string;
  readonly publicKey: string;
  /** Reads what all hosts send, may ask them, and makes the stream and gives it other limits. */
  readonly receives: boolean;
  /** The hosts of a site share an account and a leaf node. Null: the host has an account of its own. */
  readonly site: string | null;
}

export interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** Has JetStream. No host and no site is called so: their names have no capitals. */
export const HUB_ACCOUNT = "HUB";

export const accountOf = ({ host, receives, site }: Omit<FleetUser, "publicKey">): string => {
  if (receives) return HUB_ACCOUNT;
  return site === null ? host : siteAccount(site);
};

export const siteAccount = (site: string): string => `SITE-${site}`;

const API = "$JS.API";
const ASK_ALL = "nerve.*.ask.status";

const lastFrame = (host: string, stream: string, api: string): string =>
  `${api}.DIRECT.GET.${stream}.${subjectOf(host)}`;

/** What the account with JetStream lets the account of `host` use, and nothing else. */
export const servicesOf = (host: string, stream: string): readonly string[] => [
  subjectOf(host),
  lastFrame(host, stream, API),
];

/**
 * Its own frames and its own last frame; with `receives` those of all. `leafDomain`: at a leaf node JetStream is asked by its domain; the
 * server that has JetStream turns that into the plain subject before it looks at permissions.
 */
export function permissionsOf(
  { host, receives }: Pick<FleetUser, "host" | "receives">,
  stream: string,
  leafDomain: string | null,
): Permissions {
  const api = leafDomain === null ? API : `$JS.${leafDomain}.API`;
  const own = [subjectOf(host), lastFrame(host, stream, api)];
  const all = [
    ASK_ALL,
    `${api}.STREAM.INFO.${stream}`,
    `${api}.STREAM.CREATE.${stream}`,
    `${api}.STREAM.UPDATE.${stream}`,
    `${api}.CONSUMER.CREATE.${stream}.*.${ALL_SUBJECTS}`,
    `${api}.CONSUMER.MSG.NEXT.${stream}.*`,
    `${api}.CONSUMER.DELETE.${stream}.*`,
  ];
  return { publish: receives ? [...own, ...all] : own, subscribe: [`_INBOX_${host}.>`, askSubject(host)] };
}
