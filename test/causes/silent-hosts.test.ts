/** `nerve why` on a hub: which hosts are silent, since when, and who is told. */
import { expect, test } from "bun:test";
import { answerJson } from "../../src/causes/answer-json.ts";
import { answerTo } from "../../src/causes/asked.ts";
import { worstFirst } from "../../src/causes/shown-trouble.ts";
import { FleetBench } from "../helpers/fleet-bench.ts";
import { sceneOf } from "../helpers/scene.ts";

const MINUTE = 60_000;

const hubOf = (reflex: string): string => `
host: hub
fleet: { servers: ["nats://127.0.0.1:4222"], receive: ["*/load"], silent_after: 60s }
workflows: { page: { use: exec, with: { command: [/bin/true] } } }
reflexes: [${reflex}]
`;
const rule = (rest: string): string =>
  `{ name: down, workflow: page, on: ["*/presence"], key: $host, when: { state: "'silent'" }, ${rest} }`;

/** A hub that has heard five hosts, of which `web1` and the others that are named go on. */
async function hub(yaml: string, ...heard: readonly string[]): Promise<FleetBench> {
  const bench = await new FleetBench(yaml).up();
  await bench.pass(1_000);
  for (const host of ["web1", "web2", "web3", "web4", "web5"]) await bench.brings(bench.frame(host, 0, [1]));
  await bench.passWith(2 * MINUTE, "web1", ...heard);
  return bench;
}

function why(bench: FleetBench, word: string | null = null) {
  using scene = sceneOf(bench, 0, true);
  const found = answerTo(scene, word);
  if (!found.ok) throw new Error(found.error.message);
  const { text, trouble, others, next } = answerJson(found.value, "");
  const troubles = worstFirst(trouble === null ? others : [trouble, ...others]);
  return {
    text,
    next: next.map(({ command }) => command),
    troubles: troubles.map(({ kind, name, state }) => [kind, name, state]),
  };
}

test("a hub that hears all says so; one that does not names who is silent, since when, and that no rule reports it", async () => {
  using bench = await hub(hubOf(""), "web2", "web3", "web4", "web5");
  expect(why(bench).text).toContain("and 5 other hosts are heard, since");
  await bench.passWith(2 * MINUTE, "web1", "web3", "web4", "web5");
  expect(why(bench)).toMatchObject({
    text: expect.stringMatching(
      /^Host web2 is silent: nothing of it has come since \d\d:\d\d:\d\d \(2m.* ago\)\. Nobody is told/,
    ),
    troubles: [["hosts", "web2", "silent"]],
    next: ["nerve fleet status", "nerve fleet forget web2"],
  });
  expect(why(bench).text).toContain("because no reflex on `*/presence` starts a workflow.");
  await bench.passWith(2 * MINUTE, "web1");
  const { text, troubles } = why(bench);
  expect(text).toMatch(/^4 hosts are silent: web\d since .* and web\d since /);
  expect(troubles).toEqual([["hosts", null, "silent"]]);
});

test("the reflex that reports silence is named with the run that it started; while `for` holds it back, when it will", async () => {
  using told = await hub(hubOf(rule("edge: rising")), "web3", "web4", "web5");
  expect(why(told)).toMatchObject({
    text: expect.stringMatching(/Reflex down started run 1 of page for web2 at \d\d:\d\d:\d\d/),
    next: ["nerve fleet status", "nerve explain down", "nerve fleet forget web2"],
  });
  using held = await hub(hubOf(rule("for: 10m")), "web3", "web4", "web5");
  expect(why(held).text).toMatch(/^Host web2 is silent.* Reflex down \(key web2\) matches.*if that goes on/);
  held.engine.requests.switch("reflex:down", false);
  await held.settle();
  expect(why(held).text).toContain("Reflex down looks at that, and is disabled.");
});

