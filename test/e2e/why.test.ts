/** `nerve why` on the executable: beside a daemon, without one, with a word, for programs, and on a damaged store. */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { jsonOf, type Nerve, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const CONFIG = `senses: { disks: , idle: { use: disks } }
workflows:
  note: { concurrency: 4 }
  fails: { use: exec, with: { command: ["false"] } }
reflexes:
  - name: full
    workflow: note
    on: [disks]
    when: { used: number >= 90 }
    incident: { severity: critical, summary: "the disk is {{ payload.used }} % full" }
`;

function given(): Project {
  const folder = project({
    "workflows/note/index.ts": "export const run = () => null;\n",
    "nerve.yaml": CONFIG,
  });
  const seen = JSON.stringify(join(folder.path, "seen"));
  folder.write(
    "senses/disks/index.ts",
    `import { readFileSync } from "node:fs";\nexport const compute = () => JSON.parse(readFileSync(${seen}, "utf8"));\n`,
  );
  return folder;
}

async function sees(nerve: Nerve, folder: Project, used: number): Promise<void> {
  const before = nerve.signals("disks").length;
  writeFileSync(join(folder.path, "seen"), JSON.stringify({ used }));
  expect((await nerve.post("/trigger", { name: "disks" })).status).toBe(200);
  await until("the sense has emitted", () => nerve.signals("disks").length > before);
}

const why = (folder: Project, ...words: readonly string[]) => jsonOf(folder.path, ["why", ...words]);

const completed = (folder: Project, run: number) =>
  until(`run ${run} has completed`, async () => {
    const { value } = await jsonOf(folder.path, ["why", `run:${run}`]);
    return value?.what[0]?.includes("completed") ? true : null;
  });

test("the newest incident, a run that failed, a word nobody knows, and what is said without a daemon", async () => {
  using folder = given();
  const empty = await runNerve(folder.path, ["why"]);
  expect([empty.code, empty.stderr]).toEqual([3, expect.stringContaining("no nerve has run on this data yet")]);
  {
    await using nerve = await startNerve(folder.path);
    const well = await why(folder);
    expect(well).toMatchObject({ code: 0, value: { about: { kind: "nerve", name: "all" }, wrong: false, others: [] } });
    expect(well.value.text).toStartWith(
      "Nothing is wrong: no incident is open, no workflow's newest run has failed and 2 senses are well",
    );

    await sees(nerve, folder, 93);
    await completed(folder, 1);
    const open = await why(folder);
    expect(open.value).toMatchObject({ about: { kind: "incident", id: 1 }, wrong: true, signal: 1 });
    const { text, next } = open.value;
    expect(text).toMatch(
      /^Incident 1 \(critical\) is open: the disk is 93 % full, since .*nobody has acknowledged it\./,
    );
    expect(text).toContain("for signal #1 of disks: used was 93 (when: number >= 90).");
    expect(text).toMatch(/Workflow note reported the opening at .* in run 1\./);
    expect(next[0].command).toBe('nerve ack 1 --why "…"');
    for (const word of ["incident:1", "full", "reflex:full"]) expect((await why(folder, word)).value.about.id).toBe(1);
    expect((await why(folder, "run:1")).value.text).toContain("to report incident 1");
    expect((await why(folder, "note")).value.about).toEqual({ kind: "run", id: 1, name: null });
    expect((await why(folder, "idle")).value.not_done.map(({ reason }: { reason: string }) => reason)).toEqual([
      "nobody-listens",
      "nobody-listens",
    ]);

    expect((await runNerve(folder.path, ["run", "fails", "--wait"])).code).toBe(1);
    const failed = await why(folder);
    expect(failed.value).toMatchObject({ about: { kind: "run", id: 2 }, others: [{ kind: "incident", id: 1 }] });
    expect(failed.value.text).toContain("A person started the run by hand");

    const lists = async (...words: string[]) => (await runNerve(folder.path, ["incidents", "--json", ...words])).stdout;
    expect(await lists("--sense", "disks", "--state", "open")).toContain('"id":1');
    expect(await lists("--sense", "idle")).toBe("");
    expect(await lists("--state", "resolved")).toBe("");
    const mistyped = await runNerve(folder.path, ["incidents", "--state", "opne"]);
    expect([mistyped.code, mistyped.stderr]).toEqual([2, expect.stringContaining("did you mean `open`?")]);

    for (const [word, hint] of [
      ["fulll", "did you mean `full`?"],
      ["incident:7", "the nearest is incident 1"],
      ["run:9", "the nearest run is 2"],
      ["77", "the nearest run is 2"],
      ["sense:disk", "did you mean `disks`?"],
      ["!", "there are:"],
    ] as const) {
      const unknown = await runNerve(folder.path, ["why", word]);
      expect([word, unknown.code, unknown.stderr]).toEqual([word, 2, expect.stringContaining(hint)]);
    }
  }
  const down = await runNerve(folder.path, ["why", "incident:1"]);
  expect(down.code).toBe(0);
  expect(down.stdout).toContain("nerve was stopped at");
  for (const line of down.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
});

test("a config with problems stands in the way of rules alone, and a damaged row is named", async () => {
  using folder = given();
  {
    await using nerve = await startNerve(folder.path);
    await sees(nerve, folder, 93);
    await completed(folder, 1);
  }
  folder.write("nerve.yaml", CONFIG.replace("critical", "grave"));
  const incident = await runNerve(folder.path, ["why"]);
  expect([incident.code, incident.stdout]).toEqual([0, expect.stringContaining("Incident 1 (critical) is open")]);
  const rule = await runNerve(folder.path, ["why", "full"]);
  expect([rule.code, rule.stderr]).toEqual([78, expect.stringContaining("severity")]);
  folder.write("nerve.yaml", CONFIG);
  const db = new Database(join(folder.path, "data/logs.db"));
  db.run("UPDATE incidents SET summary = x'00'");
  db.close(true);
  const damaged = await runNerve(folder.path, ["why"]);
  expect([damaged.code, damaged.stderr]).toEqual([1, expect.stringContaining("incidents")]);
});
