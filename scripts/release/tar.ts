/** A tar of exactly the entries given, in that order, owned by root, all of one time: the same entries give the same bytes. */

export type Entry =
  | { readonly kind: "folder"; readonly path: string; readonly mode: number }
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly content: Uint8Array };

const BLOCK = 512;
/** tar reads in units of this. */
const RECORD = 20 * BLOCK;
const MAX_PATH = 99;

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;

function header(entry: Entry, timeS: number): Uint8Array {
  const isFolder = entry.kind === "folder";
  const path = isFolder && !entry.path.endsWith("/") ? `${entry.path}/` : entry.path;
  if (Buffer.byteLength(path) > MAX_PATH) throw new Error(`${path} is too long for a tar`);
  const block = Buffer.alloc(BLOCK);
  block.write(path, 0);
  block.write(octal(entry.mode, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(isFolder ? 0 : entry.content.length, 12), 124);
  block.write(octal(timeS, 12), 136);
  // The sum is taken with spaces in its own place.
  block.write(" ".repeat(8), 148);
  block.write(isFolder ? "5" : "0", 156);
  block.write("ustar\x0000", 257);
  block.write("root", 265);
  block.write("root", 297);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

const padding = (length: number, unit: number): Uint8Array => new Uint8Array((unit - (length % unit)) % unit);

export function tar(entries: readonly Entry[], timeS: number): Uint8Array {
  const parts = entries.flatMap((entry) =>
    entry.kind === "folder"
      ? [header(entry, timeS)]
      : [header(entry, timeS), entry.content, padding(entry.content.length, BLOCK)],
  );
  parts.push(new Uint8Array(2 * BLOCK));
  const length = parts.reduce((total, part) => total + part.length, 0);
  return Buffer.concat([...parts, padding(length, RECORD)]);
}

/** Smaller by a tenth at 19, for ten times the time. */
const LEVEL = 12;

export const zstd = (bytes: Uint8Array): Uint8Array => Bun.zstdCompressSync(bytes, { level: LEVEL });
