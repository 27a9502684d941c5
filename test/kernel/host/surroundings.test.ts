/** What lies around the kernel: the environment it hands on, the folder it holds, what it tells systemd. */
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDataDirectory } from "../../../src/kernel/host/data-directory.ts";
import { sdNotify } from "../../../src/kernel/host/sd-notify.ts";
import { workerEnvironment, workerMarker } from "../../../src/spawn/environment.ts";

import { type Folder, temporaryFolder } from "../../helpers/folder.ts";

describe("a worker's environment", () => {
  const made = (own: Record<string, string | undefined>) => workerEnvironment(own, "/data", "/data/nerve.sock");

  test("holds what is on the list and what nerve adds, and no secret", () => {
    const environment = made({
      PATH: "/bin",
      HOME: "/root",
      TZ: "Europe/Berlin",
      LC_ALL: "C",
      LC_TIME: "de",
      HTTPS_PROXY: "http://proxy",
      NERVE_PROC: "/host/proc",
      NERVE_SYS: "/host/sys",
      AWS_SECRET_ACCESS_KEY: "secret",
      CREDENTIALS_DIRECTORY: "/run/credentials",
      NOTIFY_SOCKET: "/run/notify",
      WATCHDOG_USEC: "1",
      LD_PRELOAD: "/evil.so",
      NODE_OPTIONS: "--evil",
      BUN_OPTIONS: "--evil",
      BUN_INSPECT: "1",
      NERVE_CONFIG: "/etc/nerve.yaml",
      NODE_CHANNEL_FD: "3",
      XLC_ALL: "no",
      path: "no",
      USER: undefined,
    });
    for (const secret of [
      "secret",
      "/run/credentials",
      "/run/notify",
      "/evil.so",
      "--evil",
      "/etc/nerve.yaml",
      "no",
      "3",
    ]) {
      expect(Object.values(environment)).not.toContain(secret);
    }
    expect(environment).toMatchObject({
      PATH: "/bin",
      HOME: "/root",
      TZ: "Europe/Berlin",
      LC_ALL: "C",
      LC_TIME: "de",
      HTTPS_PROXY: "http://proxy",
      NERVE_PROC: "/host/proc",
      NERVE_SYS: "/host/sys",
      NERVE_DATA: "/data",
      NERVE_SOCKET: "/data/nerve.sock",
    });
    expect("USER" in environment).toBe(false);
  });

  test("has a PATH, and nerve's own values whatever the kernel's were", () => {
    const environment = made({ NERVE_DATA: "/elsewhere", NERVE_SOCKET: "/elsewhere.sock" });
    expect(environment.PATH).toContain("/usr/bin");
    expect(`NERVE_DATA=${environment.NERVE_DATA}`).toBe(workerMarker("/data"));
    expect(environment.NERVE_SOCKET).toBe("/data/nerve.sock");
  });
});

const mode = (path: string): number => statSync(path).mode & 0o777;

/** A kernel elsewhere that holds `data` and says so. */
async function otherKernel(data: string) {
  const source = JSON.stringify(join(import.meta.dir, "../../../src/kernel/host/data-directory.ts"));
  const script = `const { openDataDirectory } = await import(${source});
    const held = openDataDirectory(${JSON.stringify(data)}); console.log(held.ok); setInterval(() => held, 1000);`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const { value } = await child.stdout.getReader().read();
  expect(
    Buffer.from(value as Uint8Array)
      .toString()
      .trim(),
  ).toBe("true");
  return child;
}

