/** The checker of runs is worth what it catches: one planted fault each, on the data of a real site, is found and named. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../helpers/until.ts";
import { Errands } from "./errands.ts";
import { type Asked, findRunViolations } from "./run-checker.ts";

setDefaultTimeout(120_000);

const errands = new Errands();
let copies = 0;

beforeAll(async () => {
  const kernel = await errands.up();
  for (let n = 0; n < 60; n++) {
    await errands.request((n % 6) / 6);
    if (n % 6 === 5) await errands.cancelOne();
  }
  await until("every run has ended", () => errands.active() === 0);
  await kernel.stop();
});
afterAll(() => errands.site.end());

interface Planted {
  readonly data: string;
  readonly marks: string;
  asked: Asked;
}

/** A copy of the data and of the marks, for one fault, which may also be in what was asked. */
function plant(fault: (at: Planted) => void): string[] {
  const copy = join(errands.site.folder, `copy-${copies++}`);
  cpSync(errands.site.data, join(copy, "data"), { recursive: true, filter: (path) => !path.endsWith(".sock") });
  const marks = join(copy, "marks.jsonl");
  cpSync(errands.marks, marks);
  const at: Planted = { data: join(copy, "data"), marks, asked: { ...errands.asked, marks } };
  fault(at);
  const found = findRunViolations(at.data, at.asked);
  rmSync(copy, { recursive: true });
  return found;
}

const store =
  (...statements: string[]) =>
  ({ data }: Planted): void => {
    const db = new Database(join(data, "logs.db"));
    for (const sql of statements) {
      if (db.run(sql).changes === 0) throw new Error(`the fault was not planted: ${sql}`);
    }
    db.close(true);
  };

const marked = ({ marks }: Planted, ...rows: object[]): void => {
  const known = { at: 1, workflow: "tight", n: 1, pid: 1, step: null, id: null };
  for (const row of rows) appendFileSync(marks, `${JSON.stringify({ ...known, ...row })}\n`);
};

const COMPLETED = "(SELECT min(run) FROM logs WHERE event = 'run.completed')";
const again = (event: string, run: string): string =>
  `INSERT INTO logs (at, level, source, event, run, trace, message, data) SELECT at, level, source, event, run, trace, message, data FROM logs WHERE event = '${event}' AND run = ${run} LIMIT 1`;

test("finds nothing in what a real site left, where runs ended in every way", () => {
  expect(Object.keys(errands.tally())).toEqual(["cancelled", "completed", "dropped", "failed", "timed-out"]);
  expect(plant(() => {})).toEqual([]);
});

describe("finds", () => {
  test.each<[string, string, (at: Planted) => void]>([
    ["a second ending", "has 2 endings", store(again("run.completed", COMPLETED))],
    ["no ending", "has 0 endings", store(`DELETE FROM logs WHERE event = 'run.completed' AND run = ${COMPLETED}`)],
    ["an event after the ending", "which is over, goes on with step.started", store(again("step.started", COMPLETED))],
    ["a run that started twice", "which is over, goes on with run.started", store(again("run.started", COMPLETED))],
    [
      "a run that stays running",
      "its logs say completed",
      store(`UPDATE workflow_runs SET state = 'running' WHERE id = ${COMPLETED}`),
    ],
    ["another output", "its logs say", store(`UPDATE workflow_runs SET output = '{}' WHERE id = ${COMPLETED}`)],
    ["another attempt", "attempt is 7", store(`UPDATE workflow_runs SET attempt = 7 WHERE id = ${COMPLETED}`)],
    ["another trace", "of another trace", store(`UPDATE workflow_runs SET trace = 'x' WHERE id = ${COMPLETED}`)],
    ["a row that is gone", "of a run that has no row", store(`DELETE FROM workflow_runs WHERE id = ${COMPLETED}`)],
    ["a step completed twice", "which is over, goes on with step.completed", store(again("step.completed", COMPLETED))],
    [
      "runs out of order",
      "started before run",
      store(
        "UPDATE logs SET id = (SELECT max(id) + 1 FROM logs) WHERE id = (SELECT min(id) FROM logs WHERE event = 'run.started' AND source = 'workflow:plain')",
      ),
    ],
    [
      "more at once than may, by the logs",
      "and 0 may",
      (at) => {
        at.asked = { ...at.asked, concurrency: { ...at.asked.concurrency, plain: 0 } };
      },
    ],
    [
      "more at once than may, by what they did",
      "were in a slot at once",
      (at) => marked(at, { what: "in", n: 1 }, { what: "in", n: 2 }),
    ],
    [
      "two workers at once",
      "after another had begun",
      (at) => marked(at, { what: "out", pid: 1 }, { what: "out", pid: 2 }, { what: "out", pid: 1 }),
    ],
    [
      "a step that ran again",
      "ran after it had completed",
      (at) => {
        const text = readFileSync(at.marks, "utf8");
        const first = JSON.parse(text.split("\n").find((line) => line.includes('"first"')) ?? "");
        writeFileSync(at.marks, `${text}${JSON.stringify({ ...first, at: first.at + 1_000_000 })}\n`);
      },
    ],
    [
      "a step with another id",
      "ran with the ids",
      (at) => {
        const text = readFileSync(at.marks, "utf8");
        const first = JSON.parse(text.split("\n").find((line) => line.includes('"first"')) ?? "");
        writeFileSync(at.marks, `${text}${JSON.stringify({ ...first, id: "0" })}\n`);
      },
    ],
    [
      "a step that never ran",
      "completed and never ran",
      ({ marks }) => writeFileSync(marks, readFileSync(marks, "utf8").replaceAll('"last"', '"other"')),
    ],
    [
      "a request that was lost",
      "answered with run 999",
      (at) => {
        at.asked = { ...at.asked, numbers: 100, runs: new Map([...at.asked.runs, [100, 999]]) };
      },
    ],
    [
      "a request that was taken twice",
      "made the runs",
      store("UPDATE workflow_runs SET input = (SELECT input FROM workflow_runs WHERE id = 1) WHERE id = 2"),
    ],
    [
      "a cancelled run that is not",
      "said to be cancelled and is completed",
      (at) => {
        at.asked = { ...at.asked, cancelled: [...at.asked.runs.values()].slice(0, 1) };
      },
    ],
  ])("%s", (_, named, fault) => {
    expect(plant(fault).join("\n")).toContain(named);
  });
});
