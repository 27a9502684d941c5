/**
 * Disks that refuse: logs.db answers writes and syncs with EIO and ENOSPC for a while, and a disk that is really full.
 * The daemon lives and says so, acknowledges nothing it has not kept, and goes on by itself when it can (G2, G7).
 */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { unlinkSync } from "node:fs";
import { join } from "node:path";
import { CrashSite, type Kernel } from "../helpers/crash.ts";
import { childrenOf, sendSignal } from "../helpers/processes.ts";
import { fill, type SmallDisk, smallDisk, whyNoSmallDisk } from "../helpers/small-disk.ts";
import { sabotage, whyNoStrace } from "../helpers/strace.ts";
import { until } from "../helpers/until.ts";
import { type Expectations, findViolations } from "./checker.ts";

setDefaultTimeout(120_000);

const senses = (data: string) => `
data: ${data}
groups: { one: {}, two: {} }
senses:
  writer: { group: one, with: { bytes: 2000 } }
  plain: { group: one }
  follower: { use: writer, group: two, with: { bytes: 2000 } }
reflexes:
  - { name: follow, sense: follower, on: [writer, plain] }
`;
const ticking = (data: string) => `${senses(data)}
  - { name: w, sense: writer, interval: 20ms }
  - { name: p, sense: plain, interval: 50ms }
`;

const missing = whyNoStrace();
if (missing !== null) console.warn(`skipped: disks that fail, since ${missing}`);

const expected = (history: string): Expectations => ({
  writers: ["writer", "follower"],
  peerReaders: [],
  listeners: { follower: ["writer", "plain"] },
  migrations: Object.fromEntries(["writer", "follower"].map((sense) => [sense, ["0001_items.sql", "0002_length.sql"]])),
  history,
});

const make = (data: string | null = null): CrashSite => {
  const site = new CrashSite(["writer", "plain"], ticking("DATA"), data);
  site.write("quiet.yaml", senses("DATA"));
  return site;
};

const goesOn = async (site: CrashSite, kernel: Kernel): Promise<void> => {
  const before = site.countSignals("follower");
  const on = (): boolean => {
    if (kernel.ended !== null) throw new Error(`the kernel ended (${kernel.ended}): ${kernel.lastWords()}`);
    return site.countSignals("follower") > before + 3;
  };
  await until("it goes on by itself", on);
};

const restartsOf = async (kernel: Kernel): Promise<number> =>
  (await kernel.status())?.groups.reduce((sum, { restarts }) => sum + restarts, 0) ?? 0;

/** `last` is triggered first: a compute that found the disk full has answered, and only a newer signal is owed one. */
async function atRest(site: CrashSite, last: string | null): Promise<string[]> {
  const kernel = site.start("quiet.yaml");
  await kernel.up();
  if (last !== null) {
    const before = site.countSignals(last);
    await kernel.trigger(last);
    await until("it has answered", () => site.countSignals(last) > before);
  }
  await until("nothing is owed any more", () => site.isAtRest());
  const how = await kernel.stop();
  const found = findViolations(site.data, expected(site.history));
  return how === 0 ? found : [...found, `the quiet run ended with ${how}: ${kernel.lastWords()}`];
}

const count = (text: string, word: string): number => text.split(word).length - 1;

// Ranges of calls that fail: one, a few in a row, and all of them until the disk is well again.
const FAILURES = [
  ["fsync", "EIO", "3"],
  ["fsync", "EIO", "2..3"],
  ["pwrite64", "EIO", "5"],
  ["pwrite64", "EIO", "4..5"],
  ["pwrite64", "ENOSPC", "6"],
  ["pwrite64", "ENOSPC", "1+"],
  ["fsync", "EIO", "1+"],
] as const;

test.skipIf(missing !== null)(
  "a store that answers EIO or ENOSPC is waited for, and nothing is lost",
  async () => {
    await using site = make();
    const stopObserving = site.observe();
    const paths = ["logs.db", "logs.db-wal"].map((file) => join(site.data, file));
    const kernel = site.start();
    await kernel.up();
    const healedMs: number[] = [];
    for (const [call, error, when] of FAILURES) {
      await goesOn(site, kernel);
      const troubles = count(kernel.stderr(), "store.failed");
      const saboteur = await sabotage(kernel.pid, `${call}:error=${error}:when=${when}`, paths);
      await until(`it says that ${call} fails with ${error}`, () => count(kernel.stderr(), "store.failed") > troubles);
      if (when.endsWith("+")) {
        const during = site.countSignals("writer");
        await until("a second try has failed as well", () => saboteur.hits() >= 2);
        // What a reader can see while nothing can be kept does not grow.
        expect(site.countSignals("writer")).toBe(during);
        // A result that waits for its commit is offered once more by the next worker.
        const restarts = await restartsOf(kernel);
        for (const worker of childrenOf(kernel.pid)) sendSignal(worker, "SIGKILL");
        await until("both workers are up again", async () => (await restartsOf(kernel)) >= restarts + 2);
        await kernel.up();
      }
      const healedAt = performance.now();
      await saboteur.end();
      await goesOn(site, kernel);
      healedMs.push(Math.round(performance.now() - healedAt));
      await until(
        "it says that each failure is over",
        () => count(kernel.stderr(), "store.recovered") === count(kernel.stderr(), "store.failed"),
      );
    }
    // Killed or stopped in the middle of it: what was never acknowledged may be there or not, but only whole.
    for (const end of ["kill", "stop"] as const) {
      const other = end === "kill" ? kernel : site.start();
      await other.up();
      await goesOn(site, other);
      const saboteur = await sabotage(other.pid, "fsync:error=EIO:when=1+", paths);
      await until("two tries have failed", () => saboteur.hits() >= 2);
      await other[end]();
      await saboteur.end();
    }
    await stopObserving();
    expect(await atRest(site, null)).toEqual([]);
    console.log(JSON.stringify({ test: "disk-errors", trials: FAILURES.length, violations: 0, healed_ms: healedMs }));
  },
  60_000,
);

