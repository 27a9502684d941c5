/** SHA256SUMS: read as sha256sum reads it, and every file that is not what it says is named. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatSums, matchSums, parseSums, SUMS_FILE, sha256Of } from "../../src/release/sums.ts";

const folder = mkdtempSync(join(tmpdir(), "nerve-sums-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const A = "a".repeat(64);
const B = "b".repeat(64);

const write = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

test("what is written is read again, in the order of the names", () => {
  const sums = new Map([
    ["nerve_0.1.0~rc1_amd64.deb", B],
    ["nerve-0.1.0-linux-x64", A],
  ]);
  const text = formatSums(sums);
  expect(text).toBe(`${A}  nerve-0.1.0-linux-x64\n${B}  nerve_0.1.0~rc1_amd64.deb\n`);
  expect(parseSums(text, SUMS_FILE)).toEqual({ ok: true, value: new Map([...sums].reverse()) });
});

test("a line of sha256sum --binary is read", () => {
  expect(parseSums(`${A} *nerve\n`, SUMS_FILE)).toEqual({ ok: true, value: new Map([["nerve", A]]) });
});

for (const [what, line] of [
  ["a name behind ./", `${A}  ./nerve`],
  ["a digest in capitals", `${A.toUpperCase()}  nerve`],
  ["an end of CRLF", `${A}  nerve\r`],
  ["all three in binary mode", `${A.toUpperCase()} *./nerve\r`],
] as const) {
  test(`${what} is read as sha256sum reads it`, () => {
    expect(parseSums(`${line}\n${B}  other\n`, SUMS_FILE)).toEqual({
      ok: true,
      value: new Map([
        ["nerve", A],
        ["other", B],
      ]),
    });
  });
}

for (const [what, line] of [
  ["nothing", ""],
  ["a short digest", `${A.slice(1)}  nerve`],
  ["a path", `${A}  ../nerve`],
  ["a folder", `${A}  bin/nerve`],
  ["a hidden file", `${A}  .nerve`],
  ["a name that sha256sum escapes", `\\${A}  ner\\nve`],
  ["a name twice", `${B}  twice`],
  ["a name twice, once behind ./", `${B}  ./twice`],
  ["a path behind ./", `${A}  ./../nerve`],
  ["text", "-----BEGIN SSH SIGNATURE-----"],
] as const) {
  test(`${what} is refused with its line`, () => {
    const read = parseSums(`${A}  twice\n${line}\n`, "/r/SHA256SUMS");
    if (read.ok) throw new Error("was read");
    expect(read.error.map(({ file, line: at }) => `${file}:${at}`)).toEqual(["/r/SHA256SUMS:2"]);
  });
}

test("every line that is none is named at once", () => {
  const read = parseSums("x\n\ny\n", SUMS_FILE);
  expect(read.ok ? [] : read.error.map(({ line }) => line)).toEqual([1, 2, 3]);
});

test("a file matches its line; with any one bit flipped it is refused by name", async () => {
  const bytes = Buffer.from("an executable");
  const file = write("nerve", bytes);
  const sums = new Map([["nerve", await sha256Of(file)]]);
  expect(await matchSums(sums, file)).toEqual({
    ok: true,
    value: new Bun.CryptoHasher("sha256").update(bytes).digest("hex"),
  });
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    write("nerve", flipped);
    const { ok, error } = (await matchSums(sums, file)) as { ok: boolean; error: { message: string } };
    expect(ok).toBeFalse();
    expect(error.message).toStartWith("nerve is not the file that was released");
  }
  expect(readFileSync(file)).not.toEqual(bytes);
});

test("a file under another name is compared with the line that is asked for", async () => {
  const file = write("renamed", "x");
  const sums = new Map([["nerve-0.1.0-linux-x64", await sha256Of(file)]]);
  expect((await matchSums(sums, file, "nerve-0.1.0-linux-x64")).ok).toBeTrue();
  expect(await matchSums(sums, file)).toMatchObject({
    error: { kind: "not-in-sums", message: "SHA256SUMS does not name renamed" },
  });
});

test("a file that is not there is a problem and not an exception", async () => {
  expect(await matchSums(new Map([["gone", A]]), join(folder, "gone"))).toMatchObject({
    error: { kind: "unreadable" },
  });
});
