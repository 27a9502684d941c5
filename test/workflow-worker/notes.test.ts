/** What a workflow's worker notes of its runs in the memory that it shares with its kernel, read by a real parent of a real child. */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { RUN_PLACES } from "../../src/ipc/workflow-definitions.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { until } from "../helpers/until.ts";
import { TestWorkflowWorker } from "../helpers/worker.ts";

function write(folder: Folder, body: string): void {
  mkdirSync(folder.file("workflows", "probe"), { recursive: true });
  writeFileSync(
    folder.file("workflows", "probe", "index.ts"),
    `import { existsSync } from "node:fs";
    export const run = async (thread) => { const { n } = thread.trigger.payload; ${body} };`,
  );
}

const SPINS_AT_2 = "if (n === 2) for (;;);";

/** Sends these runs in one frame; the payload of each is its number. */
function sendAll(worker: TestWorkflowWorker, runs: readonly number[]): void {
  const requests = runs.map((run) => worker.requestOf(run));
  worker.send(
    ...requests.map((request) => ({ ...request, trigger: { ...request.trigger, payload: { n: request.run } } })),
  );
}

test("a run that spins is noted without a message, alone among those of its turn, also once its process is gone", async () => {
  using folder = temporaryFolder();
  write(folder, SPINS_AT_2);
  await using worker = new TestWorkflowWorker(folder, RUN_PLACES);
  await worker.ready({});
  const { notes } = worker.process;
  const seen = () => [0, 1, 2].map((place) => notes?.at(place)?.id ?? null);
  expect(seen()).toEqual([null, null, null]);
  sendAll(worker, [1, 2, 3]);
  await until("it spins", () => notes?.at(1)?.id === 2);
  await until("it has spun for a while", () => (notes?.at(1)?.forMs ?? 0) > 50);
  expect(seen()).toEqual([1, 2, null]);
  expect(notes?.at(1)?.isOver).toBe(false);
  worker.process.kill();
  await until("it is gone", () => worker.exited !== null);
  expect(seen()).toEqual([1, 2, null]);
});

test("every run is said to have started, once, before anything else is said of it", async () => {
  using folder = temporaryFolder();
  write(folder, "await thread.step('a', () => n); return n;");
  await using worker = new TestWorkflowWorker(folder, RUN_PLACES);
  await worker.ready({});
  const runs = Array.from({ length: 3 * RUN_PLACES }, (_, index) => index + 1);
  sendAll(worker, runs);
  await until("all runs have completed", () => worker.of("completed").length === runs.length);
  for (const run of runs) {
    const said = worker.messages.flatMap((message) => ("run" in message && message.run === run ? [message.type] : []));
    expect(said).toEqual(["started", "step-started", "step-completed", "completed"]);
  }
  expect(worker.malformed).toEqual([]);
});

test("a run is noted as over once it is, and a note that others have taken the place of stays theirs", async () => {
  using folder = temporaryFolder();
  write(
    folder,
    `if (n === 1) while (!existsSync(${"`"}\${${JSON.stringify(folder.path)}}/go${"`"})) await Bun.sleep(2); return n;`,
  );
  await using worker = new TestWorkflowWorker(folder, RUN_PLACES);
  await worker.ready({});
  const { notes } = worker.process;
  sendAll(worker, [1, 2]);
  await until("the second run is over", () => notes?.at(1)?.isOver === true);
  expect(notes?.at(0)).toMatchObject({ id: 1, isOver: false });
  const others = Array.from({ length: RUN_PLACES }, (_, index) => index + 3);
  sendAll(worker, others);
  await until("the others have completed", () => worker.of("completed").length === others.length + 1);
  const newest = RUN_PLACES + 1;
  await until("the first place is another's", () => notes?.at(0)?.id === newest && notes.at(0)?.isOver === true);
  writeFileSync(folder.file("go"), "");
  await until("the first run has completed", () => worker.of("completed").some(({ run }) => run === 1));
  expect(notes?.at(0)).toMatchObject({ id: newest, isOver: true });
});
