/**
 * A data directory as the real daemon leaves it: signals of several senses, runs of every state, an archive of several
 * files, what reflexes remember, blobs, databases of senses. Every damage is done to a copy of it.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SENSES: Readonly<Record<string, string>> = {
  counter: `let n = 0;
export const compute = async () => ({ n: ++n, host: "h" + (n % 3), even: n % 2 === 0 });`,
  keeper: `export const compute = async (db, peers, { now }) => {
  db.$client.query("INSERT INTO beats (at) VALUES (?)").run(now);
  return { beats: db.$client.query("SELECT count(*) AS n FROM beats").get().n };
};`,
  blobby: `let n = 0;
export const compute = async (db, peers, { blobs }) => ({ file: await blobs.put(new TextEncoder().encode("blob " + ++n), { type: "text/plain" }) });`,
  flaky: `let n = 0;
export const compute = async () => { if (++n % 2) throw new Error("odd " + n); return { n }; };`,
};

const WORKFLOWS: Readonly<Record<string, string>> = {
  steps: `export const run = async (thread) => {
  const a = await thread.step("a", async () => ({ got: thread.trigger.payload }));
  await thread.step("b", async () => "b");
  thread.log("info", "between", { a });
  return { a };
};`,
  fails: `export const run = async (thread) => {
  await thread.step("fine", async () => 1);
  await thread.step("breaks", async () => { throw new Error("broken"); });
};`,
  sleeps: `export const run = async (thread) => { await thread.step("first", async () => 1); await thread.sleep("10h"); return null; };`,
  waits: `export const run = async (thread) => { await thread.step("long", () => new Promise(() => {})); };`,
};

const CONFIG = `
durability: normal
retention: { logs: 1s }
senses:
  counter: { group: one }
  keeper: { group: two }
  blobby: { group: one }
  flaky: { group: two }
reflexes:
  - { sense: counter, interval: 100ms, on_start: true }
  - { sense: keeper, interval: 500ms }
  - { sense: blobby, interval: 1s }
  - { sense: flaky, interval: 700ms }
  - { sense: keeper, name: follow, on: [blobby] }
  - { workflow: steps, name: some-steps, on: [counter], key: host, throttle: 1s }
  - { workflow: fails, name: some-fail, on: [flaky], count: { n: 2, within: 10s } }
  - { workflow: sleeps, name: once-asleep, on: [counter], when: { even: "true" }, for: 300ms, throttle: 1h }
  - { workflow: waits, name: never-done, on: [keeper], throttle: 1s }
workflows:
  steps: {}
  fails: {}
  sleeps: {}
  waits: { concurrency: 2, max_queue: 2, grace_period: 1s }
`;

export interface Recorded {
  readonly folder: string;
  readonly config: string;
}

function writeProject(folder: string): Recorded {
  const write = (path: string, text: string): void => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const [name, source] of Object.entries(SENSES)) write(`senses/${name}/index.ts`, source);
  write("senses/keeper/migrations/0001_beats.sql", "CREATE TABLE beats (at INTEGER PRIMARY KEY);\n");
  for (const [name, source] of Object.entries(WORKFLOWS)) write(`workflows/${name}/index.ts`, source);
  write("nerve.yaml", CONFIG);
  return { folder, config: join(folder, "nerve.yaml") };
}

async function command(nerve: readonly string[], config: string, ...args: readonly string[]): Promise<number> {
  const child = Bun.spawn([...nerve, ...args, "-c", config], { stdout: "ignore", stderr: "ignore" });
  return child.exited;
}

const ROUNDS = 4;
const ROUND_MS = 2_500;

/** Runs the daemon in `folder` for some seconds, archives several times, and stops it. */
export async function record(nerve: readonly string[], folder: string): Promise<Recorded> {
  const made = writeProject(folder);
  const daemon = Bun.spawn([...nerve, made.config], { stdout: "ignore", stderr: "ignore" });
  for (let round = 0; round < ROUNDS; round++) {
    await Bun.sleep(ROUND_MS);
    await command(nerve, made.config, "archive", "run");
    if (round === 1) await command(nerve, made.config, "silence", "some-fail", "--for", "2h", "--why", "being mended");
    if (round === 1) await command(nerve, made.config, "disable", "sense:flaky");
    if (round === 2) await command(nerve, made.config, "retry", "2");
    if (round === 2) await command(nerve, made.config, "cancel", "1");
  }
  await Bun.sleep(ROUND_MS);
  daemon.kill("SIGTERM");
  await daemon.exited;
  // Room held back for a full disk: nothing is read from it.
  rmSync(join(folder, "data/ballast"), { force: true });
  return made;
}
