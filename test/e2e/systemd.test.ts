/**
 * nerve as a service of a real systemd: installed as the head of the printed unit says, from its start to its stop; and each
 * right that a config asks for, used by a sense that needs it, and refused under the unit of a config in which nobody asks.
 */
import { afterAll, describe, expect, test } from "bun:test";
import type { Status } from "../../src/control/contract.ts";
import { VERSION } from "../../src/version.ts";
import { type Booted, boot } from "../helpers/booted.ts";
import { COMPILED } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";
import { FAULT, VARIANT_VERSION, variant } from "../helpers/variant.ts";

const TOOLS = { ip: "iproute2", pkcheck: "polkitd", pgrep: "procps" };
const missing = Object.entries(TOOLS).filter(([tool]) => Bun.which(tool) === null);

const whyNot = (): string | null => {
  if (COMPILED === null) return "the executable is not built";
  return missing.length === 0 ? null : `the Debian packages ${missing.map(([, name]) => name).join(", ")} are missing`;
};

const booted = whyNot() ?? (await boot());
const isSkipped = typeof booted === "string";
if (isSkipped) console.log(`nerve under systemd is not tested: ${booted}`);
const machine = booted as Booted;
afterAll(async () => {
  if (!isSkipped) await machine[Symbol.asyncDispose]();
});

const CONFIG = "/etc/nerve/nerve.yaml";

const PLAIN = `data: /var/lib/nerve
senses: { load: }
reflexes: [{ sense: load, interval: 1s }]
`;

const LOOKING = `data: /var/lib/nerve
senses:
  systemd: { with: { units: [broken] } }
  journal: { with: { match: "Failed password for (?<user>\\\\S+)" } }
reflexes:
  - { sense: systemd, interval: 1s }
  - { sense: journal, interval: 1s, watch: true }
`;

/** Each sense fails where its right is missing. */
const PROBES: Readonly<Record<string, string>> = {
  group: "use: exec, with: { command: [journalctl, -n1, -o, cat], parse: lines }",
  capability:
    "use: exec, with: { command: [head, -c1, /etc/shadow], parse: lines }, needs: { capabilities: [CAP_DAC_READ_SEARCH] }",
  "system-call":
    "use: exec, with: { command: [sh, -c, 'renice -n -5 -p $$'], parse: lines }, needs: { capabilities: [CAP_SYS_NICE] }",
  written: "use: exec, with: { command: [touch, /srv/out/mark], parse: lines }, needs: { paths: ['/srv/out:rw'] }",
  own: "needs: { paths: ['/srv/out:rw'] }",
  home: "use: exec, with: { command: [cat, /home/shared/file], parse: lines }, needs: { paths: [/home/shared] }",
  temporary: "use: disk-usage, with: { path: /tmp/mounted }",
  device:
    "use: exec, with: { command: [head, -c0, /dev/net/tun], parse: lines }, needs: { devices: ['/dev/net/tun:rw'] }",
  network:
    "use: exec, with: { command: [/usr/local/bin/fetch], env: { BUN_BE_BUN: '1' }, parse: lines }, needs: { network: [192.0.2.7] }, timeout: 8s",
  polkit: "use: exec, with: { command: [systemctl, --no-ask-password, restart, mended], parse: lines }",
  credential:
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the braces are those of nerve.yaml
    "use: exec, with: { command: [sh, -c, 'test \"$TOKEN\" = open-sesame'], env: { TOKEN: '${credential:token}' }, parse: lines }, needs: {}",
};

const ASKING = `data: /var/lib/nerve
senses:
  load:
${Object.entries(PROBES)
  .map(([name, words]) => `  ${name}: { ${words} }`)
  .join("\n")}
reflexes:
  - { sense: load, interval: 1s }
${Object.keys(PROBES)
  .map((name) => `  - { sense: ${name}, on_start: true }`)
  .join("\n")}
`;

/** The commands that the head of the unit names. */
const installation = (unit: string): string[] =>
  unit
    .slice(unit.indexOf("To install"))
    .split("\n")
    .slice(1)
    .filter((_, index, lines) => lines.slice(0, index + 1).every((line) => line.startsWith("#   ")))
    .map((line) => line.slice("#   ".length));

