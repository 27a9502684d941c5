/** The file system as the kernel uses it, on a real one. */
import { dlopen, FFIType, ptr } from "bun:ffi";
import { expect, test } from "bun:test";
import { readFileSync, statfsSync } from "node:fs";
import { SYSTEM_CHANCE } from "../../src/base/chance.ts";
import { SYSTEM_FILES } from "../../src/base/files.ts";
import { temporaryFolder } from "../helpers/folder.ts";

const PAGE_BYTES = 4_096;
const BYTES = 64 * PAGE_BYTES;
/** Type of a file system that lives in memory. Source: statfs(2), TMPFS_MAGIC. */
const TMPFS = 0x01021994;

const MINCORE = { mincore: { args: [FFIType.ptr, FFIType.u64, FFIType.ptr], returns: FFIType.i32 } } as const;

/** `mincore` of the C library of this host; null where there is none that is known. */
function mincore() {
  for (const name of ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"]) {
    try {
      return dlopen(name, MINCORE).symbols.mincore;
    } catch {
      // Another C library.
    }
  }
  return null;
}

/** How many pages of `file` are in memory. */
function pagesInMemory(file: string, look: NonNullable<ReturnType<typeof mincore>>): number {
  const found = new Uint8Array(BYTES / PAGE_BYTES);
  expect(look(ptr(Bun.mmap(file, { shared: true })), BYTES, ptr(found))).toBe(0);
  return found.filter((page) => (page & 1) === 1).length;
}

test("what is let go of is on disk, whole, and no longer in memory", async () => {
  using folder = temporaryFolder();
  const path = folder.file("held");
  const bytes = SYSTEM_CHANCE.bytes(BYTES);
  const file = await SYSTEM_FILES.create(path);
  for (let at = 0; at < BYTES; ) at += await file.write(bytes, at);
  const look = statfsSync(folder.path).type === TMPFS ? null : mincore();
  if (look !== null) expect(pagesInMemory(path, look)).toBe(BYTES / PAGE_BYTES);
  await file.letGo();
  if (look !== null) expect(pagesInMemory(path, look)).toBeLessThan(BYTES / PAGE_BYTES / 2);
  await file.close();
  expect(readFileSync(path).equals(bytes)).toBe(true);
});
