/** What a delivery is sent to, and with which headers. */

/** `transfer-encoding` and the like are the client's, `idempotency-key` is the step's. */
const OWN_HEADERS = ["connection", "content-length", "idempotency-key", "transfer-encoding"];
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Visible characters, spaces and tabs. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

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

export const areHeaders = (headers: Readonly<Record<string, string>>): boolean =>
  Object.entries(headers).every(
    ([name, value]) => HEADER_NAME.test(name) && HEADER_VALUE.test(value) && !OWN_HEADERS.includes(name.toLowerCase()),
  );

/** User and password of the address become a header, where they are sent and never shown. */
export function requestHeaders(address: URL, given: Readonly<Record<string, string>>, idempotencyKey: string): Headers {
  const headers = new Headers({ "content-type": "application/json", "user-agent": "nerve" });
  const { username, password } = address;
  if (username !== "" || password !== "") {
    const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
    headers.set("authorization", `Basic ${credentials.toString("base64")}`);
  }
  for (const [name, value] of Object.entries(given)) headers.set(name, value);
  headers.set("idempotency-key", idempotencyKey);
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
