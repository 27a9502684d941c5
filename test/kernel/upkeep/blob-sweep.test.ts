/** Which blobs go and when, on real files and a real store, with a clock that is moved by hand. */

import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { SYSTEM_CHANCE } from "../../../src/base/chance.ts";
import { elapsedSince } from "../../../src/base/clock.ts";
import { contentStore } from "../../../src/base/content-store.ts";
import type { LogLine } from "../../../src/base/logger.ts";
import { traceIds } from "../../../src/base/trace-id.ts";
import { Journal } from "../../../src/kernel/commits/journal.ts";
import { Ledger } from "../../../src/kernel/commits/ledger.ts";
import { Ticker } from "../../../src/kernel/time/ticker.ts";
import { Archiver } from "../../../src/kernel/upkeep/archiver.ts";
import { BLOB_SWEEP_TIMES, BlobSweep } from "../../../src/kernel/upkeep/blob-sweep.ts";
import { digestsIn } from "../../../src/store/blob-references.ts";
import { openStore, type Store } from "../../../src/store/open.ts";
import { type Folder, temporaryFolder } from "../../helpers/folder.ts";
import { HandClock } from "../../helpers/hand-clock.ts";
import { worldAt } from "../../helpers/world.ts";

setDefaultTimeout(120_000);

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const trace = traceIds(SYSTEM_CHANCE);

let folder: Folder;
let clock: HandClock;
let store: Store;
let ledger: Ledger;
let journal: Journal;
let ticker: Ticker;
let sweep: BlobSweep;
let lines: LogLine[];

/** A kernel begins, on what the last one left. */
function begin(): void {
  const opened = openStore(folder.path, "normal", clock.bootId, clock.wallMs());
  if (!opened.ok) throw new Error(opened.error.message);
  store = opened.value;
  ledger = new Ledger(store, worldAt(clock), { trouble: () => {} });
  journal = new Journal(ledger, { write: (line) => lines.push(line) }, clock.wallMs);
  ticker = new Ticker(clock, () => sweep.clockStepped(), clock.alarm);
  sweep = new BlobSweep(
    { world: worldAt(clock), ticker, store, ledger, journal, folder: folder.file("blobs") },
    BLOB_SWEEP_TIMES,
  );
  ticker.start();
  sweep.start();
}

function end(): void {
  sweep.stop();
  ledger.flush();
  ticker.stop();
  store.close();
}

beforeEach(() => {
  folder = temporaryFolder();
  // File times are real ones.
  clock = new HandClock(Date.now());
  lines = [];
  begin();
});
afterEach(() => {
  end();
  folder[Symbol.dispose]();
});

/** Time goes by in steps, and what waits for a commit or a turn gets it. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10 * 60_000) {
    clock.pass(Math.min(left, 10 * 60_000));
    await settle();
  }
}

/** Until a sweep that is under way is done: it commits, or waits for its next slice. */
async function settle(): Promise<void> {
  for (let quiet = 0; quiet < 3; quiet++) {
    await new Promise((resolve) => setImmediate(resolve));
    ledger.flush();
    clock.pass(25);
  }
}

