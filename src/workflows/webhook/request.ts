/** What a delivery is sent to, and with which headers. */
import type { Trigger } from "nerve";
import { fillText, hasNoTemplate, isTemplate } from "nerve/template";

/** `transfer-encoding` and the like are the client's; the others are what nerve says of a delivery. */
const OWN_HEADERS = [
  "connection",
  "content-length",
  "idempotency-key",
  "traceparent",
  "transfer-encoding",
  "webhook-id",
  "webhook-signature",
  "webhook-timestamp",
];
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Visible characters, spaces and tabs. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Scheme, host and port. They end before the first `{{`. */
const ORIGIN = /^https?:\/\/[^/?#\\{}]+(?:[/?#]|$)/i;

/** With percent signs that mean something, as its user and password are decoded. */
export function isWebAddress(url: string): boolean {
  try {
    const { protocol, username, password } = new URL(url);
    decodeURIComponent(username + password);
    return protocol === "http:" || protocol === "https:";
  } catch {
    return false;
  }
}

/** Nothing is filled in where the address says to whom it leads. */
export const hasOwnOrigin = (url: string): boolean => hasNoTemplate(url) || ORIGIN.test(url);

/** The address with everything filled in, percent-encoded. Throws for what is not there, and for a part that leads elsewhere. */
export function filledAddress(url: string, trigger: Trigger): string {
  if (hasNoTemplate(url)) return url;
  const filled = fillText(url, trigger, encodeURIComponent);
  const path = (text: string): string[] => (text.split(/[?#]/)[0] ?? "").split("/");
  const isClimbing = (segment: string): boolean => /^(?:\.|%2e){1,2}$/i.test(segment);
  if (path(filled).filter(isClimbing).length > path(url).filter(isClimbing).length) {
    throw new Error("a part of the path of `url` would be . or .., which leads to another path");
  }
  return filled;
}

export const areHeaders = (headers: Readonly<Record<string, string>>): boolean =>
  Object.entries(headers).every(
    ([name, value]) =>
      HEADER_NAME.test(name) &&
      HEADER_VALUE.test(value) &&
      isTemplate(value) &&
      !OWN_HEADERS.includes(name.toLowerCase()),
  );

/** What is filled in loses its controls, and stands as UTF-8. */
const headerPart = (part: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what no header may hold
  Buffer.from(part.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, ""), "utf8").toString("latin1");

export const filledHeaders = (
  headers: Readonly<Record<string, string>>,
  trigger: Trigger,
): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fillText(value, trigger, headerPart)]));

/**
 * User and password of the address become a header, where they are sent and never shown. `own`: what nerve says of the
 * delivery, which no header of the options replaces.
 */
export function requestHeaders(
  address: URL,
  type: string,
  given: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
): Headers {
  const headers = new Headers({ "content-type": type, "user-agent": "nerve" });
  const { username, password } = address;
  if (username !== "" || password !== "") {
    const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
    headers.set("authorization", `Basic ${credentials.toString("base64")}`);
  }
  for (const [name, value] of Object.entries({ ...given, ...own })) headers.set(name, value);
  return headers;
}

/** Where `location` leads if it is on the same host and no less safe; else what is wrong with it. */
export function redirectTarget(from: URL, location: string | null): URL | string {
  if (location === null) return "a redirect to nowhere";
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : null;
  if (to === null) return "a redirect to no URL";
  if (to.host !== from.host) return "a redirect to another host";
  if (to.protocol !== from.protocol && to.protocol !== "https:") return "a redirect away from https";
  to.username = "";
  to.password = "";
  return to;
}
