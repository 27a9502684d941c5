/** The push listener on a real port, with a kernel that is scripted: who may push what where, and what is refused how. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { connect } from "node:net";
import { type Listener, listen } from "../../src/http/listener.ts";
import type { Offered } from "../../src/inbox/offered.ts";
import type { PushMessageOf } from "../../src/ipc/push-definitions.ts";
import { Offers } from "../../src/push/offers.ts";
import { Senders } from "../../src/push/senders.ts";
import { PushSite } from "../../src/push/site.ts";
import { pingToken } from "../../src/tokens/passes.ts";
import { renewToken, senseToken } from "../../src/tokens/token-files.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import { type Address, bearer, freeAddress, type Reply } from "../helpers/web.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const data = temporaryFolder();
let address: Address;
let listener: Listener;
let outcome: Offered = { kind: "accepted", ids: [7] };
const offered: PushMessageOf<"offers">["offers"] = [];
const errors: Error[] = [];
const tokens = new Map<string, string>();

beforeAll(async () => {
  address = await freeAddress();
  for (const sense of ["deploys", "signed", "removed"]) {
    const made = renewToken(data.path, senseToken(sense));
    if (made.ok) tokens.set(sense, made.value);
  }
  const senders = new Senders(data.path);
  senders.configure([
    { name: "deploys", secret: null },
    { name: "signed", secret: SECRET },
  ]);
  const offers: Offers = new Offers((sent) => {
    offered.push(...sent);
    const { kind } = outcome;
    const nothing = { ids: [], retryAfterS: 0, key: "" };
    offers.answered(
      sent.map(({ id }) => ({ ...nothing, ...outcome, id, kind, ids: "ids" in outcome ? [...outcome.ids] : [] })),
    );
  });
  const site = new PushSite({ hostname: address.hostname, hosts: ["web-1.example.org"] }, senders, offers, (error) =>
    errors.push(error),
  );
  listener = listen(address, site, () => {});
});

afterAll(async () => {
  await listener.stop();
  data[Symbol.dispose]();
  expect(errors).toEqual([]);
});

const tokenOf = (sense: string): string => tokens.get(sense) ?? "";

const lengthOf = (body: string, headers: Record<string, string>): Record<string, string> =>
  "transfer-encoding" in headers ? {} : { "content-length": String(Buffer.byteLength(body)) };

/** A request as it is written, with its body. */
function send(method: string, path: string, headers: Record<string, string>, body = ""): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const all = { host: address.text, connection: "close", ...lengthOf(body, headers), ...headers };
    const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    let text = "";
    const socket = connect(address.port, address.hostname);
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => {
      const end = text.indexOf("\r\n\r\n");
      const lines = text.slice(0, end).split("\r\n");
      const fields = lines.slice(1).map((line): [string, string] => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      });
      resolve({ status: Number(lines[0]?.split(" ")[1]), headers: new Map(fields), text, body: text.slice(end + 4) });
    });
    socket.write(`${method} ${path} HTTP/1.1\r\n${head.join("")}\r\n${body}`);
  });
}

const push = (sense: string, body: string, headers: Record<string, string> = {}): Promise<Reply> =>
  send("POST", `/v1/inbox/${sense}`, { ...bearer(tokenOf("deploys")), ...headers }, body);

const last = () => offered.at(-1);

test("an item with the token of its sense is accepted, and the answer has its ids", async () => {
  const reply = await push("deploys", '{"version": 3}', { "idempotency-key": "k1" });
  expect([reply.status, reply.body]).toEqual([202, '{"ids":[7]}']);
  const { bodies, key, identity, sense } = last() ?? {};
  expect({ sense, bodies, key, identity }).toEqual({
    sense: "deploys",
    bodies: ['{"version":3}'],
    key: "k1",
    identity: "k1",
  });
});

test("what the kernel answers is said as HTTP says it, with when to try again", async () => {
  const answers: [Offered, number, string | undefined][] = [
    [{ kind: "full", retryAfterS: 60 }, 429, "60"],
    [{ kind: "low-space" }, 503, "30"],
    [{ kind: "no-inbox" }, 404, undefined],
    [{ kind: "reused", key: "k" }, 422, undefined],
  ];
  for (const [answer, status, retryAfter] of answers) {
    outcome = answer;
    const reply = await push("deploys", "1");
    expect([reply.status, reply.headers.get("retry-after")]).toEqual([status, retryAfter]);
  }
  outcome = { kind: "accepted", ids: [7] };
});

test("no token, a wrong one, one of another sense, of a name with a slash: 401, and nothing reaches the kernel", async () => {
  const before = offered.length;
  const asks = [
    push("deploys", "1", { authorization: "" }),
    push("deploys", "1", { authorization: "Bearer nothing" }),
    push("deploys", "1", bearer(tokenOf("signed"))),
    push("..%2fdeploys", "1"),
    push("deploys%2f", "1", bearer("x")),
    push("%ff", "1"),
    push("deploys", "1", bearer(pingToken(tokenOf("deploys"), "deploys"))),
  ];
  expect((await Promise.all(asks)).map(({ status }) => status)).toEqual(asks.map(() => 401));
  expect(offered.length).toBe(before);
});

test("who has a token learns which inbox there is not, and who has none does not", async () => {
  expect((await push("nothing", "1")).status).toBe(404);
  expect((await push("nothing", "1", { authorization: "Bearer x" })).status).toBe(401);
});

