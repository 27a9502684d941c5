/** NERVE_PROC and NERVE_SYS: where `nerve/proc` finds the host's /proc and /sys. */
import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { listProc, processIds, readProc, readProcess } from "../../src/sdk/proc.ts";

const FILES = {
  "proc/loadavg": "9.0 8.0 7.0 1/2 3\n",
  "proc/net/dev": "of the container",
  "proc/1/net/dev": "of the host",
  "proc/1/stat": "1 (init) S",
  "proc/4711/stat": "4711 (one) S",
  "proc/network": "a file that only begins like /proc/net",
  "sys/class/net/eth7/mtu": "1500",
};

const folder = mkdtempSync(join(tmpdir(), "nerve-mounts-"));
for (const [path, content] of Object.entries(FILES)) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

function mounted(proc: string, sys: string): void {
  process.env.NERVE_PROC = proc;
  process.env.NERVE_SYS = sys;
}

afterEach(() => {
  delete process.env.NERVE_PROC;
  delete process.env.NERVE_SYS;
});
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

test("every reader looks where the variables say", () => {
  mounted(join(folder, "proc"), `${join(folder, "sys")}/`);
  expect(readProc("/proc/loadavg")).toBe(FILES["proc/loadavg"]);
  expect(processIds().sort()).toEqual(["1", "4711"]);
  expect(readProcess("4711", "stat")).toBe(FILES["proc/4711/stat"]);
  expect(listProc("/sys/class/net")).toEqual(["eth7"]);
  expect(readProc("/sys/class/net/eth7/mtu")).toBe("1500");
});

test("the network is that of the first process of the host", () => {
  mounted(join(folder, "proc"), "");
  expect(readProc("/proc/net/dev")).toBe("of the host");
  expect(readProc("/proc/network")).toBe(FILES["proc/network"]);
});

test("a path outside /proc and /sys is no other", () => {
  mounted(join(folder, "proc"), join(folder, "sys"));
  expect(readProc(join(folder, "proc/loadavg"))).toBe(FILES["proc/loadavg"]);
  expect(listProc("/proceedings")).toEqual([]);
});

test("without the variables, or with empty ones, /proc is /proc", () => {
  expect(processIds()).toContain(String(process.pid));
  mounted("", "");
  expect(processIds()).toContain(String(process.pid));
});

test("a file that is not there is named by its path in the mount, with the variable", () => {
  mounted(join(folder, "nowhere"), "");
  const path = join(folder, "nowhere/meminfo");
  expect(() => readProc("/proc/meminfo")).toThrow(
    `${path} is not visible (ENOENT): this kernel does not have it, or NERVE_PROC names another folder`,
  );
});

test("a relative path is refused with its variable", () => {
  mounted("proc", "sys");
  expect(() => readProc("/proc/meminfo")).toThrow('NERVE_PROC must be an absolute path, not "proc"');
  expect(() => readProc("/sys/x")).toThrow('NERVE_SYS must be an absolute path, not "sys"');
});
