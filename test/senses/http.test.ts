/** Real servers on loopback: good answers, bad ones, and those that never end. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { authority } from "../helpers/certificates.ts";
import { openSense, validate } from "../helpers/compute.ts";
import { until } from "../helpers/until.ts";

const folder = mkdtempSync(join(tmpdir(), "nerve-http-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What each request brought: its method, path and headers. */
const requests: { method: string; path: string; headers: Record<string, string>; body: string }[] = [];
let sentBytes = 0;
let openStreams = 0;
const MEBIBYTE = 1024 * 1024;

/** A body without an end, of blocks that are made when they are asked for. */
const endless = (everyMs: number): Response =>
  new Response(
    new ReadableStream({
      start: () => void openStreams++,
      async pull(controller) {
        await Bun.sleep(everyMs);
        sentBytes += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(97));
      },
      cancel: () => void openStreams--,
    }),
  );

const pages: Readonly<Record<string, (request: Request) => Response | Promise<Response>>> = {
  "/": () => new Response("all is well: 42 jobs"),
  "/created": () => new Response("", { status: 201 }),
  "/broken": () => new Response("sorry", { status: 503 }),
  "/once": () => Response.redirect("/", 302),
  "/post": () => new Response(null, { status: 303, headers: { location: "/" } }),
  "/keep": () => new Response(null, { status: 307, headers: { location: "/" } }),
  "/round": () => new Response(null, { status: 302, headers: { location: "/round" } }),
  "/out": () => new Response(null, { status: 302, headers: { location: "ftp://127.0.0.1/" } }),
  "/elsewhere": () => new Response(null, { status: 302, headers: { location: `http://localhost:${web.port}/` } }),
  "/packed": () =>
    new Response(Bun.gzipSync("all is well"), {
      headers: { "content-encoding": "gzip", "content-type": "text/plain" },
    }),
  "/endless": () => endless(0),
  "/slow": () => endless(50),
};

const web = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  async fetch(request) {
    const { pathname } = new URL(request.url);
    const { method, headers } = request;
    requests.push({ method, path: pathname, headers: headers.toJSON(), body: await request.text() });
    return (await pages[pathname]?.(request)) ?? new Response("nothing here", { status: 404 });
  },
});
afterAll(() => web.stop(true));

const at = (path: string): string => `http://127.0.0.1:${web.port}${path}`;

async function look(options: Record<string, unknown>) {
  using sense = openSense("http", options);
  return await sense.compute();
}

