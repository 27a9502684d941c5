/**
 * The power goes while a log is read and rotated, and the disk holds of logs.db and of the sense's database what it will. With
 * `durability: full` on both each line is in one signal, and is counted once. Without it at the sense no line is lost, each is
 * counted once, and where lines come again the log says so. NERVE_CRASH=full takes many more images, NERVE_IMAGES=N that many.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CrashSite, randomNumbers } from "../helpers/crash.ts";
import { COMPILED } from "../helpers/nerve.ts";
import { makeImage, type Recording, readRecording, recordedTo } from "../helpers/power-loss.ts";
import { whyNoStrace } from "../helpers/strace.ts";
import { until } from "../helpers/until.ts";
import { areCounted, Log, valuesOf, wrongOn } from "./tail-lines.ts";

setDefaultTimeout(120_000);

const FULL = process.env.NERVE_CRASH === "full";
const IMAGES = Number(process.env.NERVE_IMAGES ?? (FULL ? 300 : 6));
const SEED = Number(process.env.NERVE_SEED ?? Math.floor(Math.random() * 2 ** 31));
const ROTATIONS = 8;
const configWith = (durability: string): string => `
data: DATA
durability: full
senses:
  log: { use: tail, throttle: 10ms, ${durability}with: { path: app.log, from: start } }
reflexes: [{ sense: log, interval: 250ms, watch: true }]
`;

const missing = whyNoStrace() ?? (COMPILED === null ? "there is no executable" : null);
if (missing !== null) console.warn(`skipped: power loss with tail, since ${missing}`);

/** What an older database of the sense does, and the log says. */
const AGAIN = /^\d+ of \d+ came twice$/;
const SAID = "its database is older than what nerve knows of it";

describe.skipIf(missing !== null).each([
  ["durability: full, ", "each line is in one signal, and is counted once"],
  ["", "no line is lost, each is counted once, and the log says where lines come again"],
])("when the power goes, with `%s`", (durability, claim) => {
  let site: CrashSite;
  let recording: Recording;
  let log: Log;

  const untilRead = (): Promise<true> =>
    until(
      "every line is a signal, and is counted",
      () => site.isAtRest() && valuesOf(site).length >= log.lines && areCounted(site, log.lines),
    );

  beforeAll(async () => {
    site = new CrashSite([], configWith(durability));
    log = new Log(site.folder);
    const first = site.start();
    await untilRead();
    expect(await first.stop()).toBe(0);
    const before = join(site.folder, "before");
    cpSync(site.data, before, { recursive: true, filter: (path) => !path.endsWith(".sock") });
    const record = join(site.folder, "record");
    const kernel = site.start("nerve.yaml", recordedTo(record));
    await kernel.up();
    for (let nth = 0; nth < ROTATIONS; nth++) {
      log.write(3);
      await untilRead();
      log.write(2);
      if (nth % 2 === 0) log.rename();
      else log.copyAndCut();
    }
    log.write(2);
    await untilRead();
    expect(await kernel.stop()).toBe(0);
    await until("the record is whole", () => existsSync(record));
    recording = readRecording(record, site.data, before);
    expect(recording.syncs.length).toBeGreaterThan(ROTATIONS * 2);
  });
  afterAll(() => site?.end());

  test(
    claim,
    async () => {
      const random = randomNumbers(SEED);
      const { changes, syncs } = recording;
      // What was there before is on the disk.
      const begin = changes.findLastIndex(({ atMs }) => atMs === 0) + 1;
      const found: string[] = [];
      let again = 0;
      for (let image = 0; image < IMAGES && found.length === 0; image++) {
        const later = syncs.filter((at) => at >= begin);
        const atSync = later[Math.floor(random() * later.length)] ?? changes.length;
        const cut = image % 2 === 0 ? atSync : begin + Math.floor(random() * (changes.length - begin + 1));
        rmSync(site.data, { recursive: true, force: true });
        mkdirSync(site.data, { mode: 0o700 });
        makeImage(recording, cut, random, site.data, site.data);
        const kernel = site.start();
        await kernel.up();
        await untilRead();
        const code = await kernel.stop();
        if (code !== 0) found.push(`cut ${cut}: the kernel ended with ${code}: ${kernel.lastWords()}`);
        const isSaid = durability === "" && kernel.stderr().includes(SAID);
        const wrong = wrongOn(site, log.lines).filter((text) => !(isSaid && AGAIN.test(text)));
        again += isSaid ? 1 : 0;
        found.push(...wrong.map((text) => `cut ${cut}: ${text}`));
      }
      console.log(
        JSON.stringify({ test: "tail-power", durability, seed: SEED, images: IMAGES, again, violations: found.length }),
      );
      if (found.length > 0) site.keep();
      expect(found).toEqual([]);
    },
    FULL ? 1_800_000 : 120_000,
  );
});
