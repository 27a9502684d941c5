/** Certificates of real servers on loopback and in files: a good one, and each way in which one can be wrong. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { authority, type Holder } from "../helpers/certificates.ts";
import { openSense, validate } from "../helpers/compute.ts";

const folder = mkdtempSync(join(tmpdir(), "nerve-tls-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { root, lower, server } = authority();
const ca = join(folder, "root.pem");
writeFileSync(ca, root.certificate);

interface Listening extends Disposable {
  readonly port: number;
}

/** A server that presents `holder`, and the authorities between it and the root. */
function listen(holder: Holder, chain: readonly Holder[]): Listening {
  const tls = { key: holder.privateKey, cert: [holder, ...chain].map((one) => one.certificate).join("") };
  const started = Bun.serve({ hostname: "127.0.0.1", port: 0, tls, fetch: () => new Response("hello") });
  return { port: started.port ?? 0, [Symbol.dispose]: () => void started.stop(true) };
}

describe("a server", () => {
  test("with a good certificate: its days, names and chain", async () => {
    using listening = listen(server(["localhost", "127.0.0.1", "*.example.org"], 30), [lower]);
    using sense = openSense("tls", { host: "localhost", port: listening.port, ca });
    expect(await sense.compute()).toEqual({
      target: `localhost:${listening.port}`,
      ok: true,
      reason: null,
      failures: 0,
      successes: 1,
      days: expect.closeTo(30, 1),
      not_after: expect.any(Number),
      subject: "localhost",
      issuer: "Test Lower",
      names: ["localhost", "127.0.0.1", "*.example.org"],
      chain: 3,
      protocol: "TLSv1.3",
    });
    expect(await sense.compute()).toMatchObject({ failures: 0, successes: 2 });
  });

  test.each([
    ["whose certificate has expired", ["localhost"], -3, true, /^the certificate expired on \d{4}-\d\d-\d\d$/],
    ["with a certificate for another host", ["example.org"], 30, true, /^the certificate is not for localhost$/],
    ["that sends a short chain", ["localhost"], 30, false, /^the chain is short: .*"Test Lower"/],
    ["with both", ["example.org"], -3, true, /^the certificate is not for localhost; the certificate expired on/],
  ])("%s is not well, and says why", async (_, names, days, isWhole, reason) => {
    using listening = listen(server(names, days), isWhole ? [lower] : []);
    using sense = openSense("tls", { host: "localhost", port: listening.port, ca });
    const seen = await sense.compute();
    expect(seen).toMatchObject({ ok: false, failures: 1, successes: 0, days: expect.closeTo(days, 1) });
    expect(seen.reason).toMatch(reason);
  });

  test("whose authority nobody knows is not well", async () => {
    using listening = listen(server(["localhost"]), [lower, root]);
    using sense = openSense("tls", { host: "localhost", port: listening.port });
    expect(await sense.compute()).toMatchObject({
      ok: false,
      reason: "the chain ends at an authority that is not trusted",
    });
  });

  test("is asked for `server_name`, and judged by it", async () => {
    using listening = listen(server(["example.org"]), [lower]);
    const given = { host: "127.0.0.1", port: listening.port, ca };
    using named = openSense("tls", { ...given, server_name: "example.org" });
    expect(await named.compute()).toMatchObject({ ok: true, reason: null });
    using plain = openSense("tls", given);
    expect(await plain.compute()).toMatchObject({ reason: "the certificate is not for 127.0.0.1" });
  });

  test("that is none, that speaks no TLS and that is silent, each says so", async () => {
    using none = openSense("tls", { host: "127.0.0.1", port: 1 });
    expect(await none.compute()).toMatchObject({ days: null, reason: "nothing listens there (connection refused)" });
    const reply = createServer((socket) => socket.on("error", () => {}).end("220 mail ready\r\n"));
    const silent = createServer((socket) => socket.on("error", () => {}));
    for (const one of [reply, silent]) await new Promise<void>((up) => one.listen(0, "127.0.0.1", up));
    const portOf = (one: typeof reply): number => (one.address() as { port: number }).port;
    using plain = openSense("tls", { host: "127.0.0.1", port: portOf(reply) });
    expect(await plain.compute()).toMatchObject({ reason: "the server does not speak TLS" });
    using waits = openSense("tls", { host: "127.0.0.1", port: portOf(silent), timeout: "200ms" });
    expect(await waits.compute()).toMatchObject({ reason: "there was no handshake within 0.2 s", chain: null });
    for (const one of [reply, silent]) one.close();
  });

  test("leaves no descriptor open over 300 looks, well or not", async () => {
    using listening = listen(server(["localhost"]), [lower]);
    using good = openSense("tls", { host: "localhost", port: listening.port, ca });
    using bad = openSense("tls", { host: "127.0.0.1", port: listening.port });
    const descriptors = (): number => readdirSync("/proc/self/fd").length;
    for (let warm = 0; warm < 5; warm++) await Promise.all([good.compute(), bad.compute()]);
    const before = descriptors();
    for (let look = 0; look < 150; look++) await Promise.all([good.compute(), bad.compute()]);
    expect(descriptors() - before).toBeLessThan(20);
  });

  test("is left at once where the compute is aborted", async () => {
    const silent = createServer((socket) => socket.on("error", () => {}));
    await new Promise<void>((up) => silent.listen(0, "127.0.0.1", up));
    using sense = openSense("tls", { host: "127.0.0.1", port: (silent.address() as { port: number }).port });
    const controller = new AbortController();
    const compute = sense.compute({ signal: controller.signal });
    silent.once("connection", () => controller.abort(new Error("stopped")));
    expect(compute).rejects.toThrow("stopped");
    await compute.catch(() => {});
    silent.close();
  });
});

