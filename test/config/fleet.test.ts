/** `host`, `fleet`, senses of other hosts in `on`, and `$host`. */
import { expect, test } from "bun:test";
import { hostNamed } from "../../src/config/host.ts";
import { readNerveConfig } from "../../src/config/parse.ts";
import { receivedBy } from "../../src/model/fleet.ts";
import { around } from "../helpers/config.ts";

const SENSES = "senses: { load: , disk-root: , disk-home: }\n";
const REFLEXES =
  "reflexes: [{ sense: load, interval: 1s }, { sense: disk-root, interval: 1m }, { sense: disk-home, interval: 1m }]\n";
const SEED = "SUAEVA5HX5PPKZVGAHIUOBCYL745GYWXSLCCVK2VU5ED3WHSBJIBVZO5CA";

const read = (fleet: string, rest = REFLEXES, host = "hub.example.org") =>
  readNerveConfig(
    `host: ${JSON.stringify("hub")}\n${fleet}\n${SENSES}${rest}`,
    around({ hostName: host, file: "/etc/nerve.yaml" }),
  );

/** Warnings on a text in which `$NKEY` stands for a variable that holds a seed. */
const filled = (fleet: string): string[] => {
  const { problems, warnings } = readNerveConfig(
    `host: hub\n${fleet.replace("$NKEY", "${" + "NKEY}")}\n${SENSES}${REFLEXES}`,
    around({ file: "/etc/nerve.yaml", environment: { NKEY: SEED } }),
  );
  return [...problems, ...warnings].map(({ message }) => message);
};

const problemsOf = (fleet: string): string[] =>
  read(`fleet: ${fleet}`).problems.map(
    ({ message, hint, line }) => `${line}: ${message}${hint === null ? "" : `; ${hint}`}`,
  );

test("every key of `fleet` is read, paths start at the config, and what is absent has its default", () => {
  const { config, problems } = read(`fleet:
  servers: [tls://nats1.example:4222/, "tls://[::1]:4222"]
  creds: keys/web1.creds
  ca: /etc/ca.pem
  cert: cert.pem
  key: key.pem
  domain: hub
  stream: OPS
  send: [load, "disk-*"]
  receive: ["*/load", web1/disk-root]
  every: 500ms
  beat: 5s
  fresh: 1h
  silent_after: 20s`);
  expect(problems).toEqual([]);
  expect(config?.fleet).toEqual({
    servers: ["tls://nats1.example:4222", "tls://[::1]:4222"],
    nkey: null,
    creds: "/etc/keys/web1.creds",
    ca: "/etc/ca.pem",
    cert: "/etc/cert.pem",
    key: "/etc/key.pem",
    domain: "hub",
    stream: "OPS",
    send: ["load", "disk-*"],
    receive: ["*/load", "web1/disk-root"],
    everyMs: 500,
    beatMs: 5_000,
    freshMs: 3_600_000,
    silentAfterMs: 20_000,
  });
  const least = read(`fleet: { servers: [nats://127.0.0.1:4222], nkey: ${SEED} }`).config?.fleet;
  expect(least).toMatchObject({ stream: "NERVE", send: [], receive: [], nkey: SEED, creds: null });
  expect(least).toMatchObject({ everyMs: 1_000, beatMs: 15_000, freshMs: 900_000, silentAfterMs: 60_000 });
  expect(read("").config?.fleet).toBeNull();
});

test.each([
  ["{}", "`fleet.servers` is missing"],
  ["{ servers: [] }", "a list of at least one address"],
  ["{ servers: [nats1.example:4222] }", "write tls://nats1.example:4222"],
  ["{ servers: [nats://nats1.example:4222] }", "the address of another host, without TLS; write tls://"],
  ["{ servers: [tls://me:pa55@nats1.example] }", "holds a name or a password; write `nkey` or `creds`"],
  ["{ servers: [https://nats1.example] }", "the address of a NATS server"],
  ["{ servers: [tls://a/b] }", "without a path"],
  ["{ servers: [tls://a], nkey: secret-but-no-seed }", "must be the seed of a user's nkey; `nerve fleet key`"],
  [`{ servers: [tls://a], nkey: ${SEED}, creds: a.creds }`, "`fleet.creds` does not go with `nkey`"],
  ["{ servers: [tls://a], cert: a.pem }", "`fleet.cert` needs `key`"],
  ["{ servers: [tls://a], key: a.pem }", "`fleet.key` needs `cert`"],
  ["{ servers: [tls://a], stream: a.b }", "the name of a stream"],
  ["{ servers: [tls://a], send: [Disk] }", "the name of a sense, in which `*` may stand"],
  ["{ servers: [tls://a], send: [web1/load] }", "only signals made on this host leave"],
  ["{ servers: [tls://a], receive: [load] }", 'write "*/load"'],
  ['{ servers: [tls://a], receive: ["a/b/c"] }', "a sense of another host"],
  ["{ servers: [tls://a], every: 100ms }", "at least 250ms"],
  ["{ servers: [tls://a], every: 5s, beat: 2s }", "no shorter than `every`"],
  ["{ servers: [tls://a], silent_after: 10s }", "longer than `beat`"],
  ["{ servers: [tls://a], beat: 2m }", "shorter than `silent_after`"],
  ["{ servers: [tls://a], recieve: [] }", "did you mean `receive`?"],
])("%s is refused, with the remedy", (fleet, said) => {
  const problems = problemsOf(fleet);
  expect(problems.join("\n")).toContain(said);
  expect(problems.join("\n")).not.toContain("secret-but-no-seed");
  expect(problems.join("\n")).not.toContain("pa55");
  expect(problems.every((problem) => problem.startsWith("2: "))).toBe(true);
});

