/** Logs that are copied and cut, while they are written and read. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openSense } from "../helpers/compute.ts";
import { age, folder, following, LONG, read, removeFolders, text } from "../helpers/tail.ts";
import { pick, randomOf, SEED, trials } from "../rules/random.ts";

setDefaultTimeout(60_000);
afterAll(removeFolders);

const SHORT = ["1", "2", "3"];

test.each([
  ["long", LONG],
  ["short", SHORT],
])("a %s log that is written and read between the copy and the cut comes once", async (_, lines) => {
  for (const looksAtCopy of [false, true]) {
    const { place, file, sense } = await following();
    appendFileSync(file, text(lines));
    expect(await read(sense)).toEqual([...lines]);
    copyFileSync(file, join(place, "app.log.1"));
    if (looksAtCopy) expect(await read(sense)).toEqual([]);
    appendFileSync(file, "between\n");
    expect(await read(sense)).toEqual(["between"]);
    truncateSync(file, 0);
    appendFileSync(file, "after\n");
    expect(await read(sense)).toEqual(["after"]);
    age(place);
    expect(await read(sense)).toEqual([]);
    appendFileSync(join(place, "app.log.1"), "late\n");
    expect(await read(sense)).toEqual(["late"]);
    sense[Symbol.dispose]();
  }
});

test("a copy that has a name which is chosen as well, and is shorter than what was read, comes once", async () => {
  const place = folder();
  const file = join(place, "app.log");
  writeFileSync(file, text(LONG));
  using sense = openSense("tail", { path: join(place, "app.log*"), from: "start" });
  expect(await read(sense)).toEqual(LONG);
  const copy = join(place, "app.log.1");
  writeFileSync(copy, readFileSync(file).subarray(0, 1_500));
  expect(await read(sense)).toEqual([]);
  copyFileSync(file, copy);
  expect(await read(sense)).toEqual([]);
  appendFileSync(file, "between\n");
  expect(await read(sense)).toEqual(["between"]);
  truncateSync(file, 0);
  appendFileSync(file, "after\n");
  expect(await read(sense)).toEqual(["after"]);
});

test("a slow copy of a log that is written all the time comes once, also where it rests half done", async () => {
  const { place, file, sense } = await following();
  const copy = join(place, "app.log.1");
  appendFileSync(file, text(LONG));
  expect(await read(sense)).toEqual(LONG);
  const more: string[] = [];
  for (const part of [0, 0.2, 0.5, 0.9, 1]) {
    const whole = readFileSync(file);
    writeFileSync(copy, whole.subarray(0, Math.floor(whole.length * part)));
    appendFileSync(file, `while ${part}\n`);
    more.push(...(await read(sense)));
    age(place);
    more.push(...(await read(sense)));
  }
  expect(more).toEqual([0, 0.2, 0.5, 0.9, 1].map((part) => `while ${part}`));
  truncateSync(file, 0);
  appendFileSync(file, "after\n");
  expect(await read(sense)).toEqual(["after"]);
  age(place);
  expect(await read(sense)).toEqual([]);
  sense[Symbol.dispose]();
});

test("two copies come once, and what was not read is read from the one that has it", async () => {
  const { place, file, sense } = await following();
  appendFileSync(file, text(LONG));
  expect(await read(sense)).toEqual(LONG);
  copyFileSync(file, join(place, "app.log.2"));
  appendFileSync(file, "1\n");
  expect(await read(sense)).toEqual(["1"]);
  age(place);
  appendFileSync(file, "2\n");
  copyFileSync(file, join(place, "app.log.1"));
  truncateSync(file, 0);
  appendFileSync(file, "3\n");
  expect(await read(sense)).toEqual(["2", "3"]);
  age(place);
  expect(await read(sense)).toEqual([]);
  expect(sense.logs).toEqual([]);
  sense[Symbol.dispose]();
});

test("a copy that is packed later is no loss, and the log goes on", async () => {
  const { place, file, sense } = await following();
  appendFileSync(file, text(LONG));
  expect(await read(sense)).toEqual(LONG);
  for (const round of ["1", "2"]) {
    copyFileSync(file, join(place, "app.log.1"));
    appendFileSync(file, `${round}\n`);
    expect(await read(sense)).toEqual([round]);
    unlinkSync(join(place, "app.log.1"));
    writeFileSync(join(place, "app.log.1.gz"), "packed\n");
    expect(await read(sense)).toEqual([]);
  }
  expect(sense.logs).toEqual([]);
  sense[Symbol.dispose]();
});

test("a log that begins with the same lines as the one before it is read whole, under each name", async () => {
  for (const banner of [["banner"], LONG]) {
    const { place, file, sense } = await following({}, text(banner));
    for (const generation of ["1", "2"]) {
      appendFileSync(file, `${generation}\n`);
      renameSync(file, join(place, `app.log.${generation}`));
      writeFileSync(file, text(banner));
    }
    appendFileSync(file, "3\n");
    const found = [...(await read(sense)), ...(await read(sense))];
    age(place);
    found.push(...(await read(sense)), ...(await read(sense)));
    expect(found.sort()).toEqual([...banner, ...banner, "1", "2", "3"].sort());
    sense[Symbol.dispose]();
  }
});

test("lines that were seen, and are neither read nor in the copy, are counted in a warning", async () => {
  const { place, file, sense } = await following();
  const lines = Array.from({ length: 600 }, (_, index) => `line ${index}`);
  appendFileSync(file, text(lines));
  copyFileSync(file, join(place, "app.log.1"));
  appendFileSync(file, "lost\n");
  expect(await read(sense)).toEqual(lines.slice(0, 500));
  truncateSync(file, 0);
  expect(await read(sense)).toEqual(lines.slice(500));
  expect(sense.logs).toEqual([expect.stringContaining("with 5 bytes that nobody has read")]);
  sense[Symbol.dispose]();
});

test(`whenever a log is copied, written, read and cut, each line that was read or copied comes once (seed ${SEED})`, async () => {
  for (let trial = 0; trial < trials(6); trial++) {
    const below = randomOf(SEED + trial);
    const { place, file, sense } = await following({}, trial % 2 === 0 ? text(LONG) : "");
    const written: string[] = [];
    const got: string[] = [];
    let copies = 0;
    const write = (): void => {
      const line = `${trial} ${written.length} ${"z".repeat(below(100))}`;
      appendFileSync(file, `${line}\n`);
      written.push(line);
    };
    const look = async (): Promise<void> => void got.push(...(await read(sense)));
    const steps: readonly (() => unknown)[] = [write, write, look, () => age(place)];
    for (let round = 0; round < 6; round++) {
      for (let step = 0; step < 10; step++) await pick(below, steps)();
      // A file has to be long enough to be known again.
      for (let count = 0; count < 20; count++) write();
      await look();
      if (below(2) === 0) write();
      copyFileSync(file, join(place, `app.log.${++copies}`));
      for (let step = below(8); step > 0; step--) await pick(below, steps)();
      await look();
      truncateSync(file, 0);
    }
    await look();
    age(place);
    for (let count = 0; count < 4; count++) await look();
    expect(got.sort()).toEqual(written.sort());
    sense[Symbol.dispose]();
  }
});