const POLKIT = /Write this into (\S+):\n((?:# {3}.*\n)+)/;

/** Does what the head of the unit says, but for starting: groups, users and folders that are there stay. */
function install(config: string): string {
  machine.write(CONFIG, config);
  const unit = machine.sh(`nerve unit -c ${CONFIG}`);
  for (const line of installation(unit)) {
    if (line.startsWith("useradd") && machine.run(["id", "nerve"]).code === 0) continue;
    if (!line.startsWith("systemctl")) machine.sh(line, "open-sesame\n");
  }
  const [, file = "", rule = ""] = POLKIT.exec(unit) ?? [];
  machine.sh("rm -f /etc/polkit-1/rules.d/50-nerve.rules");
  if (rule !== "") machine.write(file, rule.replaceAll(/^# {3}/gm, ""));
  machine.sh("systemctl daemon-reload");
  return unit;
}

const property = (name: string): string => machine.sh(`systemctl show --value -p ${name} nerve`).trim();
const status = (): Status => JSON.parse(machine.sh(`nerve status --json -c ${CONFIG}`));
const journal = (): string => machine.sh("journalctl -u nerve -o cat --no-pager");

/** How each probe ended, once all of them have. */
const probes = (): Promise<ReadonlyMap<string, string>> =>
  until("every probe has computed", () => {
    const senses = status().senses.filter(({ name }) => name in PROBES);
    const isOver = senses.every(({ computes, errors, timeouts }) => computes + errors + timeouts > 0);
    return isOver && new Map(senses.map(({ name, state, reason }) => [name, state === "ok" ? "ok" : `${reason}`]));
  });

function prepare(): void {
  machine.copy(COMPILED ?? "", "/usr/local/bin/nerve");
  machine.sh("chmod 0755 /usr/local/bin/nerve; mkdir -p /srv/out /home/shared /tmp/mounted; chmod 0755 /home/shared");
  machine.sh("echo shared > /home/shared/file; chmod 0644 /home/shared/file");
  machine.sh("chmod 0777 /srv/out; ip address add 192.0.2.7/32 dev lo");
  machine.write(
    "/usr/local/bin/server.js",
    "Bun.serve({ hostname: '192.0.2.7', port: 9999, fetch: () => new Response('hello') });",
  );
  machine.write(
    "/usr/local/bin/fetch",
    "#!/bin/sh\nexec nerve -e 'console.log(await (await fetch(\"http://192.0.2.7:9999/\")).text())'\n",
    0o755,
  );
  machine.write(
    "/etc/nerve/senses/own/index.ts",
    'import { writeFileSync } from "node:fs";\nexport const compute = () => {\n  writeFileSync("/srv/out/own", "");\n  return { written: true };\n};\n',
  );
  machine.write("/etc/systemd/system/mended.service", "[Service]\nExecStart=/bin/sleep infinity\n");
  machine.begin(["/usr/local/bin/nerve", "/usr/local/bin/server.js"], { BUN_BE_BUN: "1", PATH: "/usr/bin:/bin" });
}

describe.skipIf(isSkipped)("under systemd", () => {
  if (!isSkipped) prepare();

  test("the unit of a config starts, installed as its head says, and systemctl returns once nerve is ready", async () => {
    install(PLAIN);
    machine.sh("systemctl start nerve");
    expect(property("ActiveState")).toBe("active");
    expect(property("StatusText")).not.toBe("");
    expect(status().senses.map(({ name }) => name)).toEqual(["load"]);
  });

  test("systemctl reload takes in a new config", () => {
    machine.write(CONFIG, PLAIN.replace("load: }", "load: , memory: }"));
    machine.sh("systemctl reload nerve");
    expect(status().senses.map(({ name }) => name)).toEqual(["load", "memory"]);
    expect(property("ActiveState")).toBe("active");
  });

  test("systemctl reload fails with a refused config, which the journal names, and the old one goes on", async () => {
    machine.write(CONFIG, PLAIN.replace("interval", "intervall"));
    expect(machine.run(["systemctl", "reload", "nerve"]).code).not.toBe(0);
    await until("the journal names the key", () => journal().includes("did you mean `interval`?"));
    expect(property("ActiveState")).toBe("active");
    machine.write(CONFIG, PLAIN);
    machine.sh("systemctl reload nerve");
  });

  test("killed, nerve is started again", async () => {
    const pid = property("MainPID");
    machine.sh("systemctl kill --kill-whom=main --signal=KILL nerve");
    await until("another nerve is active", () => property("MainPID") !== pid && property("ActiveState") === "active");
    expect(property("NRestarts")).toBe("1");
    await until("the sense computes", () => status().senses.some(({ computes }) => computes > 0));
  });

  test("a nerve that no longer answers the watchdog is replaced", async () => {
    const hurry = "[Service]\nWatchdogSec=4s\nTimeoutAbortSec=1s\nRestartSec=100ms\n";
    machine.write("/run/systemd/system/nerve.service.d/hurry.conf", hurry);
    machine.sh("systemctl daemon-reload && systemctl restart nerve");
    const pid = property("MainPID");
    machine.sh(`kill -STOP ${pid}`);
    await until("another nerve is active", () => property("MainPID") !== pid && property("ActiveState") === "active");
    await until("the journal says why", () => /[Ww]atchdog/.test(machine.sh("journalctl _PID=1 -o cat --no-pager")));
    machine.sh("rm -r /run/systemd/system/nerve.service.d && systemctl daemon-reload");
  });

  test("stopped, nerve ends in order and leaves no process", () => {
    machine.sh("systemctl stop nerve");
    expect(property("ActiveState")).toBe("inactive");
    expect(property("Result")).toBe("success");
    expect(machine.run(["pgrep", "-u", "nerve"]).stdout).toBe("");
  });

  test("the senses systemd and journal see what happens, as nerve's user", async () => {
    install(LOOKING);
    machine.write("/etc/systemd/system/broken.service", "[Service]\nExecStart=/bin/sh -c 'exit 3'\n");
    machine.write(
      "/etc/systemd/system/flappy.service",
      "[Service]\nExecStart=/bin/sh -c 'exit 1'\nRestart=always\nRestartSec=100ms\n[Unit]\nStartLimitIntervalSec=0\n",
    );
    machine.sh("systemctl daemon-reload && systemctl start nerve");
    const check = machine.run(["nerve", "check", "--host", "-c", CONFIG]);
    expect([check.code, check.stderr]).toEqual([0, ""]);
    const seen = (sense: string): { payload: Record<string, unknown> }[] =>
      machine
        .sh(`nerve signals ${sense} -n 100 --json -c ${CONFIG}`)
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line));
    await until("both have looked once", () => status().senses.every(({ computes }) => computes > 0));
    machine.run(["systemctl", "start", "broken.service", "flappy.service"]);
    const failed = await until("the unit that failed is seen", () => {
      const lists = seen("systemd").map(({ payload }) => payload.failed as { unit: string }[]);
      return lists.flat().find(({ unit }) => unit === "broken.service") ?? null;
    });
    expect(failed).toMatchObject({ result: "exit-code", exit_status: 3 });
    await until("restarts are seen", () =>
      seen("systemd").some(({ payload }) => JSON.stringify(payload.restarted).includes('"flappy.service"')),
    );
    machine.sh("systemctl stop flappy.service");
    machine.sh('for i in 1 2 3; do logger -t sshd "Failed password for user$i from 192.0.2.$i port 22"; done');
    await until("each entry is a signal", () => seen("journal").length >= 3);
    const users = seen("journal").map(({ payload }) => payload.fields);
    expect(users).toEqual([{ user: "user1" }, { user: "user2" }, { user: "user3" }]);
    machine.sh("systemctl stop nerve; systemctl reset-failed; systemctl start nerve");
    machine.sh("logger -t sshd 'Failed password for last from 192.0.2.9 port 22'");
    await until("it goes on behind what it had read", () => seen("journal").length >= 4);
    expect(seen("journal").map(({ payload }) => payload.fields)).toEqual([...users, { user: "last" }]);
    machine.sh("systemctl stop nerve");
  });

  test("each right that is asked for is there for the sense that needs it", async () => {
    install(ASKING);
    machine.sh("systemctl start nerve");
    expect(Object.fromEntries(await probes())).toEqual(
      Object.fromEntries(Object.keys(PROBES).map((name) => [name, "ok"])),
    );
    const { code, stderr } = machine.run(["nerve", "check", "--host", "-c", CONFIG]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });

  test("and is refused under the unit of a config in which nobody asks; check --host names each that will not work", async () => {
    machine.sh("systemctl stop nerve");
    install(PLAIN);
    // The credential alone: without it the config is refused as a whole.
    machine.write(
      "/etc/systemd/system/nerve.service.d/c.conf",
      "[Service]\nLoadCredential=token:/etc/nerve/credentials/token\n",
    );
    machine.write(CONFIG, ASKING);
    machine.sh("systemctl daemon-reload && systemctl start nerve");
    const found = await probes();
    expect([...found].filter(([, state]) => state === "ok").map(([name]) => name)).toEqual(["credential"]);
    const { code, stderr } = machine.run(["nerve", "check", "--host", "-c", CONFIG]);
    expect(code).toBe(1);
    const named = Object.keys(PROBES).filter(
      (name) => stderr.includes(`sense:${name} `) || stderr.includes(`sense:${name}:`),
    );
    expect(named).toEqual(Object.keys(PROBES).filter((name) => name !== "credential"));
  });

  describe("an upgrade", () => {
    const RELEASE = "/root/release/nerve";
    const FAULTY = "/etc/systemd/system/nerve.service.d/fault.conf";
    const upgrade = (...args: string[]) => machine.run(["nerve", "upgrade", "-c", CONFIG, ...args]);
    const count = (): number =>
      Number(machine.sh(`nerve signals -n 1 --json -c ${CONFIG}`).match(/"id":(\d+)/)?.[1] ?? 0);
    /** Files in the data directory that nerve itself could not have written. */
    const foreign = (): string => machine.sh("find /var/lib/nerve ! -user nerve -o -perm /077 ! -type l");

    const begin = async (): Promise<void> => {
      machine.run(["systemctl", "stop", "nerve"]);
      machine.sh("rm -rf /etc/systemd/system/nerve.service.d /usr/local/bin/.nerve.upgrade");
      install(PLAIN);
      machine.sh("systemctl start nerve");
      await until("there are signals", () => count() > 0);
    };

    test("restarts the unit with the new version, which works on the data as nerve's user; and back again", async () => {
      machine.sh("mkdir -p /root/release");
      machine.copy(variant(), RELEASE);
      machine.sh(`chmod 0755 ${RELEASE} && cd /root/release && sha256sum nerve > SHA256SUMS`);
      await begin();
      const [pid, before] = [property("MainPID"), count()];
      const up = upgrade(RELEASE);
      expect([up.code, up.stderr]).toEqual([0, ""]);
      expect(status().kernel.version).toBe(VARIANT_VERSION);
      expect(property("MainPID")).not.toBe(pid);
      expect(property("ActiveState")).toBe("active");
      expect(foreign()).toBe("");
      expect(count()).toBeGreaterThan(before);
      const meanwhile = count();
      const back = upgrade("--rollback");
      expect([back.code, back.stderr]).toEqual([0, ""]);
      expect(status().kernel.version).toBe(VERSION);
      expect(property("ActiveState")).toBe("active");
      expect(foreign()).toBe("");
      expect(count()).toBeGreaterThanOrEqual(meanwhile);
    });

    test("to a build that does not commit goes back by itself, and the unit runs as before", async () => {
      machine.write(FAULTY, `[Service]\nEnvironment=${FAULT}=crash\n`);
      machine.sh("systemctl daemon-reload && systemctl restart nerve");
      const before = count();
      const { code, stderr } = upgrade(RELEASE);
      expect([code, stderr]).toEqual([1, expect.stringContaining(`nerve ${VARIANT_VERSION} did not stay`)]);
      expect(status().kernel.version).toBe(VERSION);
      expect(property("ActiveState")).toBe("active");
      expect(foreign()).toBe("");
      await until("the unit commits", () => count() > before);
    });
  });
});
