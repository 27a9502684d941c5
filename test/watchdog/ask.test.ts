/** One ping, against servers that do what servers do. */
import { afterEach, expect, test } from "bun:test";
import { ask } from "../../src/watchdog/ask.ts";

const servers: { stop(force: boolean): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.stop(true);
});

function serve(answer: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  servers.push(server);
  return `http://127.0.0.1:${server.port}/ping/secret-token`;
}

const LONG_MS = 60_000;

test("a server that answers with 200 is asked by GET, once", async () => {
  const asked: string[] = [];
  const url = serve(({ method, url: at, headers }) => {
    asked.push(`${method} ${new URL(at).pathname} ${headers.get("user-agent")}`);
    return new Response("OK");
  });
  expect(await ask(url, LONG_MS)).toBeNull();
  expect(asked).toEqual(["GET /ping/secret-token nerve"]);
});

test("a body without an end is not waited for", async () => {
  const url = serve(
    () => new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(65_536)) })),
  );
  expect(await ask(url, LONG_MS)).toBeNull();
});

test("a status of failure, and a redirect, which is not followed", async () => {
  expect(
    await ask(
      serve(() => new Response("no", { status: 500 })),
      LONG_MS,
    ),
  ).toBe("it answered 500");
  const elsewhere = serve(() => new Response("OK"));
  expect(
    await ask(
      serve(() => Response.redirect(elsewhere, 302)),
      LONG_MS,
    ),
  ).toBe("it answered 302, a redirect, which is not followed");
});

test("a server that never answers is given up after its time", async () => {
  const never = Promise.withResolvers<Response>();
  expect(
    await ask(
      serve(() => never.promise),
      300,
    ),
  ).toBe("no answer within 0.3 s");
});

test.each([
  ["no server", () => "http://127.0.0.1:1/secret-token"],
  ["no such name", () => "http://nerve-watchdog.invalid/secret-token"],
  ["no TLS there", () => serve(() => new Response("OK")).replace("http:", "https:")],
  ["a password in the address", () => "http://ops:secret-token@127.0.0.1:1/"],
])("%s is said without the address", async (_, address) => {
  const said = await ask(address(), LONG_MS);
  expect(said).toMatch(/^[A-Za-z_]+$/);
  expect(said).not.toContain("secret-token");
});
