/**
 * The executables of other machines, started as far as this machine can: arm64 emulated, musl in a root of its own. Only with
 * `NERVE_RELEASE=full`, for it makes them first. Debian packages: qemu-user-static, libc6-arm64-cross, musl-tools.
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { until } from "../helpers/until.ts";

setDefaultTimeout(600_000);

const ROOT = join(import.meta.dir, "../..");
const folder = mkdtempSync(join(tmpdir(), "nerve-machines-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Machine {
  readonly name: string;
  /** What its root needs: path in the root → file of this machine. */
  readonly files: Readonly<Record<string, string>>;
  readonly links: Readonly<Record<string, string>>;
  /** Commands before its programs can run. */
  readonly setUp: string;
}

const ARM = "/usr/aarch64-linux-gnu/lib";
const ARM_LIBRARIES = ["ld-linux-aarch64.so.1", "libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2"];
const QEMU = "/usr/bin/qemu-aarch64-static";
/** The head of an ELF for arm64, as /usr/lib/binfmt.d has it. */
const MAGIC = "\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00";
const MASK = "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff";

const SHIM = join(folder, "glibc-in-musl.so");

const MACHINES: readonly Machine[] = [
  {
    name: "arm64",
    files: Object.fromEntries(ARM_LIBRARIES.map((name) => [`lib/${name}`, join(ARM, name)])),
    links: {},
    // In a user namespace of its own it is this test's alone.
    setUp: `mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
printf '%s' ':arm64:M::${MAGIC}:${MASK}:${QEMU}:OCF' > /proc/sys/fs/binfmt_misc/register`,
  },
  {
    name: "x64-musl",
    files: {
      "lib/ld-musl-x86_64.so.1": "/lib/ld-musl-x86_64.so.1",
      "lib/ld-linux-x86-64.so.2": SHIM,
      "usr/lib/libstdc++.so.6": "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
      "usr/lib/libgcc_s.so.1": "/lib/x86_64-linux-gnu/libgcc_s.so.1",
    },
    links: { "lib/libc.musl-x86_64.so.1": "ld-musl-x86_64.so.1" },
    setUp: "",
  },
];

function whyNot(): string | null {
  if (process.env.NERVE_RELEASE !== "full") return "NERVE_RELEASE is not full";
  if (process.arch !== "x64") return "this machine is not x64";
  if (Bun.which("musl-gcc") === null) return "musl-gcc is missing (the Debian package musl-tools)";
  const missing = [QEMU, ...ARM_LIBRARIES.map((name) => join(ARM, name))].filter((path) => !existsSync(path));
  return missing.length === 0 ? null : `${missing.join(", ")} is missing (qemu-user-static, libc6-arm64-cross)`;
}

const reason = whyNot();
if (reason !== null) console.log(`the executables of other machines are not tested: ${reason}`);

function mustRun(command: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { cwd: ROOT });
  if (exitCode !== 0) throw new Error(`${command.join(" ")} ended with ${exitCode}: ${stdout}${stderr}`);
  return stdout.toString();
}

const VERSION: string = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version;
const rootOf = (machine: Machine): string => join(folder, machine.name);

/** Runs nerve of a machine, in a root that holds nothing but it, its libraries and the folder /site. */
const inRoot = (machine: Machine, args: readonly string[]): string[] => {
  const root = rootOf(machine);
  const mounts = ["proc", "sys", "dev"].map((name) => `mount --rbind /${name} ${root}/${name}`).join("\n");
  const script = `${machine.setUp}\n${mounts}\nexec chroot ${root} /bin/nerve "$@"`;
  return ["unshare", "--mount", "--user", "--map-root-user", "sh", "-ec", script, "sh", ...args];
};

function prepare(): void {
  mustRun(["musl-gcc", "-shared", "-fPIC", "-o", SHIM, "test/fixtures/release/glibc-in-musl.c"]);
  const only = MACHINES.flatMap(({ name }) => ["--only", name]);
  mustRun([process.execPath, "scripts/release.ts", "--try", "--out", join(folder, "out"), ...only]);
  for (const machine of MACHINES) {
    const root = rootOf(machine);
    for (const name of ["bin", "dev", "proc", "sys", "tmp", "site"]) mkdirSync(join(root, name), { recursive: true });
    const nerve = join(folder, "out", `nerve-${VERSION}-linux-${machine.name}`);
    for (const [path, file] of Object.entries({ "bin/nerve": nerve, ...machine.files })) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      copyFileSync(file, join(root, path));
    }
    for (const [path, target] of Object.entries(machine.links)) symlinkSync(target, join(root, path));
  }
}

describe.skipIf(reason !== null)("the executable for", () => {
  if (reason === null) prepare();

  test.each(MACHINES)("$name says its version, makes a config, checks it and computes", (machine) => {
    expect(mustRun(inRoot(machine, ["version"]))).toStartWith(`nerve ${VERSION} `);
    mustRun(inRoot(machine, ["init", "/site"]));
    expect(mustRun(inRoot(machine, ["check", "-c", "/site/nerve.yaml"]))).toStartWith("ok  /site/nerve.yaml");
    expect(mustRun(inRoot(machine, ["once", "memory", "-c", "/site/nerve.yaml"]))).toContain("total_bytes");
  });

  test.each(MACHINES)("$name watches, runs a workflow and stops in order", async (machine) => {
    const nerve = Bun.spawn(inRoot(machine, ["/site/nerve.yaml"]), { stdio: ["ignore", "ignore", "pipe"] });
    const list = ["signals", "memory", "--json", "-c", "/site/nerve.yaml"];
    await until("there is a signal", () => Bun.spawnSync(inRoot(machine, list)).stdout.length > 0);
    mustRun(inRoot(machine, ["run", "note", "{}", "--wait", "-c", "/site/nerve.yaml"]));
    expect(mustRun(inRoot(machine, ["runs", "--json", "-c", "/site/nerve.yaml"]))).toContain('"state":"completed"');
    nerve.kill("SIGTERM");
    expect(await nerve.exited).toBe(0);
    expect(await nerve.stderr.text()).toContain("kernel.stopped");
  });
});
