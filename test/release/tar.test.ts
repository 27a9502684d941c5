/** The archives of a release, as the tools of a host read them; and the same entries are the same bytes. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ar } from "../../scripts/release/debian/ar.ts";
import { packagedUnit } from "../../scripts/release/debian/unit.ts";
import { manPage } from "../../scripts/release/man.ts";
import { type Entry, tar, zstd } from "../../scripts/release/tar.ts";
import { VERBS } from "../../src/cli/verbs.ts";

const folder = mkdtempSync(join(tmpdir(), "nerve-tar-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ENTRIES: readonly Entry[] = [
  { kind: "folder", path: "a", mode: 0o755 },
  { kind: "file", path: "a/empty", mode: 0o644, content: new Uint8Array() },
  { kind: "file", path: "a/run", mode: 0o755, content: Buffer.from("x".repeat(513)) },
];
const TIME = 1_700_000_000;

const run = (...command: string[]): string => {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: folder, env: { ...process.env, TZ: "UTC" } });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout.toString();
};

test("tar lists each entry with its mode, owner, size and time, and unpacks it", () => {
  writeFileSync(join(folder, "t.tar"), tar(ENTRIES, TIME));
  expect(run("tar", "tvf", "t.tar", "--full-time").trim().replaceAll(/ +/g, " ").split("\n")).toEqual([
    "drwxr-xr-x root/root 0 2023-11-14 22:13:20 a/",
    "-rw-r--r-- root/root 0 2023-11-14 22:13:20 a/empty",
    "-rwxr-xr-x root/root 513 2023-11-14 22:13:20 a/run",
  ]);
  expect(run("tar", "xOf", "t.tar", "a/run")).toBe("x".repeat(513));
});

test("a path that tar cannot hold is refused", () => {
  const path = "p".repeat(100);
  expect(() => tar([{ kind: "folder", path, mode: 0o755 }], TIME)).toThrow(`${path}/ is too long for a tar`);
});

test("the same entries are the same bytes, compressed too; another time is another tar", () => {
  expect(tar(ENTRIES, TIME)).toEqual(tar(ENTRIES, TIME));
  expect(zstd(tar(ENTRIES, TIME))).toEqual(zstd(tar(ENTRIES, TIME)));
  expect(tar(ENTRIES, TIME + 1)).not.toEqual(tar(ENTRIES, TIME));
});

test("an ar of members of odd and even length is laid out as deb(5) says", () => {
  const made = Buffer.from(
    ar(
      [
        { name: "debian-binary", content: Buffer.from("2.0") },
        { name: "data.tar.gz", content: Buffer.from("even") },
      ],
      TIME,
    ),
  ).toString("latin1");
  expect(made).toBe(
    "!<arch>\n" +
      "debian-binary   1700000000  0     0     100644  3         `\n2.0\n" +
      "data.tar.gz     1700000000  0     0     100644  4         `\neven",
  );
});

test("the unit of the package names the places of a package, and starts nothing without a config", () => {
  const lines = packagedUnit().split("\n");
  for (const line of [
    "ExecStart=/usr/bin/nerve /etc/nerve/nerve.yaml",
    "ConditionPathExists=/etc/nerve/nerve.yaml",
    "StateDirectory=nerve",
    "User=nerve",
    "PrivateTmp=yes",
    "WantedBy=multi-user.target",
  ]) {
    expect(lines).toContain(line);
  }
  expect(packagedUnit()).not.toContain(tmpdir());
});

test("the manual has every verb, and no line that roff would take for a request", () => {
  const page = manPage("1.2.3", TIME);
  for (const { usage } of VERBS) expect(page).toContain(`.B nerve ${usage.replaceAll("-", "\\-")}\n`);
  const requests = new Set([...page.matchAll(/^[.'](\w*)/gm)].map(([, request]) => request));
  expect([...requests].sort()).toEqual(["B", "BR", "I", "IR", "PP", "RB", "RI", "SH", "SS", "TH", "TP", "br"]);
});
