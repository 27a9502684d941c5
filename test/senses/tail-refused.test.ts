/** Logs that nerve's user may not read, beside others that may be read. */
import { afterAll, expect, test } from "bun:test";
import { appendFileSync, chmodSync, mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type OpenSense, openSense } from "../helpers/compute.ts";
import { folder, removeFolders } from "../helpers/tail.ts";

afterAll(removeFolders);

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

/** What one compute hands over as a user who is not root. */
async function readAsAnother(sense: OpenSense): Promise<string[]> {
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    const payloads: { line: string }[] = await sense.compute();
    return payloads.map(({ line }) => line);
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

function openPlace(): string {
  const place = folder();
  chmodSync(place, 0o755);
  return place;
}

const REASON = "may not be read by nerve's user (EACCES): add it to the group of the file, such as `adm`";

test("a file that may not be read stops none of the others, and one warning names it and what waits in it", async () => {
  const place = openPlace();
  const [open, closed] = [join(place, "open.log"), join(place, "closed.log")];
  using sense = openSense("tail", { path: join(place, "*.log") });
  writeFileSync(open, "old\n");
  expect(await readAsAnother(sense)).toEqual([]);
  writeFileSync(closed, "x\n");
  chmodSync(closed, 0);
  appendFileSync(open, "1\n");
  expect(await readAsAnother(sense)).toEqual(["1"]);
  appendFileSync(open, "2\n");
  renameSync(open, `${open}.1`);
  expect(await readAsAnother(sense)).toEqual(["2"]);
  unlinkSync(`${open}.1`);
  writeFileSync(open, "3\n");
  expect(await readAsAnother(sense)).toEqual(["3"]);
  const warned = `warn: ${closed} ${REASON}; 2 bytes of it wait to be read; other files are read`;
  expect(sense.logs.filter((log) => log.includes(closed))).toEqual([warned]);
  appendFileSync(closed, "y\n");
  chmodSync(closed, 0o644);
  expect(await readAsAnother(sense)).toEqual(["x", "y"]);
});

test("a file that could be read once goes on where its reading had come to, once it can be read again", async () => {
  const place = openPlace();
  const [open, closed] = [join(place, "open.log"), join(place, "closed.log")];
  for (const file of [open, closed]) writeFileSync(file, "old\n");
  using sense = openSense("tail", { path: join(place, "*.log") });
  expect(await readAsAnother(sense)).toEqual([]);
  chmodSync(closed, 0);
  for (const file of [open, closed]) appendFileSync(file, "1\n");
  expect(await readAsAnother(sense)).toEqual(["1"]);
  renameSync(closed, `${closed}.1`);
  appendFileSync(`${closed}.1`, "2\n");
  expect(await readAsAnother(sense)).toEqual([]);
  chmodSync(`${closed}.1`, 0o644);
  expect(await readAsAnother(sense)).toEqual(["1", "2"]);
  expect(sense.logs).toEqual([expect.stringContaining(`${closed} ${REASON}; 2 bytes of it wait`)]);
});

test("a file that may not be read at the first look begins where that look found it", async () => {
  const place = openPlace();
  const [open, closed] = [join(place, "open.log"), join(place, "closed.log")];
  for (const file of [open, closed]) writeFileSync(file, "old\nhalf");
  chmodSync(closed, 0);
  using sense = openSense("tail", { path: join(place, "*.log") });
  expect(await readAsAnother(sense)).toEqual([]);
  for (const file of [open, closed]) appendFileSync(file, " of it\nnew\n");
  expect(await readAsAnother(sense)).toEqual(["new"]);
  chmodSync(closed, 0o644);
  expect(await readAsAnother(sense)).toEqual(["new"]);
});

test("a link into a closed folder stops no other file, and is read from its begin once the folder is open", async () => {
  const [place, closed] = [openPlace(), openPlace()];
  mkdirSync(join(closed, "in"));
  writeFileSync(join(closed, "in", "far.log"), "far\n");
  symlinkSync(join(closed, "in", "far.log"), join(place, "link.log"));
  writeFileSync(join(place, "open.log"), "");
  chmodSync(closed, 0);
  using sense = openSense("tail", { path: join(place, "*.log") });
  expect(await readAsAnother(sense)).toEqual([]);
  appendFileSync(join(place, "open.log"), "1\n");
  expect(await readAsAnother(sense)).toEqual(["1"]);
  chmodSync(closed, 0o755);
  expect(await readAsAnother(sense)).toEqual(["far"]);
  expect(sense.logs).toEqual([expect.stringContaining(`${join(place, "link.log")} ${REASON}`)]);
});

test("a log beside a rotated file that may not be read is read; where nothing may be read the compute fails", async () => {
  const place = openPlace();
  const file = join(place, "app.log");
  writeFileSync(file, "");
  using sense = openSense("tail", { path: file });
  expect(await readAsAnother(sense)).toEqual([]);
  writeFileSync(`${file}.1`, "closed\n");
  chmodSync(`${file}.1`, 0);
  appendFileSync(file, "1\n");
  expect(await readAsAnother(sense)).toEqual(["1"]);
  appendFileSync(file, "2\n");
  chmodSync(file, 0);
  await expect(readAsAnother(sense)).rejects.toThrow(`${file} ${REASON}`);
  chmodSync(file, 0o644);
  expect(await readAsAnother(sense)).toEqual(["2"]);
  renameSync(file, `${file}.2`);
  appendFileSync(`${file}.2`, "3\n");
  writeFileSync(file, "4\n");
  chmodSync(file, 0);
  expect(await readAsAnother(sense)).toEqual(["3"]);
  await expect(readAsAnother(sense)).rejects.toThrow(`${file} ${REASON}`);
});
