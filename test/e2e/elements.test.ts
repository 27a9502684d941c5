/** A reflex that looks at every element of a payload, and one that keeps the states of several senses apart. */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Nerve, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const SENSE = (file: string): string => `import { readFileSync } from "node:fs";
export const compute = () => JSON.parse(readFileSync(${JSON.stringify(file)}, "utf8"));
`;

function given(reflexes: string): Project {
  const folder = project({
    "workflows/note/index.ts": "export const run = (thread) => thread.trigger;\n",
    "nerve.yaml": `senses: { mounts: , pings: }
workflows:
  note: { concurrency: 10 }
  said: { use: exec, with: { command: [/bin/echo, "{{ payload.path }} of {{ signal.host }}, {{ key }}"] } }
reflexes:
${reflexes}
`,
  });
  for (const sense of ["mounts", "pings"]) folder.write(`senses/${sense}/index.ts`, SENSE(join(folder.path, sense)));
  return folder;
}

async function tell(nerve: Nerve, folder: Project, sense: string, payload: unknown): Promise<number> {
  const before = nerve.signals(sense).length;
  writeFileSync(join(folder.path, sense), JSON.stringify(payload));
  expect((await nerve.post("/trigger", { name: sense })).status).toBe(200);
  const signal = await until(`${sense} has emitted`, () => nerve.signals(sense)[before] ?? null);
  return signal.id;
}

interface RunRow {
  readonly reflex: string;
  readonly signal_id: number;
  readonly key: string | null;
  readonly decision: string;
  readonly input: string;
  readonly output: string | null;
}

const runsOf = (folder: Project, reflex: string): RunRow[] => {
  using db = new Database(join(folder.path, "data/logs.db"), { readonly: true });
  const rows = db
    .query<RunRow, [string]>(
      "SELECT reflex, signal_id, key, decision, input, output FROM workflow_runs WHERE reflex = ? AND state = 'completed' ORDER BY id",
    )
    .all(reflex);
  return rows;
};

const finished = async (folder: Project, reflex: string, count: number): Promise<RunRow[]> => {
  await until(`${count} runs of ${reflex} have completed`, () => runsOf(folder, reflex).length >= count);
  return runsOf(folder, reflex);
};

test("each element that begins to match starts a run of its own, and what is gone ends", async () => {
  using folder = given(`
  - { name: full, workflow: note, on: [mounts], each: disks, key: path, when: { used: "number > 90" }, edge: rising }
  - { name: over, workflow: note, on: [mounts], each: disks, key: path, when: { used: "number > 90" }, edge: falling }
  - { name: told, workflow: said, on: [mounts], each: disks, key: path, when: { used: "number > 90" }, edge: rising }`);
  await using nerve = await startNerve(folder.path);
  const disk = (path: string, used: number) => ({ path, used });
  const first = { host: "web", disks: [disk("/", 95), disk("/home", 10), disk("/var", 99)] };
  const id = await tell(nerve, folder, "mounts", first);
  const full = await finished(folder, "full", 2);
  expect(full.map(({ key, decision, signal_id, input }) => [key, decision, signal_id, JSON.parse(input)])).toEqual([
    ["/", `signal:${id}:"/"`, id, disk("/", 95)],
    ["/var", `signal:${id}:"/var"`, id, disk("/var", 99)],
  ]);
  expect(JSON.parse(full[0]?.output ?? "")).toMatchObject({
    ...{ id, sense: "mounts", reflex: "full", key: "/", due: null },
    ...{ payload: disk("/", 95), signal: first },
  });
  const told = await finished(folder, "told", 2);
  expect(told.map(({ output }) => JSON.parse(output ?? "").stdout).sort()).toEqual([
    "/ of web, /\n",
    "/var of web, /var\n",
  ]);
  const gone = await tell(nerve, folder, "mounts", { host: "web", disks: [disk("/", 96)] });
  const [over] = await finished(folder, "over", 1);
  expect([over?.key, over?.signal_id, JSON.parse(over?.input ?? "")]).toEqual(["/var", gone, disk("/var", 99)]);
  expect(runsOf(folder, "full")).toHaveLength(2);

  const explained = await runNerve(folder.path, ["explain", "over", "--signal", String(gone), "--json"]);
  expect(JSON.parse(explained.stdout).signals).toMatchObject([
    { key: "/", outcome: "no-edge", gone: false },
    { key: "/var", outcome: "fired", gone: true, recorded: true },
  ]);
  const told2 = await runNerve(folder.path, ["explain", "full", "--key", "/home"]);
  expect(told2.stdout).toContain("key /home");
  expect(told2.stdout).toContain("does not match: `used` is 10, expected > 90");
  const tested = await runNerve(folder.path, ["backtest", "--json"]);
  const rows = tested.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(rows.map(({ reflex, live }) => [reflex, live.agreed, live.only_live, live.only_replay])).toEqual([
    ["full", 2, 0, 0],
    ["over", 1, 0, 0],
    ["told", 2, 0, 0],
  ]);
});

test("one state a sense: what one sense says neither starts nor breaks off what another does", async () => {
  using folder = given(`
  - { name: down, workflow: note, on: [mounts, pings], key: $sense, when: { ok: "false" }, edge: rising }
  - { name: held, workflow: note, on: [mounts, pings], key: $sense, when: { ok: "false" }, for: 200ms }`);
  await using nerve = await startNerve(folder.path);
  const id = await tell(nerve, folder, "pings", { ok: false });
  await tell(nerve, folder, "mounts", { ok: true });
  await tell(nerve, folder, "pings", { ok: false });
  const held = await finished(folder, "held", 1);
  expect(held.map(({ key }) => key)).toEqual(["pings"]);
  const down = await finished(folder, "down", 1);
  expect(down.map(({ key, decision }) => [key, decision])).toEqual([["pings", `signal:${id}:"pings"`]]);
});
