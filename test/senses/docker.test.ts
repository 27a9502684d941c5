/** Docker Engine's answers, over a Unix socket that a test serves. The shapes are those of API 1.50 and of podman 5. */
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSense, validate } from "../helpers/compute.ts";

const folder = mkdtempSync(join(tmpdir(), "nerve-docker-"));
const socket = join(folder, "docker.sock");

const id = (letter: string): string => letter.repeat(64);
const NEVER = "0001-01-01T00:00:00Z";

/** As docker lists and inspects it; what nerve does not read is there as well. */
const container = (letter: string, name: string, state: object, restarts = 0) => ({
  listed: {
    Id: id(letter),
    Names: [`/${name}`],
    Image: "nginx:1.29",
    ImageID: `sha256:${id(letter)}`,
    Command: "/docker-entrypoint.sh nginx -g 'daemon off;'",
    Created: 1764337969,
    Ports: [],
    Labels: {},
    State: "running",
    Status: "Up 2 minutes (healthy)",
    HostConfig: { NetworkMode: "bridge" },
    Mounts: [],
  },
  inspected: {
    Id: id(letter),
    Created: "2026-11-28T17:52:49.123456789Z",
    RestartCount: restarts,
    State: {
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      Pid: 4711,
      ExitCode: 0,
      Error: "",
      StartedAt: "2026-11-28T17:52:49.123456789Z",
      FinishedAt: NEVER,
      ...state,
    },
  },
});
type Container = ReturnType<typeof container>;

let containers: Container[] = [];
let answer: ((path: string) => Response | null) | null = null;
const asked: string[] = [];

const engine = Bun.serve({
  unix: socket,
  fetch(request) {
    const { pathname, search } = new URL(request.url);
    asked.push(pathname + search);
    const other = answer?.(pathname);
    if (other) return other;
    if (pathname === "/containers/json") return Response.json(containers.map(({ listed }) => listed));
    const short = /^\/containers\/(\w+)\/json$/.exec(pathname)?.[1] ?? "";
    const found = containers.find(({ listed }) => listed.Id.startsWith(short));
    return found ? Response.json(found.inspected) : Response.json({ message: "No such container" }, { status: 404 });
  },
});
afterAll(async () => {
  await engine.stop(true);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  answer = null;
  asked.length = 0;
  containers = [
    container("b", "web", { Status: "running", Health: { Status: "healthy", FailingStreak: 0, Log: [] } }, 2),
    container("a", "cache", { Status: "running" }),
    container("c", "job", { Status: "exited", ExitCode: 137, OOMKilled: true, FinishedAt: "2026-11-28T18:00:00.5Z" }),
    container("d", "new", { Status: "created", StartedAt: NEVER }),
  ];
});

test("each container has its state, health, end and restarts; all are counted", async () => {
  using sense = openSense("docker", { socket });
  const found = await sense.compute();
  expect(found).toMatchObject({ running: 2, stopped: 2, unhealthy: 0, restarted: 0, more: 0 });
  const since = Date.UTC(2026, 10, 28, 17, 52, 49, 123);
  const one = { image: "nginx:1.29", exit_code: null, oom_killed: false, restarts: 0, restarted: 0 };
  expect(found.containers).toEqual([
    { ...one, name: "cache", id: "aaaaaaaaaaaa", state: "running", health: null, since },
    {
      ...one,
      name: "job",
      id: "cccccccccccc",
      state: "exited",
      health: null,
      exit_code: 137,
      oom_killed: true,
      since: Date.UTC(2026, 10, 28, 18, 0, 0, 500),
    },
    { ...one, name: "new", id: "dddddddddddd", state: "created", health: null, since: null },
    { ...one, name: "web", id: "bbbbbbbbbbbb", state: "running", health: "healthy", restarts: 2, since },
  ]);
  expect(asked[0]).toBe("/containers/json?all=1");
});

