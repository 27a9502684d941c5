/** `nerve wrap`: the command always runs, and its streams, signals and exit code are its own; what it did is handed over. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../helpers/folder.ts";
import { NERVE } from "../helpers/nerve.ts";
import { childrenOf, isRunning, sendSignal } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const FULL = process.env.NERVE_CRASH === "full";
/** nobody has this number on every Linux. */
const STRANGER = 65_534;
const canBeAnother = process.getuid?.() === 0 && Bun.which("setpriv") !== null;
const AS_STRANGER = ["setpriv", `--reuid=${STRANGER}`, `--regid=${STRANGER}`, "--clear-groups"];

interface Told {
  readonly path: string;
  readonly body: string;
}

/** A receiver of pings. */
function receiver() {
  const told: Told[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      told.push({ path: new URL(request.url).pathname, body: await request.text() });
      return new Response("OK");
    },
  });
  return { told, url: `http://127.0.0.1:${server.port}/ping/T`, [Symbol.dispose]: () => void server.stop(true) };
}

/** In an empty folder, so that no nerve.yaml is found. */
function wrap(
  folder: string,
  command: readonly string[],
  env: Record<string, string> = {},
  before: readonly string[] = [],
) {
  const child = Bun.spawn([...before, ...NERVE, "wrap", "job", "--", ...command], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", ...env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
  const ended = async () => ({
    exitCode: await child.exited,
    stdout: await new Response(child.stdout).text(),
    stderr: await new Response(child.stderr).text(),
  });
  return { child, ended };
}

const sh = (script: string): readonly string[] => ["sh", "-c", script];

test.concurrent("streams and exit code come through, and start and end are told by the ping URL", async () => {
  using folder = temporaryFolder();
  using receives = receiver();
  const { child, ended } = wrap(folder.path, sh("cat; echo bad >&2; exit 3"), { NERVE_PUSH: receives.url });
  child.stdin.write("in\n");
  await child.stdin.end();
  expect(await ended()).toEqual({ exitCode: 3, stdout: "in\n", stderr: "bad\n" });
  expect(receives.told.map(({ path }) => path).sort()).toEqual(["/ping/T/3", "/ping/T/start"]);
  const { body = "" } = receives.told.find(({ path }) => path.endsWith("/3")) ?? {};
  expect(body.split("\n").sort()).toEqual(["", "bad", "in"]);
});

test.concurrent("with nobody to tell, the command runs all the same, and one line says so", async () => {
  using folder = temporaryFolder();
  const { exitCode, stdout, stderr } = await wrap(folder.path, sh("echo done")).ended();
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "done\n" });
  expect(stderr).toMatch(
    /^nerve wrap: the end \(exit code 0\) was not handed over to the sense job: there is no nerve\.yaml here.*\n$/,
  );
});

/** The path of a socket holds about 107 bytes. */
const DEPTHS = [
  ["", "job"],
  [" with a long path", "d".repeat(120)],
] as const;

/** A folder with a configuration. */
function configured(folder: string, name: string): string {
  const path = join(folder, name);
  if (name !== "") mkdirSync(path, { recursive: true });
  writeFileSync(join(path, "nerve.yaml"), "senses: { job: { use: heartbeat, inbox: {} } }\n", { mode: 0o644 });
  for (const each of [folder, path]) chmodSync(each, 0o755);
  return path;
}

test.concurrent.each(DEPTHS)(
  "with a daemon%s that is down, the exit code comes through, and one line says so",
  async (_, name) => {
    using folder = temporaryFolder();
    const path = configured(folder.path, name);
    const { exitCode, stdout, stderr } = await wrap(path, sh("echo done; exit 7")).ended();
    expect({ exitCode, stdout }).toEqual({ exitCode: 7, stdout: "done\n" });
    expect(stderr).toBe(
      "nerve wrap: the end (exit code 7) was not handed over to the sense job: the daemon cannot be reached\n",
    );
  },
);

test.concurrent.skipIf(!canBeAnother).each(DEPTHS)(
  "another user than that of a daemon%s tells the ping URL",
  async (_, name) => {
    using folder = temporaryFolder();
    using receives = receiver();
    const path = configured(folder.path, name);
    mkdirSync(join(path, "data"), { mode: 0o700 });
    const env = { NERVE_PUSH: receives.url, TMPDIR: "/tmp" };
    expect(await wrap(path, sh("echo done; exit 7"), env, AS_STRANGER).ended()).toEqual({
      exitCode: 7,
      stdout: "done\n",
      stderr: "",
    });
    expect(receives.told.map(({ path }) => path).sort()).toEqual(["/ping/T/7", "/ping/T/start"]);
  },
);

