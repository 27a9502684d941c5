/** `nerve fleet`: keys, the server's configuration, the stream, and whether this host can do what it needs to. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sendingEpoch } from "../../src/cli/fleet/check.ts";
import { shownHost } from "../../src/cli/fleet/status.ts";
import { newKeyPair } from "../../src/fleet/nats/keys.ts";
import type { Origin } from "../../src/model/origin.ts";
import { openStore } from "../../src/store/open.ts";
import { certificate, type Holder } from "../helpers/certificates.ts";
import { HAS_NATS, natsServer } from "../helpers/nats.ts";
import { NERVE, type Project, project, runNerve } from "../helpers/nerve.ts";
import { FLEET } from "../page/world/fleet.ts";

const HUB = newKeyPair();
const WEB = newKeyPair();
const nowhere = "nats://127.0.0.1:1";

const joined = (url: string): Project =>
  project({
    "nerve.yaml": `host: hub
fleet: { servers: ["${url}"], nkey: ${HUB.seed}, receive: ["*/cpu-usage"] }
senses: { load: }
reflexes: [{ sense: load, interval: 1h }]
`,
  });

const fleet = (folder: Project, ...words: string[]) => runNerve(folder.path, ["fleet", ...words]);

test("a key pair is made for each host that is named", async () => {
  using folder = project({});
  const { code, stdout } = await fleet(folder, "key", "web1", "web2", "--json");
  expect(code).toBe(0);
  const pairs = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, string>);
  expect(pairs.map(({ host }) => host)).toEqual(["web1", "web2"]);
  for (const { public_key, seed } of pairs) {
    expect(public_key).toMatch(/^U[A-Z2-7]{55}$/);
    expect(seed).toMatch(/^SU[A-Z2-7]{56}$/);
  }
  expect(new Set(pairs.map(({ seed }) => seed)).size).toBe(2);
  expect((await fleet(folder, "key", "Web 1")).code).toBe(2);
});

test("the server's configuration has each host, with this one as the hub, and no seed", async () => {
  using folder = joined(nowhere);
  const { code, stdout } = await fleet(folder, "init", "--print", `web1=${WEB.publicKey}`);
  expect(code).toBe(0);
  expect(stdout).toContain(`nkey: ${HUB.publicKey}`);
  expect(stdout).toContain(`nkey: ${WEB.publicKey}`);
  expect(stdout).toContain("# hub, which receives what all send");
  expect(stdout).toContain("# web1\n");
  expect(stdout).not.toContain(HUB.seed);
});

test("the hosts of a site share an account, and its leaf node has a configuration of its own", async () => {
  using folder = joined(nowhere);
  const words = ["init", "--print", `web1=${WEB.publicKey}`, "--site", "paris=web1"];
  const server = await fleet(folder, ...words);
  expect([server.code, server.stderr]).toEqual([0, ""]);
  expect(server.stdout).toContain('{ user: "paris", password: $PASSWORD_PARIS, account: "SITE-paris" }');
  expect(server.stdout).not.toContain(WEB.publicKey);
  const leaf = await fleet(folder, ...words, "--leaf", "paris");
  expect([leaf.code, leaf.stderr]).toEqual([0, ""]);
  expect(leaf.stdout).toContain(`nkey: ${WEB.publicKey}`);
  expect(leaf.stdout).toContain('"$JS.hub.API.DIRECT.GET.NERVE.nerve.web1.signals"');
  expect(leaf.stdout).not.toContain(HUB.publicKey);
});

describe("what makes no sense is refused with what to write", () => {
  test("words", async () => {
    using folder = joined(nowhere);
    const refused = async (said: string, ...words: string[]) => {
      const { code, stderr } = await fleet(folder, ...words);
      expect([words, code, stderr]).toEqual([words, 2, expect.stringContaining(said)]);
    };
    await refused("is not HOST=PUBLIC-KEY", "init", "web1");
    await refused("what stands behind `web1=` is a seed", "init", `web1=${WEB.seed}`);
    for (const word of [`web1=${WEB.seed}`, WEB.seed]) {
      const { code, stdout, stderr } = await fleet(folder, "init", word);
      expect(code).toBe(2);
      expect(stdout + stderr).not.toContain(WEB.seed.slice(0, 20));
    }
    await refused("have the same key", "init", "--print", `web1=${WEB.publicKey}`, `web2=${WEB.publicKey}`);
    await refused("is the one of this host", "init", "--print", `web1=${HUB.publicKey}`);
    await refused("there is no key of `web9`", "init", "--hub", "web9");
    await refused("--site", "init", "--site", "paris");
    await refused("there is no key of `web9`", "init", "--site", "paris=web9");
    await refused("cannot be behind a leaf node", "init", "--site", "paris=hub");
    await refused("is in the sites a and b", "init", `web1=${WEB.publicKey}`, "--site", "a=web1", "--site", "b=web1");
    await refused("there is no site `paris`", "init", "--leaf", "paris");
    await refused("--max-age", "init", "--max-age", "1s");
    await refused("--max-bytes", "init", "--max-bytes", "lots");
    await refused("--replicas", "init", "--replicas", "2");
    await refused("one of status, forget, init, key, check", "frobnicate");
  });
  test("a config without `fleet`", async () => {
    using alone = project({ "nerve.yaml": "senses: {}\n" });
    for (const word of ["init", "check"]) {
      const { code, stderr } = await fleet(alone, word);
      expect([code, stderr]).toEqual([2, expect.stringContaining("this host is in no fleet")]);
    }
  });
});

test("`nerve check` reads the files of `fleet`, and names each that cannot work by its key", async () => {
  const valid = { from: new Date(0), to: new Date("2100-01-01"), issuer: null, isAuthority: false };
  const [own, other] = ["own", "other"].map((name) => certificate({ name, names: [], ...valid })) as [Holder, Holder];
  using folder = project({
    "nerve.yaml": `host: web1
