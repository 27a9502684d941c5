/**
 * A release of the commit that is checked out, for x64, as `bun run release` makes it: from two checkouts the same bytes, each file starts, and
 * one flipped bit anywhere is refused by name.
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NAMESPACE } from "../../scripts/release/sign.ts";
import { matchSums, parseSums, SUMS_FILE } from "../../src/release/sums.ts";

setDefaultTimeout(600_000);

const ROOT = join(import.meta.dir, "../..");
const TOOLS = { git: "git", "ssh-keygen": "openssh-client", sha256sum: "coreutils", tar: "tar", zstd: "zstd" };
const missing = Object.entries(TOOLS).filter(([tool]) => Bun.which(tool) === null);
const isSkipped = missing.length > 0 || process.arch !== "x64";
if (isSkipped) console.log(`a release is not tested: it takes x64 and ${Object.values(TOOLS).join(", ")}`);

const folder = mkdtempSync(join(tmpdir(), "nerve-release-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SEED = Number(process.env.NERVE_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`NERVE_FUZZ_SEED=${SEED}`);
let drawn = SEED;
/** A whole number below `below`. */
const draw = (below: number): number => {
  drawn = (Math.imul(drawn, 1_103_515_245) + 12_345) & 0x7fffffff;
  return Math.floor((drawn / 0x80000000) * below);
};

interface Ran {
  readonly code: number;
  readonly text: string;
}

function run(command: readonly string[], cwd: string, input = ""): Ran {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { cwd, stdin: Buffer.from(input) });
  return { code: exitCode, text: `${stdout}${stderr}` };
}