describe("a page", () => {
  test("that answers is well: status, bytes, time, and looks in a row", async () => {
    using sense = openSense("http", { url: at("/") });
    expect(await sense.compute()).toEqual({
      url: at("/"),
      ok: true,
      reason: null,
      status: 200,
      ms: expect.any(Number),
      bytes: 20,
      redirects: 0,
      cert_days: null,
      failures: 0,
      successes: 1,
    });
    expect(await sense.compute()).toMatchObject({ successes: 2 });
  });

  test("is asked plainly, by nerve", async () => {
    requests.length = 0;
    await look({ url: at("/"), headers: { "x-key": "a" } });
    expect(requests[0]?.headers).toMatchObject({ "user-agent": "nerve", "accept-encoding": "identity", "x-key": "a" });
  });

  test.each([
    ["/broken", {}, "the status is 503, and not 200-299"],
    ["/none", {}, "the status is 404, and not 200-299"],
    ["/broken", { status: 503 }, null],
    ["/broken", { status: ["200-299", "500-599"] }, null],
    ["/", { status: [204, "301-399"] }, "the status is 200, and not 204, 301-399"],
    ["/created", {}, null],
    ["/", { body_match: "well: \\d+ jobs$" }, null],
    ["/", { body_match: "^\\d+ jobs" }, "the body does not match `body_match`"],
    ["/packed", { body_match: "well" }, "the body is packed (gzip), though nerve asks for plain text"],
    ["/once", {}, null],
    ["/once", { redirects: 0 }, "the status is 302, and not 200-299"],
    ["/once", { redirects: 0, status: 302 }, null],
    ["/round", { redirects: 3 }, "there were more than 3 redirects"],
    ["/out", {}, "a redirect leads to ftp:, which is not looked at"],
  ])("%s with %j", async (path, options, reason) => {
    const seen = await look({ url: at(path), ...options });
    expect(seen.ok).toBe(reason === null);
    if (reason === null) expect(seen.reason).toBeNull();
    else expect(seen.reason).toStartWith(reason);
  });

  test("is followed: a form's answer by GET, a 307 as it was, headers to their own server only", async () => {
    requests.length = 0;
    await look({ url: at("/post"), method: "POST", body: "a=1" });
    await look({ url: at("/keep"), method: "PUT", body: "a=1" });
    await look({ url: at("/elsewhere"), headers: { authorization: "Bearer secret" } });
    expect(requests.map(({ method, path, body, headers }) => [method, path, body, headers.authorization])).toEqual([
      ["POST", "/post", "a=1", undefined],
      ["GET", "/", "", undefined],
      ["PUT", "/keep", "a=1", undefined],
      ["PUT", "/", "a=1", undefined],
      ["GET", "/elsewhere", "", "Bearer secret"],
      ["GET", "/", "", undefined],
    ]);
    expect(await look({ url: at("/once") })).toMatchObject({ redirects: 1, status: 200 });
  });

  test("without an end is read for 1 MiB, and the server is left", async () => {
    sentBytes = 0;
    expect(await look({ url: at("/endless"), body_match: "a" })).toMatchObject({ ok: true, bytes: MEBIBYTE });
    await until("the server has seen that nobody reads", () => openStreams === 0);
    const sent = sentBytes;
    expect(await look({ url: at("/") })).toMatchObject({ ok: true });
    expect(sentBytes).toBe(sent);
  });

  test("that is slow is not well at its timeout, and the server is left", async () => {
    const seen = await look({ url: at("/slow"), timeout: "300ms" });
    expect(seen).toMatchObject({ ok: false, reason: "there was no whole answer within 0.3 s", failures: 1 });
    await until("the server has seen that nobody reads", () => openStreams === 0);
  });
});

