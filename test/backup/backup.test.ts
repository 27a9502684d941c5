/** A backup of a data directory with archive, blobs and databases: what it holds, what proves it, what is refused by name. */
import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { walk } from "../../src/backup/layout.ts";
import { MANIFEST, readManifest } from "../../src/backup/manifest.ts";
import { proveBackup } from "../../src/backup/prove.ts";
import { restoreBackup } from "../../src/backup/restore.ts";
import { isInside, takeBackup } from "../../src/backup/take.ts";
import { contentStore } from "../../src/base/content-store.ts";
import { openDataDirectory } from "../../src/kernel/host/data-directory.ts";
import type { Problem } from "../../src/model/problem.ts";
import { acquireLock } from "../../src/sqlite/lock.ts";
import { openStore } from "../../src/store/open.ts";
import { archiveBench, everyLog, june, logAt, NOW } from "../helpers/archive.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { smallDisk, whyNoSmallDisk } from "../helpers/small-disk.ts";

const MAKER = { version: "1.2.3", commit: "abc" };
const folders: Folder[] = [];

// As the verbs set it. Other files share this process.
let before = 0;
beforeAll(() => {
  before = process.umask(0o077);
});
afterAll(() => void process.umask(before));

afterEach(() => {
  for (const folder of folders.splice(0)) folder[Symbol.dispose]();
});

function someFolder(): Folder {
  const folder = temporaryFolder();
  folders.push(folder);
  return folder;
}

function senseDatabase(file: string): void {
  const db = new Database(file, { create: true });
  db.run("PRAGMA journal_mode = WAL");
  db.run("CREATE TABLE _migrations (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL, checksum TEXT NOT NULL)");
  db.run("INSERT INTO _migrations VALUES ('0001_first.sql', 0, '')");
  db.run("CREATE TABLE samples (n INTEGER)");
  for (let n = 0; n < 100; n++) db.run("INSERT INTO samples VALUES (?)", [n]);
  db.close(true);
}

/** A data directory with two archive files, two blobs and a sense. */
async function someData(): Promise<{ readonly data: string; readonly root: Folder }> {
  using bench = archiveBench();
  bench.fill([logAt(june(1)), logAt(june(1)), logAt(june(2)), logAt(NOW)]);
  expect(await bench.archive(june(3))).toMatchObject({ ok: true, value: { files: 2 } });
  bench.store.commit(() => {
    for (let at = 0; at < 10; at++)
      bench.store.signals.append({
        sense: "one",
        at,
        payload: "{}",
        cause: null,
        trace: "0".repeat(32),
        ms: null,
      } as never);
  });
  const blobs = contentStore(join(bench.data, "blobs"), 1_000_000);
  await blobs.put(Buffer.from("first"));
  await blobs.put(Buffer.from("second"));
  mkdirSync(join(bench.data, "senses"));
  senseDatabase(join(bench.data, "senses/one.db"));
  bench.ledger.flush();
  bench.store.checkpoint();
  const root = someFolder();
  const data = root.file("data");
  Bun.spawnSync(["cp", "-a", bench.data, data]);
  chmodSync(data, 0o700);
  return { data, root };
}

async function someBackup() {
  const made = await someData();
  const backup = made.root.file("backup");
  const taken = await takeBackup(made.data, backup, MAKER);
  expect(taken).toMatchObject({ ok: true });
  return { ...made, backup };
}

const words = (problems: readonly Problem[]): string => problems.map(({ message }) => message).join("\n");

