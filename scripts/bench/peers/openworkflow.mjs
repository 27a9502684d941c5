/** Runs of three steps on OpenWorkflow with SQLite, as many as were queued before: prints how many ended in the window. */
import { OpenWorkflow } from "openworkflow";
import { BackendSqlite } from "openworkflow/sqlite";

const [file, slots, warmMs, windowMs, queued] = process.argv.slice(2);
const backend = BackendSqlite.connect(file);
const client = new OpenWorkflow({ backend });
let ended = 0;
const flow = client.defineWorkflow({ name: "flow" }, async ({ step }) => {
  for (const name of ["one", "two", "three"]) await step.run({ name }, () => ({ over: true, now: Date.now() }));
  ended++;
  return null;
});
for (let run = 0; run < Number(queued); run++) await flow.run({});
const worker = client.newWorker({ concurrency: Number(slots) });
await worker.start();
await Bun.sleep(Number(warmMs));
const before = { ended, at: performance.now() };
await Bun.sleep(Number(windowMs));
console.log(
  JSON.stringify({ done: ended - before.ended, tookMs: performance.now() - before.at, left: queued - ended }),
);
process.exit(0);
