/** A reload at a bad moment: while the store cannot be written, while nerve is told to stop. */
import { expect, test } from "bun:test";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { CrashSite } from "../helpers/crash.ts";
import { childrenOf, isRunning, sendSignal } from "../helpers/processes.ts";
import { sabotage, whyNoStrace } from "../helpers/strace.ts";
import { until } from "../helpers/until.ts";
import { findViolations } from "./checker.ts";

const SENSES = `
data: DATA
senses: { writer: {}, follower: { use: writer } }
reflexes: [{ name: follow, sense: follower, on: [writer] }]
`;
const TICKING = `${SENSES.trimEnd().slice(0, -1)}, { name: tick, sense: writer, interval: 20ms }]\n`;

const missing = whyNoStrace();
if (missing !== null) console.warn(`skipped: a reload while the store cannot be written, since ${missing}`);

const change = (site: CrashSite): void => appendFileSync(join(site.folder, "senses/writer/index.ts"), "// changed\n");

test.skipIf(missing !== null)(
  "while the store cannot be written a reload takes nothing from an outbox twice",
  async () => {
    await using site = new CrashSite(["writer"], TICKING);
    site.write("quiet.yaml", SENSES);
    const kernel = site.start();
    const logs = ["logs.db", "logs.db-wal"].map((file) => join(site.data, file));
    for (let round = 1; round <= 2; round++) {
      await kernel.up();
      const before = site.countSignals("follower");
      await until("it computes", () => site.countSignals("follower") > before + 2);
      const [worker = 0] = childrenOf(kernel.pid);
      const saboteur = await sabotage(kernel.pid, "fsync:error=EIO:when=1+", logs);
      await until("a commit fails", () => saboteur.hits() > 0);
      change(site);
      sendSignal(kernel.pid, "SIGHUP");
      await until("the old worker has left", () => !isRunning(worker));
      await until("another try fails", () => saboteur.hits() > 1);
      await saboteur.end();
      await until("the reload is done", () => kernel.stderr().split("config.reloaded").length > round);
    }
    const before = site.countSignals("follower");
    await until("it goes on", () => site.countSignals("follower") > before + 2);
    expect(await kernel.stop()).toBe(0);
    const quiet = site.start("quiet.yaml");
    await quiet.up();
    await until("nothing is owed any more", () => site.isAtRest());
    expect(await quiet.stop()).toBe(0);
    const listeners = { follower: ["writer"] };
    const expected = { writers: ["writer", "follower"], peerReaders: [], listeners, migrations: {}, history: null };
    expect(findViolations(site.data, expected)).toEqual([]);
  },
  30_000,
);

const SLOW = `
data: DATA
senses: { writer: { with: { pauseMs: 400 } } }
reflexes: [{ sense: writer, interval: 20ms }]
`;

test("a reload that is under way when nerve is told to stop starts no worker any more", async () => {
  await using site = new CrashSite(["writer"], SLOW);
  const kernel = site.start();
  await kernel.up();
  // One compute is under way and another is owed, which begins as soon as the first has settled.
  for (let times = 0; times < 2; times++) await kernel.trigger("writer");
  await until("the first has settled", () => site.countSignals("writer") > 0);
  change(site);
  sendSignal(kernel.pid, "SIGHUP");
  await kernel.status();
  expect(await kernel.stop()).toBe(0);
  const said = kernel.stderr();
  expect(said.split("worker.started").length - 1).toBe(1);
  expect(said).not.toContain("config.reloaded");
  expect(said.trimEnd().split("\n").at(-1)).toContain("kernel.stopped");
});
