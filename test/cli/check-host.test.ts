/** `nerve check --host`: what the machine or the installed unit lacks for a config, each with who asks and the remedy. */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { grants, readInstalled } from "../../src/cli/unit/installed.ts";
import { type Project, projects, runInTmp } from "../helpers/nerve.ts";

const made = projects();
afterAll(() => made[Symbol.dispose]());

/** Whoever runs the tests. */
const ME = String(process.getuid?.() ?? 0);

const QUIET =
  "data: ./data\nsenses: { load: , disk: { use: disk-usage } }\nreflexes: [{ sense: load, interval: 1m }, { sense: disk, interval: 1m }]\n";

/** The unit of the config as it stands, for a user that is on every machine. */
async function install(folder: Project, user: string): Promise<void> {
  const { stdout } = await runInTmp(folder, ["unit", "-u", user]);
  folder.write("nerve.service", stdout);
  mkdirSync(join(folder.path, "data"), { recursive: true, mode: 0o700 });
}

const look = (folder: Project, ...more: string[]) =>
  runInTmp(folder, ["check", "--host", "--unit", join(folder.path, "nerve.service"), ...more]);

describe("check --host", () => {
  test("lacks nothing where the unit was printed for this config", async () => {
    const folder = made.make({ "nerve.yaml": QUIET });
    await install(folder, ME);
    const { code, stderr } = await look(folder);
    expect(stderr).not.toContain("error:");
    expect(code).toBe(0);
  });

  test("names each sense and workflow that an older unit breaks, and prints the unit anew as the remedy", async () => {
    const folder = made.make({ "nerve.yaml": QUIET });
    await install(folder, ME);
    folder.write(
      "nerve.yaml",
      `${QUIET}workflows:\n  page: { use: webhook, with: { url: "https://pager.example/\${credential:pager}" } }\n  clock: { use: exec, with: { command: [/bin/true] }, needs: { capabilities: [CAP_SYS_TIME] } }\n`,
    );
    const { code, stderr } = await look(folder);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /workflow:page \(its `url`\): \S+ does not let this work: it lacks the network, which IPAddressDeny= closes/,
    );
    expect(stderr).toMatch(
      /workflow:clock \(its `needs`\): \S+ does not let this work: it lacks CapabilityBoundingSet=CAP_SYS_TIME, AmbientCapabilities=CAP_SYS_TIME, ProtectClock=no/,
    );
    expect(stderr).toContain("it lacks LoadCredential=pager:");
    expect(stderr).toMatch(/hint: nerve unit -c \S+ -u \S+ > \S+nerve\.service && systemctl daemon-reload/);
    expect(stderr).not.toContain("there is no credential");
  });

  test("names programs, paths and groups that do not exist", async () => {
    const folder = made.make({
      "nerve.yaml": `data: ./data
senses:
  gone: { use: exec, with: { command: [no-such-program] } }
  nowhere: { use: disk-usage, with: { path: /no/such/path } }
  alone: { use: exec, with: { command: [/bin/true] }, needs: { groups: [no-such-group] } }
reflexes: [{ sense: gone, interval: 1m }, { sense: nowhere, interval: 1m }, { sense: alone, interval: 1m }]
`,
    });
    await install(folder, ME);
    const { code, stderr } = await look(folder);
    expect(code).toBe(1);
    expect(stderr).toContain("sense:gone: there is no program `no-such-program` in /usr/local/sbin");
    expect(stderr).toContain("sense:nowhere: there is no /no/such/path");
    expect(stderr).toContain("sense:alone: there is no group no-such-group");
  });

  test("what does not exist is a warning of check, at its place, and changes no exit code", async () => {
    const folder = made.make({
      "nerve.yaml": `senses:
  gone: { use: exec, with: { command: [no-such-program] } }
  nowhere: { use: disk-usage, with: { path: /no/such/path } }
  elsewhere: { use: exec, with: { command: [mine], env: { PATH: /opt/bin } } }
reflexes: [{ sense: gone, interval: 1m }, { sense: nowhere, interval: 1m }, { sense: elsewhere, interval: 1m }]
`,
    });
    const { code, stderr } = await runInTmp(folder, ["check"]);
    expect(code).toBe(0);
    expect(stderr.match(/^warning: .*$/gm)).toEqual([
      expect.stringContaining("nerve.yaml:2:40: sense:gone: there is no program `no-such-program` in /usr/local/sbin"),
      expect.stringContaining("nerve.yaml:3:45: sense:nowhere: there is no /no/such/path"),
    ]);
  });

  test("names a path that the unit's user may not use, and the first folder in the way", async () => {
    const folder = made.make({});
    mkdirSync(join(folder.path, "closed/inner"), { recursive: true });
    chmodSync(join(folder.path, "closed"), 0o700);
    chmodSync(folder.path, 0o755);
    folder.write(
      "nerve.yaml",
      QUIET.replace("use: disk-usage", `use: disk-usage, with: { path: ${folder.path}/closed/inner }`),
    );
    await install(folder, "nobody");
    const { code, stderr } = await look(folder);
    expect(code).toBe(1);
    expect(stderr).toContain(`the user nobody may not use ${folder.path}/closed, which leads to`);
    expect(stderr).toContain(`setfacl -m u:nobody:x ${folder.path}/closed`);
  });

  test("names what nerve itself may not use: a config that is closed to the unit's user, and the data of another", async () => {
    const folder = made.make({ "nerve.yaml": QUIET });
    chmodSync(folder.path, 0o755);
    await install(folder, "nobody");
    chmodSync(join(folder.path, "nerve.yaml"), 0o600);
    const { code, stderr } = await look(folder);
    expect(code).toBe(1);
    expect(stderr).toContain(`nerve itself: the user nobody may not use ${folder.path}/nerve.yaml`);
    expect(stderr).toContain(`nerve itself: ${folder.path}/data does not belong to the user nobody`);
    expect(stderr).toContain(`hint: chown -R nobody ${folder.path}/data`);
    rmSync(join(folder.path, "data"), { recursive: true });
    const gone = await look(folder);
    expect(gone.stderr).toContain(`hint: install -d -m 0700 -o nobody ${folder.path}/data`);
  });

  test("names a user that does not exist, with the command that makes it", async () => {
    const folder = made.make({ "nerve.yaml": QUIET });
    await install(folder, "no-such-user");
    const { code, stderr } = await look(folder);
    expect(code).toBe(1);
    expect(stderr).toContain("there is no user no-such-user");
    expect(stderr).toContain("hint: useradd --system");
  });

  test("a unit of another config is named, and not compared", async () => {
    const folder = made.make({ "nerve.yaml": QUIET });
    folder.write("nerve.service", "[Service]\nExecStart=/usr/bin/nerve /etc/other.yaml\nUser=root\n");
    const { code, stderr } = await look(folder);
    expect(code).toBe(1);
    expect(stderr).toContain("does not run");
    expect(stderr).toContain("ExecStart=/usr/bin/nerve /etc/other.yaml");
  });

  test("a machine without the unit is no fault, and is said", async () => {
    const folder = made.make({ "nerve.yaml": QUIET });
    const { code, stderr } = await runInTmp(folder, ["check", "--host", "--unit", "no-such-unit"]);
    expect(stderr).toContain("no unit no-such-unit is installed: `nerve unit -c ");
    expect(code).toBe(0);
  });
});

