/** Ballast and low space, on real small disks and a real store. */

import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statfsSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { SYSTEM_CHANCE } from "../../../src/base/chance.ts";
import { traceIds } from "../../../src/base/trace-id.ts";
import { Journal } from "../../../src/kernel/commits/journal.ts";
import { Ledger } from "../../../src/kernel/commits/ledger.ts";
import { Ticker } from "../../../src/kernel/time/ticker.ts";
import { Archiver } from "../../../src/kernel/upkeep/archiver.ts";
import { Ballast } from "../../../src/kernel/upkeep/ballast.ts";
import { Retention } from "../../../src/kernel/upkeep/retention.ts";
import { type LowSpace, marksFor, Space } from "../../../src/kernel/upkeep/space.ts";
import { openStore, type Store } from "../../../src/store/open.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { HandClock } from "../../helpers/hand-clock.ts";
import { fill, type SmallDisk, smallDisk, whyNoSmallDisk } from "../../helpers/small-disk.ts";
import { until } from "../../helpers/until.ts";
import { REAL_ALARM, worldAt } from "../../helpers/world.ts";

const KB = 1024;
const MB = 1024 * KB;
const HOUR = 3_600_000;

test("marks follow the size of the file system, and leave a small one usable", () => {
  expect(marksFor(16 * MB)).toEqual({ ballastBytes: 256 * KB, lowBytes: 512 * KB, enoughBytes: MB });
  expect(marksFor(1_000 * 1_000 * MB)).toEqual({ ballastBytes: 16 * MB, lowBytes: 32 * MB, enoughBytes: 64 * MB });
  for (const total of [0, MB, 4 * MB, 100 * MB, 1_000 * MB]) {
    const { ballastBytes, lowBytes, enoughBytes } = marksFor(total);
    expect(ballastBytes % 4096).toBe(0);
    expect(lowBytes).toBeLessThanOrEqual(total / 16);
    expect(enoughBytes).toBe(2 * lowBytes);
  }
});

describe("ballast", () => {
  test("is a private file of blocks that are really allocated, and is taken over by the next kernel", async () => {
    using folder = temporaryFolder();
    const file = folder.file("ballast");
    const ballast = new Ballast(worldAt(new HandClock()), file, MB + 4096);
    expect(ballast.held).toBe(false);
    expect(await ballast.make()).toBe(true);
    const stats = statSync(file);
    expect([ballast.held, stats.size, stats.blocks * 512 >= stats.size, stats.mode & 0o777]).toEqual([
      true,
      MB + 4096,
      true,
      0o600,
    ]);
    expect(new Ballast(worldAt(new HandClock()), file, MB + 4096).held).toBe(true);
    // Of another size, it is not what is wanted now.
    expect(new Ballast(worldAt(new HandClock()), file, 2 * MB).held).toBe(false);
    expect([ballast.release(), ballast.held, existsSync(file), ballast.release()]).toEqual([true, false, false, false]);
  });

  test("that is half a file, sparse or a link is made anew, and nothing is written through a link", async () => {
    using folder = temporaryFolder();
    const file = folder.file("ballast");
    const victim = folder.file("victim");
    writeFileSync(victim, "untouched");
    const leftovers = [
      () => writeFileSync(file, Buffer.alloc(1000, 1)),
      () => Bun.spawnSync(["truncate", "-s", String(MB), file]),
      () => symlinkSync(victim, file),
    ];
    for (const leave of leftovers) {
      leave();
      const ballast = new Ballast(worldAt(new HandClock()), file, MB);
      expect(ballast.held).toBe(false);
      expect(await ballast.make()).toBe(true);
      expect([lstatSync(file).isFile(), lstatSync(file).size]).toEqual([true, MB]);
      ballast.release();
    }
    expect(readFileSync(victim, "utf8")).toBe("untouched");
  });

  test("that is released while it is made leaves nothing behind", async () => {
    using folder = temporaryFolder();
    const ballast = new Ballast(worldAt(new HandClock()), folder.file("ballast"), 16 * MB);
    for (const isBegun of [true, false]) {
      const made = ballast.make();
      // In small steps: it is written in a moment.
      while (isBegun && !existsSync(ballast.file)) await new Promise(setImmediate);
      ballast.release();
      expect([await made, ballast.held, existsSync(ballast.file)]).toEqual([false, false, false]);
    }
    expect(await ballast.make()).toBe(true);
  });

  test("that cannot be made is done without", async () => {
    using folder = temporaryFolder();
    mkdirSync(folder.file("ballast"));
    const ballast = new Ballast(worldAt(new HandClock()), folder.file("ballast"), MB);
    expect([await ballast.make(), ballast.held, ballast.release()]).toEqual([false, false, false]);
  });
});