describe("G9: the data directory", () => {
  test("is made private, with everything above a file of it", () => {
    using folder = temporaryFolder();
    const before = process.umask(0);
    const opened = openDataDirectory(folder.file("deep", "data"));
    process.umask(before);
    if (!opened.ok) throw new Error(opened.error.problem.message);
    for (const path of ["", "senses", "locks", "blobs"]) expect(mode(folder.file("deep", "data", path))).toBe(0o700);
    expect(mode(folder.file("deep", "data", "nerve.pid"))).toBe(0o600);
    expect(mode(folder.file("deep", "data", "locks", "kernel.lock"))).toBe(0o600);
    expect(readFileSync(folder.file("deep", "data", "nerve.pid"), "utf8")).toBe(`${process.pid}\n`);
    opened.value.lock.release();
  });

  test("takes away from others what they had on one that was there", () => {
    using folder = temporaryFolder();
    mkdirSync(folder.file("data"));
    chmodSync(folder.file("data"), 0o777);
    const opened = openDataDirectory(folder.file("data"));
    expect(mode(folder.file("data"))).toBe(0o700);
    if (opened.ok) opened.value.lock.release();
  });

  test("in use names the pid, also of a stopped kernel, and is free once that is killed", async () => {
    using folder = temporaryFolder();
    const data = folder.file("data");
    const other = await otherKernel(data);
    for (const signal of ["SIGCONT", "SIGSTOP"] as const) {
      other.kill(signal);
      expect(openDataDirectory(data)).toMatchObject({
        ok: false,
        error: { kind: "in-use", problem: { message: `${data} is in use by process ${other.pid}` } },
      });
    }
    other.kill("SIGKILL");
    await other.exited;
    const opened = openDataDirectory(data);
    expect(opened.ok).toBe(true);
    if (opened.ok) opened.value.lock.release();
  });

  test("may be a file system of its own, or made beforehand", () => {
    for (const name of [".", "lost+found", "blobs"]) {
      using folder = temporaryFolder();
      mkdirSync(folder.file("data", name), { recursive: true });
      chmodSync(folder.file("data"), 0o755);
      const opened = openDataDirectory(folder.file("data"));
      expect(opened.ok).toBe(true);
      if (opened.ok) opened.value.lock.release();
    }
  });

  type Unusable = readonly [name: string, make: (folder: Folder) => void, message: string];
  const UNUSABLE: readonly Unusable[] = [
    [
      "a link",
      (folder) => {
        mkdirSync(folder.file("real"));
        symlinkSync(folder.file("real"), folder.file("data"));
      },
      "DATA is a symbolic link",
    ],
    ["a file", (folder) => writeFileSync(folder.file("data"), ""), "DATA"],
    [
      "one with a link inside",
      (folder) => {
        mkdirSync(folder.file("data"));
        mkdirSync(folder.file("real"));
        symlinkSync(folder.file("real"), folder.file("data", "senses"));
      },
      "DATA/senses is a symbolic link",
    ],
    [
      "one whose lock is a link",
      (folder) => {
        mkdirSync(folder.file("data", "locks"), { recursive: true });
        symlinkSync(folder.file("victim"), folder.file("data", "locks", "kernel.lock"));
      },
      "kernel.lock is not a plain file but a symbolic link",
    ],
    [
      "one whose pid file is a link",
      (folder) => {
        mkdirSync(folder.file("data"));
        symlinkSync(folder.file("victim"), folder.file("data", "nerve.pid"));
      },
      "DATA/nerve.pid is not a plain file but a symbolic link",
    ],
    ...["nerve.pid", "ballast"].map(
      (name): Unusable => [
        `one with a pipe where ${name} is to be`,
        (folder) => {
          mkdirSync(folder.file("data"));
          expect(Bun.spawnSync(["mkfifo", folder.file("data", name)]).exitCode).toBe(0);
        },
        `DATA/${name} is not a plain file but a named pipe`,
      ],
    ),
    [
      "one with a folder where its socket is to be",
      (folder) => mkdirSync(folder.file("data", "nerve.sock"), { recursive: true }),
      "DATA/nerve.sock is no socket but a folder",
    ],
    ...["senses", "locks", "archive", "blobs"].map(
      (name): Unusable => [
        `one with a file where the folder ${name} is to be`,
        (folder) => {
          mkdirSync(folder.file("data"));
          writeFileSync(folder.file("data", name), "");
        },
        `DATA/${name} is not a folder but a plain file`,
      ],
    ),
    ...["nerve.pid", "ballast", "locks/kernel.lock"].map(
      (name): Unusable => [
        `one with a folder where ${name} is to be`,
        (folder) => mkdirSync(folder.file("data", name), { recursive: true }),
        `DATA/${name} is not a plain file but a folder`,
      ],
    ),
    [
      "somebody else's too",
      (folder) => {
        mkdirSync(folder.file("data", "senses"), { recursive: true });
        chmodSync(folder.file("data"), 0o755);
        writeFileSync(folder.file("data", "nerve.yaml"), "");
      },
      "DATA holds other things, such as nerve.yaml",
    ],
  ];
  test.each(UNUSABLE)("that is %s is refused with its path, and nothing is written through it", (_, make, message) => {
    using folder = temporaryFolder();
    make(folder);
    const opened = openDataDirectory(folder.file("data"));
    expect(opened).toMatchObject({ ok: false, error: { kind: "unusable" } });
    expect(opened.ok ? "" : opened.error.problem.message.replaceAll(folder.file("data"), "DATA")).toContain(message);
    expect(existsSync(folder.file("victim"))).toBe(false);
    // And it is not held after that.
    if (message.includes("cannot be used"))
      expect(openDataDirectory(folder.file("data"))).toMatchObject({ error: { kind: "unusable" } });
  });
});