test("a renewed token opens, and the old one opens nothing from then on", async () => {
  const old = bearer(tokenOf("signed"));
  const renewed = renewToken(data.path, senseToken("signed"));
  if (!renewed.ok) throw new Error(renewed.error.message);
  tokens.set("signed", renewed.value);
  expect((await push("signed", "1", old)).status).toBe(401);
  expect((await push("signed", "1", bearer(renewed.value))).status).toBe(202);
});

test("with a secret a signature opens in place of the token, and a wrong or old one does not", async () => {
  const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
  const signed = (body: string, at: number): Record<string, string> => {
    const signature = createHmac("sha256", key).update(`m1.${at}.${body}`).digest("base64");
    return {
      authorization: "",
      "webhook-id": "m1",
      "webhook-timestamp": String(at),
      "webhook-signature": `v1,${signature}`,
    };
  };
  const without = ({ authorization: _, ...headers }: Record<string, string>) => headers;
  const now = Math.floor(Date.now() / 1_000);
  const ask = (headers: Record<string, string>, body = '{"a":1}') =>
    send("POST", "/v1/inbox/signed", without(headers), body);
  expect((await ask(signed('{"a":1}', now))).status).toBe(202);
  expect([last()?.key, last()?.sense]).toEqual(["m1", "signed"]);
  expect((await ask(signed('{"a":2}', now))).status).toBe(401);
  expect((await ask(signed('{"a":1}', now - 301))).status).toBe(401);
  const github = `sha256=${createHmac("sha256", SECRET).update("5").digest("hex")}`;
  expect((await ask({ "x-hub-signature-256": github }, "5")).status).toBe(202);
});

test("a foreign Host is 421, another site 403, another method 405, another path 404", async () => {
  const reply = (headers: Record<string, string>) => push("deploys", "1", headers);
  expect((await reply({ host: "evil.example" })).status).toBe(421);
  expect((await reply({ host: "web-1.example.org:443" })).status).toBe(202);
  expect((await reply({ "sec-fetch-site": "cross-site" })).status).toBe(403);
  expect((await reply({ origin: "https://evil.example" })).status).toBe(403);
  for (const method of ["GET", "PUT", "DELETE", "OPTIONS"]) {
    const { status, headers } = await send(method, "/v1/inbox/deploys", bearer(tokenOf("deploys")));
    expect([method, status, headers.get("allow")]).toEqual([method, 405, "POST"]);
  }
  expect((await send("POST", "/v1/inbox/", bearer(tokenOf("deploys")))).status).toBe(404);
  expect((await send("GET", "/", {})).status).toBe(404);
});

test("bodies that are no JSON are 400, of other types 415, and too large 413 before they are read", async () => {
  expect((await push("deploys", "{")).status).toBe(400);
  expect((await push("deploys", "a=1", { "content-type": "application/x-www-form-urlencoded" })).status).toBe(415);
  expect((await push("deploys", JSON.stringify("x".repeat(70_000)))).status).toBe(413);
  const announcedOnly = await send("POST", "/v1/inbox/deploys", {
    ...bearer(tokenOf("deploys")),
    "content-length": "2000000",
  });
  expect(announcedOnly.status).toBe(413);
  const chunks = `${(0x18_0000).toString(16)}\r\n${" ".repeat(0x18_0000)}\r\n0\r\n\r\n`;
  const headers = { ...bearer(tokenOf("deploys")), "transfer-encoding": "chunked" };
  expect([413, 400]).toContain((await send("POST", "/v1/inbox/deploys", headers, chunks)).status);
});

test("a key of a megabyte is refused by its size", async () => {
  expect((await push("deploys", "1", { "idempotency-key": "k".repeat(300) })).status).toBe(400);
  const reply = await push("deploys", "1", { "idempotency-key": "k".repeat(1_000_000) });
  expect(reply.status).toBe(431);
});

test("the pings of Healthchecks, by GET, HEAD and POST; the body is the output", async () => {
  const path = `/ping/${pingToken(tokenOf("deploys"), "deploys")}`;
  const pinged = async (method: string, after: string, body = "") => {
    const { status, body: said } = await send(method, `${path}${after}`, {}, body);
    const { sense, kind, bodies = [], key } = last() ?? {};
    return { status, said, sense, kind, key, body: JSON.parse(bodies[0] ?? "null") };
  };
  const none = { exit_code: null, duration_ms: null, output: null };
  const plain = { status: 200, said: "OK", sense: "deploys", key: null };
  expect(await pinged("GET", "")).toEqual({ ...plain, kind: "success", body: none });
  expect(await pinged("HEAD", "/start")).toEqual({ ...plain, said: "", kind: "start", body: none });
  expect(await pinged("POST", "/3", "tail\n")).toEqual({
    ...plain,
    kind: "fail",
    body: { ...none, exit_code: 3, output: "tail\n" },
  });
  const long = await pinged("POST", "/fail", `${"x".repeat(3_000_000)}end`);
  expect([long.status, long.body.output.length, long.body.output.slice(-4)]).toEqual([200, 10_240, "xend"]);
});

test("a ping with a wrong token, of another path, or with the push token itself is 404", async () => {
  const ping = (token: string, after = "") => send("GET", `/ping/${token}${after}`, {});
  expect((await ping("nothing")).status).toBe(404);
  expect((await ping(tokenOf("deploys"))).status).toBe(404);
  expect((await ping(pingToken(tokenOf("removed"), "removed"))).status).toBe(404);
  expect((await ping(pingToken(tokenOf("deploys"), "deploys"), "/unknown")).status).toBe(404);
});
