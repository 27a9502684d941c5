/** Bytes under their digest: durable, once, and never believed when they have changed. */
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { contentStore, DIGEST_PATTERN } from "../../src/base/content-store.ts";
import { temporaryFolder } from "../helpers/folder.ts";

const LIMIT = 10_000_000;
const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");
const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name);

describe("a content store", () => {
  test("keeps bytes under their SHA-256, privately, and gives them back", async () => {
    using folder = temporaryFolder();
    const store = contentStore(folder.path, LIMIT);
    for (const bytes of [new Uint8Array(0), Buffer.from("hello"), new Uint8Array(3_000_000).fill(7)]) {
      const digest = await store.put(bytes);
      expect(digest).toBe(sha256(bytes));
      expect(digest).toMatch(DIGEST_PATTERN);
      const path = folder.file("sha256", digest.slice(0, 2), digest.slice(2));
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
      expect(Buffer.compare((await store.get(digest)) as Uint8Array, bytes)).toBe(0);
    }
    expect(await store.get(sha256("never stored"))).toBeNull();
  });

  test("stores the same bytes once, however many put them at the same time", async () => {
    using folder = temporaryFolder();
    const bytes = new Uint8Array(200_000).fill(1);
    const digests = await Promise.all(Array.from({ length: 20 }, () => contentStore(folder.path, LIMIT).put(bytes)));
    expect(new Set(digests).size).toBe(1);
    expect(files(folder.path)).toHaveLength(1);
    const path = folder.file("sha256", sha256(bytes).slice(0, 2), sha256(bytes).slice(2));
    const before = statSync(path).ino;
    await contentStore(folder.path, LIMIT).put(bytes);
    expect(statSync(path).ino).toBe(before);
  });

  test.each([
    ["a byte changed", "hellO"],
    ["cut short", "hell"],
    ["emptied", ""],
  ])("a file that was damaged (%s) is never given back, and is healed by the next put", async (_, damaged) => {
    using folder = temporaryFolder();
    const store = contentStore(folder.path, LIMIT);
    const digest = await store.put(Buffer.from("hello"));
    const path = folder.file("sha256", digest.slice(0, 2), digest.slice(2));
    writeFileSync(path, damaged);
    await expect(store.get(digest)).rejects.toThrow(`blob ${digest} is damaged on disk`);
    await store.put(Buffer.from("hello"));
    expect(readFileSync(path, "utf8")).toBe("hello");
  });

  test("a link is not followed, and is replaced by the file itself", async () => {
    using folder = temporaryFolder();
    const store = contentStore(folder.path, LIMIT);
    const digest = await store.put(Buffer.from("hello"));
    const path = folder.file("sha256", digest.slice(0, 2), digest.slice(2));
    writeFileSync(folder.file("elsewhere"), "hello");
    unlinkSync(path);
    symlinkSync(folder.file("elsewhere"), path);
    await expect(store.get(digest)).rejects.toThrow();
    await store.put(Buffer.from("hello"));
    expect(statSync(path).isFile() && readFileSync(path, "utf8")).toBe("hello");
  });

  test("what cannot be written leaves nothing behind and says why", async () => {
    using folder = temporaryFolder();
    const digest = sha256("hello");
    // A folder stands where the file would go: the rename fails after everything was written.
    mkdirSync(folder.file("sha256", digest.slice(0, 2), digest.slice(2), "x"), { recursive: true });
    await expect(contentStore(folder.path, LIMIT).put(Buffer.from("hello"))).rejects.toThrow();
    expect(files(folder.path)).toEqual([]);
  });
});
