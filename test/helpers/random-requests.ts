/** Requests as nobody writes them: built from a seed, sent byte by byte, and what a server answers to them. */
import { connect } from "node:net";
import { randomFrom } from "./runs.ts";
import type { Address } from "./web.ts";

const METHODS = [
  "GET",
  "GET",
  "GET",
  "GET",
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "get",
  "G\0T",
  "",
];
const TAILS = [
  "",
  "",
  "/",
  "/1",
  "/0",
  "/-1",
  "/..",
  "/%00",
  "/%2f",
  "/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
  "/..%5c..%5clogs.db",
  "/%c0%af%c0%ae",
  "/%ff",
  "/%",
  "/%zz",
  "/signal:1",
  "/run:99999999999999999999",
  "/'%20OR%201=1--",
  "/<img src=x>",
  `/${"a".repeat(700)}`,
  `/${"%61".repeat(300)}`,
  "//",
  ";x=y",
  "#part",
  "\\..\\",
];
const QUERIES = [
  "limit=200",
  "limit=0",
  "limit=1&limit=2",
  "before=1",
  "after=1",
  "before=9007199254740993",
  "since=0",
  "until=9e99",
  "trace=x",
  `trace=${"0".repeat(32)}`,
  "sense=%27",
  "sense=%00",
  `sense=${"s".repeat(400)}`,
  "sense=a&".repeat(120),
  "text=%F0%9F%90%9B",
  "text=%ed%a0%80",
  "level=warn",
  "state=failed",
  "from=0&to=0",
  "key=%22%5b",
  "__proto__=1",
  "=",
  "%",
  "+",
];
const HOSTS = ["localhost", "127.0.0.1:1", "[::1]:9", "evil.example", "", "localhost:99999999", "a b", "\xff"];
const HEADERS = [
  "accept-encoding: gzip",
  "accept-encoding: br;q=1, gzip;q=0",
  "accept-encoding: *;q=0",
  "accept-encoding: \xff\xfe",
  "origin: null",
  "origin: http://evil.example",
  "sec-fetch-site: cross-site",
  "last-event-id: s1.l1",
  "last-event-id: s99999999999999.l-1",
  "range: bytes=0-1",
  "if-none-match: *",
  "x-http-method-override: DELETE",
  "cookie: nerve-00000000",
  "cookie: ;;=;;",
  "content-length: 0",
  "content-length: -1",
  "content-length: 3",
  "content-length: 99999999",
  "transfer-encoding: chunked",
  "transfer-encoding: xchunked",
  "expect: 100-continue",
  "upgrade: websocket",
  "connection: keep-alive",
  "no colon",
  ": no name",
  "x-null: a\0b",
  " folded",
  `x-long: ${"x".repeat(9_000)}`,
];
const BODIES = ["", "", "", "abc", "0\r\n\r\n", "ffffffffffffffff\r\n", "\0\0\0"];
const VERSIONS = ["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/9.9", "", "HTTQ/1.1"];

export interface Requests {
  /** The bytes of the next one. */
  next(): Buffer;
}

/** Requests about `paths`, most of them with `token`; few with a wrong one, because those are answered slowly on purpose. */
export function randomRequests(seed: number, { text }: Address, paths: readonly string[], token: string): Requests {
  const random = randomFrom(seed);
  const below = (most: number): number => Math.floor(random() * most);
  const pick = (of: readonly string[]): string => of[below(of.length)] ?? "";
  const some = (of: readonly string[], most: number): string[] =>
    Array.from({ length: below(most + 1) }, () => pick(of));
  return {
    next() {
      const query = below(2) === 0 ? "" : `?${some(QUERIES, 3).join("&")}`;
      const start = below(20) === 0 ? "http://evil.example" : "";
      const host = below(8) === 0 ? pick(HOSTS) : text;
      const lines = [
        `host: ${host}`,
        ...(below(3) === 0 ? [] : [`authorization: Bearer ${token}`]),
        ...some(HEADERS, 2),
      ];
      if (below(300) === 0) lines.push("authorization: Basic x");
      const first = `${pick(METHODS)} ${start}${pick(paths)}${pick(TAILS)}${query} ${pick(VERSIONS)}`;
      return Buffer.from(`${[first, ...lines, "connection: close"].join("\r\n")}\r\n\r\n${pick(BODIES)}`, "latin1");
    },
  };
}

/** Comes before the answer to a head with `expect`. A stream that follows never ends. */
const GO_ON = /^HTTP\/1\.1 100.*?\r\n\r\n/s;

/** The status of the answer; null: the connection was closed without one. What follows the head is not awaited. */
export function statusOf({ hostname, port }: Address, bytes: Buffer): Promise<number | null> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, hostname);
    const done = (): void => {
      socket.destroy();
      const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(text.replace(GO_ON, "")) ?? [];
      resolve(status === undefined ? null : Number(status));
    };
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      text += chunk;
      if (text.replace(GO_ON, "").includes("\r\n\r\n")) done();
    });
    socket.on("error", done);
    socket.on("close", done);
    socket.write(bytes);
  });
}