/** A server that answers each connection with these bytes, and then closes it or not. */
async function raw(reply: string | null, closes: boolean) {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      if (reply !== null) socket.write(reply, () => closes && socket.destroy());
      else if (closes) socket.destroy();
    });
  });
  await new Promise<void>((up) => server.listen(0, "127.0.0.1", up));
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}/`, server };
}

describe("a server that", () => {
  test.each([
    ["closes at once", null, true, "the connection was closed before the answer was whole"],
    ["closes in the body", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc", true, "the connection was closed"],
    [
      "cuts a chunk",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nabc",
      true,
      "the connection was closed",
    ],
    ["speaks no HTTP", "220 mail ready\r\n", false, "the answer is not HTTP"],
    ["never answers", null, false, "there was no whole answer within 0.3 s"],
    ["stops in the body", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc", false, "there was no whole answer"],
  ])("%s", async (_, reply, closes, reason) => {
    const { url, server } = await raw(reply, closes);
    const seen = await look({ url, timeout: "300ms" });
    expect(seen).toMatchObject({ ok: false, failures: 1 });
    expect(seen.reason).toStartWith(reason);
    server.close();
  });

  test("is not there, or has no name", async () => {
    expect(await look({ url: "http://127.0.0.1:1/" })).toMatchObject({
      status: null,
      reason: "nothing listens there (connection refused)",
    });
    expect(await look({ url: "http://no-such-host.invalid/" })).toMatchObject({
      reason: expect.stringContaining("name server"),
    });
  });
});

describe("with TLS", () => {
  const { root, lower, server } = authority();
  const ca = join(folder, "root.pem");
  writeFileSync(ca, root.certificate);
  const serve = (names: readonly string[], days: number, isWhole = true) => {
    const leaf = server(names, days);
    const cert = leaf.certificate + (isWhole ? lower.certificate : "");
    return Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      tls: { key: leaf.privateKey, cert },
      fetch: () => new Response("hello"),
    });
  };

  test("a page is well, and says how long its certificate is", async () => {
    const site = serve(["localhost"], 20);
    const url = `https://localhost:${site.port}/`;
    expect(await look({ url, ca })).toMatchObject({ ok: true, status: 200, cert_days: expect.closeTo(20, 1) });
    await site.stop(true);
  });

  test.each([
    ["expired", ["localhost"], -2, true, /^the certificate expired on /],
    ["for another host", ["example.org"], 20, true, /^the certificate is not for localhost$/],
    ["short of its chain", ["localhost"], 20, false, /^the chain is short: /],
  ])("a certificate that is %s is why, and its days are there; `verify: false` looks away", async (...given) => {
    const [, names, days, isWhole, reason] = given;
    const site = serve(names, days, isWhole);
    const url = `https://localhost:${site.port}/`;
    const seen = await look({ url, ca });
    expect(seen).toMatchObject({ ok: false, status: null, cert_days: expect.closeTo(days, 1) });
    expect(seen.reason).toMatch(reason);
    const trusting = await look({ url, ca, verify: false });
    expect(trusting).toMatchObject({ ok: true, status: 200, cert_days: expect.closeTo(days, 1) });
    await site.stop(true);
  });

  test("a server without TLS says so, and a file of authorities that is none is an error", async () => {
    expect(await look({ url: `https://127.0.0.1:${web.port}/` })).toMatchObject({
      reason: "the server does not speak TLS",
      cert_days: null,
    });
    expect(look({ url: "https://127.0.0.1/", ca: join(folder, "none") })).rejects.toThrow(
      /none of `ca` cannot be read/,
    );
  });

  test("no descriptor is left over 300 looks, with and without TLS, well or not", async () => {
    const site = serve(["localhost"], 20);
    const senses = [
      openSense("http", { url: `https://localhost:${site.port}/`, ca }),
      openSense("http", { url: `https://localhost:${site.port}/` }),
      openSense("http", { url: at("/once") }),
      openSense("http", { url: "http://127.0.0.1:1/" }),
    ];
    const descriptors = (): number => readdirSync("/proc/self/fd").length;
    const round = () => Promise.all(senses.map((sense) => sense.compute()));
    for (let warm = 0; warm < 5; warm++) await round();
    const before = descriptors();
    for (let count = 0; count < 75; count++) await round();
    await until("closed connections are gone", () => descriptors() - before < 20);
    for (const sense of senses) sense[Symbol.dispose]();
    await site.stop(true);
  });
});

test("a compute that is stopped throws, and leaves the server", async () => {
  using sense = openSense("http", { url: at("/slow") });
  const controller = new AbortController();
  const compute = sense.compute({ signal: controller.signal });
  await until("the server is asked", () => openStreams === 1);
  controller.abort(new Error("stopped"));
  expect(compute).rejects.toThrow("stopped");
  await compute.catch(() => {});
  await until("the server has seen that nobody reads", () => openStreams === 0);
});

describe("options", () => {
  test.each([
    [{}, "url is required: text"],
    [{ url: "example.org" }, "url must be an address that begins with http:// or https://"],
    [{ url: "ftp://example.org/" }, "url must be an address"],
    [{ url: "https://user:word@example.org/" }, "url must be an address"],
    [{ url: "http://a/", status: "2xx" }, "status must be statuses such as 200 or 200-299"],
    [{ url: "http://a/", status: [] }, "status must be statuses"],
    [{ url: "http://a/", method: "GET", body: "x" }, "body is sent by POST, PUT and others, and not by `method: GET`"],
    [{ url: "http://a/", method: "HEAD", body_match: "x" }, "body_match needs a body"],
    [{ url: "http://a/", method: "get" }, "method must be GET, HEAD"],
    [{ url: "http://a/", body_match: "(" }, "body_match is no regular expression that nerve takes: it cannot be read"],
    [{ url: "http://a/", body_match: "(a+)+" }, "it repeats something that repeats"],
    [{ url: "http://a/", body_match: "(?=a)" }, "it looks around"],
    [{ url: "http://a/", headers: { "a b": "c" } }, "headers must map names of headers to texts of one line"],
    [{ url: "http://a/", headers: { a: "b\r\nc" } }, "headers must map"],
  ])("%j is refused", (given, problem) => {
    expect(validate("http", given)).toEqual({ problems: [expect.stringContaining(problem)] });
  });
});