describe("a backup", () => {
  test("holds every database, archive file and blob, private, in a manifest with sums and schema versions", async () => {
    const { backup, data } = await someBackup();
    const manifest = readManifest(backup);
    if (!manifest.ok) throw new Error(manifest.error.message);
    const { files, version, commit, one_moment, last_signal } = manifest.value;
    expect({ version, commit, one_moment, last_signal }).toEqual({ ...MAKER, one_moment: true, last_signal: 10 });
    const blobs = walk(join(data, "blobs")).map((path) => `blobs/${path}`);
    expect(blobs).toHaveLength(2);
    expect(files.map(({ path }) => path).sort()).toEqual(
      ["logs.db", "senses/one.db", "archive/2025-06-01.jsonl", "archive/2025-06-02.jsonl", ...blobs].sort(),
    );
    expect(files.find(({ path }) => path === "senses/one.db")?.migrations).toEqual(["0001_first.sql"]);
    expect(files.find(({ path }) => path === "logs.db")?.migrations).toContain("0001_store.sql");
    for (const path of walk(backup)) expect(statSync(join(backup, path)).mode & 0o077).toBe(0);
    expect(statSync(backup).mode & 0o077).toBe(0);
    expect(readdirSync(join(backup, "senses"))).toEqual(["one.db"]);
  });

  test("gives archive files and blobs a second name, and outlives the first", async () => {
    const { backup, data } = await someBackup();
    const name = "archive/2025-06-01.jsonl";
    expect(statSync(join(backup, name)).ino).toBe(statSync(join(data, name)).ino);
    rmSync(data, { recursive: true });
    expect(await proveBackup(backup)).toMatchObject({ ok: true });
  });

  test.skipIf(whyNoSmallDisk() !== null)("copies them to another file system", async () => {
    const { data } = await someData();
    const disk = smallDisk(8);
    if (typeof disk === "string") throw new Error(disk);
    try {
      expect(await takeBackup(data, join(disk.path, "backup"), MAKER)).toMatchObject({ ok: true });
      expect(await proveBackup(join(disk.path, "backup"))).toMatchObject({ ok: true });
    } finally {
      disk.unmount();
    }
  });

  test.skipIf(whyNoSmallDisk() !== null)("leaves nothing where a file finds no room", async () => {
    const { data } = await someData();
    await contentStore(join(data, "blobs"), 4_000_000).put(Buffer.alloc(3_000_000, 7));
    const disk = smallDisk(2);
    if (typeof disk === "string") throw new Error(disk);
    try {
      const taken = await takeBackup(data, join(disk.path, "backup"), MAKER);
      expect(taken).toMatchObject({ ok: false, error: { kind: "store-no-space" } });
      expect(readdirSync(disk.path)).toEqual([]);
    } finally {
      disk.unmount();
    }
  });

  test("leaves out a file of the archive that logs.db does not know, and refuses where one is missing or damaged", async () => {
    const { data, root } = await someData();
    writeFileSync(join(data, "archive/2025-06-09.jsonl"), "{}\n");
    expect(await takeBackup(data, root.file("first"), MAKER)).toMatchObject({ ok: true });
    expect(readdirSync(root.file("first/archive"))).toHaveLength(2);
    const file = join(data, "archive/2025-06-02.jsonl");
    rmSync(root.file("first"), { recursive: true });
    writeFileSync(file, readFileSync(file, "utf8").replace("test", "text"));
    const damaged = await takeBackup(data, root.file("second"), MAKER);
    expect(damaged).toMatchObject({ ok: false, error: { kind: "archive-damaged" } });
    rmSync(file);
    const missing = await takeBackup(data, root.file("second"), MAKER);
    expect(missing).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining("2025-06-02.jsonl is missing") },
    });
    expect(readdirSync(root.path)).toEqual(["data"]);
  });

  test("is refused over something that is there, in no folder, and of nothing", async () => {
    const { data, root } = await someData();
    const kind = async (from: string, to: string): Promise<string> => {
      const taken = await takeBackup(from, to, MAKER);
      return taken.ok ? "taken" : taken.error.kind;
    };
    expect(await kind(data, root.path)).toBe("exists");
    expect(await kind(data, root.file("no", "backup"))).toBe("no-folder");
    expect(await kind(root.file("none"), root.file("backup"))).toBe("store-missing");
    expect(await kind(data, join(root.path, "nerve.yaml".repeat(40)))).toBe("no-folder");
    writeFileSync(root.file("plain"), "");
    expect(await kind(data, root.file("plain", "backup"))).toBe("no-folder");
    expect([isInside("/a/data", "/a/data/b"), isInside("/a/data", "/a/data2")]).toEqual([true, false]);
    symlinkSync(data, root.file("link"));
    expect([isInside(data, root.file("link", "b")), isInside(data, root.file("link", "senses", "b"))]).toEqual([
      true,
      true,
    ]);
  });

  test("a sense's database that is no plain file is refused by name", async () => {
    const { data, root } = await someData();
    renameSync(join(data, "senses/one.db"), root.file("elsewhere.db"));
    symlinkSync(root.file("elsewhere.db"), join(data, "senses/one.db"));
    const taken = await takeBackup(data, root.file("backup"), MAKER);
    expect(taken).toMatchObject({ ok: false, error: { message: expect.stringMatching(/one\.db.*symbolic link/) } });
  });
});

