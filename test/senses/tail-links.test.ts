/** Logs whose names are links into another folder. */
import { afterAll, expect, test } from "bun:test";
import {
  appendFileSync,
  copyFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openSense } from "../helpers/compute.ts";
import { age, folder, LONG, read, removeFolders, text } from "../helpers/tail.ts";

afterAll(removeFolders);

async function linked() {
  const [place, there] = [folder(), folder()];
  const [link, file] = [join(place, "sym.log"), join(there, "real.log")];
  writeFileSync(file, "old\n");
  writeFileSync(`${file}.9`, "rotated before\n");
  symlinkSync(file, link);
  const sense = openSense("tail", { path: link });
  expect(await read(sense)).toEqual([]);
  return { link, file, there, sense };
}

test("the file behind a link that is renamed in its own folder is read to its end", async () => {
  const { file, sense } = await linked();
  appendFileSync(file, "1\n");
  renameSync(file, `${file}.1`);
  appendFileSync(`${file}.1`, "late\n");
  expect(await read(sense)).toEqual(["1", "late"]);
  appendFileSync(`${file}.1`, "later\n");
  writeFileSync(file, "2\n");
  expect(await read(sense)).toEqual(["later", "2"]);
  renameSync(`${file}.1`, `${file}.2`);
  renameSync(file, `${file}.1`);
  appendFileSync(`${file}.2`, "latest\n");
  appendFileSync(`${file}.9`, "touched\n");
  expect((await read(sense)).sort()).toEqual(["latest", "touched"]);
  expect(sense.logs).toEqual([]);
  sense[Symbol.dispose]();
});

test("a generation behind a link that comes and is renamed between two looks is read too", async () => {
  const { file, there, sense } = await linked();
  for (const generation of ["1", "2"]) {
    appendFileSync(file, `${generation}\n`);
    renameSync(file, `${file}.${generation}`);
    writeFileSync(file, "");
  }
  appendFileSync(file, "3\n");
  const found = await read(sense);
  age(there);
  found.push(...(await read(sense)));
  expect(found.sort()).toEqual(["1", "2", "3"]);
  expect(await read(sense)).toEqual([]);
  sense[Symbol.dispose]();
});

test("the file behind a link that is copied and cut is read once", async () => {
  const { file, there, sense } = await linked();
  appendFileSync(file, text(LONG));
  expect(await read(sense)).toEqual(LONG);
  appendFileSync(file, "1\n");
  copyFileSync(file, `${file}.1`);
  truncateSync(file, 0);
  appendFileSync(file, "2\n");
  expect(await read(sense)).toEqual(["1", "2"]);
  copyFileSync(file, `${file}.2`);
  appendFileSync(file, "3\n");
  expect(await read(sense)).toEqual(["3"]);
  truncateSync(file, 0);
  age(there);
  expect(await read(sense)).toEqual([]);
  sense[Symbol.dispose]();
});

test("a link that is made anew into another folder has its old file read to the end", async () => {
  const { link, file, sense } = await linked();
  appendFileSync(file, "1\n");
  const next = join(folder(), "real.log");
  writeFileSync(next, "2\n");
  unlinkSync(link);
  symlinkSync(next, link);
  expect(await read(sense)).toEqual(["1", "2"]);
  appendFileSync(file, "late\n");
  expect(await read(sense)).toEqual(["late"]);
  expect(sense.logs).toEqual([]);
  sense[Symbol.dispose]();
});
