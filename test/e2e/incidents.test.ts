/** Incidents on the executable: what a run is told, what a person sees and does, and what outlives a stop and a reload. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Nerve, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const configOf = (more = ""): string => `senses: { disks: }
workflows:
  note: { concurrency: 4 }
reflexes:
  - name: full
    workflow: note
    on: [disks]
    each: mounts
    key: path
    when: { used: number >= 90 }
    incident: { severity: critical, summary: "{{ payload.path }} is {{ payload.used }} % full" }
${more}`;

function given(): Project {
  const folder = project({
    "workflows/note/index.ts": "export const run = (thread) => thread.trigger;\n",
    "nerve.yaml": configOf(),
  });
  folder.write(
    "senses/disks/index.ts",
    `import { readFileSync } from "node:fs";
export const compute = () => JSON.parse(readFileSync(${JSON.stringify(join(folder.path, "disks"))}, "utf8"));\n`,
  );
  return folder;
}

async function tell(nerve: Nerve, folder: Project, used: Readonly<Record<string, number>>): Promise<void> {
  const before = nerve.signals("disks").length;
  const mounts = Object.entries(used).map(([path, percent]) => ({ path, used: percent }));
  writeFileSync(join(folder.path, "disks"), JSON.stringify({ mounts }));
  expect((await nerve.post("/trigger", { name: "disks" })).status).toBe(200);
  await until("the sense has emitted", () => nerve.signals("disks").length > before);
}

const lines = (text: string) =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

const incidentsOf = async (folder: Project, ...args: readonly string[]) =>
  lines((await runNerve(folder.path, ["incidents", "--json", ...args])).stdout);

const runsOf = async (folder: Project) =>
  lines((await runNerve(folder.path, ["runs", "--json"])).stdout).map(({ state, output, decision, key }) => ({
    state,
    decision,
    key,
    said: output?.incident && `${output.incident.notification} ${output.incident.id}: ${output.incident.summary}`,
  }));

const finished = (folder: Project, count: number) =>
  until(`${count} runs have completed`, async () => {
    const runs = await runsOf(folder);
    return runs.length === count && runs.every(({ state }) => state === "completed") ? runs : null;
  });

test("an incident is listed, acknowledged, shown, explained and resolved, and each report is one run", async () => {
  using folder = given();
  await using nerve = await startNerve(folder.path);
  await tell(nerve, folder, { "/": 10, "/var": 91 });
  const [first] = await finished(folder, 1);
  expect(first).toMatchObject({ decision: "incident:1:1", key: "/var", said: "opened 1: /var is 91 % full" });
  expect(await incidentsOf(folder, "--open")).toMatchObject([
    { id: 1, reflex: "full", key: "/var", severity: "critical", state: "open", count: 1, acked_by: null },
  ]);
  const acked = await runNerve(folder.path, ["ack", "1", "--why", "a new disk comes", "--json"]);
  expect([acked.code, JSON.parse(acked.stdout)]).toMatchObject([0, { incident: 1, state: "acked" }]);
  expect((await nerve.status()).incidents).toEqual({ open: 1, acked: 1 });
  const explained = await runNerve(folder.path, ["explain", "full"]);
  expect(explained.stdout).toContain("incident 1 is open since");
  const shown = await runNerve(folder.path, ["show", "incident:1", "--json"]);
  expect(JSON.parse(shown.stdout)).toMatchObject({ kind: "incident", incident: { id: 1, state: "acked" } });

  await tell(nerve, folder, { "/": 10 });
  const runs = await finished(folder, 2);
  expect(runs[1]?.said).toBe("resolved 1: /var is 91 % full");
  expect(await incidentsOf(folder, "--open")).toEqual([]);
  const over = await runNerve(folder.path, ["ack", "1"]);
  expect([over.code, over.stderr]).toEqual([1, expect.stringContaining("incident 1 is resolved already")]);
  const unknown = await runNerve(folder.path, ["resolve", "7"]);
  expect([unknown.code === 0, unknown.stderr]).toEqual([false, expect.stringContaining("there is no incident 7")]);
});

test("what is open outlives a stop, and is reported no second time", async () => {
  using folder = given();
  {
    await using nerve = await startNerve(folder.path);
    await tell(nerve, folder, { "/var": 91 });
    await finished(folder, 1);
    expect(await nerve.stop()).toBe(0);
  }
  await using nerve = await startNerve(folder.path);
  await tell(nerve, folder, { "/var": 95 });
  await tell(nerve, folder, { "/var": 5 });
  const runs = await finished(folder, 2);
  expect(runs[1]?.said).toBe("resolved 1: /var is 95 % full");
  const proven = await runNerve(folder.path, ["rebuild", "--check"]);
  expect([proven.code, proven.stdout]).toEqual([
    0,
    expect.stringContaining("the table of incidents is what the logs say"),
  ]);
});

test("a reflex that is disabled resolves what it has open, with that as the reason", async () => {
  using folder = given();
  await using nerve = await startNerve(folder.path);
  await tell(nerve, folder, { "/a": 91, "/b": 92 });
  await finished(folder, 2);
  expect((await runNerve(folder.path, ["disable", "reflex:full"])).code).toBe(0);
  await finished(folder, 4);
  expect(await incidentsOf(folder)).toMatchObject([
    { state: "resolved", reason: "its reflex is disabled" },
    { state: "resolved", reason: "its reflex is disabled" },
  ]);
});

test("quiet hours that are added by a reload hold the next opening back, and lifted ones let go", async () => {
  using folder = given();
  await using nerve = await startNerve(folder.path);
  folder.write(
    "nerve.yaml",
    configOf('quiet_hours: [{ from: "00:00", to: "24:00" }]\n').replace("critical", "warning"),
  );
  expect((await runNerve(folder.path, ["reload"])).code).toBe(0);
  await tell(nerve, folder, { "/var": 91 });
  expect(await incidentsOf(folder, "--open")).toMatchObject([{ id: 1, severity: "warning", notified_at: null }]);
  folder.write("nerve.yaml", configOf().replace("critical", "warning"));
  expect((await runNerve(folder.path, ["reload"])).code).toBe(0);
  const [first] = await finished(folder, 1);
  expect(first?.said).toBe("opened 1: /var is 91 % full");
});
