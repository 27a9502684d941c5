/** The section `otlp`. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax of nerve.yaml
import { expect, test } from "bun:test";
import { readNerveConfig } from "../../src/config/parse.ts";
import { sentConfig } from "../../src/config/sent.ts";
import { around } from "../helpers/config.ts";

const REST = "senses: { load: }\nreflexes: [{ sense: load, interval: 1s }]\n";

const read = (otlp: string) =>
  readNerveConfig(`otlp: ${otlp}\n${REST}`, around({ file: "/etc/nerve.yaml", environment: { Y: "secret-y" } }));

const problemsOf = (otlp: string): string[] =>
  read(otlp).problems.map(({ message, hint }) => `${message}${hint === null ? "" : `; ${hint}`}`);

test("every key is read, and what is absent has its default", () => {
  const { config, problems } = read(`
  endpoint: https://otel.example.org:4318/base/
  headers: { authorization: Bearer abc, X-Scope: 7 }
  send: { signals: [load, load, "disk-*"], logs: warn, runs: true }
  every: 2s`);
  expect(problems).toEqual([]);
  expect(config?.otlp).toEqual({
    endpoint: "https://otel.example.org:4318/base",
    headers: { authorization: "Bearer abc", "X-Scope": "7" },
    signals: ["load", "disk-*"],
    logs: "warn",
    runs: true,
    everyMs: 2_000,
  });
  const least = read("{ endpoint: 'http://[::1]:4318', send: { logs: error } }").config?.otlp;
  expect(least).toMatchObject({ headers: {}, signals: [], logs: "error", runs: false, everyMs: 10_000 });
  expect(readNerveConfig(REST, around({ file: "/etc/nerve.yaml" })).config?.otlp).toBeNull();
});

test("a header is shown nowhere, and does not go to processes that have no use for it", () => {
  const { config } = read(
    "{ endpoint: 'https://x.example', headers: { x: open-text, y: '${Y}' }, send: { runs: true } }",
  );
  expect(config?.shown.otlp).toEqual({
    endpoint: "https://x.example",
    headers: { x: "…", y: "${Y}" },
    send: { runs: true },
  });
  if (config !== null) expect(JSON.stringify(sentConfig(config))).not.toMatch(/open-text|secret-y/);
});

test("what is wrong is named with what to write", () => {
  const SEND = "send: { runs: true }";
  const endpoint = (address: string): string[] => problemsOf(`{ endpoint: "${address}", ${SEND} }`);
  expect(endpoint("http://otel.example.org:4318")).toEqual([
    "`otlp.endpoint` is the address of another host, without TLS; write https://…: only a receiver on loopback is spoken to without TLS",
  ]);
  expect(endpoint("otel:4318")[0]).toEndWith("write https://otel:4318");
  expect(endpoint("https://me:pw@otel.example.org")[0]).toContain("holds a name or a password");
  expect(endpoint("https://otel.example.org/v1/metrics")[0]).toContain("without /v1/…");
  expect(endpoint("https://otel.example.org?key=abc")[0]).toContain("without a query");
  expect(problemsOf("{ }")).toEqual([
    "`otlp.endpoint` is missing; as in endpoint: https://otel.example.org:4318",
    '`otlp.send` is missing; as in send: { signals: ["*"], logs: warn, runs: true }',
  ]);
  const headers = (text: string): string[] =>
    problemsOf(`{ endpoint: "https://x.example", headers: ${text}, ${SEND} }`);
  expect(headers("{ content-type: text/plain }")).toEqual([
    "`otlp.headers.content-type` is written by nerve itself; remove it",
  ]);
  expect(headers('{ "a b": x }')[0]).toContain("is not the name of a header");
  expect(headers('{ a: "secret\\nline" }')).toEqual(["`otlp.headers.a` must be a text of printable ASCII on one line"]);
  expect(headers("secret-text")[0]).not.toContain("secret-text");
  expect(problemsOf('{ endpoint: "https://x.example", send: { logs: warm } }')[0]).toContain("did you mean `warn`");
  expect(problemsOf('{ endpoint: "https://x.example", send: { signals: [web1/load] } }')[0]).toContain(
    "only signals made on this host leave",
  );
  expect(problemsOf(`{ endpoint: "https://x.example", ${SEND}, every: 10ms }`)[0]).toContain("at least 250ms");
});

test("a section that sends nothing, and a sense that is not there, are warnings", () => {
  const warnings = (send: string): string[] =>
    read(`{ endpoint: "https://x.example", send: ${send} }`).warnings.map(({ message }) => message);
  expect(warnings("{ runs: false }")).toEqual(["`otlp` sends nothing"]);
  expect(warnings('{ signals: [load, "disk-*"] }')).toEqual([
    "`otlp.send.signals` names disk-*, and there is no such sense: nothing of it is sent",
  ]);
});

test("neither the address of the watchdog nor the seed of the fleet goes to processes that have no use for it", () => {
  const seed = "SUAEVA5HX5PPKZVGAHIUOBCYL745GYWXSLCCVK2VU5ED3WHSBJIBVZO5CA";
  const sections = `watchdog: { url: "https://hc.example.org/ping/abc" }\nfleet: { servers: [tls://nats.example], send: [load], nkey: ${seed} }`;
  const { config } = readNerveConfig(`${sections}\n${REST}`, around({ file: "/etc/nerve.yaml" }));
  expect([config?.watchdog?.url, config?.fleet?.nkey]).toEqual(["https://hc.example.org/ping/abc", seed]);
  const sent = config === null ? null : sentConfig(config);
  expect(sent).toMatchObject({ watchdog: null, fleet: { send: ["load"], nkey: null } });
  expect(JSON.stringify(sent)).not.toMatch(new RegExp(`${seed}|ping/abc`));
});
