/** What is asked, and what counts as an answer that is well. */
import { patience } from "nerve/checks";
import {
  choice,
  duration,
  flag,
  type Infer,
  mapping,
  orNull,
  record,
  text,
  where,
  whole,
  wordOrWords,
} from "nerve/options";
import { pattern } from "nerve/pattern";
import { isLookedAt } from "./request.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

function isAddress(given: string): boolean {
  if (!URL.canParse(given)) return false;
  const { protocol, username, password, hostname } = new URL(given);
  return isLookedAt(protocol) && username === "" && password === "" && hostname !== "";
}

const isHeader = ([name, value]: readonly [string, string]): boolean =>
  /^[!#$%&'*+.^_`|~\w-]+$/.test(name) && !/[\r\n\0]/.test(value);

/** `200`, `200-299`. */
const STATUSES = /^[1-5]\d\d(-[1-5]\d\d)?$/;

export const options = record(
  {
    url: where(
      text(),
      isAddress,
      "be an address that begins with http:// or https://, without a user name (that is a header: Authorization)",
    ),
    method: choice(METHODS, "GET"),
    headers: where(
      mapping(),
      (headers) => Object.entries(headers).every(isHeader),
      "map names of headers to texts of one line",
    ),
    body: orNull(text()),
    // Statuses that are well.
    status: where(
      wordOrWords(["200-299"]),
      (list) => list.length > 0 && list.every((one) => STATUSES.test(one)),
      "be statuses such as 200 or 200-299",
    ),
    body_match: orNull(pattern()),
    redirects: whole(10, { min: 0, max: 20 }),
    timeout: patience,
    verify: flag(true),
    // A PEM file of the authorities that are trusted in place of those built in.
    ca: orNull(text()),
    keep: duration("7d", { min: "1m", max: "90d" }),
  },
  ({ method, body, body_match }) => {
    if (body !== null && (method === "GET" || method === "HEAD")) {
      return { key: "body", problem: `is sent by POST, PUT and others, and not by \`method: ${method}\`` };
    }
    return body_match !== null && method === "HEAD"
      ? { key: "body_match", problem: "needs a body, which `method: HEAD` does not ask for" }
      : null;
  },
);

export type HttpOptions = Infer<typeof options>;

export const isExpected = (status: number, ranges: readonly string[]): boolean =>
  ranges.some((range) => {
    const [from = "", to = from] = range.split("-");
    return status >= Number(from) && status <= Number(to);
  });
