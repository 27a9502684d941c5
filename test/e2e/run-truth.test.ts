/** The logs of a run are the truth, whatever somebody made of its row or of a log while nerve was down (G3, principle 7). */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { runNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";
import { Site } from "../helpers/workflows.ts";

setDefaultTimeout(120_000);

/** A step that is done once, and one that waits until the test lets it go on. */
const BODY = `
  const done = await thread.step("once", () => { mark("once"); return "done"; });
  await thread.step("waits", () => gate("go"));
  return done;`;

function tamper(site: Site, sql: string, ...values: (string | number | null)[]): void {
  const db = new Database(join(site.project.path, "data/logs.db"));
  db.query(sql).run(...values);
  db.close(true);
}

/** A run whose kernel was killed in its second step. */
async function killed(site: Site): Promise<number> {
  const id = await site.run("flow");
  await until("the second step is under way", () => site.of(id, "step.started").length === 2);
  await site.kill();
  return id;
}

const check = async (site: Site) => runNerve(site.project.path, ["rebuild", "--check"]);

test.each([
  ["UPDATE workflow_runs SET state = 'weird'"],
  ["UPDATE workflow_runs SET state = 'completed', ended_at = 1, output = '1'"],
  ["UPDATE workflow_runs SET state = 'dropped'"],
  ["UPDATE workflow_runs SET workflow = 'other', input = '1', trace = 'x', first_log_id = 9, queued_at = 1"],
  ["UPDATE workflow_runs SET started_at = 1, error = 'x', attempt = 7, events = 1, last_log_id = 1"],
  ["UPDATE workflow_runs SET id = 77"],
  ["DELETE FROM workflow_runs"],
  ["DROP TABLE workflow_runs"],
])("a live run goes on, once, after %s", async (sql) => {
  await using site = await Site.start({ workflows: { flow: { body: BODY } } });
  const id = await killed(site);
  tamper(site, sql);
  await site.startAgain();
  site.open("go");
  await until("the run has completed", () => site.runs().some((run) => run.id === id && run.state === "completed"));
  expect(await site.output(id)).toBe("done");
  expect(site.marks()).toEqual(["once"]);
  expect(site.of(id, "run.completed")).toHaveLength(1);
  // A row that no log tells of is left to `nerve rebuild`.
  expect((await check(site)).code).toBe(sql.includes("id = 77") ? 1 : 0);
});

test.each([
  ["is gone", "DELETE FROM logs WHERE id = ?"],
  ["has no result", "UPDATE logs SET data = '{}' WHERE id = ?"],
  ["is no event of a run", "UPDATE logs SET event = 'nope' WHERE id = ?"],
])("a live run of which a log %s waits, does nothing again, and goes on once that is mended", async (_, sql) => {
  await using site = await Site.start({ workflows: { flow: { body: BODY } } });
  const id = await killed(site);
  const db = new Database(join(site.project.path, "data/logs.db"));
  const log = db
    .query<Record<string, string | number | null>, [number]>(
      "SELECT id, at, level, source, event, run, trace, message, data FROM logs WHERE run = ? AND event = 'step.completed'",
    )
    .get(id);
  db.close(true);
  tamper(site, sql, Number(log?.id));
  site.open("go");
  await site.startAgain();
  await until("the run says that it waits", () => site.events(id).includes("run.waiting"));
  expect(site.runs()).toMatchObject([{ id, state: "running" }]);
  expect((await check(site)).code).toBe(1);
  await site.kill();
  tamper(
    site,
    "INSERT OR REPLACE INTO logs (id, at, level, source, event, run, trace, message, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ...Object.values(log ?? {}),
  );
  await site.startAgain();
  expect(await site.output(id)).toBe("done");
  expect(site.marks()).toEqual(["once"]);
  expect((await check(site)).code).toBe(0);
});
