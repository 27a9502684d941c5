/** Log files as they are in the world: rotated by name, copied and cut, cut, removed, half written, long, many. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openSense, validate } from "../helpers/compute.ts";
import { age, folder, following, LONG, read, removeFolders, text } from "../helpers/tail.ts";
import { until } from "../helpers/until.ts";
import { pick, randomOf, SEED, trials } from "../rules/random.ts";

setDefaultTimeout(60_000);

afterAll(removeFolders);

describe("lines", () => {
  test("that come are handed over once, in order; what was there is not", async () => {
    const { file, sense } = await following({}, "old\nhalf");
    appendFileSync(file, " of it\nnew 1\nnew 2\r\npart");
    expect(await sense.compute()).toEqual([
      { file, line: "new 1", cut: false, fields: {} },
      { file, line: "new 2", cut: false, fields: {} },
    ]);
    expect(await sense.compute()).toEqual([]);
    appendFileSync(file, "ial\n\n");
    expect(await read(sense)).toEqual(["partial", ""]);
    expect(sense.client.query("SELECT lines, matched, bytes, behind_bytes FROM samples").values()).toEqual([
      [2, 2, 20, 4],
      [2, 2, 9, 0],
    ]);
    sense[Symbol.dispose]();
  });

  test("that were there are handed over with `from: start`", async () => {
    const file = join(folder(), "app.log");
    writeFileSync(file, "a\nb\n");
    using sense = openSense("tail", { path: file, from: "start" });
    expect(await read(sense)).toEqual(["a", "b"]);
  });

  test("that match are signals, with the groups by name; all are counted", async () => {
    const match = "Failed password for (?<user>\\S+) from (?<address>[\\d.]+)( port (?<port>\\d+))?";
    const { file, sense } = await following({ match });
    appendFileSync(
      file,
      "sshd: Failed password for root from 192.0.2.1 port 22\nnothing\nFailed password for a from 10.0.0.1\n",
    );
    expect(await sense.compute()).toMatchObject([
      { fields: { user: "root", address: "192.0.2.1", port: "22" } },
      { fields: { user: "a", address: "10.0.0.1", port: null } },
    ]);
    expect(sense.client.query("SELECT lines, matched FROM samples").values()).toEqual([[3, 2]]);
    sense[Symbol.dispose]();
  });

  test("are one summary with `summary`, and none where nothing matches", async () => {
    const { file, sense } = await following({ match: "error", summary: true });
    appendFileSync(file, "fine\n");
    expect(await sense.compute()).toBeNull();
    appendFileSync(file, "error 1\nfine\nerror 2\n");
    expect(await sense.compute()).toEqual({
      lines: 3,
      matched: 2,
      bytes: 21,
      behind_bytes: 0,
      first: "error 1",
      last: "error 2",
    });
    sense[Symbol.dispose]();
  });

  test("that are too long are cut, whether they come at once, in parts, or never end", async () => {
    const { file, sense } = await following();
    appendFileSync(file, `${"a".repeat(8192)}\n${"b".repeat(8193)}\n${"c".repeat(600_000)}\nend\n`);
    const found: { line: string; cut: boolean }[] = await sense.compute();
    expect(found.map(({ line, cut }) => [line[0], line.length, cut])).toEqual([
      ["a", 8192, false],
      ["b", 8192, true],
      ["c", 8192, true],
      ["e", 3, false],
    ]);
    appendFileSync(file, "d".repeat(300_000));
    expect((await read(sense)).map((line) => line.length)).toEqual([8192]);
    appendFileSync(file, "d".repeat(300_000));
    expect(await read(sense)).toEqual([]);
    appendFileSync(file, "d\nnext\n");
    expect(await read(sense)).toEqual(["next"]);
    sense[Symbol.dispose]();
  });

  test("more than one compute may hand over come with the next ones, none twice", async () => {
    const { file, sense } = await following();
    const lines = Array.from({ length: 1_234 }, (_, index) => `line ${index}`);
    appendFileSync(file, text(lines));
    const parts: string[][] = [];
    const behind: boolean[] = [];
    for (let nth = 0; nth < 4; nth++) {
      parts.push(await read(sense));
      behind.push(sense.isBehind());
    }
    expect(parts.map(({ length }) => length)).toEqual([500, 500, 234, 0]);
    expect(behind).toEqual([true, true, false, false]);
    expect(parts.flat()).toEqual(lines);
    const long = Array.from({ length: 300 }, (_, index) => `${index} ${"y".repeat(8_000)}`);
    appendFileSync(file, text(long));
    const first = await sense.compute();
    expect(JSON.stringify(first).length).toBeLessThan(1024 * 1024);
    expect(first.length).toBeGreaterThan(100);
    sense[Symbol.dispose]();
  });

  test("of a compute that fails come again", async () => {
    const { file, sense } = await following();
    appendFileSync(file, "one\n");
    expect(sense.compute({ signal: AbortSignal.abort(new Error("stopped")) })).rejects.toThrow("stopped");
    expect(await read(sense)).toEqual(["one"]);
    sense[Symbol.dispose]();
  });
});

const lacks = (file: string): string => `warn: ${file} was cut, replaced or removed`;
const REMEDY = "is not known; logrotate's `delaycompress` without `copytruncate` leaves a rotated file to be read";

describe("a file that", () => {
  test("is renamed and packed before the next look is a warning: what came after the last one is not known", async () => {
    const { place, file, sense } = await following();
    appendFileSync(file, "1\n");
    expect(await read(sense)).toEqual(["1"]);
    appendFileSync(file, "2\n");
    renameSync(file, join(place, "app.log.1"));
    writeFileSync(file, "3\n");
    writeFileSync(join(place, "app.log.1.gz"), "packed\n");
    unlinkSync(join(place, "app.log.1"));
    expect(await read(sense)).toEqual(["3"]);
    expect(sense.logs).toEqual([`${lacks(file)}: what came after byte 2 ${REMEDY}`]);
    expect(await read(sense)).toEqual([]);
    expect(sense.logs).toHaveLength(1);
    sense[Symbol.dispose]();
  });

  test("was read to its end, rested, and is packed a rotation later is no warning", async () => {
    const { place, file, sense } = await following();
    appendFileSync(file, "1\n");
    renameSync(file, join(place, "app.log.1"));
    writeFileSync(file, "2\n");
    expect(await read(sense)).toEqual(["1", "2"]);
    age(place);
    expect(await read(sense)).toEqual([]);
    unlinkSync(join(place, "app.log.1"));
    renameSync(file, join(place, "app.log.1"));
    writeFileSync(file, "3\n");
    expect(await read(sense)).toEqual(["3"]);
    expect(sense.logs).toEqual([]);
    sense[Symbol.dispose]();
  });

  test("is renamed is read to its end, before the one that takes its name", async () => {
    const { place, file, sense } = await following();
    appendFileSync(file, "1\n2\n");
    renameSync(file, join(place, "app.log.1"));
    appendFileSync(join(place, "app.log.1"), "3\n");
    writeFileSync(file, "4\n");
    expect(await read(sense)).toEqual(["1", "2", "3", "4"]);
    appendFileSync(join(place, "app.log.1"), "late\n");
    appendFileSync(file, "5\n");
    expect(await read(sense)).toEqual(["late", "5"]);
    renameSync(join(place, "app.log.1"), join(place, "app.log.2"));
    renameSync(file, join(place, "app.log.1"));
    appendFileSync(join(place, "app.log.2"), "later\n");
    expect(await read(sense)).toEqual(["later"]);
    writeFileSync(file, "6\n");
    expect(await read(sense)).toEqual(["6"]);
    sense[Symbol.dispose]();
  });

  test("is renamed with half a line gives that line once nobody writes it any more", async () => {
    const { place, file, sense } = await following();
    appendFileSync(file, "1\nhalf");
    renameSync(file, join(place, "app.log.1"));
    writeFileSync(file, "2\n");
    expect(await read(sense)).toEqual(["1", "2"]);
    const then = Date.now() / 1000 - 100;
    utimesSync(join(place, "app.log.1"), then, then);
    expect(await read(sense)).toEqual(["half"]);
    expect(await read(sense)).toEqual([]);
    sense[Symbol.dispose]();
  });

  test("is copied and cut: what was not read is read from the copy", async () => {
    const { place, file, sense } = await following({}, text(LONG));
    appendFileSync(file, "1\n2\n");
    copyFileSync(file, join(place, "app.log.1"));
    truncateSync(file, 0);
    appendFileSync(file, "3\n");
    expect(await read(sense)).toEqual(["1", "2", "3"]);
    expect(sense.logs).toEqual([]);
    // It grew beyond where we were before we looked.
    appendFileSync(file, text(LONG));
    expect(await read(sense)).toEqual(LONG);
    appendFileSync(file, "4\n");
    copyFileSync(file, join(place, "app.log.1"));
    truncateSync(file, 0);
    const more = [...LONG, ...LONG].map((line) => `other ${line}`);
    appendFileSync(file, text(more));
    expect(await read(sense)).toEqual(["4", ...more]);
    sense[Symbol.dispose]();
  });

  test("is copied under a name that is chosen as well is read once", async () => {
    const place = folder();
    const file = join(place, "app.log");
    writeFileSync(file, text(LONG));
    using sense = openSense("tail", { path: join(place, "app.log*"), from: "start" });
    expect(await read(sense)).toEqual(LONG);
    appendFileSync(file, "1\n");
    copyFileSync(file, join(place, "app.log.1"));
    expect(await read(sense)).toEqual(["1"]);
    truncateSync(file, 0);
    appendFileSync(file, "2\n");
    expect(await read(sense)).toEqual(["2"]);
    renameSync(file, join(place, "app.log.0"));
    writeFileSync(file, "3\n");
    expect(await read(sense)).toEqual(["3"]);
  });

  test("comes and loses its name between two looks is read too, by its name; what is packed is not", async () => {
    const { place, file, sense } = await following();
    for (const generation of ["1", "2", "3"]) {
      appendFileSync(file, `${generation}\n`);
      renameSync(file, join(place, `app.log-2026112${generation}`));
      writeFileSync(file, "");
    }
    writeFileSync(join(place, "app.log.4.gz"), "packed\n");
    writeFileSync(join(place, "other.log.1"), "another\n");
    appendFileSync(file, "4\n");
    expect(await read(sense)).toEqual(["1", "4"]);
    // They might have been copies that are being made, which nobody writes a second later.
    age(place);
    expect(await read(sense)).toEqual(["2", "3"]);
    expect(await read(sense)).toEqual([]);
    sense[Symbol.dispose]();
  });

  test("comes and is renamed between two looks is read too where the rotation keeps the end of its name", async () => {
    for (const names of [
      ["app-20261128.log", "app-2026-11-29.log"],
      ["app.2.log", "app.1.log"],
    ]) {
      const { place, file, sense } = await following();
      for (const [nth, name] of names.entries()) {
        appendFileSync(file, `${nth}\n`);
        renameSync(file, join(place, name));
        writeFileSync(file, "");
      }
      writeFileSync(join(place, "app-errors.log"), "another\n");
      appendFileSync(file, "now\n");
      const found: string[] = [];
      await until("the generation in between is read", async () => {
        found.push(...(await read(sense)));
        return found.length >= 3;
      });
      expect(found.sort()).toEqual(["0", "1", "now"]);
      expect([await read(sense), sense.logs]).toEqual([[], []]);
      sense[Symbol.dispose]();
    }
  });

  test("is being copied while nerve looks is read once", async () => {
    const { place, file, sense } = await following();
    appendFileSync(file, text(LONG));
    expect(await read(sense)).toEqual(LONG);
    const copy = join(place, "app.log.1");
    writeFileSync(copy, "");
    expect(await read(sense)).toEqual([]);
    writeFileSync(copy, text(LONG).slice(0, 500));
    expect(await read(sense)).toEqual([]);
    copyFileSync(file, copy);
    expect(await read(sense)).toEqual([]);
    appendFileSync(file, "1\n");
    age(place);
    expect(await read(sense)).toEqual(["1"]);
    truncateSync(file, 0);
    appendFileSync(file, "2\n");
    expect(await read(sense)).toEqual(["2"]);
    sense[Symbol.dispose]();
  });

  test("was rotated before the first look is not read, though somebody touches it", async () => {
    const place = folder();
    writeFileSync(join(place, "app.log.1"), "old\n");
    writeFileSync(join(place, "app.log"), "new\n");
    using sense = openSense("tail", { path: join(place, "app.log"), from: "start" });
    expect(await read(sense)).toEqual(["new"]);
    appendFileSync(join(place, "app.log.1"), "late\n");
    expect(await read(sense)).toEqual(["late"]);
  });

  test("is short, copied under its former name and cut is read once", async () => {
    const { place, file, sense } = await following();
    appendFileSync(file, "1\n");
    expect(await read(sense)).toEqual(["1"]);
    appendFileSync(file, "2\n");
    copyFileSync(file, join(place, "app.log.1"));
    truncateSync(file, 0);
    expect(await read(sense)).toEqual(["2"]);
    appendFileSync(file, "3\n");
    expect(await read(sense)).toEqual(["3"]);
    sense[Symbol.dispose]();
  });

  test("is cut without a copy is read from its begin, and says what is lost", async () => {
    const { file, sense } = await following({}, text(LONG));
    appendFileSync(file, "1\n");
    truncateSync(file, 0);
    appendFileSync(file, "2\n");
    expect(await read(sense)).toEqual(["2"]);
    const [begin, lack] = [text(LONG).length, lacks(file)];
    expect(sense.logs).toEqual([`${lack}: what came after byte ${begin} ${REMEDY}`]);
    const lines = Array.from({ length: 600 }, (_, index) => `n ${index}`);
    appendFileSync(file, text(lines));
    expect(await read(sense)).toHaveLength(500);
    truncateSync(file, 0);
    expect(await read(sense)).toEqual([]);
    const seen = text(["2", ...lines]).length;
    const bytes = text(lines.slice(500)).length;
    expect(sense.logs.slice(1)).toEqual([
      `${lack} with ${bytes} bytes that nobody has read: what came after byte ${seen} ${REMEDY}`,
    ]);
    sense[Symbol.dispose]();
  });

  test("is removed and made anew is another, though it has the number of the old one", async () => {
    const { file, sense } = await following({}, text(LONG));
    for (let round = 0; round < 20; round++) {
      unlinkSync(file);
      const lines = LONG.map((line) => `${round} ${line}`);
      writeFileSync(file, text([...lines, ...lines]));
      expect(await read(sense)).toEqual([...lines, ...lines]);
    }
    unlinkSync(file);
    expect(await sense.compute()).toBeNull();
    expect(await sense.compute()).toBeNull();
    expect(sense.logs.filter((log) => log.startsWith(lacks(file)))).toHaveLength(21);
    expect(sense.logs.slice(21)).toEqual([`info: no file is ${file} yet: it is read from its begin once it is there`]);
    writeFileSync(file, "back\n");
    expect(await read(sense)).toEqual(["back"]);
    sense[Symbol.dispose]();
  });
});

test("a path that is a folder or no regular file says so, once, and what to write", async () => {
  const place = folder();
  for (const [path, what, remedy] of [
    [place, "a folder", `name a file, or files by a \`*\`, as ${place}/*.log`],
    ["/dev/null", "no regular file", "name a file"],
  ] as const) {
    using sense = openSense("tail", { path });
    expect(await sense.compute()).toBeNull();
    expect(await sense.compute()).toBeNull();
    expect(sense.logs).toEqual([`info: ${path} is ${what}, and is not read: ${remedy}`]);
  }
});

test("several files are followed by one pattern, hidden ones and folders are not, and a new one is read from its begin", async () => {
  const place = folder();
  for (const name of ["a.log", "b.log", ".c.log", "d.txt"]) writeFileSync(join(place, name), "old\n");
  mkdirSync(join(place, "folder.log"));
  using sense = openSense("tail", { path: join(place, "*.log") });
  expect(await sense.compute()).toEqual([]);
  appendFileSync(join(place, "a.log"), "a\n");
  appendFileSync(join(place, ".c.log"), "c\n");
  writeFileSync(join(place, "e.log"), "e\n");
  expect((await read(sense)).sort()).toEqual(["a", "e"]);
});

test("another path begins anew", async () => {
  const { place, file, sense } = await following();
  appendFileSync(file, "1\n");
  sense.client.run("UPDATE following SET path = 'another'");
  expect(await read(sense)).toEqual([]);
  appendFileSync(join(place, "app.log"), "2\n");
  expect(await read(sense)).toEqual(["2"]);
  sense[Symbol.dispose]();
});

test(`whatever is done to a log, each line comes once (seed ${SEED})`, async () => {
  for (let trial = 0; trial < trials(6); trial++) {
    const below = randomOf(SEED + trial);
    const { place, file, sense } = await following({}, text(LONG));
    const written: string[] = [];
    const got: string[] = [];
    let pending = "";
    let rotated = 0;
    const write = (line: string): void => {
      pending += `${line}\n`;
      written.push(line);
    };
    // All of it, or a part.
    const flush = (bytes: number): void => {
      appendFileSync(file, pending.slice(0, bytes));
      pending = pending.slice(bytes);
    };
    const deeds = {
      write: () => {
        for (let count = below(40); count >= 0; count--) write(`${trial} ${written.length} ${"z".repeat(below(100))}`);
        flush(below(3) === 0 ? below(pending.length) : pending.length);
      },
      rename: () => {
        flush(pending.length);
        renameSync(file, join(place, `app.log.${++rotated}`));
        writeFileSync(file, "");
      },
      // A file has to be long enough to be known again, and short of what one compute reads.
      copyAndCut: async () => {
        flush(pending.length);
        got.push(...(await read(sense)), ...(await read(sense)), ...(await read(sense)));
        for (const line of LONG) write(`${trial} ${written.length} ${line}`);
        flush(pending.length);
        got.push(...(await read(sense)), ...(await read(sense)));
        write(`${trial} ${written.length} unread`);
        flush(pending.length);
        copyFileSync(file, join(place, `app.log.${++rotated}`));
        truncateSync(file, 0);
      },
      fail: () => sense.compute({ signal: AbortSignal.abort(new Error("stopped")) }).catch(() => {}),
      look: async () => void got.push(...(await read(sense))),
    };
    const { write: add, rename, copyAndCut, fail, look } = deeds;
    const order: readonly (() => unknown)[] = [add, add, rename, copyAndCut, fail, look];
    for (let step = 0; step < 30; step++) await pick(below, order)();
    flush(pending.length);
    await deeds.look();
    age(place);
    for (let count = 0; count < 10; count++) await deeds.look();
    // A generation that came and went between two looks comes later.
    expect(got.sort()).toEqual(written.sort());
    expect(sense.logs).toEqual([]);
    sense[Symbol.dispose]();
  }
});

/** Calls by which this process has read anything. */
const reads = (): number => Number(/syscr: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);

test("a folder with many rotated logs is read from the start with a few reads a file", async () => {
  const place = folder();
  const count = 150;
  for (let day = 0; day < count; day++)
    writeFileSync(join(place, `app.log-${1000 + day}`), text([`day ${day}`, ...LONG]));
  const sense = openSense("tail", { path: join(place, "app.log*"), from: "start", summary: true });
  const before = reads();
  expect(await sense.compute()).toMatchObject({ lines: count * (LONG.length + 1) });
  expect((reads() - before) / count).toBeLessThan(50);
  sense[Symbol.dispose]();
});

describe("options", () => {
  test.each([
    [{}, "path is required: text"],
    [{ path: "/var/*/app.log" }, "path must name a file, and have a `*` in its name only"],
    [{ path: "/var/log/" }, "path must name a file"],
    [{ path: "a", match: "(" }, "match is no regular expression that nerve takes"],
    [{ path: "a", from: "begin" }, "from must be end or start"],
  ])("%j is refused", (given, problem) => {
    expect(validate("tail", given)).toEqual({ problems: [expect.stringContaining(problem)] });
  });
});
