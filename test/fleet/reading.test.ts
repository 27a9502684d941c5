/** How a stream is read from a real nats-server: how often it is asked, and that large frames come whole. */
import { expect, test } from "bun:test";
import { Nats } from "../../src/fleet/nats/session.ts";
import { GENEROUS, HAS_NATS, keysOf, natsServer, publishAll, streamOn, watched } from "../helpers/nats.ts";
import { until } from "../helpers/until.ts";

const withNats = test.if(HAS_NATS);
const FILES = { creds: null, ca: null, cert: null, key: null };
const HEAD = { "Nerve-Epoch": "abcd", "Nerve-To": "1" };

/** Sizes of `frames` frames from the beginning, and how often the server was asked for them. */
async function readAll(url: string, frames: number): Promise<{ sizes: number[]; questions: number }> {
  await using questions = await watched(url, "$JS.API.CONSUMER.MSG.NEXT.>");
  const session = await new Nats({
    ...FILES,
    host: "hub",
    nkey: keysOf("hub").seed,
    servers: [url],
    domain: null,
    stream: "NERVE",
  }).connect();
  if (session.kind !== "session") throw new Error(session.why);
  const reading = await session.read(0);
  if (reading.kind !== "reading") throw new Error(reading.why);
  const sizes: number[] = [];
  while (sizes.length < frames) {
    const some = await reading.next();
    if (some === null || "kind" in some) throw new Error(some?.why ?? "the reading is over");
    sizes.push(...some.map(({ body }) => body.length));
  }
  await questions.flush();
  await session.close();
  return { sizes, questions: questions.subjects.length };
}

withNats("many small frames are asked for a thousand at a time", async () => {
  await using server = await natsServer();
  await streamOn(server.url, GENEROUS);
  const bodies = Array.from({ length: 3_500 }, () => "x");
  await publishAll(server.url, "nerve.web.signals", bodies, HEAD);
  const { sizes, questions } = await readAll(server.url, bodies.length);
  expect(sizes.length).toBe(3_500);
  expect(questions).toBeLessThanOrEqual(4);
});

withNats("large frames are asked for some megabytes at a time, and come whole", async () => {
  await using server = await natsServer();
  await streamOn(server.url, GENEROUS);
  const bodies = Array.from({ length: 30 }, (_, at) => new Uint8Array(900_000 + at));
  await publishAll(server.url, "nerve.web.signals", bodies, HEAD);
  const { sizes, questions } = await readAll(server.url, bodies.length);
  expect(sizes).toEqual(bodies.map(({ length }) => length));
  expect(questions).toBeGreaterThan(6);
});

withNats("a server that stands still costs a question its time, and no more", async () => {
  await using server = await natsServer();
  await streamOn(server.url);
  const at = { ...FILES, host: "web", nkey: keysOf("web").seed, servers: [server.url], domain: null, stream: "NERVE" };
  const session = await new Nats(at).connect();
  if (session.kind !== "session") throw new Error(session.why);
  expect((await session.last()).kind).toBe("none");
  server.stands();
  const silence = await until("it stands still", async () => {
    const last = await session.last();
    return last.kind === "offline" ? last.why : null;
  });
  expect(silence).toContain("gave no answer");
  await server.kill();
  await session.ended;
});