test("an open incident speaks for the host that it is about; a host that is named is silent or heard", async () => {
  using bench = await hub(hubOf(rule("incident: { severity: critical }")), "web3", "web4", "web5");
  expect(why(bench, "web2")).toMatchObject({
    text: expect.stringMatching(/^Host web2 is silent: nothing of it has come since/),
    next: ["nerve fleet status", "nerve explain down", "nerve fleet forget web2"],
  });
  expect(why(bench, "web1").text).toMatch(/^Host web1 is heard: something of it came at/);
  expect(why(bench).troubles).toEqual([["incident", "down", "open"]]);
});

test("a host that is named and was never heard is said to be so, and a link that is cut off stands beside who is silent", async () => {
  using bench = await hub(hubOf("").replace("*/load", '*/load", "web9/load'), "web2", "web3", "web4", "web5");
  expect(why(bench).text).toStartWith("Host web9 is silent: nothing of it has ever come.");
  bench.says("link", { side: "in", state: "offline", why: "nobody answers", nextMs: 30_000 });
  await bench.settle();
  const { text, troubles } = why(bench);
  expect(troubles.map(([kind, name]) => [kind, name])).toEqual([
    ["listener", "fleet"],
    ["hosts", "web9"],
  ]);
  expect(text).toContain("nerve tries again by itself (last try now, next try in 30s).");
  expect(text).toContain("Wrong as well: host web9 (silent).");
});

test("a hub whose own frames are refused hears others, and says no more than that; a stream that is full names the remedy", async () => {
  using bench = await hub(hubOf(""), "web2", "web3", "web4", "web5");
  const at = bench.clock.wallMs();
  const room = { bytes: 99, max_bytes: 100, messages: 9, max_messages: 0, max_age_ms: 0, oldest_at: at, newest_at: at };
  bench.says("room", { room });
  bench.says("link", { side: "out", state: "blocked", why: "the stream NERVE is full", nextMs: 30_000 });
  await bench.settle();
  const { text, next } = why(bench);
  expect(text).toMatch(
    /^Nothing leaves this host for its fleet \(.*\), and what others send comes in since .*: the stream NERVE is full\./,
  );
  expect(text).toContain("Other hosts that listen to this one hear no sign of life of it; nerve tries again by itself");
  expect(text).not.toContain("is not noticed");
  expect(next).toEqual(["nerve fleet init --max-bytes SIZE", "nerve fleet check"]);
});

test("nothing is wrong since the link that came back last", async () => {
  using bench = await hub(hubOf(""), "web2", "web3", "web4", "web5");
  expect(why(bench).text).toMatch(/^Nothing is wrong.*\(2m /);
  bench.says("link", { side: "out", state: "offline", why: "nobody answers", nextMs: 10_000 });
  await bench.settle();
  await bench.connected();
  expect(why(bench).text).toMatch(/^Nothing is wrong.*since \d\d:\d\d:\d\d \(now\)\.$/);
});

test("a host whose data another copy has sent as well says so for some minutes, with the remedy", async () => {
  using bench = await hub(hubOf(""), "web2", "web3", "web4", "web5");
  const cursor = { epoch: "f0", since: 7, upto: 7, sequence: 0, proof: null, others: [] };
  bench.says("forwarded", { cursor, signals: 0, lost: 0, copied: "the data was put back" });
  await bench.settle();
  bench.says("notice", { kind: "conflict", message: "another kernel sends as hub" });
  await bench.settle();
  expect(why(bench).text).toContain("or a copy of it runs elsewhere as well: another copy of the data of hub");
  await bench.passWith(6 * MINUTE, "web1", "web2", "web3", "web4", "web5");
  bench.says("forwarded", { cursor, signals: 0, lost: 0, copied: "the data was put back" });
  await bench.settle();
  expect(why(bench)).toMatchObject({
    text: expect.stringMatching(/^The data of this host was put back by copy, or a copy of it runs elsewhere since/),
    troubles: [["listener", "fleet", "failed"]],
    next: ["nerve restore DIR", "nerve reload"],
  });
  await bench.passWith(6 * MINUTE, "web1", "web2", "web3", "web4", "web5");
  expect(why(bench)).toMatchObject({ troubles: [] });
});
