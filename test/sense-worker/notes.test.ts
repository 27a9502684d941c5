/** What a worker notes of its computes in the memory that it shares with its kernel, read by a real parent of a real child. */
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { makeSharedPage } from "../../src/base/shared-page.ts";
import { bytesOfNotes, NotesReader, NotesWriter } from "../../src/ipc/notes.ts";
import { spawnWorker } from "../../src/spawn/worker-process.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { until } from "../helpers/until.ts";
import { TestWorker } from "../helpers/worker.ts";

function sense(folder: Folder, name: string, text: string): { name: string } {
  mkdirSync(folder.file("senses", name), { recursive: true });
  writeFileSync(folder.file("senses", name, "index.ts"), text);
  return { name };
}

function linkOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return "";
  }
}

const FINE = "export const compute = () => ({ fine: true });";

test("a compute that spins is noted without a message, alone among those of its turn, also once its process is gone", async () => {
  using folder = temporaryFolder();
  await using worker = new TestWorker(folder, 3);
  const spins = "export const compute = () => { for (;;); };";
  await worker.ready([sense(folder, "before", FINE), sense(folder, "spins", spins), sense(folder, "after", FINE)]);
  const { notes } = worker.process;
  const isOver = () => [0, 1, 2].map((place) => notes?.at(place)?.isOver ?? null);
  expect(isOver()).toEqual([null, null, null]);
  const sentAt = performance.now();
  for (const [index, name] of ["before", "spins", "after"].entries()) worker.compute(index + 7, name);
  await until("it spins", () => notes?.at(1)?.id === 8);
  await until("it has spun for a while", () => (notes?.at(1)?.forMs ?? 0) > 50);
  expect(notes?.at(1)?.forMs).toBeLessThanOrEqual(performance.now() - sentAt);
  expect(isOver()).toEqual([true, false, null]);
  expect(worker.of("started").filter(({ id }) => id !== null)).toEqual([]);
  worker.process.kill();
  await until("it is gone", () => worker.exited !== null);
  expect(isOver()).toEqual([true, false, null]);
});

test("a compute that waits is said to have started once its turn is over, and noted as over once it has settled", async () => {
  using folder = temporaryFolder();
  await using worker = new TestWorker(folder, 2);
  const file = folder.file("go");
  const waits = `
    import { existsSync } from "node:fs";
    export const compute = async () => { while (!existsSync(${JSON.stringify(file)})) await Bun.sleep(5); return 1; };`;
  await worker.ready([sense(folder, "waits", waits), sense(folder, "fine", FINE)]);
  worker.compute(1, "waits");
  worker.compute(2, "fine");
  expect(await worker.result(2)).toMatchObject({ type: "signal" });
  await until("it says that it has started", () => worker.of("started").some(({ id }) => id === 1));
  const { notes } = worker.process;
  const isOver = () => [0, 1].map((place) => notes?.at(place)?.isOver);
  expect(isOver()).toEqual([false, true]);
  writeFileSync(file, "");
  expect(await worker.result(1)).toMatchObject({ type: "signal", payload: 1 });
  expect(isOver()).toEqual([true, true]);
  expect(worker.of("started").flatMap(({ id }) => id ?? [])).toEqual([1]);
});

test("the results of one turn are lists of 64 at most, of about 64 KB at most, in the order of the computes", async () => {
  using folder = temporaryFolder();
  const small = Array.from({ length: 70 }, (_, nth) => `small${nth}`);
  const large = ["large0", "large1", "large2"];
  await using worker = new TestWorker(folder, small.length + large.length);
  const says = (text: string) => `export const compute = () => ${text};`;
  await worker.ready([
    ...small.map((name) => sense(folder, name, says('"small"'))),
    ...large.map((name) => sense(folder, name, says('"x".repeat(40_000)'))),
  ]);
  const asked = (names: readonly string[], from: number) =>
    names.map((name, nth) => ({
      id: from + nth,
      sense: name,
      now: 5,
      cause: null,
      trace: "0".repeat(32),
      inbox: null,
      delivered: null,
    }));
  const lists = () => worker.of("signal").map(({ signals }) => signals.map((row) => row.sense));
  worker.send({ type: "compute", generation: 1, computes: asked(small, 1) });
  await worker.result(small.length);
  expect(lists().flat()).toEqual(small);
  expect(lists().filter((list) => list.length > 64)).toEqual([]);
  const before = lists().length;
  expect(before).toBeLessThan(small.length);
  worker.send({ type: "compute", generation: 1, computes: asked(large, 101) });
  await worker.result(103);
  const ofLarge = lists().slice(before);
  expect(ofLarge.flat()).toEqual(large);
  expect(ofLarge.filter((list) => list.length > 2)).toEqual([]);
});

test("user code finds no descriptor of the page", async () => {
  using folder = temporaryFolder();
  await using worker = new TestWorker(folder, 1);
  const looks = `
    import { readdirSync, readlinkSync } from "node:fs";
    const link = (fd: string) => { try { return readlinkSync("/proc/self/fd/" + fd); } catch { return ""; } };
    export const compute = () => readdirSync("/proc/self/fd").map(link).filter((to) => to.includes("memfd"));`;
  await worker.ready([sense(folder, "looks", looks)]);
  worker.compute(1, "looks");
  expect(await worker.result(1)).toMatchObject({ type: "signal", payload: [] });
});

test("a worker that cannot be started leaves no descriptor behind", () => {
  const open = (): string[] =>
    readdirSync("/proc/self/fd")
      .map((fd) => linkOf(fd))
      .filter((to) => to.includes("memfd"));
  const before = open();
  const command = { command: ["/nowhere/to/be/found"], env: {}, cwd: "/" };
  const events = { message: () => {}, output: () => {}, exit: () => {} };
  expect(() => spawnWorker(command, events, 1)).toThrow();
  expect(open()).toEqual(before);
});

test("the size of the page is sealed, and the page has no name", () => {
  const page = makeSharedPage(bytesOfNotes(300));
  if (page === null) throw new Error("this host gives no memory to share");
  expect(page.bytes.length).toBe(8_192);
  const truncated = Bun.spawnSync(["truncate", "-s", "0", `/proc/${process.pid}/fd/${page.descriptor}`]);
  expect(truncated.exitCode).not.toBe(0);
  expect(page.bytes.every((byte) => byte === 0)).toBe(true);
});

test("a place that lies outside of the page has no note", () => {
  const bytes = new Uint8Array(bytesOfNotes(2));
  const writer = new NotesWriter(bytes, () => 5_000 + performance.now());
  const reader = new NotesReader(bytes, () => 5_000 + performance.now());
  writer.enter(1, 7, performance.now());
  writer.enter(2, 8, performance.now());
  expect([0, 1, 2].map((place) => reader.at(place)?.id ?? null)).toEqual([null, 7, null]);
  expect(reader.at(1)?.forMs).toBeGreaterThanOrEqual(0);
  writer.leave(1, 7);
  expect(reader.at(1)).toMatchObject({ id: 7, isOver: true });
});