describe("an installed unit", () => {
  const folder = made.make({});
  const file = folder.write(
    "a.service",
    "[Unit]\nPrivateTmp=yes\n[Service]\nSupplementaryGroups=one two\nIPAddressDeny=any\nIPAddressAllow=localhost\n# Comment=1\nPrivateDevices=yes\nSystemCallFilter=@system-service \\\n  @chown\nSystemCallFilter=~@chown\nCapabilityBoundingSet=\nDeviceAllow=/dev/a rw\nReadWritePaths=-/srv/out\nProtectSystem=strict\n",
  );
  folder.write("a.service.d/20-b.conf", "[Service]\nSupplementaryGroups=\nSupplementaryGroups=three\n");
  folder.write("a.service.d/10-a.conf", "[Service]\nSupplementaryGroups=four\nAmbientCapabilities=CAP_KILL\n");
  const unit = readInstalled(file);
  if (unit === null) throw new Error("the file was not read");

  test("has the settings of its drop-ins in their order, emptied where one empties them", () => {
    expect(unit.all("SupplementaryGroups")).toEqual(["three"]);
    expect(unit.one("PrivateTmp")).toBeNull();
    expect(readInstalled(join(folder.path, "none.service"))).toBeNull();
  });

  test.each([
    ["SupplementaryGroups", "three", true],
    ["SupplementaryGroups", "one", false],
    ["AmbientCapabilities", "CAP_KILL", true],
    ["AmbientCapabilities", "CAP_CHOWN", false],
    ["CapabilityBoundingSet", "CAP_KILL", false],
    ["SystemCallFilter", "@chown", false],
    ["SystemCallFilter", "@system-service", true],
    ["IPAddressDeny", "", false],
    ["IPAddressAllow", "192.0.2.7", false],
    ["PrivateDevices", "no", false],
    ["ProtectHome", "read-only", true],
    ["DeviceAllow", "/dev/a r", true],
    ["DeviceAllow", "/dev/b r", false],
    ["ReadWritePaths", "-/srv/out/deep", true],
    ["ReadWritePaths", "-/srv/other", false],
    ["BindReadOnlyPaths", "-/tmp/x", true],
  ] as const)("%s=%s is granted: %p", (setting, value, expected) => {
    expect(grants(unit, setting, value)).toBe(expected);
  });
});
