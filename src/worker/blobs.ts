/** `context.blobs`: the content-addressed store as an author sees it. */
import { contentStore, DIGEST_PATTERN } from "../base/content-store.ts";
import type { BlobRef, Blobs } from "../sdk/index.ts";

const MAX_BYTES = 64 * 1024 * 1024;

export function blobsIn(folder: string): Blobs {
  const store = contentStore(folder, MAX_BYTES);
  return Object.freeze({
    async put(content: Uint8Array | string, about: { type: string }): Promise<BlobRef> {
      const type: unknown = (about as { type: string } | undefined)?.type;
      if (typeof content !== "string" && !(content instanceof Uint8Array)) {
        throw new Error("blobs.put takes a Uint8Array or a string");
      }
      if (typeof type !== "string" || type === "")
        throw new Error('blobs.put needs a media type, as in { type: "text/plain" }');
      const size = Buffer.byteLength(content);
      if (size > MAX_BYTES) throw new Error(`a blob holds at most 64 MiB, not ${size} bytes`);
      const bytes = typeof content === "string" ? Buffer.from(content) : content;
      return { $blob: await store.put(bytes), size: bytes.length, type };
    },
    async get(ref: BlobRef): Promise<Uint8Array> {
      const digest = (ref as BlobRef | null)?.$blob;
      if (typeof digest !== "string" || !DIGEST_PATTERN.test(digest)) {
        throw new Error("blobs.get takes what blobs.put returned: { $blob: 64 hex digits, size, type }");
      }
      const bytes = await store.get(digest);
      if (bytes === null) throw new Error(`no blob ${digest} is stored`);
      return bytes;
    },
  });
}
