/**
 * The kernel, the process that sends by OTLP and the receiver are killed at any moment, while the receiver also refuses for now, answers nonsense,
 * hangs up and refuses for good. Each row that `send` names is taken at least once, or was refused for good and is counted.
 * `NERVE_CRASH=full`: longer.
 */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CrashSite, randomNumbers } from "../helpers/crash.ts";
import { answer, HANG_UP, type Kind, OtlpReceiver, type Reply, SILENCE, TAKE } from "../helpers/otlp-receiver.ts";
import { childrenOf, commandOf, sendSignal } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";

const FULL = process.env.NERVE_CRASH === "full";
const KILLS = FULL ? 60 : 8;
const SEED = 17;

setDefaultTimeout(FULL ? 1_200_000 : 240_000);

const configOf = (url: string): string => `data: DATA
otlp: { endpoint: "${url}", send: { signals: ["load"], logs: debug, runs: true }, every: 250ms }
senses: { load: }
workflows: { job: { overflow: drop } }
reflexes:
  - { sense: load, interval: 20ms }
  - { name: often, workflow: job, on: [load], throttle: 60ms }
`;
const SENSE = "let n = 0;\nexport const compute = () => ({ n: ++n });\n";
const WORKFLOW = `import type { Run } from "nerve";
export const run: Run = async (thread) => {
  await thread.step("one", () => 1);
};
`;

const WANTED: Readonly<Record<Kind, string>> = {
  signals: "SELECT id FROM signals WHERE sense = 'load' AND id > $from",
  logs: "SELECT id FROM logs WHERE id > $from",
  runs: `SELECT id FROM logs WHERE id > $from AND event IN ('step.completed', 'step.failed', 'run.completed', 'run.failed',
    'run.timed-out', 'run.cancelled', 'run.dropped', 'run.joined')`,
};

const idsOf = ({ reply, taken }: OtlpReceiver["came"][number], isMeant: (reply: Reply) => boolean): number[] =>
  isMeant(reply) ? [...taken.points, ...taken.logs, ...taken.spans].map(({ id }) => id) : [];

/** Ids of a kind in requests with such a reply. */
const idsIn = ({ came }: OtlpReceiver, kind: Kind, isMeant: (reply: Reply) => boolean): Set<number> =>
  new Set(came.filter((one) => one.kind === kind).flatMap((one) => idsOf(one, isMeant)));

const isTaken = (reply: Reply): boolean => reply.kind === "take";
const REFUSAL = answer(400, "not these");
const isRefused = (reply: Reply): boolean => reply === REFUSAL;

test("each row that `send` names is taken, or refused and counted, whatever is killed", async () => {
  const random = randomNumbers(SEED);
  await using receiver = await new OtlpReceiver().start();
  await using site = new CrashSite([], configOf(receiver.url));
  for (const [folder, text] of [
    ["senses/load", SENSE],
    ["workflows/job", WORKFLOW],
  ] as const) {
    mkdirSync(join(site.folder, folder), { recursive: true });
    writeFileSync(join(site.folder, folder, "index.ts"), text);
  }
  const replies: readonly Reply[] = [
    ...Array<Reply>(8).fill(TAKE),
    ...[HANG_UP, HANG_UP, REFUSAL],
    ...(FULL ? [SILENCE] : []),
    ...[answer(200, "<html>"), answer(503), answer(429, "", { "retry-after": "0" })],
  ];
  receiver.replyTo = () => replies[Math.floor(random() * replies.length)] ?? TAKE;
  let kernel = site.start();
  await kernel.answers();
  const pidOf = (): number | null => childrenOf(kernel.pid).find((pid) => commandOf(pid).includes("__otlp")) ?? null;
  for (let kill = 0; kill < KILLS; kill++) {
    const before = receiver.came.length;
    const many = 1 + Math.floor(random() * 4);
    await until("requests come", () => receiver.came.length >= before + many);
    switch (kill % 3) {
      case 0: {
        const pid = await until("the process is there", pidOf);
        sendSignal(pid, "SIGKILL");
        break;
      }
      case 1:
        await kernel.kill();
        kernel = site.start();
        await kernel.answers();
        break;
      default:
        await receiver.stop();
        await Bun.sleep(random() * 300);
        await receiver.start();
    }
  }
  receiver.replyTo = () => TAKE;
  await kernel.up();
  using db = new Database(join(site.data, "logs.db"), { readonly: true });
  for (const kind of ["signals", "logs", "runs"] as const) {
    const first = Math.min(...idsIn(receiver, kind, () => true));
    const wanted = db
      .query<{ id: number }, [{ from: number }]>(WANTED[kind])
      .all({ from: first - 1 })
      .map(({ id }) => id);
    expect(wanted.length).toBeGreaterThan(10);
    await until(`all ${kind} have come`, () => {
      const come = idsIn(receiver, kind, (reply) => isTaken(reply) || isRefused(reply));
      return wanted.every((id) => come.has(id));
    });
    const refusedAlone = idsIn(receiver, kind, isRefused).difference(idsIn(receiver, kind, isTaken));
    const link = (await kernel.status())?.otlp?.links.find((one) => one.kind === kind);
    expect(link?.refused ?? 0).toBeGreaterThanOrEqual(refusedAlone.size);
    expect(link?.lost).toBe(0);
    const said = db.query("SELECT id FROM logs WHERE event = 'otlp.refused' AND data ->> 'kind' = ?").all(kind);
    expect(said.length > 0).toBe((link?.refused ?? 0) > 0);
  }
  expect(receiver.faults).toEqual([]);
});
