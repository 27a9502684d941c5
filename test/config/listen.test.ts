/** The sections `http` and `push`: their two forms, what is refused and how, what is warned of, and what of a configuration may be shown. */
import { describe, expect, test } from "bun:test";
import { parseNerveConfig, parseWholeContract, readNerveConfig } from "../../src/config/parse.ts";
import { formatProblem } from "../../src/model/problem.ts";
import { around } from "../helpers/config.ts";

const SENSES = "senses: { load: }\nreflexes: [{ sense: load, interval: 10s }]\n";

const httpOf = (http: string) => {
  const read = parseNerveConfig(`${SENSES}http: ${http}\n`);
  return read.ok ? read.value.http : read.error.map(formatProblem);
};

describe("is read", () => {
  const PLAIN = { hosts: [], public: false, url: null };

  test("short, with a port of loopback", () => {
    expect(httpOf("127.0.0.1:4280")).toEqual({ hostname: "127.0.0.1", port: 4280, ...PLAIN });
    expect(httpOf('"[::1]:80"')).toEqual({ hostname: "::1", port: 80, ...PLAIN });
    expect(httpOf("localhost:4280")).toEqual({ hostname: "localhost", port: 4280, ...PLAIN });
  });

  test("long, with names and the beginning of links", () => {
    const long =
      '{ listen: "0.0.0.0:80", public: true, hosts: [Web-1.example.org], url: "https://web-1.example.org/" }';
    expect(httpOf(long)).toEqual({
      hostname: "0.0.0.0",
      port: 80,
      hosts: ["web-1.example.org"],
      public: true,
      url: "https://web-1.example.org",
    });
  });
});

describe("is refused with the place and the remedy:", () => {
  const REFUSED: readonly (readonly [http: string, says: RegExp])[] = [
    ["0.0.0.0:4280", /:3:7: `http` listens on an address that others can reach, without `public: true`; listen on 127/],
    ['{ listen: "0.0.0.0:4280", public: true }', /without `hosts`/],
    ["{ hosts: [a] }", /`http.listen` is missing/],
    ['{ listen: "127.0.0.1:1", hosts: ["http://a"] }', /`http.hosts\[0\]` must be the name of a host/],
    ['{ listen: "127.0.0.1:1", url: ftp://x }', /`http.url` must be an http or https URL/],
    ['{ listen: "127.0.0.1:1", token: x }', /`http.token` is not a known key/],
  ];
  test.each(REFUSED)("%s", (http, says) => {
    const read = httpOf(http);
    expect(Array.isArray(read) ? read.join("\n") : "read").toMatch(says);
  });
});

test("`push` is read as `http` is, with an address of its own", () => {
  const read = (http: string, push: string) => {
    const result = parseWholeContract(`${SENSES}http: ${http}\npush: ${push}\n`);
    return result.ok ? result.value.push : result.error.map(formatProblem);
  };
  expect(read("127.0.0.1:1", "127.0.0.1:2")).toEqual({
    hostname: "127.0.0.1",
    port: 2,
    hosts: [],
    public: false,
    url: null,
  });
  expect(read("127.0.0.1:1", "127.0.0.1:1")).toEqual([
    expect.stringMatching(/:4:1: `push` has the address of `http`; give `push` another port/),
  ]);
  expect(read("127.0.0.1:1", "{ hosts: [a] }")).toEqual([
    expect.stringMatching(/`push.listen` is missing; as in listen: 127.0.0.1:4281/),
  ]);
});

test("an address that others reach is warned of: nerve speaks no TLS", () => {
  const warned = (http: string): string[] =>
    readNerveConfig(`${SENSES}http: ${http}\n`, around({})).warnings.map(({ kind }) => kind);
  expect(warned('{ listen: "10.0.0.1:80", public: true, hosts: [a] }')).toEqual(["no-tls"]);
  expect(warned("127.0.0.1:80")).toEqual([]);
});

test("what may be shown has no value that was filled in, no address of a channel, and no value of a key called like a secret", () => {
  const text = `${SENSES}channels:
  team: { slack: "https://hooks.example/LITERAL" }
workflows:
  push: { use: webhook, with: { url: "https://x.example/\${WORD}", headers: { authorization: "Bearer LITERAL" } } }
`;
  const read = parseNerveConfig(text, around({ environment: { WORD: "filled-in-value" } }));
  if (!read.ok) throw new Error(read.error.map(formatProblem).join("\n"));
  const shown = JSON.stringify(read.value.shown);
  expect(shown).not.toContain("LITERAL");
  expect(shown).not.toContain("filled-in-value");
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the braces stand in the file
  expect(read.value.shown).toMatchObject({ workflows: { push: { with: { url: "https://x.example/${WORD}" } } } });
});
