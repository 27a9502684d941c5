/** Owns the first look at a request to the page: its method, whom it is addressed to, and which site sent it. Pure. */
import { FOREIGN, isForeign, misaddressed, type Refused, refused } from "../http/addressed.ts";

/** A person who follows a link from elsewhere opens the shell of the page, which holds no data. */
const isVisit = ({ headers, url }: Request): boolean =>
  headers.get("origin") === null &&
  headers.get("sec-fetch-mode") === "navigate" &&
  headers.get("sec-fetch-dest") === "document" &&
  new URL(url).pathname === "/";

export function refusalOf(request: Request, hosts: readonly string[]): Refused | null {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refused(405, "method", "nerve can only be looked at: GET and HEAD", "the verbs of nerve act: nerve help");
  }
  return misaddressed(request, hosts, "http") ?? (isForeign(request) && !isVisit(request) ? FOREIGN : null);
}
