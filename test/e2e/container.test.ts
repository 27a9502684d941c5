/** nerve in a container of its own (processes, network, mounts), with the host's /proc and /sys mounted at another place. */
import { afterAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { NERVE, project, runNerve } from "../helpers/nerve.ts";

const SENSE = `import { listProc, processIds, readProc, readProcess } from "nerve/proc";
export const compute = () => ({
  interfaces: [...readProc("/proc/net/dev").matchAll(/^ *([^:\\s]+):/gm)].map(([, name]) => name).sort(),
  devices: listProc("/sys/class/net").sort(),
  seen: processIds().some((id) => readProcess(id, "cmdline")?.includes("2147483.6")),
});
`;

const folder = project({
  "nerve.yaml": "senses: { host: }\n",
  "senses/host/index.ts": SENSE,
  "host/proc/x": "",
  "host/sys/x": "",
});
/** A process outside the container, known by its argument. */
const outside = Bun.spawn(["sleep", "2147483.6"]);
afterAll(() => {
  outside.kill("SIGKILL");
  folder[Symbol.dispose]();
});

const MOUNTS = `mount --make-rprivate / && mount --bind /proc ${folder.path}/host/proc && mount --bind /sys ${folder.path}/host/sys && mount -t proc proc /proc`;
const CONTAINER = [
  "unshare",
  "--mount",
  "--net",
  "--pid",
  "--fork",
  "--kill-child",
  "sh",
  "-ec",
  `${MOUNTS} && exec "$@"`,
  "sh",
];

const canContain = Bun.which("unshare") !== null && Bun.spawnSync([...CONTAINER, "true"]).success;
if (!canContain) console.log("nerve in a container is not tested: this user may not make one");

async function look(environment: Readonly<Record<string, string>>) {
  const { code, stdout, stderr } = await runNerve(folder.path, ["once", "host", "--json"], {
    command: [...CONTAINER, ...NERVE],
    environment,
  });
  if (code !== 0) throw new Error(`once ended with ${code}: ${stderr}${stdout}`);
  return JSON.parse(stdout).payload;
}

const ofHost = {
  interfaces: [...readFileSync("/proc/net/dev", "latin1").matchAll(/^ *([^:\s]+):/gm)].map(([, name]) => name).sort(),
  devices: readdirSync("/sys/class/net").sort(),
};

describe.skipIf(!canContain)("in a container", () => {
  test("NERVE_PROC and NERVE_SYS make a sense see the host's processes, network and devices", async () => {
    const environment = { NERVE_PROC: `${folder.path}/host/proc`, NERVE_SYS: `${folder.path}/host/sys` };
    expect(await look(environment)).toEqual({ ...ofHost, seen: true });
  });

  test("without them a sense sees its container", async () => {
    expect(await look({})).toMatchObject({ interfaces: ["lo"], seen: false });
  });
});
