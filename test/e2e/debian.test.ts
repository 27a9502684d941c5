/**
 * The Debian package under a real systemd: installed, upgraded from an older version, removed, installed again and purged; what
 * stays each time, and what is asked.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianPackage } from "../../scripts/release/debian/package.ts";
import { type Booted, boot } from "../helpers/booted.ts";
import { COMPILED } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

const TOOLS = { "dpkg-deb": "dpkg", adduser: "adduser", "deb-systemd-invoke": "init-system-helpers", pgrep: "procps" };
const PATH = `${process.env.PATH}:/usr/sbin`;
const missing = Object.entries(TOOLS).filter(([tool]) => Bun.which(tool, { PATH }) === null);

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };
const architecture = ARCHITECTURES[process.arch] ?? process.arch;

const whyNot = (): string | null => {
  if (COMPILED === null) return "the executable is not built";
  return missing.length === 0 ? null : `the Debian packages ${missing.map(([, name]) => name).join(", ")} are missing`;
};

const booted = whyNot() ?? (await boot());
const isSkipped = typeof booted === "string";
if (isSkipped) console.log(`the Debian package is not tested: ${booted}`);
const machine = booted as Booted;
const folder = mkdtempSync(join(tmpdir(), "nerve-debian-"));
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  if (!isSkipped) await machine[Symbol.asyncDispose]();
});

const OLD = "0.0.9";
const NEW = "0.1.0";
const CONFIG = "/etc/nerve/nerve.yaml";
const DATA = "/var/lib/nerve";

const fileOf = (version: string): string => join(folder, `nerve_${version}_${architecture}.deb`);

/** Triggers of other packages (manual pages, caches) are not what is tested. */
function install(version: string): void {
  machine.copy(fileOf(version), "/root/nerve.deb");
  machine.sh("dpkg --no-triggers --install /root/nerve.deb; rm /root/nerve.deb");
}

const property = (name: string): string => machine.sh(`systemctl show --value -p ${name} nerve`).trim();
const installed = (): string => machine.sh("dpkg -s nerve | grep -E '^(Status|Version):'").trim();
const isThere = (path: string): boolean => machine.run(["test", "-e", path]).code === 0;
const processes = (): string => machine.run(["pgrep", "-u", "nerve"]).stdout;
const signalIds = (): number[] =>
  machine
    .sh(`nerve signals memory --json -n 1000 -c ${CONFIG}`)
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line).id);

async function prepare(): Promise<void> {
  const executable = readFileSync(COMPILED ?? "");
  const maintainer = "Maintainer <maintainer@example.invalid>";
  for (const version of [OLD, NEW]) {
    const deb = await debianPackage({ version, architecture, maintainer, timeS: 1_700_000_000, executable });
    writeFileSync(fileOf(version), deb);
  }
  // Images for builds forbid every start.
  machine.sh("rm -f /usr/sbin/policy-rc.d");
}

describe.skipIf(isSkipped)("the Debian package", async () => {
  if (!isSkipped) await prepare();

  test("takes a config that is there, and does not start nerve where there is none", () => {
    const config = `data: ${DATA}\nsenses: { load: }\n`;
    machine.write(CONFIG, config);
    install(OLD);
    expect(machine.sh(`cat ${CONFIG}`)).toBe(config);
    expect(property("ActiveState")).toBe("active");
    machine.sh(`systemctl stop nerve; rm ${CONFIG}; systemctl start nerve`);
    expect(property("ConditionResult")).toBe("no");
    expect(property("ActiveState")).toBe("inactive");
    machine.sh("echo nerve nerve/purge-data boolean true | debconf-set-selections; dpkg --no-triggers --purge nerve");
    expect(isThere("/etc/nerve")).toBeFalse();
  });

  test("installed, watches this host as a user of its own, with the config of init and data below /var/lib", async () => {
    install(OLD);
    expect(installed()).toBe(`Status: install ok installed\nVersion: ${OLD}`);
    expect(property("ActiveState")).toBe("active");
    expect(property("UnitFileState")).toBe("enabled");
    expect(machine.sh("id -un nerve; id -gn nerve")).toBe("nerve\nnerve\n");
    expect(machine.sh(`stat -c '%U %a' ${DATA}`)).toBe("nerve 700\n");
    expect(machine.sh(`grep ^data: ${CONFIG}`)).toStartWith(`data: ${DATA} `);
    await until("the sense has a signal", () => signalIds().length > 0);
  });

  test("comes with a unit that lacks nothing for that config", () => {
    const { code, stderr } = machine.run(["nerve", "check", "--host", "-c", CONFIG]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });

  test("upgraded, runs the new version on the same data, and leaves the config as it was edited", async () => {
    const before = signalIds();
    const pid = property("MainPID");
    machine.sh(`echo '# mine' >> ${CONFIG}`);
    install(NEW);
    expect(installed()).toBe(`Status: install ok installed\nVersion: ${NEW}`);
    expect(property("ActiveState")).toBe("active");
    expect(property("MainPID")).not.toBe(pid);
    expect(machine.sh(`tail -n 1 ${CONFIG}`)).toBe("# mine\n");
    await until("the new nerve has a signal of its own", () => signalIds().length > before.length);
    expect(signalIds()).toEqual(expect.arrayContaining(before));
  });

  test("upgraded, leaves a nerve that was disabled and stopped as it is", () => {
    machine.sh("systemctl disable --now nerve");
    install(NEW);
    expect([property("UnitFileState"), property("ActiveState")]).toEqual(["disabled", "inactive"]);
    machine.sh("systemctl enable --now nerve");
  });

  test("removed, ends every process and keeps config and data", () => {
    machine.sh("dpkg --no-triggers --remove nerve");
    expect(processes()).toBe("");
    expect(isThere("/usr/bin/nerve")).toBeFalse();
    expect([CONFIG, `${DATA}/logs.db`, "/etc/nerve/senses/hello/index.ts"].map(isThere)).toEqual([true, true, true]);
  });

  test("installed again, goes on with the data", async () => {
    install(NEW);
    const ids = signalIds();
    expect(ids).not.toEqual([]);
    await until("there is a further signal", () => signalIds().length > ids.length);
    expect(signalIds()).toEqual(expect.arrayContaining(ids));
  });

  test("purged without an answer, keeps config and data and names them", () => {
    const { code, stdout, stderr } = machine.run([
      "env",
      "DEBIAN_FRONTEND=noninteractive",
      "dpkg",
      "--no-triggers",
      "--purge",
      "nerve",
    ]);
    expect(code).toBe(0);
    expect(`${stdout}${stderr}`).toContain("nerve: kept /etc/nerve\nnerve: kept /var/lib/nerve\n");
    expect([CONFIG, `${DATA}/logs.db`].map(isThere)).toEqual([true, true]);
    expect(processes()).toBe("");
  });

  test("purged with yes for an answer, leaves nothing but the user", () => {
    install(NEW);
    machine.sh("echo nerve nerve/purge-data boolean true | debconf-set-selections");
    machine.sh("DEBIAN_FRONTEND=noninteractive dpkg --no-triggers --purge nerve");
    expect(["/etc/nerve", DATA, "/usr/lib/systemd/system/nerve.service"].map(isThere)).toEqual([false, false, false]);
    expect(machine.sh("id -un nerve")).toBe("nerve\n");
    expect(machine.sh("systemctl list-units --all --no-legend 'nerve*'")).toBe("");
  });
});
