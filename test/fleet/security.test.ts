/** Who may do what: the configuration that `nerve fleet init` prints, tried against a real server; and servers that are not to be trusted. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { isTrouble } from "../../src/fleet/engine/engine.ts";
import type { Access } from "../../src/fleet/nats/access.ts";
import { connectTo } from "../../src/fleet/nats/connection.ts";
import { examine } from "../../src/fleet/nats/examine.ts";
import { newKeyPair } from "../../src/fleet/nats/keys.ts";
import { Requests } from "../../src/fleet/nats/requests.ts";
import { Nats } from "../../src/fleet/nats/session.ts";
import { makeStream } from "../../src/fleet/nats/stream.ts";
import { certificate, type Holder } from "../helpers/certificates.ts";
import { FleetHost } from "../helpers/fleet-host.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { GENEROUS, HAS_NATS, keysOf, type NatsServer, natsServer, type Site } from "../helpers/nats.ts";
import { until } from "../helpers/until.ts";

/** A server before 2.10 says nothing of a question that nobody hears in another account. */
const NOBODY_ANSWERS = /^(not connected|no answer within 2 s)$/;

const NOBODY = { nkey: null, creds: null, ca: null, cert: null, key: null };

describe.if(HAS_NATS)("with the configuration that `nerve fleet init` prints", () => {
  let server: NatsServer;

  const settings = (host: string) => ({
    ...NOBODY,
    host,
    nkey: keysOf(host).seed,
    servers: [server.url],
    domain: null,
    stream: "NERVE",
  });

  async function sessionOf(host: string) {
    const session = await new Nats(settings(host)).connect();
    if (isTrouble(session)) throw new Error(session.why);
    return session;
  }

  beforeAll(async () => {
    server = await natsServer();
    const hub = await sessionOf("hub");
    expect(await makeStream(hub.requests, GENEROUS)).toEqual({ kind: "made" });
    await hub.close();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("hosts send, the hub receives and may ask them", async () => {
    using folder = temporaryFolder();
    await using web1 = new FleetHost("web1", folder.file("web1"));
    await using hub = new FleetHost("hub", folder.file("hub"));
    web1.start(server.url);
    hub.start(server.url, { receive: ["*/*"] });
    web1.say(10);
    await until("all has arrived", () => hub.of("web1").length === 10);
    expect(await hub.ask(["web1", "web2"])).toEqual([
      { host: "web1", text: '{"host":"web1"}', why: null },
      { host: "web2", text: null, why: expect.stringMatching(NOBODY_ANSWERS) },
    ]);
    expect((await web1.ask(["hub"]))[0]?.why).toBe("the server does not let this host ask hub");
  });

  test("`nerve fleet check` finds nothing wrong", async () => {
    for (const host of ["hub", "web2"] as const) {
      const found = await examine({
        settings: settings(host),
        receives: host === "hub",
        epoch: null,
        nowMs: Date.now(),
        aboutRoom: () => null,
      });
      expect(found.filter(({ why }) => why !== null)).toEqual([]);
      expect(found.length).toBe(host === "hub" ? 5 : 3);
    }
  });

  test("a host publishes and reads as itself only", async () => {
    const connection = await connectTo(server.url, { ...NOBODY, host: "web1", nkey: keysOf("web1").seed });
    if (isTrouble(connection)) throw new Error(connection.why);
    const requests = new Requests(connection.nats, {
      host: "web1",
      server: server.url,
      stream: "NERVE",
      identity: null,
      domain: null,
    });
    const subjects = [
      "nerve.web2.signals",
      "nerve.web2.ask.status",
      "$JS.API.DIRECT.GET.NERVE.nerve.web2.signals",
      "$JS.API.DIRECT.GET.NERVE",
      "$JS.API.STREAM.MSG.GET.NERVE",
      "$JS.API.STREAM.INFO.NERVE",
      "$JS.API.STREAM.NAMES",
      "$JS.API.STREAM.DELETE.NERVE",
      "$JS.API.STREAM.PURGE.NERVE",
      "$JS.API.STREAM.UPDATE.NERVE",
      "$JS.API.CONSUMER.CREATE.NERVE.x.nerve.*.signals",
      "$JS.API.INFO",
    ];
    for (const subject of subjects) {
      const answer = await requests.message(subject, "", null);
      expect([subject, answer.kind]).toEqual([subject, "blocked"]);
      expect("why" in answer ? answer.why : "").toContain(`forbids web1 to use ${subject}`);
    }
    await connection.nats.close();
  });

  test("a host listens to itself only", async () => {
    const connection = await connectTo(server.url, { ...NOBODY, host: "web1", nkey: keysOf("web1").seed });
    if (isTrouble(connection)) throw new Error(connection.why);
    for (const subject of [
      "nerve.>",
      "nerve.web2.signals",
      "nerve.web2.ask.status",
      "_INBOX.>",
      "_INBOX_web2.>",
      ">",
    ]) {
      const refused = await new Promise<string>((resolve) => {
        connection.nats.subscribe(subject, { callback: (error) => resolve(error?.message ?? "a message") });
      });
      expect(refused).toContain("Permissions Violation");
    }
    await connection.nats.close();
  });

  test("the hub can delete and purge nothing, and sends as itself only", async () => {
    const hub = await sessionOf("hub");
    for (const name of ["STREAM.DELETE.NERVE", "STREAM.PURGE.NERVE"])
      expect((await hub.requests.ask(name, {})).kind).toBe("blocked");
    expect((await hub.requests.message("nerve.web1.signals", "", null)).kind).toBe("blocked");
    await hub.close();
  });

  test("who has no key, or another host's, is refused in words", async () => {
    const other = newKeyPair();
    const nobody = await connectTo(server.url, { ...NOBODY, host: "web1" });
    const stranger = await connectTo(server.url, { ...NOBODY, host: "web1", nkey: other.seed });
    for (const refused of [nobody, stranger]) {
      expect(isTrouble(refused) && refused.kind).toBe("blocked");
      expect(isTrouble(refused) && refused.why).toContain("does not accept web1");
    }
    expect(isTrouble(nobody) && nobody.why).toContain("neither `fleet.nkey` nor `fleet.creds`");
    expect(isTrouble(stranger) && stranger.why).toContain(`no user of the server has the key ${other.publicKey}`);
    // The key decides who it is, and not the name that it gives itself.
    const session = await new Nats({ ...settings("web2"), host: "web1" }).connect();
    if (isTrouble(session)) throw new Error(session.why);
    const last = await session.last();
    expect(isTrouble(last) && last.why).toContain("forbids web1");
    expect(isTrouble(last) && last.why).toContain(
      `web1 comes with the key ${keysOf("web2").publicKey}; compare with the user`,
    );
    await session.close();
  });

  test("a host that is no hub, and reads or makes the stream, is shown `--hub`", async () => {
    const web1 = await sessionOf("web1");
    for (const refused of [await makeStream(web1.requests, GENEROUS), await web1.stream(), await web1.read(0)])
      expect(isTrouble(refused) && refused.why).toContain("`nerve fleet init web1=U… --hub web1 --print`");
    await web1.close();
  });
});

test("a file or a seed that cannot work is named by its key, before anything is asked of a server", async () => {
  using folder = temporaryFolder();
  const valid = { from: new Date(0), to: new Date("2100-01-01"), issuer: null, isAuthority: false };
  const [one, other] = ["one", "other"].map((name) => certificate({ name, names: [], ...valid })) as [Holder, Holder];
  const file = (name: string, text: string): string => {
    writeFileSync(folder.file(name), text);
    return folder.file(name);
  };
  const [text, cert, key] = [file("text", "root:x:0:0"), file("cert", one.certificate), file("key", one.privateKey)];
  const strange = file("strange", other.privateKey);
  const { seed } = newKeyPair();
  // Not the last character: a part of it says nothing.
  const torn = seed.slice(0, 20) + (seed[20] === "A" ? "Z" : "A") + seed.slice(21);
  const cases: readonly (readonly [Partial<Access>, string])[] = [
    [{ ca: text }, `\`fleet.ca\`: ${text} holds no certificate`],
    [{ cert: text, key }, `\`fleet.cert\`: ${text} holds no certificate`],
    [{ cert, key: text }, `\`fleet.key\`: ${text} holds no private key`],
    [{ cert, key: strange }, `\`fleet.key\`: ${strange} is not the key of the certificate in \`fleet.cert\` (${cert})`],
    [{ creds: text }, `\`fleet.creds\`: ${text} holds no credentials`],
    [{ nkey: torn }, "`fleet.nkey` is no whole seed"],
  ];
  for (const [given, said] of cases) {
    const refused = await connectTo("tls://127.0.0.1:1", { ...NOBODY, host: "web1", ...given });
    expect(isTrouble(refused) && refused.why).toContain(said);
  }
});

describe.if(HAS_NATS)("over TLS", () => {
  let folder: Folder;
  let ours: Holder;
  let theirs: Holder;
  const day = 86_400_000;
  const valid = { from: new Date(Date.now() - day), to: new Date(Date.now() + day) };

  const pem = (name: string, text: string): string => {
    const file = folder.file(name);
    writeFileSync(file, text);
    return file;
  };

  beforeAll(() => {
    folder = temporaryFolder();
    ours = certificate({ name: "our authority", names: [], ...valid, issuer: null, isAuthority: true });
    theirs = certificate({ name: "another authority", names: [], ...valid, issuer: null, isAuthority: true });
    pem("ours.pem", ours.certificate);
    pem("theirs.pem", theirs.certificate);
  });
  afterAll(() => folder[Symbol.dispose]());

  const withTls =
    (holder: Holder, more = "") =>
    ({ address, store }: Site): string =>
      `listen: "${address.text}"
jetstream { store_dir: "${store}" }
tls { cert_file: "${pem("server.pem", holder.certificate)}", key_file: "${pem("server.key", holder.privateKey)}" ${more} }`;

  const access = (ca: string | null): Access => ({ ...NOBODY, host: "web1", ca: ca === null ? null : folder.file(ca) });
  const tlsUrl = ({ address }: NatsServer): string => `tls://${address.text}`;
  const forAddress = ({ names = [] as readonly string[] }): Holder =>
    certificate({ name: "server", names, ...valid, issuer: ours, isAuthority: false });

  async function refusal(server: NatsServer, given: Access): Promise<string> {
    const connection = await connectTo(tlsUrl(server), given);
    if (isTrouble(connection)) return `${connection.kind}: ${connection.why}`;
    await connection.nats.close();
    return "connected";
  }

  test("a server of our authority is trusted, one of another is not, nor one with another name", async () => {
    await using right = await natsServer((site) => withTls(forAddress({ names: [site.address.hostname] }))(site));
    expect(await refusal(right, access("ours.pem"))).toBe("connected");
    expect(await refusal(right, access("theirs.pem"))).toContain("is not signed by a known authority");
    expect(await refusal(right, access(null))).toContain("is not signed by a known authority");
    expect(await refusal(right, access("absent.pem"))).toContain("`fleet.ca`");
    await using wrong = await natsServer(withTls(forAddress({ names: ["nats.example", "10.0.0.1"] })));
    expect(await refusal(wrong, access("ours.pem"))).toContain("its certificate is for another name");
  });

  test("a server that offers no TLS is left, and nothing is sent to another host without", async () => {
    await using server = await natsServer();
    expect(await refusal(server, access("ours.pem"))).toContain("offers no TLS");
    const plain = await connectTo("nats://192.0.2.1:4222", access(null));
    expect(isTrouble(plain) && plain.why).toContain("begins with tls://");
  });

  test("a server that speaks TLS is not called nats://", async () => {
    await using server = await natsServer((site) => withTls(forAddress({ names: [site.address.hostname] }))(site));
    const refused = await connectTo(server.url, access("ours.pem"));
    expect(isTrouble(refused) && refused.why).toContain(`write ${tlsUrl(server)}`);
  });

  test("a server that asks for a certificate gets one", async () => {
    const client = certificate({ name: "web1", names: ["web1"], ...valid, issuer: ours, isAuthority: false });
    const verify = (): string => `, ca_file: "${folder.file("ours.pem")}", verify: true`;
    await using server = await natsServer((site) =>
      withTls(forAddress({ names: [site.address.hostname] }), verify())(site),
    );
    const cert = pem("client.pem", client.certificate);
    const key = pem("client.key", client.privateKey);
    expect(await refusal(server, { ...access("ours.pem"), cert, key })).toBe("connected");
    expect(await refusal(server, access("ours.pem"))).toContain("`fleet.cert`");
  });
});