test.skipIf(missing !== null)(
  "a sense's database that answers EIO or ENOSPC costs those computes and nothing else",
  async () => {
    await using site = make();
    const stopObserving = site.observe();
    const kernel = site.start();
    const { groups } = await kernel.up();
    const worker = groups.find(({ name }) => name === "one")?.pid ?? 0;
    const paths = ["writer.db", "writer.db-wal"].map((file) => join(site.data, "senses", file));
    for (const error of ["EIO", "ENOSPC"]) {
      await goesOn(site, kernel);
      const saboteur = await sabotage(worker, `pwrite64:error=${error}:when=2+`, paths);
      await until(`writes fail with ${error}`, () => saboteur.hits() >= 4);
      // Its neighbour in the same worker, and who follows it in another, go on.
      await goesOn(site, kernel);
      await saboteur.end();
      const before = site.countSignals("writer");
      await until("it goes on by itself", () => site.countSignals("writer") > before);
    }
    const status = await kernel.status();
    expect(status?.groups.map(({ restarts }) => restarts)).toEqual([0, 0]);
    expect(status?.senses.filter(({ errors }) => errors > 0).map(({ name }) => name)).toEqual(["writer"]);
    expect(await kernel.stop()).toBe(0);
    await stopObserving();
    expect(await atRest(site, null)).toEqual([]);
  },
  60_000,
);

/** What it exits with when it cannot use its data now: a service manager tries again, as it does not after 78. */
const NOT_NOW = 75;

const noDisk = whyNoSmallDisk();
if (noDisk !== null) console.warn(`skipped: full disks, since ${noDisk}`);

/** By a commit that was refused, or because the kernel looked in between. */
const said = (kernel: Kernel): number => kernel.stderr().match(/store\.(failed|low-space)/g)?.length ?? 0;

describe.skipIf(noDisk !== null)("a full disk", () => {
  let disk: SmallDisk;
  let site: CrashSite;
  beforeEach(() => {
    disk = smallDisk(8) as SmallDisk;
    site = make(join(disk.path, "data"));
  });
  afterEach(async () => {
    await site.end();
    disk.unmount();
  });

  test("is said, loses nothing acknowledged, and once there is room nerve goes on by itself", async () => {
    const stopObserving = site.observe();
    const kernel = site.start();
    await kernel.up();
    for (let round = 0; round < 2; round++) {
      await goesOn(site, kernel);
      const troubles = said(kernel);
      const filler = fill(disk.path);
      await until("it says that the disk is full", () => said(kernel) > troubles);
      expect(kernel.ended).toBeNull();
      expect(await kernel.status()).not.toBeNull();
      unlinkSync(filler);
      await goesOn(site, kernel);
    }
    const troubles = said(kernel);
    const filler = fill(disk.path);
    await until("it says that the disk is full", () => said(kernel) > troubles);
    await kernel.kill();
    unlinkSync(filler);
    await stopObserving();
    expect(await atRest(site, "plain")).toEqual([]);
  });

  test("does not keep nerve from stopping", async () => {
    const stopObserving = site.observe();
    const kernel = site.start();
    await kernel.up();
    await goesOn(site, kernel);
    const filler = fill(disk.path);
    await until("it says that the disk is full", () => said(kernel) > 0);
    const how = await kernel.stop();
    expect([how, kernel.stderr().includes("bug in nerve")]).toEqual([0, false]);
    unlinkSync(filler);
    await stopObserving();
    expect(await atRest(site, "plain")).toEqual([]);
  });

  test.each([["before its first start"], ["after a crash"], ["after a clean stop"]])(
    "%s is named, and costs nothing but the start",
    async (when) => {
      if (when !== "before its first start") {
        const first = site.start();
        await first.up();
        await goesOn(site, first);
        await (when === "after a crash" ? first.kill() : first.stop());
      }
      const filler = fill(disk.path);
      const kernel = site.start();
      await Promise.race([kernel.exited, kernel.answers().catch(() => {})]);
      const said = kernel.stderr();
      expect(said).toMatch(/full|no space/i);
      expect(said).not.toContain("bug in nerve");
      expect(kernel.ended === null || kernel.ended === NOT_NOW).toBe(true);
      unlinkSync(filler);
      if (kernel.ended === null) await goesOn(site, kernel);
      await kernel.kill();
      const again = site.start();
      await again.up();
      await goesOn(site, again);
      await again.kill();
      expect(await atRest(site, "plain")).toEqual([]);
    },
    60_000,
  );
});
