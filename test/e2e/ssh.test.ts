/** `nerve --ssh HOST COMMAND…` through a real sshd on loopback. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { temporaryFolder } from "../helpers/folder.ts";
import { NERVE } from "../helpers/nerve.ts";
import { sendSignal } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";
import { freeAddress } from "../helpers/web.ts";

setDefaultTimeout(120_000);

const SSHD = Bun.which("sshd") ?? "/usr/sbin/sshd";
const isServed = existsSync(SSHD) && Bun.which("ssh") !== null && process.getuid?.() === 0;
if (!isServed) console.warn("skipped: commands over ssh, since there is no sshd here, or this is not root");

/** Shell words that a careless quoting would change. */
const HOSTILE = ["a b", "$HOME", "it's", '"quoted"', "`id`", "*", ";", "", "\\n"];

describe.skipIf(!isServed)("nerve --ssh", () => {
  const folder = temporaryFolder();
  const servers: Bun.Subprocess[] = [];
  afterAll(async () => {
    for (const server of servers) {
      sendSignal(server.pid, "SIGKILL");
      await server.exited;
    }
    folder[Symbol.dispose]();
  });

  /** The executable under the name that the other host calls, and a program in its place that prints its words. */
  const bin = folder.file("bin");
  const echo = folder.file("echo");
  for (const path of [bin, echo]) mkdirSync(path);
  const script = (path: string, text: string): void => {
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
  };
  script(join(bin, "nerve"), `exec ${NERVE.map((word) => `'${word}'`).join(" ")} "$@"`);
  script(join(echo, "nerve"), `for word; do printf '<%s>' "$word"; done; printf '%s' "$NERVE_CONFIG"; exit 17`);

  /** An sshd whose sessions have `path`; what `NERVE_SSH` has to be to get there. */
  async function host(path: string): Promise<string> {
    const { hostname, port } = await freeAddress();
    const at = folder.file(`sshd-${port}`);
    mkdirSync(at);
    mkdirSync("/run/sshd", { recursive: true });
    for (const name of ["host", "user"]) {
      Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(at, name)]);
    }
    writeFileSync(
      join(at, "sshd_config"),
      [
        `ListenAddress ${hostname}:${port}`,
        `HostKey ${at}/host`,
        `AuthorizedKeysFile ${at}/user.pub`,
        `PidFile ${at}/pid`,
        `SetEnv PATH=${path}:${dirname(Bun.which("sh") ?? "/bin/sh")}`,
        "PermitRootLogin yes",
        "StrictModes no",
        "UsePAM no",
      ].join("\n"),
    );
    const options = [
      "StrictHostKeyChecking no",
      `UserKnownHostsFile ${at}/known`,
      "IdentitiesOnly yes",
      "LogLevel ERROR",
    ];
    writeFileSync(
      join(at, "ssh_config"),
      ["Host web1", `HostName ${hostname}`, `Port ${port}`, `IdentityFile ${at}/user`, ...options].join("\n"),
    );
    servers.push(Bun.spawn([SSHD, "-D", "-f", join(at, "sshd_config")], { stdout: "ignore", stderr: "ignore" }));
    await until(
      "sshd listens",
      () =>
        new Promise<boolean>((resolve) => {
          const socket = connect(port, hostname, () => resolve(true)).on("error", () => resolve(false));
          socket.on("connect", () => socket.destroy());
        }),
    );
    return `ssh -F ${at}/ssh_config`;
  }

  async function over(ssh: string, words: readonly string[], stdin = "") {
    const child = Bun.spawn([...NERVE, "--ssh", ...words], {
      cwd: folder.path,
      env: { PATH: process.env.PATH ?? "", NERVE_SSH: ssh },
      stdin: new Blob([stdin]),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [exitCode, stdout, stderr] = await Promise.all([
      child.exited,
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    return { exitCode, stdout, stderr };
  }

  test("each word arrives as it was written, the exit code comes back, and the service's config is the usual one", async () => {
    const ssh = await host(echo);
    const words = ["signals", ...HOSTILE];
    const { exitCode, stdout } = await over(ssh, ["root@web1", ...words]);
    expect(stdout).toBe(`${words.map((word) => `<${word}>`).join("")}/etc/nerve/nerve.yaml`);
    expect(exitCode).toBe(17);
  });

  test("a command of nerve runs there with its streams and exit codes", async () => {
    const ssh = await host(bin);
    const version = await over(ssh, ["root@web1", "version"]);
    expect(version).toMatchObject({ exitCode: 0, stderr: "" });
    expect(version.stdout).toStartWith("nerve ");
    const config = folder.file("there.yaml");
    writeFileSync(config, "data: there-data\nsenses: { load: { use: load } }\nbroken: 1\n");
    const check = await over(ssh, ["root@web1", "check", "-c", config]);
    expect(check.exitCode).toBe(78);
    expect(check.stderr).toContain("there.yaml:3:1");
    const none = await over(ssh, ["root@web1", "status", "-c", folder.file("none.yaml")]);
    expect(none.exitCode).toBe(78);
  });

  test("a host without nerve, and one that ssh does not get to, are named, with 3", async () => {
    const ssh = await host(folder.file("nothing"));
    const absent = await over(ssh, ["root@web1", "status"]);
    expect(absent.exitCode).toBe(3);
    expect(absent.stderr).toContain("there is no nerve on the PATH of this host");
    const nowhere = await over(ssh, ["root@127.0.0.1", "status"]);
    expect(nowhere.exitCode).toBe(3);
    expect(nowhere.stderr).toContain("ssh did not get to root@127.0.0.1");
    const program = await over("no-such-ssh -x", ["web1", "status"]);
    expect(program.exitCode).toBe(3);
    expect(program.stderr).toContain("there is no program `no-such-ssh` here");
  });

  test("a host that is none, and a missing command, are wrong usage", async () => {
    for (const [words, message] of [
      [[], "`--ssh` needs a host"],
      [["-oProxyCommand=id", "status"], "`--ssh` needs a host"],
      [["web1"], "which command on web1?"],
    ] as const) {
      const { exitCode, stderr } = await over("ssh", words);
      expect(exitCode).toBe(2);
      expect(stderr).toContain(message);
    }
  });
});
