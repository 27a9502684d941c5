/**
 * Owns the full name of a sense: `SENSE` for a sense of this host, `HOST/SENSE` for a sense of another host. A pattern has
 * `*` on either side of the slash for any run of characters.
 */
import { matches } from "../base/glob.ts";
import { isName } from "./name.ts";

const SIDE = "[a-z0-9*][a-z0-9*-]{0,62}";
const REMOTE_PATTERN = new RegExp(`^${SIDE}/${SIDE}$`);
const SENSE_PATTERN = new RegExp(`^${SIDE}$`);

export const REMOTE_SCHEMA = { type: "string", pattern: REMOTE_PATTERN.source } as const;
export const SENSES_SCHEMA = { type: "string", pattern: SENSE_PATTERN.source } as const;

export const isRemotePattern = (text: string): boolean => REMOTE_PATTERN.test(text);
/** True for the name of a sense in which `*` may stand. */
export const isSensePattern = (text: string): boolean => SENSE_PATTERN.test(text);
export const hasWildcard = (pattern: string): boolean => pattern.includes("*");

/** True for the full name, or a pattern of names, of senses of other hosts. */
export const isRemote = (fullName: string): boolean => fullName.includes("/");

/** The built-in sense that looks at nerve itself, as other hosts call theirs. */
export const OBSERVER = "nerve";

export interface Named {
  readonly sense: string;
  /** The host that the signal came from. Null for this host. */
  readonly origin: string | null;
}

export const fullNameOf = ({ sense, origin }: Named): string => (origin === null ? sense : `${origin}/${sense}`);

export function partsOfName(fullName: string): Named {
  const slash = fullName.indexOf("/");
  if (slash < 0) return { sense: fullName, origin: null };
  return { sense: fullName.slice(slash + 1), origin: fullName.slice(0, slash) };
}

/** The host of a full name; null for this host, and where there is no name. */
export const originOf = (fullName: string | null): string | null =>
  fullName === null ? null : partsOfName(fullName).origin;

/** True when `pattern` stands for `fullName`. A pattern without a slash stands for senses of this host only. */
export function matchesName(pattern: string, fullName: string): boolean {
  if (pattern === fullName) return true;
  if (!hasWildcard(pattern)) return false;
  const [wanted, given] = [partsOfName(pattern), partsOfName(fullName)];
  if (wanted.origin === null || given.origin === null)
    return wanted.origin === given.origin && matches(wanted.sense, given.sense);
  return matches(wanted.origin, given.origin) && matches(wanted.sense, given.sense);
}

/** True for a full name without a pattern. */
export function isFullName(text: string): boolean {
  const { sense, origin } = partsOfName(text);
  return isName(sense) && (origin === null || isName(origin));
}
