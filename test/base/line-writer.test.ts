/** G15: whoever reads what is written, or does not, holds up nobody. Real pipes, sockets and files. */
import { afterEach, describe, expect, test } from "bun:test";
import { closeSync, constants, openSync, readFileSync, readSync } from "node:fs";
import { LineWriter } from "../../src/base/line-writer.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { until } from "../helpers/until.ts";

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
const lost = (count: number): string => `lost ${count}`;
const LINE = "x".repeat(99);

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const inFolder = (): Folder => {
  const folder = temporaryFolder();
  ends.push(() => folder[Symbol.dispose]());
  return folder;
};

const opened = (file: string, flags: number): number => {
  const descriptor = openSync(file, flags);
  ends.push(() => closeSync(descriptor));
  return descriptor;
};

/** Both ends of a pipe: the writing one waits for its reader, as a process's own stderr would. */
function pipe() {
  const file = inFolder().file("pipe");
  Bun.spawnSync(["mkfifo", file]);
  const reader = opened(file, O_RDONLY | O_NONBLOCK);
  const descriptor = opened(file, O_WRONLY);
  const buffer = new Uint8Array(65_536);
  const read = (): string => {
    try {
      return Buffer.from(buffer.subarray(0, readSync(reader, buffer))).toString();
    } catch {
      return "";
    }
  };
  return { descriptor, read };
}

describe("a pipe", () => {
  test("that is read gets the lines of a stretch of code together, at its end", async () => {
    const { descriptor, read } = pipe();
    const lines = new LineWriter(descriptor, lost);
    lines.write("one");
    lines.write("zwei ü");
    expect(read()).toBe("");
    await Promise.resolve();
    expect(read()).toBe("one\nzwei ü\n");
  });

  test("gets no piece that it might take in parts, but for a line that is longer", async () => {
    const { descriptor, read } = pipe();
    const lines = new LineWriter(descriptor, lost);
    for (let line = 0; line < 41; line++) lines.write(LINE);
    expect(read()).toBe(`${LINE}\n`.repeat(40));
    await Promise.resolve();
    expect(read()).toBe(`${LINE}\n`);
  });

  test("that is full when lines wait for it gets them in the order in which they were written", () => {
    const { descriptor, read } = pipe();
    const lines = new LineWriter(descriptor, lost);
    const written = Array.from({ length: 2_000 }, (_, line) => `${line} ${LINE.slice(line % 90)}`);
    for (const line of written) lines.write(line);
    let text = "";
    for (let before = -1; text.length > before; ) {
      before = text.length;
      lines.flush(0);
      text += read();
    }
    expect(text.trimEnd().split("\n")).toEqual(written);
  });

  test("that nobody reads costs lines, which are counted, and every line is whole", async () => {
    const { descriptor, read } = pipe();
    const lines = new LineWriter(descriptor, lost);
    const MANY = 10_000;
    for (let line = 0; line < MANY; line++) lines.write(`${line} ${LINE}`);
    let text = "";
    await until("the rest and the count are written", () => {
      text += read();
      return text.includes("lost ");
    });
    const kept = text.trimEnd().split("\n");
    const said = kept.pop();
    expect(kept.every((line, index) => line === `${index} ${LINE}`)).toBe(true);
    expect(kept.length).toBeGreaterThan(2_000);
    expect(said).toBe(`lost ${MANY - kept.length}`);
    lines.write("goes on");
    lines.flush(0);
    expect(read()).toBe("goes on\n");
  });

  test("that is full is waited for at the end, but not for long", () => {
    const { descriptor, read } = pipe();
    const lines = new LineWriter(descriptor, lost);
    for (let line = 0; line < 1_000; line++) lines.write(LINE);
    lines.flush(20);
    const first = read();
    expect(first.length).toBeLessThan(100_000);
    lines.flush(60_000);
    expect(first.length + read().length).toBe(100_000);
  });

  test("whose reader is gone is written to no longer, and nothing is thrown", () => {
    const file = inFolder().file("pipe");
    Bun.spawnSync(["mkfifo", file]);
    const reader = openSync(file, O_RDONLY | O_NONBLOCK);
    const descriptor = opened(file, O_WRONLY);
    const lines = new LineWriter(descriptor, lost);
    closeSync(reader);
    for (let line = 0; line < 10_000; line++) lines.write(LINE);
    lines.flush(60_000);
  });
});

test("a socket that nobody reads holds up nobody, and its reader finds whole lines", async () => {
  const source = JSON.stringify(`${import.meta.dir}/../../src/base/line-writer.ts`);
  const script = `
    const { LineWriter } = await import(${source});
    const lines = new LineWriter(2, (count) => "lost " + count);
    lines.flush(0);
    for (let line = 0; line < 20_000; line++) lines.write("${LINE}");
    console.log("wrote");
    setInterval(() => {}, 1_000);`;
  // Python has what Bun has not: a pair of sockets, one of which becomes the child's stderr.
  const helper = `
import socket, subprocess, sys
ours, theirs = socket.socketpair()
child = subprocess.Popen([sys.argv[1], "-e", sys.argv[2]], stderr=theirs, stdout=subprocess.PIPE)
print(child.stdout.readline().decode(), end="")
text = b""
while b"lost " not in text: text += ours.recv(65536)
child.kill()
lines = text.decode().split("\\n")
print(len([line for line in lines if line == "${LINE}"]) > 2000, all(len(line) == 99 for line in lines[:-2]))
`;
  if (Bun.which("python3") === null) return;
  const ran = Bun.spawn(["python3", "-c", helper, process.execPath, script], { stdout: "pipe" });
  expect(await new Response(ran.stdout).text()).toBe("wrote\nTrue True\n");
});

test("a file, which has no reader, gets every line, and shares its place with who else writes there", async () => {
  const file = inFolder().file("log");
  const descriptor = opened(file, O_WRONLY | constants.O_CREAT);
  const lines = new LineWriter(descriptor, lost);
  for (let line = 0; line < 5_000; line++) lines.write(LINE);
  await Promise.resolve();
  expect(readFileSync(file, "utf8")).toBe(`${LINE}\n`.repeat(5_000));
});

test("a flush where nothing waits writes nothing, to whatever it may be", () => {
  const { descriptor } = pipe();
  for (const to of [descriptor, opened("/dev/null", O_WRONLY), opened("/dev/full", O_WRONLY)]) {
    const lines = new LineWriter(to, lost);
    lines.flush(60_000);
    lines.write("one");
    lines.flush(60_000);
    lines.flush(60_000);
  }
});

test("a descriptor that is closed, and a device that is full, throw nothing", () => {
  const descriptor = openSync("/dev/null", O_WRONLY);
  closeSync(descriptor);
  new LineWriter(descriptor, lost).write("nobody hears");
  const full = new LineWriter(opened("/dev/full", O_WRONLY), lost);
  full.write("nobody keeps");
  full.flush(60_000);
});
