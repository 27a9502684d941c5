/**
 * A disk that fills up, by others or by nerve itself: nerve holds back before it is too late, says so, keeps what it had
 * begun with the room it held back for that, and goes on by itself once there is room again (G2, G7).
 */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, rmSync, statSync, truncateSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { CrashSite, type Kernel } from "../helpers/crash.ts";
import { fill, type SmallDisk, smallDisk, whyNoSmallDisk } from "../helpers/small-disk.ts";
import { until } from "../helpers/until.ts";
import { findViolations } from "./checker.ts";

setDefaultTimeout(120_000);

const senses = (bytes: number): string => `
data: DATA
groups: { one: {}, two: {} }
senses:
  writer: { group: one, with: { bytes: ${bytes} } }
  plain: { group: one }
  follower: { use: writer, group: two, with: { bytes: ${bytes} } }
reflexes:
  - { name: follow, sense: follower, on: [writer, plain] }
`;
const ticking = (bytes: number, everyMs: number): string => `${senses(bytes)}
  - { name: w, sense: writer, interval: ${everyMs}ms }
  - { name: p, sense: plain, interval: ${2 * everyMs}ms }
`;

const missing = whyNoSmallDisk();
if (missing !== null) console.warn(`skipped: full disks, since ${missing}`);

describe.skipIf(missing !== null)("a disk that fills up", () => {
  let disk: SmallDisk;
  let site: CrashSite;
  let ballast: string;
  beforeEach(() => {
    disk = smallDisk(16) as SmallDisk;
    site = new CrashSite(["writer", "plain"], ticking(100, 100), join(disk.path, "data"));
    site.write("quiet.yaml", senses(100));
    ballast = join(site.data, "ballast");
  });
  afterEach(async () => {
    await site.end();
    disk.unmount();
  });

  const count = (kernel: Kernel, event: string): number => kernel.stderr().split(event).length - 1;
  const store = async (kernel: Kernel): Promise<string> => (await kernel.status())?.kernel.store ?? "no answer";

  const goesOn = async (kernel: Kernel): Promise<void> => {
    const before = site.countSignals("follower");
    const on = (): boolean => {
      if (kernel.ended !== null) throw new Error(`the kernel ended (${kernel.ended}): ${kernel.lastWords()}`);
      return site.countSignals("follower") > before + 3;
    };
    await until("it goes on by itself", on);
  };

  const computes = async (kernel: Kernel): Promise<string> =>
    JSON.stringify((await kernel.status())?.senses.map((sense) => [sense.computes, sense.nulls, sense.errors]));

  /** What was under way has settled, and nothing new was begun for several ticks of every sense. */
  const holdsBack = async (kernel: Kernel): Promise<void> => {
    let [last, same] = ["", 0];
    const still = async (): Promise<boolean> => {
      const now = await computes(kernel);
      same = now === last ? same + 1 : 0;
      last = now;
      return same >= 10;
    };
    await until("nothing new is begun", still);
  };

  const atRest = async (): Promise<string[]> => {
    const kernel = site.start("quiet.yaml");
    await kernel.up();
    // A compute that found the disk full has answered: only a newer signal is owed one.
    const before = site.countSignals("plain");
    await kernel.trigger("plain");
    await until("it has answered", () => site.countSignals("plain") > before);
    await until("nothing is owed any more", () => site.isAtRest());
    expect(await kernel.stop()).toBe(0);
    return findViolations(site.data, {
      writers: ["writer", "follower"],
      peerReaders: [],
      listeners: { follower: ["writer", "plain"] },
      migrations: Object.fromEntries(
        ["writer", "follower"].map((sense) => [sense, ["0001_items.sql", "0002_length.sql"]]),
      ),
      history: site.history,
    });
  };

  test("by others: what was begun is kept with the ballast, and it goes on when they make room", async () => {
    const stopObserving = site.observe();
    const kernel = site.start();
    await kernel.up();
    expect(await store(kernel)).toBe("ok");
    for (let round = 1; round <= 2; round++) {
      await until("there is ballast", () => existsSync(ballast) && statSync(ballast).size === 256 * 1024);
      expect(statSync(ballast).mode & 0o777).toBe(0o600);
      await goesOn(kernel);
      const failures = count(kernel, "store.failed");
      const filler = fill(disk.path);
      await until("it says so", () => count(kernel, "store.low-space") === round);
      await until(
        "the ballast is released, or was not needed",
        () => !existsSync(ballast) || count(kernel, "store.failed") === failures,
      );
      await until("every commit is made", () => count(kernel, "store.recovered") === count(kernel, "store.failed"));
      expect(kernel.stderr()).toContain(`the file system of ${site.data} is nearly full`);
      await holdsBack(kernel);
      expect(await store(kernel)).toContain("nearly full");
      unlinkSync(filler);
      await goesOn(kernel);
      expect(count(kernel, "store.space-recovered")).toBe(round);
      expect(await store(kernel)).toBe("ok");
    }
    expect(await kernel.stop()).toBe(0);
    await stopObserving();
    expect(await atRest()).toEqual([]);
  });

  test("by nerve itself: it holds back by itself, and goes on when the disk has grown", async () => {
    site.write("nerve.yaml", ticking(6_000, 20));
    const stopObserving = site.observe();
    const kernel = site.start();
    await kernel.up();
    await goesOn(kernel);
    await until("it says so", () => count(kernel, "store.low-space") > 0);
    await until("every commit is made", () => count(kernel, "store.recovered") === count(kernel, "store.failed"));
    await holdsBack(kernel);
    disk.resize(64);
    await goesOn(kernel);
    expect(count(kernel, "store.space-recovered")).toBe(count(kernel, "store.low-space"));
    expect(await kernel.stop()).toBe(0);
    await stopObserving();
    expect(await atRest()).toEqual([]);
  });

  test("is found so by senses whose databases are still to be made: they start once there is room", async () => {
    site.write("none.yaml", "data: DATA\n");
    const first = site.start("none.yaml");
    await first.answers();
    expect(await first.stop()).toBe(0);
    rmSync(ballast, { force: true });
    const filler = fill(disk.path);
    // Enough for the kernel to begin, and not for three more databases.
    truncateSync(filler, statSync(filler).size - 64 * 1024);
    const kernel = site.start();
    await kernel.answers();
    const states = async () => (await kernel.status())?.senses.map(({ name, state }) => `${name} ${state}`).sort();
    await until("a sense has failed", async () => String(await states()).includes("failed"));
    await until("it says so", () => count(kernel, "store.low-space") > 0);
    unlinkSync(filler);
    const wanted = ["follower ok", "plain ok", "writer ok"];
    await until("all have started", async () => String(await states()) === String(wanted));
    await goesOn(kernel);
    expect(await kernel.stop()).toBe(0);
    expect(await atRest()).toEqual([]);
  });

  test("is found so at the start: nothing is computed, and it goes on by itself", async () => {
    const first = site.start();
    await first.up();
    await goesOn(first);
    await until("there is ballast", () => existsSync(ballast) && statSync(ballast).size > 0);
    expect(await first.stop()).toBe(0);
    // All but so much that the store can be opened and written for a while.
    const filler = fill(disk.path);
    unlinkSync(ballast);
    const kernel = site.start();
    await kernel.answers();
    await until("it says so", () => count(kernel, "store.low-space") === 1);
    const before = site.countSignals("writer");
    await holdsBack(kernel);
    expect([site.countSignals("writer"), kernel.ended]).toEqual([before, null]);
    unlinkSync(filler);
    await goesOn(kernel);
    expect(await kernel.stop()).toBe(0);
    expect(await atRest()).toEqual([]);
  });
});