function mustRun(command: readonly string[], cwd: string, input = ""): string {
  const { code, text } = run(command, cwd, input);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${text}`);
  return text;
}

/** Where the release is made first, and where again: a path of another length. */
const FIRST = "a";
const AGAIN = "again/with-a-longer-path";

const KEY = join(folder, "key");
const SIGNERS = join(folder, "allowed_signers");
const out = (name: string): string => join(folder, `out-${name}`);

function release(name: string, from: string): void {
  const path = join(folder, name);
  mustRun(["git", "clone", "--quiet", from, path], folder);
  const options = ["--only", "x64", "--key", KEY, "--out", out(name)];
  mustRun([process.execPath, "scripts/release.ts", ...options], path);
}

const VERSION: string = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version;
const BARE = `nerve-${VERSION}-linux-x64`;
const FILES = [
  SUMS_FILE,
  `${SUMS_FILE}.sig`,
  BARE,
  `${BARE}.tar.zst`,
  `nerve-${VERSION}.cdx.json`,
  `nerve_${VERSION}_amd64.deb`,
];
const first = out(FIRST);

/** What `ssh-keygen -Y verify` makes of the sums in `release`. */
const verify = (release: string): number =>
  run(
    ["ssh-keygen", "-Y", "verify", "-f", SIGNERS, "-I", "releaser", "-n", NAMESPACE, "-s", `${SUMS_FILE}.sig`],
    release,
    readFileSync(join(release, SUMS_FILE), "latin1"),
  ).code;

/** Runs `use` while one bit of `file` is another. */
async function withFlippedBit(file: string, bit: number, use: () => Promise<void>): Promise<void> {
  const bytes = readFileSync(file);
  const flip = (): void => {
    bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    writeFileSync(file, bytes);
  };
  flip();
  try {
    await use();
  } finally {
    flip();
  }
}

function prepare(): void {
  mustRun(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", KEY], folder);
  writeFileSync(SIGNERS, `releaser ${readFileSync(`${KEY}.pub`, "utf8")}`);
  release(FIRST, ROOT);
  release(AGAIN, join(folder, FIRST));
}

describe.skipIf(isSkipped)("a release", () => {
  if (!isSkipped) prepare();

  test("holds the executable, the archive, the package, the SBOM, the sums and their signature", () => {
    expect(readdirSync(first).sort()).toEqual([...FILES].sort());
  });

  test("is the same, byte for byte, from another checkout in another folder", () => {
    const other = out(AGAIN);
    for (const file of FILES) {
      expect(readFileSync(join(other, file)).equals(readFileSync(join(first, file))), file).toBeTrue();
    }
  });

  test("is accepted as it is, by sha256sum, by nerve and by ssh-keygen", async () => {
    mustRun(["sha256sum", "--check", "--strict", SUMS_FILE], first);
    const sums = parseSums(readFileSync(join(first, SUMS_FILE), "utf8"), SUMS_FILE);
    if (!sums.ok) throw new Error(JSON.stringify(sums.error));
    expect([...sums.value.keys()]).toEqual(FILES.filter((name) => !name.startsWith(SUMS_FILE)).sort());
    for (const name of sums.value.keys())
      expect(await matchSums(sums.value, join(first, name))).toMatchObject({ ok: true });
    expect(verify(first)).toBe(0);
  });

  test.each(FILES.slice(2))("%s with one flipped bit is refused by name", async (name) => {
    const file = join(first, name);
    const sums = parseSums(readFileSync(join(first, SUMS_FILE), "utf8"), SUMS_FILE);
    if (!sums.ok) throw new Error(JSON.stringify(sums.error));
    await withFlippedBit(file, draw(Bun.file(file).size * 8), async () => {
      const { code, text } = run(["sha256sum", "--check", "--quiet", SUMS_FILE], first);
      expect(code).toBe(1);
      expect(text.split("\n").filter((line) => line.endsWith(": FAILED"))).toEqual([`${name}: FAILED`]);
      const matched = await matchSums(sums.value, file);
      expect(matched.ok ? "" : matched.error.message).toStartWith(`${name} is not the file that was released`);
    });
    expect((await matchSums(sums.value, file)).ok).toBeTrue();
  });

  test("sums or a signature with one flipped bit are refused by ssh-keygen", async () => {
    const sums = readFileSync(join(first, SUMS_FILE));
    for (let trial = 0; trial < 30; trial += 1) {
      await withFlippedBit(join(first, SUMS_FILE), draw(sums.length * 8), async () =>
        expect(verify(first)).not.toBe(0),
      );
    }
    const signature = readFileSync(join(first, `${SUMS_FILE}.sig`), "latin1");
    // Behind the first line of base64, which begins with the version of the format: ssh-keygen takes an older one as well.
    const start = signature.indexOf("\n", signature.indexOf("\n") + 1) + 1;
    const places = [...signature.slice(start, signature.indexOf("\n-----END"))]
      .map((character, index) => ({ character, at: start + index }))
      .filter(({ character }) => character !== "\n");
    for (let trial = 0; trial < 30; trial += 1) {
      const { at } = places[draw(places.length)] ?? { at: start };
      await withFlippedBit(join(first, `${SUMS_FILE}.sig`), at * 8 + draw(8), async () =>
        expect(verify(first)).not.toBe(0),
      );
    }
    expect(verify(first)).toBe(0);
  });

  test("a signature for something else, or of another key, is refused", () => {
    const copy = join(folder, "copy");
    mkdirSync(copy);
    for (const [key, namespace] of [
      [KEY, "file"],
      [join(folder, "other"), NAMESPACE],
    ] as const) {
      if (key !== KEY) mustRun(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], folder);
      copyFileSync(join(first, SUMS_FILE), join(copy, SUMS_FILE));
      rmSync(join(copy, `${SUMS_FILE}.sig`), { force: true });
      mustRun(["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", namespace, SUMS_FILE], copy);
      expect(verify(copy)).not.toBe(0);
    }
  });

  test("the bare executable and that of the archive start, and are the same", () => {
    mustRun(["tar", "--zstd", "-xf", `${BARE}.tar.zst`, "-C", folder], first);
    const unpacked = join(folder, BARE, "nerve");
    expect(readFileSync(unpacked).equals(readFileSync(join(first, BARE)))).toBeTrue();
    expect(mustRun([unpacked, "version"], folder)).toStartWith(`nerve ${VERSION} (commit `);
    const about = JSON.parse(mustRun([join(first, BARE), "version", "--json"], folder));
    expect(mustRun(["git", "rev-parse", "HEAD"], join(folder, FIRST))).toStartWith(about.commit);
    mustRun([unpacked, "init", join(folder, "site")], folder);
    mustRun([unpacked, "check", "-c", join(folder, "site/nerve.yaml")], folder);
    expect(mustRun([unpacked, "once", "memory", "-c", join(folder, "site/nerve.yaml")], folder)).toContain(
      "total_bytes",
    );
  });

  const qemu = Bun.which("qemu-x86_64-static");
  if (qemu === null) console.log("older processors are not tested: the Debian package qemu-user-static is missing");

  test.skipIf(qemu === null)("a processor of 2008 runs it, and an older one says in one line that it cannot", () => {
    const start = (processor: string) => run([qemu ?? "", "-cpu", processor, join(first, BARE), "version"], folder);
    expect(start("Nehalem").text).toStartWith(`nerve ${VERSION} `);
    const { code, text } = start("core2duo");
    expect(code).toBe(127);
    expect(text).toBe(`${join(first, BARE)}: CPU ISA level is lower than required\n`);
  });

  const lintian = Bun.which("lintian");
  if (lintian === null) console.log("the package is not read by lintian: the Debian package lintian is missing");

  test.skipIf(lintian === null)("lintian finds no error in the package", () => {
    const { code, text } = run(
      [lintian ?? "", "--allow-root", "--fail-on", "error", join(first, FILES[5] ?? "")],
      folder,
    );
    expect(text.split("\n").filter((line) => line.startsWith("E:"))).toEqual([]);
    expect(code).toBe(0);
  });
});