test("restarts are those since the last look, and an unhealthy one counts", async () => {
  using sense = openSense("docker", { socket });
  await sense.compute();
  containers[0] = container("b", "web", { Status: "running", Health: { Status: "unhealthy" } }, 5);
  const found = await sense.compute();
  expect(found).toMatchObject({ unhealthy: 1, restarted: 3 });
  expect(found.containers[3]).toMatchObject({ name: "web", health: "unhealthy", restarts: 5, restarted: 3 });
  // Made anew under its name: another container.
  containers[0] = container("e", "web", { Status: "running" }, 1);
  expect(await sense.compute()).toMatchObject({ restarted: 0 });
  expect(sense.client.query("SELECT running, unhealthy, restarted FROM samples ORDER BY id").values()).toEqual([
    [2, 0, 0],
    [2, 1, 3],
    [2, 0, 0],
  ]);
});

test("podman's words are read as docker's", async () => {
  containers = [container("a", "pod", { Status: "running", Health: { Status: "" } })];
  using plain = openSense("docker", { socket });
  expect((await plain.compute()).containers[0]).toMatchObject({ name: "pod", health: null });
  containers = [container("a", "pod", { Status: "running", Healthcheck: { Status: "starting" } })];
  using older = openSense("docker", { socket });
  expect((await older.compute()).containers[0]).toMatchObject({ health: "starting" });
});

test("`only` and `except` choose, and one that goes meanwhile is none", async () => {
  using sense = openSense("docker", { socket, only: ["web", "j*"], except: ["*ob"] });
  expect((await sense.compute()).containers).toMatchObject([{ name: "web" }]);
  expect(asked.filter((path) => path.includes("cccc"))).toEqual([]);
  answer = (path) => (path.includes("aaaa") ? Response.json({ message: "gone" }, { status: 404 }) : null);
  using all = openSense("docker", { socket });
  expect((await all.compute()).containers.map(({ name }: { name: string }) => name)).toEqual(["job", "new", "web"]);
});

test("a thousand containers fit into a payload", async () => {
  containers = Array.from({ length: 1000 }, (_, index) => {
    const made = container("f", `c${String(index).padStart(4, "0")}`, { Status: "running" });
    const own = index.toString(16).padStart(12, "0").padEnd(64, "0");
    return { listed: { ...made.listed, Id: own, Image: "x".repeat(300) }, inspected: { ...made.inspected, Id: own } };
  });
  using sense = openSense("docker", { socket });
  const found = await sense.compute();
  expect(found).toMatchObject({ running: 1000, more: 850 });
  expect(JSON.stringify(found).length).toBeLessThan(64 * 1024);
});

describe("is an error that names the socket:", () => {
  test.each([
    [() => new Response("no", { status: 500 }), "answered 500: no"],
    [() => new Response("<html>"), "answered no JSON: is it the socket of docker or podman?"],
    [() => Response.json({}), "answered no list of containers"],
    [() => new Response("x".repeat(9_000_000)), "answers with more than 8 MiB"],
  ])("%#", async (other, message) => {
    answer = other;
    using sense = openSense("docker", { socket });
    expect(sense.compute()).rejects.toThrow(`${socket} ${message}`);
  });

  test("a socket at which nobody listens", async () => {
    const dead = join(folder, "dead.sock");
    writeFileSync(dead, "");
    using sense = openSense("docker", { socket: dead });
    expect(sense.compute()).rejects.toThrow(`${dead} has nobody who listens: docker does not run`);
  });
});

test("a host without docker is said once, and is no signal", async () => {
  using sense = openSense("docker", { socket: join(folder, "none.sock") });
  expect(await sense.compute()).toBeNull();
  expect(await sense.compute()).toBeNull();
  expect(sense.logs).toEqual([
    expect.stringMatching(/^info: there is neither docker nor podman here \(no .*none.sock\)/),
  ]);
});

test("a compute that is stopped ends, and no descriptor is left over 250 looks of four containers", async () => {
  using sense = openSense("docker", { socket });
  expect(sense.compute({ signal: AbortSignal.abort(new Error("stopped")) })).rejects.toThrow("stopped");
  const descriptors = (): number => readdirSync("/proc/self/fd").length;
  for (let warm = 0; warm < 5; warm++) await sense.compute();
  const before = descriptors();
  for (let look = 0; look < 250; look++) await sense.compute();
  expect(descriptors() - before).toBeLessThan(20);
});

test("options: an absolute socket", () => {
  expect(validate("docker", { socket: "docker.sock" })).toEqual({ problems: ["socket must be an absolute path"] });
});
