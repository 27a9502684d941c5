/** What the kernel believes of the web process, and what it does for it: one question, however it is put. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { parseNerveConfig } from "../../../src/config/parse.ts";
import type { WebLook } from "../../../src/control/web-look.ts";
import { workerDefinitions } from "../../../src/ipc/definitions.ts";
import { webDefinitions } from "../../../src/ipc/web-definitions.ts";
import { workflowWorkerDefinitions } from "../../../src/ipc/workflow-definitions.ts";
import { WebWorker } from "../../../src/kernel/web/web-worker.ts";
import { around } from "../../helpers/config.ts";
import { KernelBench, type Message } from "../../helpers/kernel-bench.ts";
import { randomFrom } from "../../helpers/runs.ts";

let bench: KernelBench;
let web: WebWorker;
let looks = 0;

beforeEach(async () => {
  bench = new KernelBench();
  looks = 0;
  const parsed = parseNerveConfig("http: 127.0.0.1:1\n", around({ file: "/etc/nerve/nerve.yaml" }));
  if (!parsed.ok) throw new Error(parsed.error.map(({ message }) => message).join("; "));
  const { store, host } = bench;
  web = new WebWorker({
    ...host,
    data: bench.folder.path,
    version: "0",
    command: () => ({ command: ["test"], env: {}, cwd: "/" }),
    look: () => ({ at: ++looks }) as WebLook,
    makeTokens: () => {},
    watermarks: () => ({ signals: store.signals.lastId(), logs: store.logs.lastId() }),
  });
  web.configure(parsed.value);
  await bench.settle();
  bench.child.says({ type: "ready", generation: generation() });
  await bench.settle();
});

afterEach(() => bench[Symbol.dispose]());

const generation = (): number => bench.child.of("init")[0]?.generation as number;

const STEP_MS = 10;

test("however often it asks and whatever is committed, it is answered once and told of watermarks four times a second", async () => {
  const SECONDS = 10;
  let id = 0;
  for (let ms = 0; ms < SECONDS * 1_000; ms += STEP_MS) {
    bench.store.commit(() =>
      bench.store.signals.append({ sense: "a", at: 1, payload: "1", cause: null, trace: "0".repeat(32) }),
    );
    for (let more = 0; more < 3; more++) {
      bench.child.says({ type: "look", generation: generation(), id: ++id, follows: true });
    }
    await bench.pass(STEP_MS);
  }
  const seen = bench.child.of("seen").length;
  expect(seen).toBe(looks);
  expect(seen).toBeGreaterThanOrEqual(SECONDS - 1);
  expect(seen).toBeLessThanOrEqual(SECONDS + 1);
  const marks = bench.child.of("watermarks");
  expect(marks.length).toBeGreaterThanOrEqual(4 * (SECONDS - 1));
  expect(marks.length).toBeLessThanOrEqual(4 * SECONDS + 1);
  const ids = marks.map(({ signals }) => signals as number);
  expect(ids).toEqual([...new Set(ids)].sort((one, two) => one - two));
});

const NAMES = Object.keys({ ...webDefinitions, ...workerDefinitions, ...workflowWorkerDefinitions });
const FIELDS = [
  "id",
  "sense",
  "run",
  "payload",
  "seq",
  "follows",
  "reason",
  "message",
  "stack",
  "durationMs",
  "trace",
  "__proto__",
];
const VALUES = [
  0,
  1,
  -1,
  Number.POSITIVE_INFINITY,
  "a",
  "",
  null,
  true,
  [],
  {},
  [{}],
  { type: "look" },
  "x".repeat(5_000),
];

/** A message as no web process sends one; none of them is its `bye`, behind which it would be expected to go. */
function randomMessage(random: () => number): unknown {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  if (random() < 0.05) return pick<unknown>(VALUES);
  const message: Record<string, unknown> = { type: pick(NAMES.filter((name) => name !== "bye")) };
  if (random() < 0.9) message.generation = random() < 0.9 ? generation() : pick<unknown>(VALUES);
  for (const field of FIELDS) if (random() < 0.4) message[field] = pick<unknown>(VALUES);
  return message;
}

test("20,000 messages at random: no signal, no run, no row but logs of the kernel; it is sent looks and watermarks alone", async () => {
  const random = randomFrom(4_280);
  const { store } = bench;
  for (let count = 0; count < 20_000; count++) {
    if (bench.child.isGone) {
      await bench.pass(60_000);
      bench.child.says({ type: "ready", generation: generation() });
    }
    bench.child.says(randomMessage(random) as Message);
    if (count % 50 === 0) await bench.pass(STEP_MS);
  }
  await bench.settle();
  expect([store.signals.lastId(), store.runs.lastId(), store.incidents.lastId()]).toEqual([0, 0, 0]);
  expect([...new Set(bench.lines.map(({ source }) => source))]).toEqual(["kernel"]);
  const sent = new Set(bench.children.flatMap((child) => child.sent.map(({ type }) => type)));
  expect([...sent].sort()).toEqual(["init", "seen", "watermarks"]);
});
