/** `nerve check --host`: what the machine or the installed unit lacks for a config, each with who asks and the remedy. */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Inotify } from "../../src/base/inotify.ts";
import { inotifyInUse } from "../../src/base/inotify-limits.ts";
import { readAsked } from "../../src/cli/unit/asked.ts";
import { lookAtHost } from "../../src/cli/unit/host.ts";
import { grants, readInstalled } from "../../src/cli/unit/installed.ts";
import { placesOf } from "../../src/cli/unit/places.ts";
import { factsOfHost, type SourceFacts, serviceLack } from "../../src/cli/unit/sources.ts";
import { NO_PARTS } from "../../src/config/pattern-parts.ts";
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

describe("what comes in", () => {
  const LIMITS = { instances: 128, watches: 8192 };
  const WELL: SourceFacts = {
    isSystemdRunning: true,
    hasJournalctl: true,
    hasJournal: true,
    hasDocker: true,
    inotifyLimits: LIMITS,
    inotifyInUse: () => ({ instances: 0, watches: 0 }),
    blindSpot: () => null,
  };

  /** The lines of a host like this, each with its remedy, without those about the unit. */
  function linesOn(facts: SourceFacts, config: string): { readonly lacks: string[]; readonly notes: string[] } {
    const folder = made.make({ "nerve.yaml": config });
    for (const sense of ["own", "jobs"]) folder.write(`senses/${sense}/index.ts`, "export const compute = () => null;");
    const asked = readAsked(join(folder.path, "nerve.yaml"));
    if (!asked.ok) throw new Error(asked.error.problems[0]?.message);
    const places = placesOf(asked.value.config);
    const { lacks, notes } = lookAtHost(asked.value, NO_PARTS, places, "no-such-unit", facts);
    const about = (text: string): boolean => /^(?:sense|reflex|nerve itself)/.test(text);
    return {
      lacks: lacks.map(({ message, hint }) => `${message} | ${hint}`).filter(about),
      notes: notes.filter(about),
    };
  }

  const TAKE_OUT = "install and start it, or take this out of the config";

  test.skipIf(Bun.which("systemctl") === null)("a host without systemd is one line, of the sense that asks it", () => {
    const config = "senses: { systemd: }\nreflexes: [{ sense: systemd, interval: 1m }]\n";
    expect(linesOn(WELL, config).lacks).toEqual([]);
    expect(linesOn({ ...WELL, isSystemdRunning: false }, config).lacks).toEqual([
      "sense:systemd: systemd does not run on this machine | run nerve on a host that systemd has started, or take this out of the config",
    ]);
  });

  test("a host without a journal is one line, of the sense that reads it and of the reflex that watches it", () => {
    const none = "this machine has no journal: there is no *.journal in /run/log/journal or /var/log/journal";
    const watched = "senses: { own: }\nreflexes: [{ sense: own, watch: { journal: true } }]\n";
    expect(linesOn({ ...WELL, hasJournal: false }, watched).lacks).toEqual([`reflex:own#1: ${none} | ${TAKE_OUT}`]);
    expect(linesOn(WELL, watched).lacks).toEqual([]);
    const asked = { who: "sense:journal", facts: { ...WELL, hasJournal: false } };
    expect(serviceLack(asked.who, "systemd-journal", asked.facts)?.message).toBe(`sense:journal: ${none}`);
    // Its program is missing, which is a line of its own.
    expect(serviceLack(asked.who, "systemd-journal", { ...asked.facts, hasJournalctl: false })).toBeNull();
  });

  test("a journal in a file asks for no journal of the host", () => {
    const config = `senses: { old: { use: journal, with: { file: ${import.meta.path} } } }\nreflexes: [{ sense: old, interval: 1m }]\n`;
    const lacks = linesOn({ ...WELL, hasJournal: false }, config).lacks.filter((line) => !line.includes("no program"));
    expect(lacks).toEqual([]);
  });

  test("a host without docker is one line", () => {
    const config = "senses: { docker: }\nreflexes: [{ sense: docker, interval: 1m }]\n";
    expect(linesOn({ ...WELL, hasDocker: false }, config).lacks).toEqual([
      `sense:docker: this machine has no docker: /run/docker.sock does not exist | ${TAKE_OUT}`,
    ]);
  });

  test("a folder that a reflex watches and that does not exist is one line; a file that does not exist is none", () => {
    const config = `senses: { own: , jobs: }
reflexes:
  - { sense: own, watch: { file: /no/such/folder/file } }
  - { sense: jobs, watch: [{ dir: /no/such/spool }, { file: /etc/no-such-file }] }
`;
    expect(linesOn(WELL, config).lacks).toEqual([
      "reflex:own#1: there is no /no/such/folder | make it, or correct the config",
      "reflex:jobs#1: there is no /no/such/spool | make it, or correct the config",
    ]);
  });

  test("a tail of a folder is one line", () => {
    const config = "senses: { app: { use: tail, with: { path: /etc } } }\nreflexes: [{ sense: app, watch: true }]\n";
    expect(linesOn(WELL, config).lacks).toEqual([
      "sense:app: /etc is a folder, and tail follows files | name a file, or /etc/*.log",
    ]);
  });

  test("a folder in which inotify is blind is one line, and no fault", () => {
    const config = `senses: { own: , app: { use: tail, with: { path: /var/log/app.log } } }
reflexes: [{ sense: own, watch: { file: /proc/loadavg } }, { sense: app, watch: true }]
`;
    const blindSpot = (path: string): string | null => (path === "/var/log" ? "is on NFS" : null);
    expect(linesOn({ ...WELL, blindSpot }, config).notes).toEqual([
      "sense:app: /var/log is on NFS, so give the reflex an `interval` that is short enough",
    ]);
    expect(linesOn({ ...WELL, blindSpot: factsOfHost().blindSpot }, config).notes).toContainEqual(
      expect.stringMatching(/^reflex:own#1: \/proc is in \/proc, where changes are not seen: .* short enough$/),
    );
  });

  test("inotify that is used up is one line for each limit, with the sysctl that raises it", () => {
    const config = "senses: { own: }\nreflexes: [{ sense: own, watch: [{ file: /etc/a }, { dir: /usr }] }]\n";
    const inotifyInUse = () => ({ instances: 128, watches: 8191 });
    const lines = linesOn({ ...WELL, inotifyInUse }, config).lacks;
    expect(lines).toEqual([
      expect.stringMatching(
        /^nerve itself: the user \S+ has 128 of 128 inotify instances, and this config wants 1 more: changes are found by intervals only \| sysctl -w fs\.inotify\.max_user_instances=1024, /,
      ),
      expect.stringMatching(
        / has 8191 of 8192 inotify watches, and this config wants 2 more: .*max_user_watches=16384/,
      ),
    ]);
    // A config that watches nothing asks for nothing of it.
    const quiet = "senses: { own: }\nreflexes: [{ sense: own, interval: 1m }]\n";
    expect(linesOn({ ...WELL, inotifyInUse }, quiet).lacks).toEqual([]);
  });

  test("the instances and watches of a user are counted", () => {
    const opened = Inotify.open();
    if (opened.kind !== "open") throw new Error(opened.why);
    const uid = process.getuid?.() ?? 0;
    try {
      const before = inotifyInUse(uid, "");
      opened.inotify.add("/");
      opened.inotify.add("/etc");
      const after = inotifyInUse(uid, "");
      expect(after.instances).toBeGreaterThan(0);
      expect(after.watches).toBeGreaterThan(1);
      expect(before.instances).toBeGreaterThan(0);
      expect(inotifyInUse(4_294_967_294, "")).toEqual({ instances: 0, watches: 0 });
    } finally {
      opened.inotify.close();
    }
  });

  test("a folder that may not be listed, and a log that may not be read, are named with the remedy", async () => {
    const folder = made.make({});
    chmodSync(folder.path, 0o755);
    mkdirSync(join(folder.path, "spool"), { mode: 0o711 });
    folder.write("app.log", "a line\n");
    chmodSync(join(folder.path, "app.log"), 0o600);
    folder.write("senses/own/index.ts", "export const compute = () => null;");
    folder.write(
      "nerve.yaml",
      `data: ./data
senses: { own: , app: { use: tail, with: { path: ${folder.path}/app.log } } }
reflexes: [{ sense: own, watch: { dir: spool } }, { sense: app, watch: true }]
`,
    );
    await install(folder, "nobody");
    const { code, stderr } = await look(folder);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `reflex:own#1: the user nobody may not use ${folder.path}/spool\n  hint: setfacl -m u:nobody:rx ${folder.path}/spool`,
    );
    expect(stderr).toContain(
      `sense:app: the user nobody may not read ${folder.path}/app.log\n  hint: setfacl -m u:nobody:r ${folder.path}/app.log`,
    );
    chmodSync(join(folder.path, "app.log"), 0o640);
    expect((await look(folder)).stderr).toMatch(
      /hint: give the sense `needs: \{ groups: \[\S+\] \}` and print the unit anew/,
    );
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
