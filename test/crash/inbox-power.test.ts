/**
 * The power goes while items are pushed and taken (`durability: full`): what was accepted is taken once, whatever the disk holds
 * of logs.db and of the sense's database (G11). And one of the two is put back from an older copy: nothing is taken twice, and
 * the log names what is missing. NERVE_CRASH=full takes many more images, NERVE_IMAGES=N that many.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CrashSite, type Kernel, randomNumbers } from "../helpers/crash.ts";
import { COMPILED } from "../helpers/nerve.ts";
import { makeImage, type Recording, readRecording, recordedTo } from "../helpers/power-loss.ts";
import { whyNoStrace } from "../helpers/strace.ts";
import { until } from "../helpers/until.ts";
import { Clients, INBOX, pushOf, takenOn, untilTaken, wrongWith } from "./pushes.ts";

setDefaultTimeout(120_000);

const FULL = process.env.NERVE_CRASH === "full";
const IMAGES = Number(process.env.NERVE_IMAGES ?? (FULL ? 400 : 8));
const SEED = Number(process.env.NERVE_SEED ?? Math.floor(Math.random() * 2 ** 31));
const CONFIG = INBOX.replace("DURABILITY", "full").replace("THROTTLE", "10ms");

const missing = whyNoStrace() ?? (COMPILED === null ? "there is no executable" : null);
if (missing !== null) console.warn(`skipped: power loss with an inbox, since ${missing}`);

describe.skipIf(missing !== null)("when the power goes", () => {
  let site: CrashSite;
  let recording: Recording;
  let clients: Clients;

  beforeAll(async () => {
    site = new CrashSite(["taker"], CONFIG);
    const record = join(site.folder, "record");
    const kernel = site.start("nerve.yaml", recordedTo(record));
    await kernel.up();
    clients = new Clients(site, 3, randomNumbers(SEED));
    await until("items were taken", () => takenOn(site).signals.length > 60);
    await clients.stop();
    await untilTaken(site);
    expect(await kernel.stop()).toBe(0);
    await until("the record is whole", () => existsSync(record));
    recording = readRecording(record, site.data, null);
    expect(recording.syncs.length).toBeGreaterThan(40);
  });
  afterAll(() => site?.end());

  test(
    "each item that was accepted before is in one row and one signal",
    async () => {
      const random = randomNumbers(SEED);
      const { changes, syncs } = recording;
      const found: string[] = [];
      for (let image = 0; image < IMAGES && found.length === 0; image++) {
        const atSync = syncs[Math.floor(random() * syncs.length)] ?? changes.length;
        const cut = image % 2 === 0 ? atSync : Math.floor(random() * (changes.length + 1));
        rmSync(site.data, { recursive: true, force: true });
        mkdirSync(site.data, { mode: 0o700 });
        makeImage(recording, cut, random, site.data, site.data);
        const at = changes[cut]?.atMs ?? Number.POSITIVE_INFINITY;
        const known = [...clients.accepted].filter(([, acceptedAt]) => acceptedAt < at).map(([n]) => n);
        const kernel = site.start();
        await kernel.up();
        await untilTaken(site);
        const code = await kernel.stop();
        if (code !== 0) found.push(`cut ${cut}: the kernel ended with ${code}: ${kernel.lastWords()}`);
        found.push(...wrongWith(takenOn(site), known).map((text) => `cut ${cut}: ${text}`));
      }
      console.log(JSON.stringify({ test: "inbox-power", seed: SEED, images: IMAGES, violations: found.length }));
      expect(found).toEqual([]);
    },
    FULL ? 1_800_000 : 120_000,
  );
});

describe("an older copy put back", () => {
  const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, nth) => from + nth);

  async function push(site: CrashSite, all: readonly number[]): Promise<Kernel> {
    const kernel = site.start();
    await kernel.up();
    for (const n of all) expect(await pushOf(site, n)).toBe(202);
    await untilTaken(site);
    return kernel;
  }

  /** 1 to 20 are taken; the copy was made after 10. */
  async function withCopy(): Promise<{ readonly site: CrashSite; readonly copy: string }> {
    const site = new CrashSite(["taker"], CONFIG);
    const copy = join(site.folder, "copy");
    expect(await (await push(site, numbers(1, 10))).stop()).toBe(0);
    cpSync(site.data, copy, { recursive: true, filter: (path) => !path.endsWith(".sock") });
    expect(await (await push(site, numbers(11, 20))).stop()).toBe(0);
    return { site, copy };
  }

  const putBack = (from: string, to: string): void => {
    for (const end of ["", "-wal", "-shm"]) {
      rmSync(`${to}${end}`, { force: true });
      if (existsSync(`${from}${end}`)) copyFileSync(`${from}${end}`, `${to}${end}`);
    }
  };

  test("of logs.db: ids are given again, and the items are others", async () => {
    const { site, copy } = await withCopy();
    await using _ = site;
    putBack(join(copy, "logs.db"), join(site.data, "logs.db"));
    expect(await (await push(site, numbers(21, 30))).stop()).toBe(0);
    const { rows, signals } = takenOn(site);
    expect(rows).toEqual(numbers(1, 30));
    expect(signals).toEqual([...numbers(1, 10), ...numbers(21, 30)]);
  });

  test("of the sense's database: the log names what is missing, and new items are taken", async () => {
    const { site, copy } = await withCopy();
    await using _ = site;
    putBack(join(copy, "senses/taker.db"), join(site.data, "senses/taker.db"));
    const kernel = await push(site, numbers(21, 30));
    expect(kernel.stderr()).toContain("taker.db is older than what nerve knows of it: items up to 20 were taken");
    expect(await kernel.stop()).toBe(0);
    const { rows, signals } = takenOn(site);
    expect(rows).toEqual([...numbers(1, 10), ...numbers(21, 30)]);
    expect(signals).toEqual(numbers(1, 30));
  });
});