test.concurrent("an end by a signal is 128 and its number; what cannot be run is 127 and 126, and told as failed", async () => {
  using folder = temporaryFolder();
  using receives = receiver();
  const env = { NERVE_PUSH: receives.url };
  expect((await wrap(folder.path, sh("kill -9 $$"), env).ended()).exitCode).toBe(137);
  const absent = await wrap(folder.path, ["no-such-command"], env).ended();
  expect([absent.exitCode, absent.stderr]).toEqual([
    127,
    "nerve wrap: no-such-command cannot be run: there is no such command\n",
  ]);
  const plain = join(folder.path, "plain");
  writeFileSync(plain, "echo plain\n", { mode: 0o644 });
  expect((await wrap(folder.path, [plain], env).ended()).exitCode).toBe(126);
  chmodSync(plain, 0o755);
  expect(await wrap(folder.path, [plain], env).ended()).toEqual({ exitCode: 0, stdout: "plain\n", stderr: "" });
  const ends = receives.told.map(({ path }) => path).filter((path) => !path.endsWith("/start"));
  expect(ends).toEqual(["/ping/T/137", "/ping/T/127", "/ping/T/126", "/ping/T/0"]);
});

test.concurrent("the options of the command are its own, with `--` and without", async () => {
  using folder = temporaryFolder();
  const words = ["printf", "%s|", "-c", "x", "--json", "-h"];
  for (const line of [words, ["--", ...words]]) {
    const child = Bun.spawn([...NERVE, "wrap", "job", ...line], { cwd: folder.path, stdout: "pipe", stderr: "ignore" });
    expect([await new Response(child.stdout).text(), await child.exited]).toEqual(["-c|x|--json|-h|", 0]);
  }
});

test.concurrent("a signal reaches the command, which decides what it means", async () => {
  using folder = temporaryFolder();
  const script = `trap 'echo asked; exit 42' TERM; echo ready; while :; do sleep 0.05; done`;
  const { child } = wrap(folder.path, sh(script));
  const reader = child.stdout.getReader();
  const text = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value);
  expect(await text()).toBe("ready\n");
  child.kill("SIGTERM");
  expect(await text()).toBe("asked\n");
  expect(await child.exited).toBe(42);
});

test.concurrent("a SIGKILL of nerve wrap does not end the command, and its end is told", async () => {
  using folder = temporaryFolder();
  using receives = receiver();
  const done = join(folder.path, "done");
  const script = `echo ready; read line; echo more; echo "$line" > ${done}; exit 5`;
  const gate = join(folder.path, "gate");
  Bun.spawnSync(["mkfifo", gate]);
  const { child } = wrap(folder.path, sh(`exec < ${gate}; ${script}`), { NERVE_PUSH: receives.url });
  const inner = await until("the command runs", () => childrenOf(child.pid)[0] ?? null);
  await until("the command runs behind it", () => childrenOf(inner).length > 0);
  child.kill("SIGKILL");
  await child.exited;
  expect(isRunning(inner)).toBe(true);
  const writer = openSync(gate, "w");
  await Bun.write(Bun.file(writer), "go\n");
  closeSync(writer);
  await until("the end is told", () => receives.told.some(({ path }) => path === "/ping/T/5"));
  expect([existsSync(done), readFileSync(done, "utf8")]).toEqual([true, "go\n"]);
  sendSignal(inner, "SIGKILL");
});

const OUTPUT_BYTES = FULL ? 1_000_000_000 : 30_000_000;

test.concurrent(`an output of ${OUTPUT_BYTES} bytes goes through whole, and its end is told`, async () => {
  using folder = temporaryFolder();
  using receives = receiver();
  const script = `head -c ${OUTPUT_BYTES} /dev/zero | tr '\\0' x; echo end`;
  const { child } = wrap(folder.path, sh(script), { NERVE_PUSH: receives.url });
  let bytes = 0;
  for await (const piece of child.stdout) bytes += piece.length;
  expect([await child.exited, bytes]).toEqual([0, OUTPUT_BYTES + 4]);
  const { body = "" } = receives.told.find(({ path }) => path === "/ping/T/0") ?? {};
  expect([body.length, body.slice(-5)]).toEqual([10_240, "xend\n"]);
});

test.concurrent("who stops reading ends the command as without nerve wrap; a stream may be opened again", async () => {
  using folder = temporaryFolder();
  const { child } = wrap(folder.path, ["yes"]);
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  expect(await child.exited).toBe(141);
  const { stdout, stderr } = await wrap(folder.path, sh("echo a > /dev/stdout; echo b > /dev/stderr")).ended();
  expect([stdout, stderr.split("\n")[0]]).toEqual(["a\n", "b"]);
});