fleet: { servers: [tls://a.example:4222], creds: text, ca: text, cert: cert.pem, key: key.pem, send: [load] }
senses: { load: }
reflexes: [{ sense: load, interval: 1h }]
`,
    text: "root:x:0:0",
    "cert.pem": own.certificate,
    "key.pem": other.privateKey,
  });
  const check = () => runNerve(folder.path, ["check", "--no-types"]);
  const refused = await check();
  expect(refused.code).toBe(1);
  const [cert, text] = [join(folder.path, "cert.pem"), join(folder.path, "text")];
  expect(refused.stderr).toContain(`\`fleet.creds\`: ${text} holds no credentials`);
  expect(refused.stderr).toContain(`\`fleet.ca\`: ${text} holds no certificate in PEM`);
  expect(refused.stderr).toContain(`key.pem is not the key of the certificate in \`fleet.cert\` (${cert})`);
  writeFileSync(join(folder.path, "key.pem"), own.privateKey);
  expect((await check()).stderr).not.toContain("fleet.key");
});

test("a server that is not there is named, with exit code 1", async () => {
  using folder = joined(nowhere);
  const made = await fleet(folder, "init");
  expect([made.code, made.stderr]).toEqual([1, expect.stringContaining(`${nowhere} refuses connections`)]);
  const checked = await fleet(folder, "check");
  expect([checked.code, checked.stdout]).toEqual([1, expect.stringContaining(`failed  connect to ${nowhere}`)]);
});

