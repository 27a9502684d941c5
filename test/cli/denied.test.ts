/** A person who is not nerve's user: each verb says whose the data is, and the same command as that user. */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { NERVE, projects, runNerve } from "../helpers/nerve.ts";

const canBeAnother = process.getuid?.() === 0 && Bun.which("setpriv") !== null;
/** daemon and nobody have these numbers on every Linux. */
const OWNER = 1;
const STRANGER = 65_534;

const made = projects();
afterAll(() => made[Symbol.dispose]());

const folder = made.make({
  "nerve.yaml":
    "http: 127.0.0.1:4280\nsenses: { load: , memory: }\nreflexes: [{ sense: load, interval: 1m }, { name: high, workflow: page, on: [load] }, { sense: memory, interval: 1m }]\nworkflows: { page: { use: exec, with: { command: [ls] } } }\n",
});
chmodSync(folder.path, 0o755);

const asStranger = (args: readonly string[], environment: Record<string, string> = {}) =>
  runNerve(folder.path, args, {
    command: ["setpriv", `--reuid=${STRANGER}`, `--regid=${STRANGER}`, "--clear-groups", ...NERVE],
    environment: { TMPDIR: "/tmp", ...environment },
  });

/** The data directory of another user, closed as nerve closes it. */
const data = join(folder.path, "data");
mkdirSync(data, { mode: 0o700 });
if (canBeAnother) chownSync(data, OWNER, OWNER);

const VERBS = [
  "status",
  "signals",
  "logs",
  "runs",
  "show 1",
  "why",
  "incidents",
  "once load",
  "check",
  "explain high",
  "backtest",
  "archive ls",
  "archive verify",
  "sql SELECT",
  "archive run",
  "rebuild",
  "run page",
  "cancel 1",
  "retry 1",
  "enable load",
  "disable load",
  "silence",
  "silence high --for 1h --why test",
  "reload",
  "trigger load",
  "token page",
  "token page --renew",
  "start",
];

describe.skipIf(!canBeAnother)("another user than nerve's", () => {
  test.each(VERBS)("%s", async (line) => {
    const { code, stderr } = await asStranger(line.split(" "));
    const errors = stderr.split("\n").filter((one) => one !== "");
    expect(errors[0]).toEndWith(`the user nobody may not use ${folder.path}/data, which belongs to the user daemon`);
    expect(errors[1]).toMatch(/^ {2}hint: sudo -u daemon \S*nerve /);
    expect(errors[1]).toEndWith(` ${line}`);
    expect(errors).toHaveLength(2);
    expect(stderr).not.toContain("EACCES");
    expect(code).not.toBe(70);
    expect(code).not.toBe(0);
  });

  test("sudo hands on no $NERVE_CONFIG, so the command names the config", async () => {
    const { stderr } = await asStranger(["signals"], { NERVE_CONFIG: "nerve.yaml" });
    expect(stderr).toMatch(/hint: sudo -u daemon \S*nerve signals -c nerve\.yaml\n/);
  });

  test("a config that is closed to them is its owner's too", async () => {
    folder.write("closed.yaml", "senses: { load: }\n");
    chmodSync(join(folder.path, "closed.yaml"), 0o600);
    const { stderr } = await asStranger(["signals", "-c", "closed.yaml"]);
    expect(stderr).toMatch(/the user nobody may not use \S+closed\.yaml, which belongs to the user root/);
    expect(stderr).toMatch(/hint: sudo \S*nerve signals -c closed\.yaml\n/);
  });

  test("a data directory that cannot be made comes with the command that makes it", async () => {
    folder.write("elsewhere/nerve.yaml", "senses: { load: }\nreflexes: [{ sense: load, interval: 1m }]\n");
    const { stderr } = await asStranger(["start", "elsewhere/nerve.yaml"]);
    expect(stderr).toContain(`hint: as root: install -d -m 0700 -o ${STRANGER} ${folder.path}/elsewhere/data`);
  });
});
