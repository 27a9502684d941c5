/** Owns to whom a request is addressed, and which site sent it. Pure. */
import type { ListenConfig } from "../model/config.ts";

/** What is wrong with a request before anybody asks who sent it. */
export interface Refused {
  readonly status: 400 | 403 | 405 | 421;
  readonly kind: string;
  readonly message: string;
  readonly hint: string | null;
}

export const refused = (
  status: Refused["status"],
  kind: string,
  message: string,
  hint: string | null = null,
): Refused => ({ status, kind, message, hint });

const PORT = /:\d{1,5}$/;
const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]", "localhost"]);

/** The name in a `Host` header without its port, in small letters; null where that is none. */
export function hostIn(header: string | null): string | null {
  if (header === null || header === "") return null;
  const host = header.replace(PORT, "").toLowerCase();
  return /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)$/.test(host) ? host : null;
}

/** Names besides the usual ones that a request may be addressed to: those of the configuration, and the loopback address of the port. */
export const hostsOf = ({ hostname, hosts }: Pick<ListenConfig, "hostname" | "hosts">): readonly string[] =>
  hostname.startsWith("127.") ? [...hosts, hostname] : hosts;

/** `section`: the key of nerve.yaml with the address. Null: the request is addressed as it may be. */
export function misaddressed(request: Request, hosts: readonly string[], section: "http" | "push"): Refused | null {
  const host = hostIn(request.headers.get("host"));
  if (host === null || !(LOOPBACK.has(host) || hosts.includes(host))) {
    const hint = `use localhost, or name the host in \`${section}: { hosts: [NAME] }\``;
    return refused(421, "host", "nerve does not have this name here", hint);
  }
  return URL.canParse(request.url) ? null : refused(400, "bad-request", "the path is no part of a URL");
}

/** Whether another site made a browser send the request. */
export function isForeign({ headers }: Request): boolean {
  const origin = headers.get("origin");
  const host = headers.get("host") ?? "";
  if (origin !== null && origin !== `http://${host}` && origin !== `https://${host}`) return true;
  const site = headers.get("sec-fetch-site");
  return site === "cross-site" || site === "same-site";
}

export const FOREIGN: Refused = refused(403, "origin", "another site asked for this");