describe("a file", () => {
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  test("with a certificate and its chain is judged by itself", async () => {
    const leaf = server(["web.example.org"], 12);
    const path = file("good.pem", leaf.certificate + lower.certificate + root.certificate);
    using sense = openSense("tls", { file: path, server_name: "web.example.org" });
    expect(await sense.compute()).toMatchObject({
      target: path,
      ok: true,
      days: expect.closeTo(12, 1),
      chain: 3,
      protocol: null,
      subject: "web.example.org",
    });
  });

  test.each([
    ["expired.pem", server(["a"], -1).certificate, null, /^the certificate expired on/],
    ["other.pem", server(["a"]).certificate, "b.example.org", /^the certificate is not for b.example.org$/],
    ["order.pem", server(["a"]).certificate + root.certificate, null, /^certificate 1 of the file is not signed by/],
    ["empty.pem", "nothing\n", null, /^the file holds no certificate/],
    ["damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", null, /is damaged$/],
  ])("%s is not well, and says why", async (name, text, server_name, reason) => {
    using sense = openSense("tls", { file: file(name, text), server_name });
    const seen = await sense.compute();
    expect(seen.ok).toBe(false);
    expect(seen.reason).toMatch(reason);
  });

  test("that is not there is an error, which names it and what to do", async () => {
    using sense = openSense("tls", { file: join(folder, "none.pem") });
    expect(sense.compute()).rejects.toThrow(/none.pem cannot be read \(ENOENT\): name a PEM file/);
  });
});

test("options: a host or a file, a port that is one, authorities for a host", () => {
  expect(validate("tls", {})).toEqual({ problems: ["host is required, or else `file`"] });
  expect(validate("tls", { host: "a", file: "/b" })).toEqual({
    problems: ["file does not go with `host`: use two senses"],
  });
  expect(validate("tls", { file: "/b", ca: "/c" })).toHaveProperty("problems");
  expect(validate("tls", { host: "a", port: 70000 })).toEqual({
    problems: ["port must be a port from 1 to 65535 (was a number)"],
  });
});