describe("a proof", () => {
  test("names the file in which one bit is another, whichever file and bit", async () => {
    const { backup } = await someBackup();
    expect(await proveBackup(backup)).toMatchObject({ ok: true });
    const tried: string[] = [];
    for (const path of walk(backup)) {
      const file = join(backup, path);
      const bytes = readFileSync(file);
      for (let turn = 0; turn < 8; turn++) {
        const at = turn === 0 ? 0 : turn === 1 ? bytes.length - 1 : Math.floor(Math.random() * bytes.length);
        const changed = Buffer.from(bytes);
        changed[at] = (bytes[at] ?? 0) ^ (1 << (turn % 8));
        // Not in place: a file of the archive has another name.
        rmSync(file);
        writeFileSync(file, changed);
        const proven = await proveBackup(backup);
        if (proven.ok || !words(proven.error).includes(path)) tried.push(`${path} at ${at}`);
      }
      rmSync(file);
      writeFileSync(file, bytes);
    }
    expect(tried).toEqual([]);
    expect(await proveBackup(backup)).toMatchObject({ ok: true });
  });

  test("names what is missing, longer, shorter, or not in the manifest", async () => {
    const { backup } = await someBackup();
    const file = join(backup, "senses/one.db");
    const bytes = readFileSync(file);
    const found = async (): Promise<string> => {
      const proven = await proveBackup(backup);
      return proven.ok ? "nothing" : words(proven.error);
    };
    writeFileSync(file, Buffer.concat([bytes, Buffer.alloc(1)]));
    expect(await found()).toContain(`${file} holds ${bytes.length + 1} bytes, not ${bytes.length}`);
    rmSync(file);
    expect(await found()).toBe(`${file} is missing`);
    mkdirSync(file);
    expect(await found()).toBe(`${file} is not a plain file`);
    rmSync(file, { recursive: true });
    writeFileSync(file, bytes);
    writeFileSync(join(backup, "senses/two.db"), "");
    expect(await found()).toBe(`${join(backup, "senses/two.db")} is not in ${MANIFEST}`);
    rmSync(join(backup, "senses/two.db"));
    expect(await found()).toBe("nothing");
  });

  test("refuses a folder that is no backup, and a manifest that names a path of its own choice", async () => {
    const { backup, data } = await someBackup();
    expect(readManifest(data)).toMatchObject({ ok: false, error: { kind: "no-backup" } });
    const text = readFileSync(join(backup, MANIFEST), "utf8").replace("senses/one.db", "senses/../../x.db");
    writeFileSync(join(backup, MANIFEST), text);
    const sum = new Bun.CryptoHasher("sha256").update(text).digest("hex");
    writeFileSync(join(backup, `${MANIFEST}.sha256`), `${sum}  ${MANIFEST}\n`);
    expect(readManifest(backup)).toMatchObject({ ok: false, error: { kind: "backup-damaged" } });
  });
});

describe("a restore", () => {
  test("gives the same logs, signals and rows, under another epoch", async () => {
    const { backup, data, root } = await someBackup();
    const to = root.file("restored");
    expect(await restoreBackup(backup, to)).toMatchObject({ ok: true });
    const of = (folder: string) => {
      const db = new Database(join(folder, "logs.db"), { readonly: true });
      const signals = db.query("SELECT * FROM signals ORDER BY id").all();
      const meta = db.query<{ key: string; value: string }, []>("SELECT key, value FROM meta").all();
      db.close(true);
      return { signals, meta: Object.fromEntries(meta.map(({ key, value }) => [key, value])) };
    };
    const [before, after] = [of(data), of(to)];
    expect(after.signals).toEqual(before.signals);
    expect(everyLog(to)).toEqual(everyLog(data));
    expect(after.meta.epoch).not.toBe(before.meta.epoch);
    expect(after.meta.epoch_from).toBe("10");
    const store = openStore(to, "normal", after.meta.boot ?? "", NOW);
    expect(store).toMatchObject({ ok: true, value: { epoch: after.meta.epoch, notices: [] } });
    if (store.ok) store.value.close();
    for (const path of walk(to)) expect(statSync(join(to, path)).mode & 0o077).toBe(0);
    // The archive of the backup is not the one that nerve works on.
    expect(statSync(join(to, "archive/2025-06-01.jsonl")).ino).not.toBe(
      statSync(join(backup, "archive/2025-06-01.jsonl")).ino,
    );
  });

  test("is refused where something is, where a daemon is, and of a backup that is not whole", async () => {
    const { backup, root } = await someBackup();
    const kinds = async (to: string): Promise<string> => {
      const restored = await restoreBackup(backup, to);
      return restored.ok ? "restored" : restored.error.map(({ kind }) => kind).join();
    };
    const to = root.file("to");
    mkdirSync(join(to, "locks"), { recursive: true });
    const lock = acquireLock(join(to, "locks/kernel.lock"));
    const held = await kinds(to);
    lock?.release();
    expect(held).toBe("in-use");
    writeFileSync(join(to, "logs.db"), "");
    expect(await kinds(to)).toBe("not-empty");
    rmSync(join(to, "logs.db"));
    writeFileSync(join(backup, "senses/one.db"), "");
    expect(await kinds(to)).toBe("backup-damaged");
    expect(existsSync(join(to, "senses"))).toBe(false);
  });

  test("that was not finished is begun anew, and no kernel takes the folder meanwhile", async () => {
    const { backup, root } = await someBackup();
    const to = root.file("to");
    mkdirSync(join(to, "senses"), { recursive: true, mode: 0o700 });
    writeFileSync(join(to, "restoring"), "");
    writeFileSync(join(to, "senses/half.db"), "half");
    expect(openDataDirectory(to)).toMatchObject({
      ok: false,
      error: { kind: "unusable", problem: { message: expect.stringContaining("a restore that is not finished") } },
    });
    expect(await restoreBackup(backup, to)).toMatchObject({ ok: true });
    expect(readdirSync(join(to, "senses"))).toEqual(["one.db"]);
    const opened = openDataDirectory(to);
    expect(opened.ok).toBe(true);
    if (opened.ok) opened.value.lock.release();
  });
});