test("a seed that is written in clear is warned of, and not shown; one from elsewhere is not", () => {
  const { warnings } = read(`fleet: { servers: [tls://a], nkey: ${SEED}, send: [load] }`);
  const [clear, ...others] = warnings.filter(({ kind }) => kind === "clear-secret");
  expect([clear?.line, clear?.message, others]).toEqual([
    2,
    expect.stringContaining("`fleet.nkey` is written in clear"),
    [],
  ]);
  expect(JSON.stringify(warnings)).not.toContain(SEED);
  expect(filled("fleet: { servers: [tls://a], nkey: '$NKEY', send: [load] }")).toEqual([]);
});

test("the host's name is the first label of what the machine calls itself, made a name", () => {
  expect(["Web_1.example.org", "-x", "db", "Ä", ""].map(hostNamed)).toEqual([
    "web-1",
    "x",
    "db",
    "localhost",
    "localhost",
  ]);
  const { config } = readNerveConfig(`${SENSES}${REFLEXES}`, around({ hostName: "DB1.example.org" }));
  expect(config?.host).toBe("db1");
  expect(readNerveConfig(`host: Web1\n${SENSES}${REFLEXES}`).problems[0]?.message).toContain("`host` must be a name");
});

const remote = (reflex: string) =>
  read(
    'fleet: { servers: [tls://a], receive: ["*/load"] }',
    `reflexes: [{ sense: load, interval: 1s }, { sense: disk-root, ${reflex} }, { sense: disk-home, interval: 1s }]\n`,
  );

test("`on` names senses of other hosts, and what it names comes in besides `receive`", () => {
  const { config, problems } = remote('on: ["*/disk-*", web1/load, load]');
  expect(problems).toEqual([]);
  const { fleet, reflexes } = config as NonNullable<typeof config>;
  expect(reflexes[1]?.on).toEqual(["*/disk-*", "web1/load", "load"]);
  expect(fleet && receivedBy(fleet, reflexes)).toEqual(["*/load", "*/disk-*", "web1/load"]);
});

test.each([
  ["on: [hub/load]", "a sense of this host (`host` is hub); write `load`"],
  ["on: [Web1/load]", "the name of a sense, or a sense of another host"],
  [
    'on: ["*/load"], when: { a: number }, edge: rising',
    "mixes up the signals of several hosts: they share one state without a `key`; add `key: $host`",
  ],
  ['on: ["*/*"], when: { a: number }, for: 1m', "mixes up the signals of several senses"],
  ['on: ["*/load"], each: disks, key: name', "must hold `$host`, for `on` names several hosts"],
  ['on: ["*/load"], each: disks, key: $host', "tells no elements apart"],
  ['on: ["*/load", load], key: $hots', "did you mean `$host`?"],
])("%s is refused, with the remedy", (words, said) => {
  const { problems } = remote(words);
  expect(problems.map(({ message, hint }) => `${message}; ${hint}`).join("\n")).toContain(said);
});

test("`$host` is known to a reflex that looks at this host, and to no other", () => {
  const { config, problems } = remote('on: ["*/load", load], when: { a: number }, edge: rising, key: [$host, a]');
  expect(problems).toEqual([]);
  expect(config?.reflexes[1]?.host).toBe("hub");
  expect(remote('on: ["*/load"], when: { a: number }, edge: rising, key: $host').config?.reflexes[1]?.host).toBeNull();
});

test("what nothing would ever come of is warned of", () => {
  const warned = (fleet: string, rest = REFLEXES): string =>
    read(fleet, rest)
      .warnings.map(({ message }) => message)
      .join("\n");
  expect(warned("fleet: { servers: [tls://a], send: [disks] }")).toContain(
    "`fleet.send` names disks, and there is no such sense",
  );
  expect(warned("fleet: { servers: [tls://a] }")).toContain("`fleet` neither sends nor receives anything");
  expect(warned("fleet: { servers: [tls://a], cert: a.pem, key: a.key, send: [load] }")).toBe("");
  expect(warned("fleet: { servers: [nats://127.0.0.1], send: [load] }")).toBe("");
  expect(warned("fleet: { servers: [tls://a], send: [load] }")).toContain("neither `nkey` nor `creds`");
  expect(warned("fleet: { servers: [nats://127.0.0.1], ca: a.pem, send: [load] }")).toContain(
    "`fleet.ca` is used over TLS alone",
  );
  const on =
    'reflexes: [{ sense: load, on: ["*/load"] }, { sense: disk-root, interval: 1s }, { sense: disk-home, interval: 1s }]\n';
  expect(warned("", on)).toContain("looks at */load, and no `fleet` brings signals of other hosts");
});

test("a seed that stands in the file is not shown", () => {
  const { config } = read(`fleet: { servers: [tls://a], nkey: ${SEED}, send: [load] }`);
  expect(JSON.stringify(config?.shown)).not.toContain(SEED);
});