/** Every log goes to the archive, and every archive file older than that goes. */
async function archive(archiveBefore: number | null): Promise<void> {
  clock.pass(1_000);
  const now = clock.wallMs();
  mkdirSync(folder.file("archive"), { recursive: true });
  const archiver = new Archiver({ world: worldAt(clock), store, ledger, folder: folder.file("archive"), journal });
  let done = false;
  void archiver.run({ logsBefore: now, archiveBefore, now }).then(() => {
    done = true;
  });
  while (!done) {
    await Bun.sleep(1);
    ledger.flush();
  }
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");
const pathOf = (digest: string): string => folder.file("blobs", "sha256", digest.slice(0, 2), digest.slice(2));
const isThere = (digest: string): boolean => existsSync(pathOf(digest));
const reference = (digest: string): string =>
  JSON.stringify({ picture: { $blob: digest, size: 5, type: "text/plain" } });
const setAge = (path: string, ageMs: number): void => {
  const at = (clock.wallMs() - ageMs) / 1000;
  utimesSync(path, at, at);
};

/** A blob as a worker puts it; of what age. */
async function put(text: string, ageMs: number): Promise<string> {
  const digest = await contentStore(folder.file("blobs"), 1_000_000).put(Buffer.from(text));
  setAge(pathOf(digest), ageMs);
  return digest;
}

const signal = (payload: string): number =>
  store.commit(() =>
    store.signals.append({ sense: "a", at: clock.wallMs(), payload, cause: null, trace: trace(clock.wallMs()) }),
  );
const log = (data: string | null, message = "m"): number =>
  store.commit(() =>
    store.logs.append({
      at: clock.wallMs(),
      level: "info",
      source: "workflow:w",
      event: "step.completed",
      run: 1,
      trace: null,
      message,
      data,
    }),
  );
const removeSignals = (): void =>
  store.commit(() => void store.signals.removeOldest(clock.wallMs() + 1, clock.wallMs() + 1, 1_000_000));
const swept = (): unknown[] => lines.filter(({ event }) => event === "blobs.swept").map(({ data }) => data);

test("digests are found however deep JSON lies within JSON, and none where no blob is meant", () => {
  const digest = digestOf("x");
  const nested = JSON.stringify({ body: JSON.stringify({ inner: reference(digest) }) });
  expect([digestsIn(reference(digest)), digestsIn(nested)]).toEqual([[digest], [digest]]);
  expect(digestsIn(`{ "$blob" : "${digest}" }`)).toEqual([digest]);
  expect(digestsIn(JSON.stringify({ sha256: digest }))).toEqual([]);
  expect(digestsIn(`{"$blob":"${digest}0"}`)).toEqual([]);
});

describe("a blob nothing refers to", () => {
  test("goes a day after that was first seen, with what it was said of it", async () => {
    const digest = await put("hello", 30 * DAY);
    await pass(2 * HOUR);
    expect(isThere(digest)).toBe(true);
    await pass(DAY - HOUR);
    expect(isThere(digest)).toBe(true);
    await pass(3 * HOUR);
    expect(isThere(digest)).toBe(false);
    expect(swept()).toEqual([{ blobs: 1, unfinished: 0, bytes: 5 }]);
    expect(store.blobs.state(digest)).toBeNull();
  });

  test("also when nerve was restarted in between, or the machine", async () => {
    const digest = await put("hello", 30 * DAY);
    await pass(2 * HOUR);
    end();
    clock.reboot(12 * HOUR);
    begin();
    await pass(2 * HOUR);
    expect(isThere(digest)).toBe(true);
    end();
    clock.suspend(12 * HOUR);
    begin();
    // The clock is believed after an hour.
    await pass(HOUR / 2);
    expect(isThere(digest)).toBe(true);
    await pass(HOUR);
    expect(isThere(digest)).toBe(false);
  });

  test("stays while its file is young, and while the clock was set within the hour", async () => {
    const digest = await put("hello", 30 * DAY);
    await pass(2 * HOUR);
    clock.step(2 * DAY);
    await pass(HOUR / 2);
    // By the clock a day has passed long since; by the time that passed, hours.
    expect(isThere(digest)).toBe(true);
    await pass(20 * HOUR);
    setAge(pathOf(digest), 0);
    await pass(20 * HOUR);
    expect(isThere(digest)).toBe(true);
    await pass(6 * HOUR);
    expect(isThere(digest)).toBe(false);
  });

  test("stays when it is put again: that makes its file young", async () => {
    const digest = await put("hello", 30 * DAY);
    await pass(DAY);
    const before = statSync(pathOf(digest)).mtimeMs;
    await contentStore(folder.file("blobs"), 1_000_000).put(Buffer.from("hello"));
    expect(statSync(pathOf(digest)).mtimeMs - before).toBeGreaterThan(29 * DAY);
    setAge(pathOf(digest), 0);
    await pass(DAY - HOUR);
    expect(isThere(digest)).toBe(true);
  });

  test("from the future has a day from now on", async () => {
    const digest = await put("hello", -1_000 * DAY);
    await pass(2 * DAY);
    // The first time it was due its time was put right.
    expect(isThere(digest)).toBe(true);
    await pass(DAY);
    expect(isThere(digest)).toBe(false);
  });

  test("is not gone while the store takes nothing", async () => {
    const digest = await put("hello", 30 * DAY);
    await pass(2 * HOUR);
    const commit = store.commit;
    const full = Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
    Object.assign(store, {
      commit() {
        throw full;
      },
    });
    ledger.write(() => {});
    await pass(2 * DAY);
    expect([ledger.troubled, isThere(digest)]).toEqual([true, true]);
    Object.assign(store, { commit });
    ledger.flush();
    await pass(2 * HOUR);
    expect(isThere(digest)).toBe(false);
  });
});

describe("a blob something refers to is never taken", () => {
  const run = (columns: string): void =>
    store.commit(() => {
      const now = clock.wallMs();
      store.runs.insert({
        id: 1,
        workflow: "w",
        reflex: null,
        state: "completed",
        signal_id: null,
        input: columns === "input" ? reference(digestOf("hello")) : null,
        output: columns === "output" ? reference(digestOf("hello")) : null,
        attempt: 1,
        queued_at: now,
        started_at: now,
        ended_at: now,
        error: null,
        trace: trace(now),
        last_log_id: 1,
        retry_of: null,
        first_log_id: 1,
        until: null,
        key: null,
        decision: null,
        events: 1,
      });
    });

  test.each([
    ["a signal", () => void signal(reference(digestOf("hello")))],
    ["a log", () => void log(JSON.stringify({ result: reference(digestOf("hello")) }))],
    ["the input of a run", () => run("input")],
    ["the output of a run", () => run("output")],
  ])("by %s", async (_, refer) => {
    const digest = await put("hello", 30 * DAY);
    const other = await put("other", 30 * DAY);
    refer();
    await pass(3 * DAY);
    expect([isThere(digest), isThere(other)]).toEqual([true, false]);
  });

  test("by a log that was archived, until its file goes", async () => {
    const digest = await put("hello", 30 * DAY);
    log(reference(digest));
    for (let n = 0; n < 50; n++) log(null);
    // Before the first sweep: all it can read is in the archive.
    await archive(null);
    expect(store.archive.all()).not.toEqual([]);
    expect(store.archive.firstLogId()).toBeGreaterThan(51);
    await pass(3 * DAY);
    expect(isThere(digest)).toBe(true);
    await archive(clock.wallMs());
    expect(store.archive.all().every(({ first_id: first }) => first > 1)).toBe(true);
    await pass(DAY);
    expect(isThere(digest)).toBe(true);
    await pass(3 * HOUR);
    expect(isThere(digest)).toBe(false);
  });

  test("until the last of several references has gone; then it has a day", async () => {
    const digest = await put("hello", 30 * DAY);
    signal(reference(digest));
    await pass(5 * HOUR);
    signal(reference(digest));
    await pass(DAY);
    expect(isThere(digest)).toBe(true);
    removeSignals();
    await pass(DAY - HOUR);
    expect(isThere(digest)).toBe(true);
    await pass(3 * HOUR);
    expect(isThere(digest)).toBe(false);
  });

  test("and whose day has begun has it from the start again when something refers to it in between", async () => {
    const digest = await put("hello", 30 * DAY);
    await pass(20 * HOUR);
    signal(reference(digest));
    removeSignals();
    await pass(2 * HOUR);
    signal(reference(digest));
    await pass(2 * HOUR);
    removeSignals();
    await pass(20 * HOUR);
    expect(isThere(digest)).toBe(true);
    await pass(6 * HOUR);
    expect(isThere(digest)).toBe(false);
  });

  test("also when the reference is committed together with the last look at what refers to it", async () => {
    const digest = await put("hello", 30 * DAY);
    // Behind what was just read, in the same transaction. The second time that a sweep which finds it due has read all.
    const read = store.blobs.read.bind(store.blobs);
    let times = 0;
    Object.assign(store.blobs, {
      read(kind: "signal" | "log", limit: number): boolean {
        const done = read(kind, limit);
        const since = store.blobs.state(digest)?.unreferenced ?? null;
        if (kind === "log" && done && since !== null && elapsedSince(since, clock) >= DAY && ++times === 2) {
          const at = clock.wallMs();
          store.signals.append({ sense: "a", at, payload: reference(digest), cause: null, trace: trace(at) });
        }
        return done;
      },
    });
    await pass(3 * DAY);
    expect([times >= 2, isThere(digest)]).toEqual([true, true]);
  });

  test("however much a row refers to: what is read at once is bounded by that, too", async () => {
    const digest = await put("hello", 30 * DAY);
    const many = Array.from({ length: 700 }, (_, n) => reference(digestOf(String(n))));
    for (let n = 0; n < 40; n++) signal(`[${many.join()}]`);
    signal(reference(digest));
    const read: number[] = [];
    let done = false;
    while (!done) {
      done = store.commit(() => store.blobs.read("signal", 8_192));
      read.push(Number(store.meta.get("blobs_read_signals")));
    }
    expect(read.at(-1)).toBe(41);
    expect(read.length).toBeGreaterThan(8);
    await pass(3 * DAY);
    expect(isThere(digest)).toBe(true);
  });

  test("however many rows there are to read, each of them once", async () => {
    const digests: string[] = [];
    for (let n = 0; n < 20; n++) digests.push(await put(`blob ${n}`, 30 * DAY));
    store.commit(() => {
      for (let n = 0; n < 30_000; n++) {
        const payload = n % 1_500 === 700 ? reference(digests[Math.floor(n / 1_500)] ?? "") : `{"n":${n}}`;
        store.signals.append({ sense: "a", at: clock.wallMs(), payload, cause: null, trace: trace(clock.wallMs()) });
      }
    });
    await pass(3 * DAY);
    expect(digests.filter(isThere)).toEqual(digests);
    expect(store.meta.get("blobs_read_signals")).toBe("30000");
  });
});

const PUTTER = `
const [source, folder, path] = process.argv.slice(1);
const { contentStore } = await import(source);
const { existsSync, utimesSync } = await import("node:fs");
const store = contentStore(folder, 1_000_000);
let lost = 0;
let anew = 0;
for (let n = 0; n < 1_500 || (anew <= 10 && n < 60_000); n++) {
  anew += existsSync(path) ? 0 : 1;
  await store.put(Buffer.from("hello"));
  // A removal that sees in time that it must not be puts the file back within the moment.
  for (let look = 0; !existsSync(path); look++) {
    if (look === 50) { lost++; break; }
    await Bun.sleep(1);
  }
  if (existsSync(path)) utimesSync(path, 0, 0);
  if (n % 3 === 0) await Bun.sleep(Math.random() * 2);
}
console.log(JSON.stringify({ lost, anew }));
`;

test("a put that meets a removal has its blob, whoever was first", async () => {
  sweep.stop();
  // The clock here runs far ahead of that of the files: those of the child must stay young however long it takes.
  const times = { everyMs: 1, unreferencedMs: 0, youngMs: 1_000 * DAY, trustedAfterMs: 0 };
  sweep = new BlobSweep({ world: worldAt(clock), ticker, store, ledger, journal, folder: folder.file("blobs") }, times);
  sweep.start();
  clock.pass(60_000);
  const module = join(import.meta.dir, "../../../src/base/content-store.ts");
  const child = Bun.spawn([process.execPath, "-e", PUTTER, module, folder.file("blobs"), pathOf(digestOf("hello"))], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  while (child.exitCode === null) await settle();
  const { lost, anew } = JSON.parse(await child.stdout.text()) as { lost: number; anew: number };
  expect(lost).toBe(0);
  // There were removals to meet.
  expect(anew).toBeGreaterThan(10);
});

describe("in the folder of blobs", () => {
  test("files of puts that died go after a day; whatever else lies there is not touched", async () => {
    const digest = await put("hello", 0);
    const path = pathOf(digest);
    const [old, young] = [`${path}.0123456789ab.tmp`, `${path}.ba9876543210.tmp`];
    const others = [`${dirname(path)}/notes.txt`, folder.file("blobs", "README"), folder.file("blobs", "sha256", "zz")];
    for (const file of [old, young, ...others]) writeFileSync(file, "x".repeat(10));
    for (const file of [old, ...others]) setAge(file, 30 * DAY);
    symlinkSync(folder.file("blobs", "README"), pathOf(`${digest.slice(0, 2)}${"0".repeat(62)}`));
    await pass(3 * HOUR);
    expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
    expect(swept()).toEqual([{ blobs: 0, unfinished: 1, bytes: 10 }]);
    await pass(3 * DAY);
    expect([existsSync(young), isThere(digest)]).toEqual([false, false]);
    expect(others.map((file) => existsSync(file))).toEqual([true, true, true]);
    expect(readdirSync(dirname(path)).sort()).toEqual(["0".repeat(62), "notes.txt"]);
  });

  test("a blob whose removal a crash cut short is there again, and is judged anew", async () => {
    const digest = await put("hello", 30 * DAY);
    signal(reference(digest));
    renameSync(pathOf(digest), `${pathOf(digest)}.leaving`);
    await pass(3 * HOUR);
    expect([isThere(digest), existsSync(`${pathOf(digest)}.leaving`)]).toEqual([true, false]);
  });

  test("nothing there costs nothing: no row is read", async () => {
    signal(reference(digestOf("elsewhere")));
    await pass(3 * HOUR);
    expect(store.meta.get("blobs_read_signals")).toBeNull();
  });

  test("what was referred to and never was there is forgotten once the reference has gone", async () => {
    await put("hello", 0);
    const absent = digestOf("elsewhere");
    signal(reference(absent));
    await pass(3 * HOUR);
    expect(store.blobs.state(absent)).toMatchObject({ signal: 1, log: 0 });
    removeSignals();
    await pass(3 * HOUR);
    expect(store.blobs.state(absent)).toBeNull();
  });

  test("nothing goes for a row of the table `archive` that is lost", async () => {
    const digest = await put("hello", 0);
    log(reference(digest));
    await pass(3 * HOUR);
    await archive(null);
    log(null);
    await archive(null);
    const [first] = store.archive.all();
    const db = new Database(store.file);
    db.run("DELETE FROM archive WHERE file = ?", [first?.file ?? ""]);
    db.close(true);
    await pass(4 * DAY);
    expect(isThere(digest)).toBe(true);
    expect(lines.find(({ event }) => event === "blobs.not-swept")?.message).toContain("no row of the table `archive`");
  });

  test("an archive that cannot be read is said, and then nothing goes", async () => {
    const digest = await put("hello", 30 * DAY);
    log(reference(digest));
    await archive(null);
    const [file] = store.archive.all();
    writeFileSync(folder.file("archive", file?.file ?? ""), "tampered");
    await pass(4 * DAY);
    expect(isThere(digest)).toBe(true);
    expect(lines.find(({ event }) => event === "blobs.not-swept")?.message).toContain("archive");
  });
});
