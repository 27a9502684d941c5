/** Durable jobs on bunqueue with one SQLite file, so many under way at once: prints how many ended in the window. */
import { Bunqueue } from "bunqueue/client";

const [file, slots, warmMs, windowMs] = process.argv.slice(2);
let ended = 0;
const queue = new Bunqueue("jobs", {
  embedded: true,
  dataPath: file,
  concurrency: Number(slots),
  processor: async () => {
    ended++;
    return { over: true, now: Date.now() };
  },
});
const data = { now: Date.now(), level: 0.25, ratio: 0.75, text: "a fact of no particular interest" };
let isOver = false;
let added = 0;
const produce = async () => {
  while (!isOver) {
    if (added - ended > 4 * Number(slots)) await Bun.sleep(1);
    else {
      added++;
      await queue.add("job", data, { durable: true });
    }
  }
};
const producers = Array.from({ length: Number(slots) }, produce);
await Bun.sleep(Number(warmMs));
const before = { ended, at: performance.now() };
await Bun.sleep(Number(windowMs));
console.log(JSON.stringify({ done: ended - before.ended, tookMs: performance.now() - before.at, left: added - ended }));
isOver = true;
await Promise.race([Promise.all(producers), Bun.sleep(1_000)]);
process.exit(0);