test.if(HAS_NATS)(
  "the printed configuration runs, the stream is made once, and the check says what lacks until then",
  async () => {
    let printed = "";
    await using server = await natsServer(({ address, store }) => {
      using folder = joined(`nats://${address.text}`);
      const { stdout } = Bun.spawnSync([...NERVE, "fleet", "init", "--print", `web1=${WEB.publicKey}`], {
        cwd: folder.path,
      });
      printed = stdout.toString();
      return printed.replace("/var/lib/nats", store);
    });
    using folder = joined(server.url);
    const before = await fleet(folder, "check");
    expect([before.code, before.stdout]).toEqual([1, expect.stringContaining("no stream NERVE")]);
    const made = await fleet(folder, "init");
    expect([made.code, made.stdout]).toEqual([0, expect.stringContaining("the stream NERVE is made")]);
    const again = await fleet(folder, "init");
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining("is there already")]);
    const other = await fleet(folder, "init", "--max-bytes", "20mb", "--max-age", "2d");
    expect([other.code, other.stdout]).toEqual([0, expect.stringContaining("another max-bytes: 10.0 GB -> 20.0 MB")]);
    expect(other.stdout).toContain("the stream NERVE has another max-age: 7d -> 2d");
    const kept = await fleet(folder, "init", "--max-age", "2d");
    expect([kept.code, kept.stdout]).toEqual([0, expect.stringContaining("is there already, and stays as it is")]);
    expect(kept.stdout).toContain("its max-bytes: 20.0 MB, and a new stream would have 10.0 GB");
    const after = await fleet(folder, "check");
    expect([after.code, after.stdout]).toEqual([0, expect.stringContaining("ok      publish a frame")]);
    expect(after.stdout).toMatch(/^ok {6}connect to \S+$/m);
    expect(after.stdout).toContain("\nnote    the stream has no frame of hub yet\n");
  },
);

const AT = Date.now();
const WEB1: Origin = {
  ...{ host: "web1", epoch: "ab", upto: 9, at: AT, signals: 7, gaps: 1, missing: 2, late: 0 },
  ...{ state: "silent", since: AT, heard: 0 },
};

test("the status lists who was heard of, from the store alone", async () => {
  using folder = joined(nowhere);
  const data = join(folder.path, "data");
  mkdirSync(data, { mode: 0o700 });
  const store = openStore(data, "normal", "boot", 1);
  if (!store.ok) throw new Error(store.error.message);
  store.value.commit(() => store.value.origins.put(WEB1));
  store.value.close();
  const shown = await fleet(folder, "status");
  expect([shown.code, shown.stdout]).toEqual([0, expect.stringMatching(/web1 +silent/)]);
  expect(shown.stderr).toContain("nobody is heard, and the states are those of its last moment");
  const asJson = await fleet(folder, "status", "--json", "web1");
  expect(JSON.parse(asJson.stdout)).toMatchObject({ host: "web1", state: "silent", missing: 2, conflict: null });
  const unknown = await fleet(folder, "status", "web9");
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("nothing was ever heard of `web9`")]);
});

test("`fleet check` holds the last frame against the epoch under which frames leave", () => {
  const meta = (out: object | null) => ({
    get: (key: string) => (key === "epoch" ? "aa" : out === null ? null : JSON.stringify(out)),
  });
  expect(sendingEpoch(meta(null))).toBe("aa");
  expect(sendingEpoch(meta({ epoch: "aa" }))).toBe("aa");
  expect(sendingEpoch(meta({ epoch: "bb", within: "aa" }))).toBe("bb");
  expect(sendingEpoch(meta({ epoch: "bb", within: "99" }))).toBe("aa");
});

test("as JSON a host has the conflict under its name, and what it says of itself", () => {
  const conflicts = [{ host: "web1", since: AT - 9_000, at: AT }];
  expect(shownHost(WEB1, { ...FLEET, conflicts }, null)).toEqual({
    ...WEB1,
    conflict: { since: AT - 9_000, at: AT },
    clock_ahead_ms: null,
    late_now: false,
  });
  const live = new Map([["web1", { status: null, why: "its answer was not understood: it is no status" }]]);
  expect(shownHost(WEB1, FLEET, live)).toMatchObject({ conflict: null, status: null, why: live.get("web1")?.why });
});
