/**
 * What somebody reaches who has the key of one host and a client of their own. A server looks at what a client publishes, and not at the
 * subject to which the answer is to go: the attacks have the server send their own bytes, as an answer, to a subject of another host or to
 * the API of the stream.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { headers, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";
import { isTrouble } from "../../src/fleet/engine/engine.ts";
import { connectTo } from "../../src/fleet/nats/connection.ts";
import { FleetHost } from "../helpers/fleet-host.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import {
  asOperator,
  HAS_NATS,
  keysOf,
  type NatsServer,
  natsServer,
  printed,
  printedLeaf,
  streamOn,
} from "../helpers/nats.ts";
import { until } from "../helpers/until.ts";
import { freeAddress } from "../helpers/web.ts";

const FLEET = { hubs: ["hub"], hosts: ["web1", "evil"], sites: {} };
const OWN = "nerve.evil.signals";
const LAST = `DIRECT.GET.NERVE.${OWN}`;
const FRAME = { "Nerve-Epoch": "ab", "Nerve-To": "1" };

async function connected(url: string, host: string): Promise<NatsConnection> {
  const files = { creds: null, ca: null, cert: null, key: null };
  const connection = await connectTo(url, { ...files, host, nkey: keysOf(host).seed });
  if (isTrouble(connection)) throw new Error(connection.why);
  return connection.nats;
}

interface StreamNow {
  readonly config: { readonly discard: string; readonly max_msgs: number };
  readonly state: { readonly subjects: Readonly<Record<string, number>> | undefined; readonly consumer_count: number };
}

/** What an attack could have changed; frames of the attacker are left out. */
const others = (url: string) =>
  asOperator(url, async (requests) => {
    const info = await requests.ask<StreamNow>("STREAM.INFO.NERVE", { subjects_filter: ">" });
    if (info.kind !== "answered") return info;
    const { config, state } = info.value;
    const { [OWN]: _, ...subjects } = state.subjects ?? {};
    return { discard: config.discard, max_msgs: config.max_msgs, subjects, consumers: state.consumer_count };
  });

const UNTOUCHED = { discard: "new", max_msgs: -1, subjects: { "nerve.web1.signals": 1 }, consumers: 0 };

/** Publishes `body` as the attacker's own frame, and has the server send that frame to `target`. */
async function relay(evil: NatsConnection, body: string, target: string, api = "$JS.API"): Promise<void> {
  const head = headers();
  for (const [key, value] of Object.entries(FRAME)) head.set(key, value);
  await evil.request(OWN, body, { headers: head, timeout: 5_000 });
  evil.publish(`${api}.${LAST}`, "", { reply: target });
  // The answers of the stream come in their order: behind this one the one before was sent.
  await evil.request(`${api}.${LAST}`, "", { timeout: 5_000 });
}

/** A header block that no client of NATS writes: the server takes any. */
const rawHeaders = (block: string): MsgHdrs =>
  Object.assign(headers(), { encode: () => new TextEncoder().encode(block) });

const LABEL = "Nerve-Epoch: ab\r\nNerve-To: 1\r\n";
const BROKEN_HEADERS = [
  `NATS/1.0\r\n${LABEL}bad name: x\r\n\r\n`,
  `NATS/1.0\r\n${LABEL}Name: one\nmore\r\n\r\n`,
  `NATS/1.0\r\n${LABEL}: x\r\n\r\n`,
  `NATS/1.0\r\n${LABEL}${"Nats-Subject: x\r\n".repeat(50_000)}\r\n`,
  `NATS/1.0\r\n${LABEL}${Array.from({ length: 80_000 }, (_, at) => `n${at}: x\r\n`).join("")}\r\n`,
];

const UPDATE = { name: "NERVE", subjects: ["nerve.*.signals"], storage: "file", discard: "old", max_msgs: 3 };
const SPY_INBOX = "_INBOX_evil.spy";
const SPY = {
  stream_name: "NERVE",
  config: {
    name: "spy",
    deliver_subject: SPY_INBOX,
    deliver_policy: "all",
    ack_policy: "none",
    filter_subject: "nerve.web1.signals",
  },
};

/** A fleet in which web1 has sent a frame. `at`: where the attacker connects. */
interface Ground extends AsyncDisposable {
  readonly server: NatsServer;
  readonly at: string;
}

