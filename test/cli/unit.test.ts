/** The systemd unit: verified and rated by systemd's own tool, and quoted so that a path stays one word. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemdUnit, type UnitParts } from "../../src/cli/unit/systemd-unit.ts";

const folder = mkdtempSync(join(tmpdir(), "nerve-unit-"));
afterAll(() => rmSync(folder, { recursive: true }));

const hasSystemd = Bun.which("systemd-analyze") !== null;
const PARTS: UnitParts = {
  command: ["/bin/true"],
  config: "/etc/nerve/nerve.yaml",
  data: "/var/lib/nerve",
  user: "nerve",
  asks: [],
  remarks: [],
  outside: { credentials: [], variables: [] },
};

const analyze = (verb: string, unit: string, ...options: string[]) => {
  const file = join(folder, "nerve.service");
  writeFileSync(file, unit);
  const { exitCode, stdout, stderr } = Bun.spawnSync(["systemd-analyze", verb, ...options, file], {
    env: { ...process.env, SYSTEMD_PAGER: "", NO_COLOR: "1" },
  });
  return { exitCode, output: `${stdout}${stderr}` };
};

const PLACES: [string, Partial<UnitParts>][] = [
  ["data under /var/lib", {}],
  ["data elsewhere", { data: "/srv/nerve data" }],
  ["data in a home", { data: "/home/me/nerve/data", config: "/home/me/nerve/nerve.yaml", user: "me" }],
  ["everything in a temporary folder", { data: "/tmp/x/data", config: "/tmp/x/nerve.yaml" }],
  ["a path that would break a line", { config: '/etc/a "b" $c %d \\e/nerve.yaml' }],
];

for (const [title, parts] of PLACES) {
  test.if(hasSystemd)(`systemd accepts the unit for ${title}`, () => {
    const { exitCode, output } = analyze("verify", systemdUnit({ ...PARTS, ...parts }), "--man=no");
    expect(output.replaceAll(/^.*(?:not found|plymouth).*$/gm, "").trim()).toBe("");
    expect(exitCode).toBe(0);
  });

  test.if(hasSystemd)(`the exposure for ${title} is at most 2.0`, () => {
    const { exitCode, output } = analyze(
      "security",
      systemdUnit({ ...PARTS, ...parts }),
      "--offline=true",
      "--threshold=20",
    );
    expect(output).toContain("Overall exposure level");
    expect(exitCode).toBe(0);
  });
}

test("data under /var/lib is made by systemd, other data is named with how to make it", () => {
  expect(systemdUnit(PARTS)).toContain("StateDirectory=nerve\n");
  expect(systemdUnit({ ...PARTS, data: "/var/lib/a/b" })).toContain("StateDirectory=a/b\n");
  const elsewhere = systemdUnit({ ...PARTS, data: "/srv/nerve" });
  expect(elsewhere).toContain("ReadWritePaths=/srv/nerve\n");
  expect(elsewhere).toContain("install -d -m 0700 -o nerve /srv/nerve");
  expect(elsewhere).not.toContain("StateDirectory");
  expect(systemdUnit({ ...PARTS, data: "/var/library" })).not.toContain("StateDirectory");
});

test("the JIT is left to work, and the unit says why", () => {
  const unit = systemdUnit(PARTS);
  expect(unit).toMatch(/^# No MemoryDenyWriteExecute=/m);
  expect(unit).not.toMatch(/^MemoryDenyWriteExecute/m);
});

test("specifiers, variables and spaces of a path are literal", () => {
  const unit = systemdUnit({ ...PARTS, command: ["/opt/n v/nerve"], config: "/etc/%h/$HOME.yaml" });
  expect(unit).toContain('ExecStart="/opt/n v/nerve" "/etc/%%h/$$HOME.yaml"\n');
});

test("a file that PrivateTmp would hide turns it off", () => {
  expect(systemdUnit(PARTS)).toContain("\nPrivateTmp=yes\n");
  expect(systemdUnit({ ...PARTS, config: "/tmp/nerve.yaml" })).toContain("\nPrivateTmp=no\n");
});
