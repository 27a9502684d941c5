/**
 * Twenty followers, and one that takes a byte a second, beside a busy kernel: each has every row, and nobody holds rows for them.
 * What they cost the kernel is measured by the suite `followers` of the bench.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "node:net";
import { type Nerve, project, startNerve } from "../helpers/nerve.ts";
import { readProc } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";
import { type Address, follow, freeAddress, statusAt, tokenIn } from "../helpers/web.ts";

setDefaultTimeout(900_000);

const FULL = process.env.NERVE_CRASH === "full";
const FOLLOWERS = 20;
const SENSES = 10;
const SIGNALS = FULL ? 6_000 : 300;
const GROWTH_MB = 96;

const names = Array.from({ length: SENSES }, (_, index) => `beat-${index}`);
const CONFIG = (address: Address): string => `http: "${address.text}"
senses: { ${names.map((name) => `${name}: { use: beat }`).join(", ")} }
reflexes: [${names.map((name) => `{ sense: ${name}, interval: 100ms, align: false }`).join(", ")}]
`;
const BEAT = 'export const compute = (_db, _peers, { now }) => ({ late: Date.now() - now, fill: "x".repeat(2000) });\n';

const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readProc(`/proc/${pid}/status`) ?? "")?.[1] ?? 0) / 1_024;
const webPid = (nerve: Nerve): number =>
  nerve.logs({ event: "worker.started" }).findLast(({ data }) => data.role === "web")?.data.pid ?? 0;

/** Takes the stream from its beginning on, a byte a second. */
function slowReader(address: Address, token: string) {
  const socket = connect(address.port, address.hostname);
  socket.on("error", () => {});
  socket.pause();
  socket.write(
    `GET /api/v1/events HTTP/1.1\r\nhost: ${address.text}\r\nauthorization: Bearer ${token}\r\nlast-event-id: s0.l0\r\n\r\n`,
  );
  const reading = setInterval(() => socket.read(1), 1_000);
  return (): void => {
    clearInterval(reading);
    socket.destroy();
  };
}

test("each of twenty followers has every signal in order, beside one that takes a byte a second; memory stays flat", async () => {
  const address = await freeAddress();
  using folder = project({ "nerve.yaml": CONFIG(address), "senses/beat/index.ts": BEAT });
  await using nerve = await startNerve(folder.path);
  await until("the page answers", async () => (await statusAt(address, "/healthz")) === 200);
  const token = tokenIn(nerve.data, "page");
  const leave = slowReader(address, token);
  const first = 1 + SIGNALS / 2;
  let half: number[] = [];
  const pids = [nerve.pid, webPid(nerve)];
  const taken = await Promise.all(
    Array.from({ length: FOLLOWERS }, async () => {
      const ids: number[] = [];
      await follow(address, token, "s0.l0", ({ name, data }) => {
        if (name === "signal") ids.push(data.id);
        if (data.id === first && half.length === 0) half = pids.map(residentMb);
        return ids.length >= SIGNALS;
      });
      return ids;
    }),
  );
  const whole = pids.map(residentMb);
  leave();
  const wanted = Array.from({ length: SIGNALS }, (_, index) => index + 1);
  for (const ids of taken) expect(ids).toEqual(wanted);
  for (const [index, mb] of whole.entries()) expect(mb - (half[index] ?? 0)).toBeLessThan(GROWTH_MB);
  if (FULL) console.log({ half, whole });
  expect(nerve.logs({ event: "worker.exited" })).toEqual([]);
});
