/** Who may ask at all: methods, names, origins, before anybody looks at a token. */
import { describe, expect, test } from "bun:test";
import { hostIn } from "../../src/http/addressed.ts";
import { refusalOf } from "../../src/web/guard.ts";

const ask = (headers: Record<string, string>, method = "GET", path = "/api/v1/status"): number | null =>
  refusalOf(new Request(`http://127.0.0.1${path}`, { method, headers: { host: "127.0.0.1:4280", ...headers } }), [
    "web-1.example.org",
  ])?.status ?? null;

describe("a host", () => {
  const OURS = [
    "127.0.0.1",
    "127.0.0.1:4280",
    "127.0.0.1:1",
    "localhost",
    "LOCALHOST:9",
    "[::1]",
    "[::1]:4280",
    "web-1.example.org",
    "WEB-1.example.org:443",
  ];
  test.each(OURS)("%s is ours", (host) => expect(ask({ host })).toBeNull());

  const FOREIGN = [
    "",
    "evil.example",
    "127.0.0.1.evil.example",
    "evil.example:127",
    "localhost.evil.example",
    "localhost.",
    "127.0.0.2",
    "127.1",
    "0.0.0.0",
    "2130706433",
    "0x7f.1",
    "[::]",
    "[::ffff:127.0.0.1]",
    "::1",
    "127.0.0.1:x",
    "127.0.0.1:4280:1",
    "127.0.0.1@evil.example",
    "evil.example@127.0.0.1",
    "user:pass@localhost",
    "localhost/",
    "localhost#",
    "localhost?x",
    "local host",
    "-localhost",
    "web-1.example.org.",
    "web-1.example.org.evil.example",
    "xweb-1.example.org",
    "example.org",
    "169.254.169.254",
    "10.0.0.1",
    "a,localhost",
    "localhost,a",
  ];
  test.each(FOREIGN)("%p is not ours: 421", (host) => expect(ask({ host })).toBe(421));

  test("a name is read without its port, in small letters", () => {
    expect([hostIn("A:1"), hostIn("[::1]:9"), hostIn(null), hostIn(":80")]).toEqual(["a", "[::1]", null, null]);
  });
});

test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])("%s is refused: nerve can only be looked at", (method) =>
  expect(ask({}, method)).toBe(405),
);

test("another site may not ask, and its link opens the shell of the page alone", () => {
  expect(ask({ "sec-fetch-site": "cross-site" })).toBe(403);
  expect(ask({ "sec-fetch-site": "same-site" })).toBe(403);
  expect(ask({ origin: "https://evil.example" })).toBe(403);
  expect(ask({ origin: "null" })).toBe(403);
  expect(ask({ origin: "http://127.0.0.1:9999" })).toBe(403);
  expect(ask({ origin: "http://127.0.0.1:4280", "sec-fetch-site": "same-origin" })).toBeNull();
  const visit = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  expect(ask(visit, "GET", "/")).toBeNull();
  expect(ask(visit)).toBe(403);
});
