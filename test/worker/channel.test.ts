/** The worker's half of the channel, with a real child at the other end. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { spawnWorker, type WorkerExit } from "../../src/spawn/worker-process.ts";
import { isRunning } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";

const SOURCE = JSON.stringify(join(import.meta.dir, "../../src/worker/channel.ts"));

const commandOf = (code: string): string[] => [
  process.execPath,
  "-e",
  `const { openChannel } = await import(${SOURCE}); ${code}`,
];

function child(code: string) {
  const received: unknown[] = [];
  const lines: string[] = [];
  let exit: WorkerExit | null = null;
  let receivedAtExit = -1;
  const worker = spawnWorker<unknown>(
    { command: commandOf(code), env: { PATH: process.env.PATH ?? "" }, cwd: import.meta.dir },
    {
      message: (raw) => received.push(raw),
      output: (stream, line) => lines.push(`${stream}: ${line}`),
      exit: (ended) => {
        exit = ended;
        receivedAtExit = received.length;
      },
    },
  );
  return {
    worker,
    received,
    lines,
    gone: () => until("the worker has left", () => exit !== null),
    get exit() {
      return exit;
    },
    get receivedAtExit() {
      return receivedAtExit;
    },
  };
}

/** Runs `code` until so many messages are there, and resolves with the frames in which they came. */
async function framesOf(messages: number, code: string): Promise<unknown[][]> {
  const frames: unknown[][] = [];
  const ipc = (frame: unknown): void => void frames.push(frame as unknown[]);
  const process = Bun.spawn(commandOf(code), { ipc, serialization: "json", stdio: ["ignore", "ignore", "inherit"] });
  await until(`${messages} messages are there`, () => frames.flat().length === messages);
  process.kill("SIGKILL");
  await process.exited;
  return frames;
}