const noDisk = whyNoSmallDisk();
if (noDisk !== null) console.warn(`skipped: low space, since ${noDisk}`);

describe.skipIf(noDisk !== null)("space", () => {
  const NOW = Date.UTC(2025, 0, 1);
  const trace = traceIds(SYSTEM_CHANCE);
  let disk: SmallDisk;
  let store: Store;
  let ledger: Ledger;
  let clock: HandClock;
  let ticker: Ticker;
  let space: Space;
  let trouble: (string | null)[];
  let changes: (LowSpace | null)[];
  let onChange: (low: LowSpace | null) => void;

  beforeEach(() => {
    disk = smallDisk(16) as SmallDisk;
    clock = new HandClock(NOW);
    const opened = openStore(disk.path, "normal", clock.bootId, NOW);
    if (!opened.ok) throw new Error(opened.error.message);
    store = opened.value;
    trouble = [];
    changes = [];
    onChange = () => {};
    ticker = new Ticker(clock, () => {}, clock.alarm);
    ledger = new Ledger(store, worldAt(clock), {
      trouble(message, code) {
        trouble.push(message);
        if (message !== null && space.refused(code)) setImmediate(() => ledger.flush());
      },
    });
    space = new Space({
      world: worldAt(clock),
      folder: disk.path,
      ticker,
      ledger,
      store,
      changed(low) {
        changes.push(low);
        onChange(low);
      },
    });
    ticker.start();
  });
  afterEach(() => {
    space.stop();
    ticker.stop();
    store.close();
    disk.unmount();
  });

  const foreign = (bytes: number): string => {
    const file = join(disk.path, `foreign-${bytes}`);
    writeFileSync(file, Buffer.alloc(bytes, 1));
    return file;
  };
  const ballastThere = (): boolean => space.ballast.held;

  test("a small disk with room is nothing to hold back for, and gets its ballast", async () => {
    foreign(6 * MB);
    space.start();
    clock.pass(3_000);
    await until("the ballast is there", ballastThere);
    clock.pass(60_000);
    expect([space.low, space.trouble, changes]).toEqual([false, null, []]);
  });

  test("low is below one mark, and again enough only above another", async () => {
    space.start();
    clock.pass(5_000);
    await until("the ballast is there", ballastThere);
    const free = (): number => {
      const { bfree, bsize } = statfsSync(disk.path);
      return bfree * bsize;
    };
    const most = foreign(free() - 400 * KB);
    clock.pass(5_000);
    expect([space.low, changes.length]).toEqual([true, 1]);
    expect(changes[0]).toMatchObject({ folder: disk.path, enoughBytes: MB });
    expect(space.trouble).toContain(disk.path);
    // Between the marks nothing changes.
    unlinkSync(most);
    const less = foreign(free() - 800 * KB);
    clock.pass(60_000);
    expect([space.low, changes.length]).toEqual([true, 1]);
    unlinkSync(less);
    clock.pass(1_000);
    expect([space.low, space.trouble, changes.length, changes[1]]).toEqual([false, null, 2, null]);
    foreign(free() - 800 * KB);
    clock.pass(60_000);
    expect([space.low, changes.length]).toEqual([false, 2]);
  });

  const add = (payload: string, said: number[], n: number): void =>
    ledger.add({
      write: (draft) =>
        void draft.signals([{ sense: "a", at: clock.wallMs(), payload, cause: null, trace: trace(NOW) }]),
      kept: () => said.push(n),
    });
  const countFrom = (id: number): number => {
    using db = new Database(store.file, { readonly: true });
    const count = db.query<{ n: number }, [number]>("SELECT count(*) AS n FROM signals WHERE id >= ?");
    return count.get(id)?.n ?? 0;
  };
  const ids = (): number[] =>
    store.signals
      .list({
        after: 0,
        before: null,
        senses: [],
        since: null,
        until: null,
        trace: null,
        limit: 1_000_000,
        newest: false,
      })
      .map(({ id }) => id);

  test("M12: a commit that finds no room gets the ballast's, which is made anew when there is plenty", async () => {
    space.start();
    clock.pass(5_000);
    await until("the ballast is there", ballastThere);
    const filler = fill(disk.path);
    const said: number[] = [];
    let n = 0;
    while (trouble.length === 0) {
      add(JSON.stringify("x".repeat(4_000)), said, n++);
      ledger.flush();
    }
    expect([trouble.length, trouble[0], space.low, ballastThere(), existsSync(space.ballast.file)]).toEqual([
      1,
      expect.stringContaining("SQLITE_FULL"),
      true,
      false,
      false,
    ]);
    // What could not be kept is kept now, nobody had to make room.
    await until(`${n} answers are given`, () => said.length === n);
    expect([trouble.length, trouble[1], ids()]).toEqual([2, null, Array.from({ length: n }, (_, at) => at + 1)]);
    clock.pass(30_000);
    expect([space.low, ballastThere()]).toEqual([true, false]);
    unlinkSync(filler);
    clock.pass(11_000);
    await until("the ballast is there", ballastThere);
    expect([space.low, changes.length]).toEqual([false, 2]);
  });

  test.each([0, 100 * 1024, 200 * 1024])(
    "a store that fills the disk by itself is kept going by its retention, and loses nothing that is young (beside %p bytes)",
    async (bytes) => {
      // What is left when it notices is never the same.
      foreign(bytes);
      const journal = new Journal(ledger, { write: () => {} }, clock.wallMs);
      const retention: Retention = new Retention(
        {
          clock,
          ticker,
          alarm: REAL_ALARM,
          store,
          ledger,
          archiver: new Archiver({ world: worldAt(clock), store, ledger, folder: join(disk.path, "archive"), journal }),
        },
        { logsMs: 1_000 * HOUR, signalsMs: HOUR, archiveMs: null },
      );
      onChange = (low) => {
        if (low !== null) retention.lookNow();
      };
      space.start();
      clock.pass(5_000);
      await until("the ballast is there", ballastThere);
      const payload = JSON.stringify("x".repeat(20_000));
      const said: number[] = [];
      let n = 0;
      let heldBack = 0;
      clock.pass(2 * HOUR);
      retention.start();
      for (let minute = 0; minute < 300; minute++) {
        if (space.low) heldBack++;
        else for (let time = 0; time < 15; time++) add(payload, said, n++);
        ledger.flush();
        clock.pass(60_000);
        await Bun.sleep(0);
        ledger.flush();
        const first = store.signals.firstIdSince(clock.wallMs() - HOUR + 60_000);
        expect(countFrom(first)).toBe(said.length + 1 - first);
      }
      await until(`${n} answers are given`, () => said.length === n);
      retention.stop();
      // More went through than the disk holds, and each time it ran low that was the end of it.
      expect(n * 20_000).toBeGreaterThan(2 * 16 * MB);
      expect(changes.length).toBeGreaterThan(2);
      expect(heldBack).toBeGreaterThan(0);
      expect(trouble).toEqual([]);
    },
    60_000,
  );
});