// Root may write everywhere.
test.skipIf(process.getuid?.() === 0)("a data directory that cannot be written to is refused with its path", () => {
  using folder = temporaryFolder();
  const senses = folder.file("data", "senses");
  mkdirSync(senses, { recursive: true });
  for (const path of [senses, folder.file("data")]) {
    chmodSync(path, 0o500);
    const opened = openDataDirectory(folder.file("data"));
    chmodSync(path, 0o700);
    expect(opened).toMatchObject({ ok: false, error: { kind: "unusable" } });
    expect(opened.ok ? "" : opened.error.problem.message).toContain(path);
  }
});

const python = Bun.which("python3");

const RECEIVER = `
import socket, sys
path = sys.argv[1]
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind("\\0" + path[1:] if path.startswith("@") else path)
print("bound", flush=True)
while True:
    print(repr(server.recv(4096).decode()), flush=True)
`;

import { until } from "../../helpers/until.ts";

describe("systemd", () => {
  test.skipIf(python === null).each(["file", "abstract"])("is told over a real datagram socket (%s)", async (kind) => {
    using folder = temporaryFolder();
    const path = kind === "file" ? folder.file("notify") : `@nerve-test-${process.pid}-${Math.random()}`;
    const receiver = Bun.spawn([python as string, "-c", RECEIVER, path], { stdio: ["ignore", "pipe", "inherit"] });
    let heard = "";
    void (async () => {
      for await (const chunk of receiver.stdout) heard += Buffer.from(chunk).toString();
    })();
    try {
      await until("the listener is bound", () => heard.includes("bound"));
      const notify = sdNotify({ NOTIFY_SOCKET: path, WATCHDOG_USEC: "3000000", WATCHDOG_PID: String(process.pid) });
      expect(notify.watchdogMs).toBe(3_000);
      notify.send("READY=1", "STATUS=3 senses, größe");
      notify.reloading();
      notify.send("WATCHDOG=1");
      await until("the watchdog is fed", () => heard.includes("WATCHDOG"));
      expect(heard.trim().split("\n").slice(1)).toEqual([
        "'READY=1\\nSTATUS=3 senses, größe'",
        expect.stringMatching(/^'RELOADING=1\\nMONOTONIC_USEC=\d+'$/),
        "'WATCHDOG=1'",
      ]);
    } finally {
      receiver.kill();
      await receiver.exited;
    }
  });

  test("that is not there, or hears nothing, costs nothing", () => {
    for (const path of [undefined, "", "relative", "/nowhere/at/all", `/${"x".repeat(500)}`, "@nobody-listens"]) {
      expect(() => sdNotify({ NOTIFY_SOCKET: path }).send("READY=1")).not.toThrow();
    }
  });

  test("asks for a watchdog only of the process it names, in whole and sensible times", () => {
    const watchdog = (own: Record<string, string>) => sdNotify({ NOTIFY_SOCKET: "/nowhere", ...own }).watchdogMs;
    expect(watchdog({ WATCHDOG_USEC: "20000" })).toBe(20);
    expect(watchdog({ WATCHDOG_USEC: "20000", WATCHDOG_PID: "1" })).toBeNull();
    for (const usec of ["", "0", "-5", "x"]) expect(watchdog({ WATCHDOG_USEC: usec })).toBeNull();
    expect(watchdog({})).toBeNull();
  });
});
