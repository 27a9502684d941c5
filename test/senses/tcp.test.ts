/** Ports on loopback: one that listens, one that does not, and names that are none. */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { openSense, validate } from "../helpers/compute.ts";

async function listening(host: string): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((socket) => socket.on("error", () => {}));
  await new Promise<void>((up) => server.listen(0, host, up));
  return { server, port: (server.address() as { port: number }).port };
}

describe("a port", () => {
  test("that listens is well, and counts in a row; once it is closed it counts the failures", async () => {
    const { server, port } = await listening("127.0.0.1");
    using sense = openSense("tcp", { host: "127.0.0.1", port });
    const first = await sense.compute();
    expect(first).toEqual({
      host: "127.0.0.1",
      port,
      ok: true,
      reason: null,
      failures: 0,
      successes: 1,
      ms: expect.any(Number),
    });
    expect(await sense.compute()).toMatchObject({ successes: 2 });
    await new Promise((down) => server.close(down));
    const refused = "nothing listens there (connection refused)";
    expect(await sense.compute()).toMatchObject({ ok: false, reason: refused, failures: 1, successes: 0 });
    expect(await sense.compute()).toMatchObject({ failures: 2, successes: 0 });
    expect(sense.client.query("SELECT ok, failures FROM samples ORDER BY id").values()).toEqual([
      [1, 0],
      [1, 0],
      [0, 1],
      [0, 2],
    ]);
  });

  test("of a name is found", async () => {
    const { server, port } = await listening("127.0.0.1");
    using sense = openSense("tcp", { host: "localhost", port });
    expect(await sense.compute()).toMatchObject({ ok: true, reason: null });
    server.close();
  });

  test("of a name that is none says so", async () => {
    using sense = openSense("tcp", { host: "no-such-host.invalid", port: 80 });
    expect(await sense.compute()).toMatchObject({ ok: false, reason: expect.stringContaining("name server") });
  });

  test("another port begins to count anew", async () => {
    const { server, port } = await listening("127.0.0.1");
    using sense = openSense("tcp", { host: "127.0.0.1", port });
    await sense.compute();
    sense.client.run("UPDATE samples SET target = '127.0.0.1:1', successes = 7");
    expect(await sense.compute()).toMatchObject({ successes: 1 });
    server.close();
  });

  test("leaves no descriptor open over 1,000 looks", async () => {
    const { server, port } = await listening("127.0.0.1");
    using open = openSense("tcp", { host: "127.0.0.1", port });
    using closed = openSense("tcp", { host: "127.0.0.1", port: 1 });
    const descriptors = (): number => readdirSync("/proc/self/fd").length;
    for (let warm = 0; warm < 10; warm++) await Promise.all([open.compute(), closed.compute()]);
    const before = descriptors();
    for (let look = 0; look < 500; look++) await Promise.all([open.compute(), closed.compute()]);
    expect(descriptors() - before).toBeLessThan(50);
    server.close();
  });
});

test("a compute that was stopped before it began opens nothing", async () => {
  using sense = openSense("tcp", { host: "127.0.0.1", port: 1 });
  expect(sense.compute({ signal: AbortSignal.abort(new Error("stopped")) })).rejects.toThrow("stopped");
});

test("options: host and port are required", () => {
  expect(validate("tcp", {})).toEqual({
    problems: ["host is required: text", "port is required: a port from 1 to 65535"],
  });
  expect(validate("tcp", { host: "a", port: 0 })).toHaveProperty("problems");
  expect(validate("tcp", { host: "a", port: 80, timeout: "0s" })).toEqual({
    problems: ["timeout must be a duration from 100ms to 5m (was a text)"],
  });
});
