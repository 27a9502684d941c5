/**
 * A Linux with a real systemd as PID 1: a container whose root is this machine's, with every write in memory. Needs root,
 * overlay mounts and systemd-nspawn; where one of them is missing, `boot` says which.
 */
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { until } from "./until.ts";

const TOOLS = ["systemd-nspawn", "nsenter", "setpriv", "unshare", "mount"];

/** Everything that is written in the container, the copy of the executable included. */
const ROOM = "700m";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Booted extends AsyncDisposable {
  /** Runs a command in the container, as root, `input` on its stdin. */
  run(command: readonly string[], input?: string): Ran;
  /** The same with a shell; throws where it fails. */
  sh(script: string, input?: string): string;
  /** Starts a command that goes on until the container is gone. */
  begin(command: readonly string[], environment: Readonly<Record<string, string>>): void;
  write(path: string, content: string, mode?: number): void;
  /** Copies a file of this machine into the container. */
  copy(from: string, to: string): void;
}

/** Why no container can be booted here, as far as that can be seen without trying; null otherwise. */
function whyNot(): string | null {
  if (process.getuid?.() !== 0) return "only root can boot a container";
  const missing = TOOLS.filter((tool) => Bun.which(tool) === null);
  return missing.length === 0 ? null : `${missing.join(", ")} is missing (the Debian package systemd-container)`;
}

/** bpf(2) and its capability, with which systemd keeps IPAddressDeny=. */
const BPF = "--capability=CAP_BPF,CAP_NET_ADMIN --system-call-filter=bpf";

const script = (folder: string): string => `set -e
mount --make-rprivate /
mount -t tmpfs -o size=${ROOM},mode=0755 tmpfs ${folder}
mkdir ${folder}/upper ${folder}/work ${folder}/root
mount -t overlay overlay -o lowerdir=/,upperdir=${folder}/upper,workdir=${folder}/work ${folder}/root
SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 exec systemd-nspawn ${BPF} --directory=${folder}/root --register=no --keep-unit --private-network --link-journal=no --console=pipe --quiet --boot
`;

const childrenOf = (pid: number): number[] => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
};

const isInit = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/comm`, "latin1").trim() === "systemd";
  } catch {
    return false;
  }
};

/** The container's PID 1, once there is one. */
const findInit = (pid: number): number | null =>
  childrenOf(pid).find(isInit) ??
  childrenOf(pid)
    .map(findInit)
    .find((found) => found !== null) ??
  null;

/** The container, or why there is none. */
export async function boot(): Promise<Booted | string> {
  const reason = whyNot();
  if (reason !== null) return reason;
  const folder = mkdtempSync(join(tmpdir(), "nerve-booted-"));
  mkdirSync(join(folder, "machine"));
  const log = join(folder, "log");
  const output = openSync(log, "w");
  // It ends with whoever runs the tests, however that ends.
  const nspawn = Bun.spawn(
    [
      "setpriv",
      "--pdeathsig=KILL",
      "unshare",
      "--mount",
      "--pid",
      "--fork",
      "--kill-child=KILL",
      "--mount-proc",
      "sh",
      "-c",
      script(join(folder, "machine")),
    ],
    {
      env: { PATH: process.env.PATH ?? "" },
      stdio: ["ignore", output, output],
    },
  );
  closeSync(output);
  const said = (): string => readFileSync(log, "utf8").trim().split("\n").slice(-3).join("; ");
  const stop = async (): Promise<void> => {
    const init = findInit(nspawn.pid);
    // The kernel ends every process of a pid namespace with its first.
    if (init !== null) process.kill(init, "SIGKILL");
    else nspawn.kill("SIGKILL");
    await nspawn.exited;
    rmSync(folder, { recursive: true, force: true });
  };
  const init = await until("systemd is PID 1 of the container", () =>
    nspawn.exitCode === null ? findInit(nspawn.pid) : -1,
  );
  if (init === -1) {
    const why = said();
    rmSync(folder, { recursive: true, force: true });
    return `no container can be booted here: ${why}`;
  }
  const inside = ["nsenter", `--target=${init}`, "--all"];
  const run = (command: readonly string[], input = ""): Ran => {
    const { exitCode, stdout, stderr } = Bun.spawnSync([...inside, ...command], {
      env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", SYSTEMD_PAGER: "", LC_ALL: "C" },
      stdin: Buffer.from(input),
    });
    return { code: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
  };
  const path = (inner: string): string => join(`/proc/${init}/root`, inner);
  await until("the container has started", () =>
    /running|degraded/.test(run(["systemctl", "is-system-running"]).stdout),
  );
  return {
    run,
    sh(text, input = "") {
      const { code, stdout, stderr } = run(["sh", "-ec", text], input);
      if (code !== 0) throw new Error(`${text} ended with ${code}: ${stdout}${stderr}`);
      return stdout;
    },
    begin(command, environment) {
      Bun.spawn([...inside, ...command], { env: environment, stdio: ["ignore", "ignore", "ignore"] }).unref();
    },
    write(inner, content, mode = 0o644) {
      mkdirSync(dirname(path(inner)), { recursive: true, mode: 0o755 });
      writeFileSync(path(inner), content, { mode });
    },
    copy: (from, to) => copyFileSync(from, path(to)),
    [Symbol.asyncDispose]: stop,
  };
}