describe("a worker's channel", () => {
  test("delivers all of 20,000 messages of a child that leaves right after, in order, before its exit is told", async () => {
    const probe = child(`
      const channel = openChannel(() => {});
      for (let index = 0; index < 20_000; index++) channel.post({ index, text: "x".repeat(100) });
      channel.leave({ last: true });`);
    await probe.gone();
    expect(probe.exit).toMatchObject({ code: 0, signal: null, channelBroke: false });
    expect(probe.receivedAtExit).toBe(20_001);
    expect(
      probe.received.every((message, index) => index === 20_000 || (message as { index: number }).index === index),
    ).toBe(true);
    expect(probe.received.at(-1)).toEqual({ last: true });
  });

  test("sends what is posted in one turn together, and in order what was flushed before", async () => {
    const probe = child(`
      const channel = openChannel((raw) => {
        if (raw === "leave") return channel.leave(6);
        channel.post(4); channel.post(5);
      });
      channel.post(1); channel.post(2); channel.flush(); channel.post(3);`);
    await until("the first turn's messages are there", () => probe.received.length === 3);
    probe.worker.send(["more"]);
    await until("the second turn's messages are there", () => probe.received.length === 5);
    probe.worker.send(["leave"]);
    await probe.gone();
    expect(probe.received).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("sends many messages of one turn in few frames, of 64 messages at the most", async () => {
    const frames = await framesOf(
      200,
      "const channel = openChannel(() => {}); for (let index = 0; index < 200; index++) channel.post(index);",
    );
    expect(frames.flat()).toEqual(Array.from({ length: 200 }, (_, index) => index));
    expect(Math.max(...frames.map(({ length }) => length))).toBeLessThanOrEqual(64);
    expect(frames.length).toBeLessThan(20);
  });

  test("sends large messages of one turn in frames of their own", async () => {
    const frames = await framesOf(
      6,
      "const channel = openChannel(() => {}); for (let index = 0; index < 6; index++) channel.post(index, 40_000);",
    );
    expect(frames.flat()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(Math.max(...frames.map(({ length }) => length))).toBeLessThanOrEqual(2);
  });

  test.each([
    [
      "what waits for a turn that takes long leaves with the next message",
      "channel.post(1); block(200); channel.post(2); for (;;) {}",
    ],
    [
      "whoever waits until it is sent goes on after that",
      "channel.post(1); channel.post(2); channel.sent().then(() => { for (;;) {} });",
    ],
  ])("%s", async (_, code) => {
    const block = "const block = (ms) => { for (const end = performance.now() + ms; performance.now() < end; ); };";
    const frames = await framesOf(2, `${block} const channel = openChannel(() => {}); ${code}`);
    expect(frames.flat()).toEqual([1, 2]);
  });

  test("hands over each message of each frame, also one that is no frame", async () => {
    const probe = child(`
      const got = [];
      const channel = openChannel((raw) => { got.push(raw); if (raw === "end") channel.leave({ got }); });
      channel.post("up"); `);
    await until("the first message is there", () => probe.received.length === 1);
    probe.worker.send([1, { a: 2 }, null]);
    (probe.worker as { send(message: unknown): boolean }).send("alone");
    probe.worker.send(["end"]);
    await probe.gone();
    expect(probe.received).toEqual(["up", { got: [1, { a: 2 }, null, "alone", "end"] }]);
  });

  test("is out of the reach of user code", async () => {
    const probe = child(`
      const channel = openChannel(() => {});
      channel.leave(["send", "disconnect", "channel", "connected"].map((name) => typeof process[name]));`);
    await probe.gone();
    expect(probe.received).toEqual([["undefined", "undefined", "undefined", "undefined"]]);
  });
});

describe("a worker process", () => {
  test("that is killed, exits or was never there is told once, with how", async () => {
    const killed = child("setInterval(() => {}, 1000)");
    killed.worker.kill();
    await killed.gone();
    expect(killed.exit).toMatchObject({ signal: "SIGKILL" });
    const left = child("process.exit(7)");
    await left.gone();
    expect(left.exit).toMatchObject({ code: 7, signal: null });
    expect(left.worker.send([1])).toBe(false);
  });

  test("that somebody else kills is not taken for one whose channel broke, and the other way round", async () => {
    for (let count = 0; count < 5; count++) {
      const probe = child("openChannel(() => {}).post(1); setInterval(() => {}, 1000);");
      await until("the first message is there", () => probe.received.length === 1);
      process.kill(probe.worker.pid, "SIGKILL");
      await probe.gone();
      expect(probe.exit).toEqual({ code: null, signal: "SIGKILL", channelBroke: false });
    }
    const deaf = child(`
      const leave = process.disconnect.bind(process);
      openChannel(() => {}); setInterval(() => {}, 1000); leave();`);
    await deaf.gone();
    expect(deaf.exit).toMatchObject({ signal: "SIGKILL", channelBroke: true });
  });

  test("takes what it started in its group with it", async () => {
    const probe = child(
      `const inner = Bun.spawn(["sleep", "60"]); openChannel(() => {}).post(inner.pid); setInterval(() => {}, 1000);`,
    );
    await until("the first message is there", () => probe.received.length === 1);
    const inner = probe.received[0] as number;
    probe.worker.kill();
    await probe.gone();
    await until("the inner process is gone", () => !isRunning(inner));
  });

  test("has its own stdout and stderr read by the line, and never blocks on them", async () => {
    const probe = child(`
      const { writeSync } = await import("node:fs");
      writeSync(1, "one\\ntwo\\n\\nthree"); writeSync(2, "bad\\n");
      for (let index = 0; index < 2_000; index++) writeSync(1, "flood ".repeat(200) + "\\n");
      openChannel(() => {}).leave("done");`);
    await probe.gone();
    expect(probe.received).toEqual(["done"]);
    await until("the dropped lines are counted", () =>
      probe.lines.some((line) => /more lines were dropped/.test(line)),
    );
    expect(probe.lines.slice(0, 1)).toEqual(["stdout: one"]);
    expect(probe.lines).toContain("stderr: bad");
    expect(probe.lines.length).toBeLessThan(320);
  });
});