async function withVictim(server: NatsServer, leaf: NatsServer | null): Promise<Ground> {
  await streamOn(server.url);
  const web1 = await connected(server.url, "web1");
  await web1.request("nerve.web1.signals", "a frame of web1", { timeout: 5_000 });
  await web1.close();
  return {
    server,
    at: leaf?.url ?? server.url,
    async [Symbol.asyncDispose]() {
      await leaf?.[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const direct = async (configuration: ReturnType<typeof printed>): Promise<Ground> =>
  withVictim(await natsServer(configuration), null);

async function behindLeaf(): Promise<Ground> {
  const fleet = { hubs: ["hub"], hosts: ["web1"], sites: { paris: ["evil"] } };
  const leafListen = (await freeAddress()).text;
  const server = await natsServer(printed(fleet, leafListen));
  const leaf = await natsServer(printedLeaf(fleet, "paris", leafListen));
  const ground = await withVictim(server, leaf);
  const evil = await connected(leaf.url, "evil");
  // Until the leaf node has its connection nothing answers.
  await until("the leaf node passes on", () =>
    evil.request(OWN, "x", { timeout: 1_000 }).then(
      () => true,
      () => false,
    ),
  );
  await evil.close();
  return ground;
}

/** Without what the user of the attacker may do: the account alone holds. */
const withoutPermissions = (site: Parameters<ReturnType<typeof printed>>[0]): string => {
  const [before = "", after = ""] = printed(FLEET)(site).split(keysOf("evil").publicKey);
  const end = /\n {8}permissions: \{.*?\n {8}\}\n/s.exec(after);
  if (end?.index !== 0) throw new Error("the user has no permissions");
  return `${before}${keysOf("evil").publicKey}\n${after.slice(end[0].length)}`;
};

for (const [what, begin, api] of [
  ["with the printed configuration", () => direct(printed(FLEET)), "$JS.API"],
  ["with its account alone, and no permissions", () => direct(withoutPermissions), "$JS.API"],
  ["behind the leaf node of its site", behindLeaf, "$JS.hub.API"],
] as const)
  describe.if(HAS_NATS)(`the key of one host, ${what}`, () => {
    let ground: Ground;
    let server: NatsServer;
    let evil: NatsConnection;

    beforeAll(async () => {
      ground = await begin();
      server = ground.server;
      evil = await connected(ground.at, "evil");
    });
    afterAll(async () => {
      await evil.close();
      await ground[Symbol.asyncDispose]();
    });

    test("an answer that the server is to send elsewhere forges nothing, and changes nothing of the stream", async () => {
      for (const [target, body] of [
        ["nerve.web1.signals", "forged"],
        ["$JS.API.STREAM.UPDATE.NERVE", JSON.stringify(UPDATE)],
        ["$JS.API.STREAM.PURGE.NERVE", ""],
        ["$JS.API.STREAM.DELETE.NERVE", ""],
        ["$JS.hub.API.STREAM.DELETE.NERVE", ""],
        ["$JS.API.STREAM.MSG.DELETE.NERVE", JSON.stringify({ seq: 1 })],
      ] as const) {
        await relay(evil, body, target, api);
        expect([target, await others(server.url)]).toEqual([target, UNTOUCHED]);
      }
    });

    test("no consumer shows what other hosts send", async () => {
      const seen: string[] = [];
      evil.subscribe(SPY_INBOX, { callback: (_, message) => void seen.push(message.subject) });
      await relay(evil, JSON.stringify(SPY), "$JS.API.CONSUMER.CREATE.NERVE.spy.nerve.web1.signals", api);
      await relay(evil, JSON.stringify(SPY), "$JS.API.CONSUMER.CREATE.NERVE", api);
      expect(await others(server.url)).toEqual(UNTOUCHED);
      expect(seen).toEqual([]);
    });

    test("the acknowledgement of a frame lands on no subject of another host", async () => {
      for (const target of ["nerve.web1.signals", "nerve.ghost.signals"]) evil.publish(OWN, "x", { reply: target });
      await relay(evil, "behind them", "nerve.ghost.signals", api);
      expect(await others(server.url)).toEqual(UNTOUCHED);
    });

    test("what others send and ask is heard by nobody else, and nobody else answers", async () => {
      const heard: string[] = [];
      const wide = [">", "nerve.>", "nerve.*.signals", "nerve.web1.ask.status", "_INBOX_hub.>", "$JS.>", "_R_.>"];
      const listening = wide.map((subject) =>
        evil.subscribe(subject, {
          callback: (error, message) => {
            if (error !== null) return;
            heard.push(message.subject);
            message.respond("an answer of evil");
          },
        }),
      );
      await evil.flush();
      const web1 = await connected(server.url, "web1");
      web1.subscribe("nerve.web1.ask.status", { callback: (_, message) => void message.respond("web1 itself") });
      await web1.request("$JS.API.DIRECT.GET.NERVE.nerve.web1.signals", "", { timeout: 5_000 });
      const hub = await connected(server.url, "hub");
      const answer = await hub.request("nerve.web1.ask.status", "", { timeout: 5_000 });
      expect(answer.string()).toBe("web1 itself");
      await evil.flush();
      expect(heard).toEqual([]);
      for (const one of listening) one.unsubscribe();
      await Promise.all([web1.close(), hub.close()]);
    });

    test("nothing answers but what is the host's own", async () => {
      for (const subject of [
        "nerve.web1.signals",
        "nerve.hub.signals",
        "nerve.web1.ask.status",
        "nerve.hub.ask.status",
        "$JS.API.DIRECT.GET.NERVE.nerve.web1.signals",
        "$JS.API.DIRECT.GET.NERVE",
        "$JS.API.STREAM.INFO.NERVE",
        "$JS.API.STREAM.NAMES",
        "$JS.API.STREAM.MSG.GET.NERVE",
        "$SYS.REQ.SERVER.PING",
        "$SYS.REQ.ACCOUNT.HUB.CONNZ",
        "$SYS.REQ.ACCOUNT.HUB.SUBSZ",
      ]) {
        const answer = await evil.request(subject, "", { timeout: 300 }).then(
          (message) => message.string(),
          () => "nothing",
        );
        expect([subject, /^nothing$|not enabled for account/.test(answer)]).toEqual([subject, true]);
      }
      expect(await others(server.url)).toEqual(UNTOUCHED);
    });
  });

describe.if(HAS_NATS)("what lands under the name of a host and is no frame of that host", () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await natsServer(printed(FLEET));
    await streamOn(server.url);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("is refused and named, joins no host, and what comes behind it is read", async () => {
    using folder = temporaryFolder();
    const evil = await connected(server.url, "evil");
    const status = headers(503, "No Responders");
    evil.publish(OWN, "", { headers: status });
    // The acknowledgement of a frame, and a frame that the server has passed on.
    evil.publish(OWN, "x", { reply: OWN });
    for (const block of BROKEN_HEADERS) evil.publish(OWN, "x", { headers: rawHeaders(block) });
    await relay(evil, "x", OWN);
    await relay(evil, "x", OWN);
    await evil.close();
    await using hub = new FleetHost("hub", folder.file("hub")).start(server.url, { receive: ["*/*"] });
    await using web1 = new FleetHost("web1", folder.file("web1")).start(server.url);
    web1.say(10);
    await until("what comes behind it is here", () => hub.of("web1").length === 10);
    await until("each is refused", () => hub.refused.some(({ why }) => why.includes("Nats-Subject")));
    expect(new Set(hub.refused.map(({ host }) => host))).toEqual(new Set(["evil"]));
    expect(hub.refused.map(({ why }) => why)).toContain("it does not say what it holds");
    expect(hub.of("evil")).toEqual([]);
  });

  test("an answer with headers that cannot be read costs its own host alone, and no connection", async () => {
    const evil = await connected(server.url, "evil");
    const web1 = await connected(server.url, "web1");
    for (const [connection, host] of [
      [evil, "evil"],
      [web1, "web1"],
    ] as const)
      connection.subscribe(`nerve.${host}.ask.status`, {
        callback: (_, { reply = "" }) => {
          const head = host === "evil" ? rawHeaders("NATS/1.0\r\nbad name: x\r\n\r\n") : headers();
          connection.publish(reply, host === "evil" ? "" : "web1 itself", { headers: head });
        },
      });
    await Promise.all([evil.flush(), web1.flush()]);
    const hub = await connected(server.url, "hub");
    expect((await hub.request("nerve.evil.ask.status", "", { timeout: 5_000 })).string()).toBe("");
    expect((await hub.request("nerve.web1.ask.status", "", { timeout: 5_000 })).string()).toBe("web1 itself");
    await Promise.all([evil.close(), web1.close(), hub.close()]);
  });

  test("its host goes on behind it, and says what it has found", async () => {
    using folder = temporaryFolder();
    await using hub = new FleetHost("hub", folder.file("hub")).start(server.url, { receive: ["*/*"] });
    await using evil = new FleetHost("evil", folder.file("evil")).start(server.url);
    evil.say(10);
    await until("it goes on", () => hub.of("evil").length === 10);
    expect(evil.notices).toEqual([{ kind: "conflict", message: expect.stringContaining("what is no frame of nerve") }]);
  });
});
