/** The daemon sends by OTLP to a receiver that takes, refuses, is slow to take, answers nonsense, hangs up and is away. */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { type Nerve, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { answer, HANG_UP, type Kind, OtlpReceiver, type Reply, TAKE } from "../helpers/otlp-receiver.ts";
import { childrenOf, commandOf } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const SENSE = `let n = 0;
export const compute = () => ({ n: ++n, half: n / 2, word: "secret-word" });
`;
const WORKFLOW = `import type { Run } from "nerve";
export const run: Run = async (thread) => {
  await thread.step("first", () => 1);
  thread.log("warn", "between");
  await thread.step("second", () => 2);
};
`;
const KEY = "Bearer key-of-the-receiver-1234";

const configOf = (url: string, send: string): string => `
host: web1
otlp:
  endpoint: ${url}
  headers: { authorization: "\${OTLP_KEY}", x-scope: tenant-7 }
  send: ${send}
  every: 250ms
senses: { load: , quiet: }
workflows: { job: }
reflexes:
  - { sense: load, interval: 100ms }
  - { sense: quiet, interval: 100ms }
  - { name: now-and-then, workflow: job, on: [load], throttle: 400ms }
`;

interface Site extends AsyncDisposable {
  readonly receiver: OtlpReceiver;
  readonly folder: Project;
  readonly nerve: Nerve;
}

async function siteOf(send: string, replyTo: (kind: Kind) => Reply = () => TAKE): Promise<Site> {
  const receiver = await new OtlpReceiver().start();
  receiver.replyTo = replyTo;
  const folder = project({
    "nerve.yaml": configOf(receiver.url, send),
    "senses/load/index.ts": SENSE,
    "senses/quiet/index.ts": SENSE,
    "workflows/job/index.ts": WORKFLOW,
  });
  const nerve = await startNerve(folder.path, { environment: { OTLP_KEY: KEY } });
  return {
    receiver,
    folder,
    nerve,
    async [Symbol.asyncDispose]() {
      await nerve[Symbol.asyncDispose]();
      await receiver[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
      expect(receiver.faults).toEqual([]);
    },
  };
}

const idsIn = (receiver: OtlpReceiver, of: "points" | "logs" | "spans"): Set<number> =>
  new Set(receiver.taken.flatMap((taken) => taken[of].map(({ id }) => id)));

const missingIn = (ids: ReadonlySet<number>, wanted: readonly number[]): number[] =>
  wanted.filter((id) => !ids.has(id));

/** Ids that a query over logs.db names. */
function idsOf({ nerve }: Site, sql: string): number[] {
  using db = new Database(join(nerve.data, "logs.db"), { readonly: true });
  return db
    .query<{ id: number }, []>(sql)
    .all()
    .map(({ id }) => id);
}

const LOADS = "SELECT id FROM signals WHERE sense = 'load' ORDER BY id";
const ENDS = `SELECT id FROM logs WHERE event IN ('run.completed', 'step.completed', 'step.failed') ORDER BY id`;

const linkOf = async ({ nerve }: Site, kind: Kind) => {
  const link = (await nerve.status()).otlp?.links.find((one) => one.kind === kind);
  if (link === undefined) throw new Error(`the status has no ${kind}`);
  return link;
};

test("what `send` names arrives with its ids, and nothing else does; the header is sent and shown nowhere", async () => {
  await using site = await siteOf("{ signals: [load], logs: warn, runs: true }");
  const { receiver, nerve, folder } = site;
  await until("ten signals and four runs are there", () => {
    const spans = receiver.taken.flatMap((taken) => taken.spans);
    return idsIn(receiver, "points").size >= 10 && spans.filter(({ parent }) => parent === "").length >= 4;
  });
  const wanted = idsOf(site, LOADS).slice(0, 10);
  expect(missingIn(idsIn(receiver, "points"), wanted)).toEqual([]);
  const points = receiver.taken.flatMap((taken) => taken.points);
  expect(new Set(points.map(({ name }) => name))).toEqual(new Set(["nerve.load.n", "nerve.load.half"]));
  expect(points.every(({ attributes }) => Object.keys(attributes).length === 2)).toBe(true);
  const row = nerve.signals("load").find(({ id }) => id === wanted[0]);
  expect(points.find(({ id, name }) => id === row?.id && name === "nerve.load.n")).toMatchObject({
    ...{ value: row?.payload.n, at: row?.at, trace: row?.trace },
    attributes: { sense: "load", "host.name": "web1" },
  });
  const logged = await until("a log of a run is there", () => {
    const logs = receiver.taken.flatMap((taken) => taken.logs);
    return logs.find(({ body }) => body === "between") ?? null;
  });
  expect(logged).toMatchObject({ severity: 13, attributes: { "nerve.source": "workflow:job" } });
  expect(receiver.taken.flatMap((taken) => taken.logs).every(({ severity }) => severity >= 13)).toBe(true);
  const spans = [...new Map(receiver.taken.flatMap((taken) => taken.spans).map((one) => [one.span, one])).values()];
  const run = spans.find(({ parent }) => parent === "");
  const steps = spans.filter(({ parent }) => parent === run?.span);
  expect(run).toMatchObject({ name: "job", status: { code: 1 } });
  expect(steps.map(({ name, trace }) => [name, trace])).toEqual([
    ["first", run?.trace ?? ""],
    ["second", run?.trace ?? ""],
  ]);
  expect(nerve.signals("load").map(({ trace }) => trace)).toContain(run?.trace ?? "");
  expect(receiver.came[0]?.headers).toMatchObject({ authorization: KEY, "x-scope": "tenant-7" });
  const { stdout } = await runNerve(folder.path, ["status"]);
  expect(stdout).toMatch(/otlp, signals: connected, \d+ sent/);
  const { stdout: json } = await runNerve(folder.path, ["status", "--json"]);
  for (const said of [stdout, json, nerve.stderr(), JSON.stringify(nerve.logs())])
    expect(said).not.toContain("key-of-the");
});

test("whoever takes nothing for now is waited for as long as he says, is said once, and gets all of it", async () => {
  let reply: Reply = answer(429, "slow down", { "retry-after": "1" });
  await using site = await siteOf("{ signals: [load] }", () => reply);
  const { receiver, nerve, folder } = site;
  await until("a request has come", () => receiver.came.length > 0);
  reply = answer(429, "slow down, please", { "retry-after": "1" });
  await until("a second request has come", () => receiver.came.length >= 2);
  const [first, second] = receiver.came;
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1_000);
  expect(await linkOf(site, "signals")).toMatchObject({ state: "blocked", sent: 0, refused: 0 });
  expect((await nerve.status()).listeners).toMatchObject([{ name: "otlp", address: receiver.url, state: "failed" }]);
  const { stdout } = await runNerve(folder.path, ["why"]);
  expect(stdout).toContain(`Not all that \`otlp.send\` names leaves for ${receiver.url}`);
  expect(stdout.replaceAll(/\s+/g, " ")).toMatch(/nerve tries again by itself \(last try .*, next try .*\)/);
  const { last_try, next_try } = await linkOf(site, "signals");
  expect((next_try ?? 0) - (last_try ?? 0)).toBeGreaterThanOrEqual(1_000);
  for (const next of [answer(503, "", { "retry-after": "1" }), answer(200, "<html>"), answer(401, KEY)]) {
    const before = receiver.came.length;
    reply = next;
    await until("it is asked again", () => receiver.came.length > before && receiver.came.at(-1)?.reply === next);
  }
  reply = TAKE;
  const wanted = idsOf(site, LOADS);
  await until("all that waited is there", () => missingIn(idsIn(receiver, "points"), wanted).length === 0);
  await until("it is said", () => nerve.logs({ event: "otlp.connected" }).length === 1);
  const why = nerve.logs({ event: "otlp.blocked" }).map(({ message }) => message.replace(/^.*OTLP: /, ""));
  expect(why).toEqual([
    "it answered 429 on /v1/metrics: slow down",
    "it answered 503 on /v1/metrics",
    "what answers 200 on /v1/metrics is no receiver of OTLP",
    "it answered 401 on /v1/metrics: …",
  ]);
});

test("what is refused for good is counted, said once and passed over; a request that is too large is halved", async () => {
  let reply: Reply = answer(400, "no such metric");
  await using site = await siteOf("{ signals: [load] }", () => reply);
  const { receiver, nerve, folder } = site;
  await until("three requests were refused", () => receiver.came.length >= 3);
  const link = await until("it is said", async () => {
    const now = await linkOf(site, "signals");
    return now.state === "refusing" && now.refused > 0 ? now : null;
  });
  expect(link).toMatchObject({ why: "it answered 400 on /v1/metrics: no such metric", sent: 0, next_try: null });
  expect(link.last_try).toBeGreaterThanOrEqual(link.since);
  const shown = (await runNerve(folder.path, ["status"])).stdout;
  expect(shown).toMatch(/otlp, signals: refusing for .*: it answered 400 .* \(last try .*\), 0 sent, \d+ refused/);
  const { stdout } = await runNerve(folder.path, ["why"]);
  const said = stdout.replaceAll(/\s+/g, " ");
  expect(said).toContain(`The receiver of OTLP at ${receiver.url} refuses all that is sent (signals)`);
  expect(said).toMatch(/What the receiver refuses of signals is passed over and not sent again: \d+ since/);
  const refused = receiver.came.slice(0, 3).flatMap(({ taken }) => taken.points);
  reply = TAKE;
  await until("one was taken", () => receiver.taken.length > 0);
  await until("that is said", async () => (await linkOf(site, "signals")).state === "connected");
  expect((await runNerve(folder.path, ["why"])).stdout).toContain("Nothing is wrong");
  const [took] = receiver.taken;
  expect(
    missingIn(
      new Set(took?.points.map(({ id }) => id)),
      refused.map(({ id }) => id),
    ),
  ).not.toEqual([]);
  const all = receiver.came.filter(({ reply: one }) => one.kind === "status").flatMap(({ taken }) => taken.points);
  await until("all are counted", async () => (await linkOf(site, "signals")).refused === all.length);
  expect(nerve.logs({ event: "otlp.refused" })).toMatchObject([{ level: "warn", data: { kind: "signals" } }]);
  receiver.replyTo = () => ({ kind: "take", refused: 1, message: "too old" });
  const partial = await until("a part was refused", () => nerve.logs({ event: "otlp.refused" }).at(1) ?? null);
  expect(partial).toMatchObject({ data: { refused: 1 } });
  expect(partial.message).toContain("too old");
  // A receiver that takes two points at once, and a backlog of more.
  receiver.replyTo = () => HANG_UP;
  await until("signals wait", async () => (await linkOf(site, "signals")).backlog >= 12);
  receiver.replyTo = (_, { points }) => (points.length > 2 ? answer(413) : TAKE);
  const wanted = idsOf(site, LOADS).slice(-6);
  await until("small requests bring all", () => missingIn(idsIn(receiver, "points"), wanted).length === 0);
});

test("a receiver that asked for an hour gets what waits at once after a reload, though nothing changed in the configuration", async () => {
  await using site = await siteOf("{ signals: [load] }", () => answer(503, "", { "retry-after": "3600" }));
  const { receiver, nerve } = site;
  await until("the hour is taken note of", async () => (await linkOf(site, "signals")).state === "blocked");
  receiver.replyTo = () => TAKE;
  expect((await nerve.post("/reload")).status).toBe(200);
  const wanted = idsOf(site, LOADS);
  await until("all that waited is there", () => missingIn(idsIn(receiver, "points"), wanted).length === 0);
});

test("what is not named any longer is not sent, and what was made meanwhile is not sent later", async () => {
  await using site = await siteOf("{ signals: [load], logs: debug }");
  const { receiver, nerve, folder } = site;
  await until("both have come", () => idsIn(receiver, "points").size > 0 && idsIn(receiver, "logs").size > 0);
  folder.write("nerve.yaml", configOf(receiver.url, "{ logs: debug }"));
  expect((await nerve.post("/reload")).status).toBe(200);
  const [from = 0] = idsOf(site, "SELECT max(id) AS id FROM signals");
  expect((await nerve.status()).otlp?.links.map(({ kind }) => kind)).toEqual(["logs"]);
  await until("more signals were made", () => idsOf(site, LOADS).filter((id) => id > from + 3).length > 3);
  const [to = 0] = idsOf(site, "SELECT max(id) AS id FROM signals");
  folder.write("nerve.yaml", configOf(receiver.url, "{ signals: [quiet] }"));
  expect((await nerve.post("/reload")).status).toBe(200);
  await until("signals of the other sense came", () => [...idsIn(receiver, "points")].some((id) => id > to));
  expect([...idsIn(receiver, "points")].filter((id) => id > from && id <= to)).toEqual([]);
  folder.write("nerve.yaml", configOf(receiver.url, "{ signals: [quiet] }").replace(/otlp:[\s\S]*?every: 250ms/, ""));
  expect((await nerve.post("/reload")).status).toBe(200);
  expect((await nerve.status()).otlp).toBeNull();
  using db = new Database(join(nerve.data, "logs.db"), { readonly: true });
  await until("the process is gone", () => !childrenOf(nerve.pid).some((pid) => commandOf(pid).includes("__otlp")));
  await until("no cursor is left", () => db.query("SELECT key FROM meta WHERE key LIKE 'otlp.%'").all().length === 0);
});

test("runs and their steps arrive, whoever was away meanwhile", async () => {
  await using site = await siteOf("{ runs: true }");
  const { receiver, nerve } = site;
  await until("a run is there", () => idsIn(receiver, "spans").size >= 3);
  await receiver.stop();
  const before = idsOf(site, ENDS).length;
  await until("more runs have ended", () => idsOf(site, ENDS).length >= before + 6);
  await until("it is noticed", async () => (await linkOf(site, "runs")).state === "offline");
  await receiver.start();
  const wanted = idsOf(site, ENDS);
  await until("all of them are there", () => missingIn(idsIn(receiver, "spans"), wanted).length === 0);
  expect(nerve.logs({ event: "otlp.offline" })).toHaveLength(1);
});
