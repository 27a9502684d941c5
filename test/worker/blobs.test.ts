/** `context.blobs` as an author meets it. */
import { describe, expect, test } from "bun:test";
import { statSync, truncateSync } from "node:fs";
import type { BlobRef } from "nerve";
import { blobsIn } from "../../src/worker/blobs.ts";
import { temporaryFolder } from "../helpers/folder.ts";

const MIB = 1024 * 1024;

describe("blobs", () => {
  test("put gives a reference, get gives the bytes", async () => {
    using folder = temporaryFolder();
    const blobs = blobsIn(folder.path);
    const ref = await blobs.put("Grüße", { type: "text/plain" });
    expect(ref).toEqual({ $blob: ref.$blob, size: 7, type: "text/plain" });
    expect(ref.$blob).toBe(new Bun.CryptoHasher("sha256").update("Grüße").digest("hex"));
    expect(Buffer.from(await blobs.get(ref)).toString()).toBe("Grüße");
    // What went through JSON is as good.
    expect(await blobs.get(JSON.parse(JSON.stringify(ref)))).toHaveLength(7);
    expect((await blobs.put(new Uint8Array(0), { type: "x" })).size).toBe(0);
  });

  test("hold 64 MiB and no byte more, and what is refused is not copied first", async () => {
    using folder = temporaryFolder();
    const blobs = blobsIn(folder.path);
    const full = Buffer.alloc(64 * MIB, 7);
    const ref = await blobs.put(full, { type: "x" });
    expect([ref.size, (await blobs.get(ref)).length]).toEqual([64 * MIB, 64 * MIB]);
    const text = "x".repeat(300 * MIB);
    Bun.gc(true);
    const before = process.memoryUsage.rss();
    await expect(blobs.put(text, { type: "x" })).rejects.toThrow("a blob holds at most 64 MiB, not 314572800 bytes");
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * MIB);
    await expect(blobs.put(Buffer.alloc(64 * MIB + 1), { type: "x" })).rejects.toThrow("at most 64 MiB");
  });

  test.each<[unknown, unknown, string]>([
    [5, { type: "x" }, "blobs.put takes a Uint8Array or a string"],
    [null, { type: "x" }, "blobs.put takes a Uint8Array or a string"],
    [[1, 2], { type: "x" }, "blobs.put takes a Uint8Array or a string"],
    [new ArrayBuffer(2), { type: "x" }, "blobs.put takes a Uint8Array or a string"],
    ["x", {}, 'blobs.put needs a media type, as in { type: "text/plain" }'],
    ["x", { type: "" }, "blobs.put needs a media type"],
    ["x", undefined, "blobs.put needs a media type"],
    ["x", null, "blobs.put needs a media type"],
  ])("put(%j, %j) is refused", async (content, about, message) => {
    using folder = temporaryFolder();
    await expect(blobsIn(folder.path).put(content as string, about as { type: string })).rejects.toThrow(message);
  });

  test.each([
    null,
    undefined,
    "x",
    {},
    { $blob: 1 },
    { $blob: "" },
    { $blob: "a".repeat(63) },
    { $blob: "A".repeat(64) },
    { $blob: `${"a".repeat(64)}\n` },
    { $blob: `../../../../${"a".repeat(52)}` },
    { $blob: `${"a".repeat(62)}/.` },
    { $blob: { toString: () => "a".repeat(64) } },
  ])("get(%j) is no reference", async (ref) => {
    using folder = temporaryFolder();
    await expect(blobsIn(folder.path).get(ref as unknown as BlobRef)).rejects.toThrow(
      "blobs.get takes what blobs.put returned: { $blob: 64 hex digits, size, type }",
    );
  });

  test("what is not stored, damaged, or too large to be one is never given back", async () => {
    using folder = temporaryFolder();
    const blobs = blobsIn(folder.path);
    const missing = { $blob: "a".repeat(64), size: 1, type: "x" };
    await expect(blobs.get(missing)).rejects.toThrow(`no blob ${missing.$blob} is stored`);
    const ref = await blobs.put("hello", { type: "x" });
    const path = folder.file("sha256", ref.$blob.slice(0, 2), ref.$blob.slice(2));
    truncateSync(path, 4 * 1024 * MIB);
    expect(statSync(path).size).toBe(4 * 1024 * MIB);
    await expect(blobs.get(ref)).rejects.toThrow(`blob ${ref.$blob} is damaged on disk`);
  });

  test("the author's handle is frozen", () => {
    using folder = temporaryFolder();
    expect(Object.isFrozen(blobsIn(folder.path))).toBe(true);
  });
});
