/** What is held back when its reflex goes, when the clock is set, and when a queue is full for long: late, and never lost. */
import { expect, test } from "bun:test";
import type { QuietHours, WorkflowReflexConfig } from "../../../src/model/config.ts";
import { alarm, IncidentBench } from "../../helpers/incident-bench.ts";
import { failedWith } from "../../helpers/runs-bench.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const HIGH = { v: 9 };
const LOW = { v: 1 };

async function started(...given: ConstructorParameters<typeof IncidentBench>): Promise<IncidentBench> {
  const bench = new IncidentBench(...given);
  await bench.begin();
  return bench;
}

/** An incident whose opening was reported, and whose resolution a silence holds back. */
async function withHeldResolution(): Promise<IncidentBench> {
  const bench = await started([alarm()]);
  await bench.signal(HIGH);
  await bench.work();
  await bench.silences.set({ pattern: "high", for_ms: 10 * HOUR, why: "work" });
  await bench.signal(LOW);
  expect(bench.reported).toBe("opened 1");
  return bench;
}

const GOES: readonly (readonly [string, WorkflowReflexConfig[]])[] = [
  ["is removed", []],
  ["keeps no incidents any longer", [alarm({}, { incident: null })]],
  ["has another key", [alarm({}, { key: "host" })]],
];

for (const [how, after] of GOES) {
  test(`a resolution that is held back is reported when its reflex ${how}`, async () => {
    using bench = await withHeldResolution();
    await bench.wait(HOUR);
    await bench.change(after);
    await bench.silences.clear("high");
    await bench.settle();
    expect(bench.reported).toBe("opened 1, resolved 1");
    expect(bench.reports[1]?.incident).toMatchObject({ suppressed_ms: HOUR, suppressed_by: ["silence"], reason: null });
    await bench.change([alarm()]);
    await bench.crash(MINUTE);
    expect(bench.reported).toBe("opened 1, resolved 1");
    expect(bench.difference).toEqual([]);
  });

  test(`a resolution that is held back is reported when its reflex ${how} while nerve is down`, async () => {
    using bench = await withHeldResolution();
    await bench.crash(HOUR, after);
    await bench.wait(10 * HOUR);
    expect(bench.reported).toBe("opened 1, resolved 1");
    expect(bench.difference).toEqual([]);
  });
}

test("a workflow that is no longer configured reports no resolution that was held back", async () => {
  using bench = await withHeldResolution();
  await bench.reload(null);
  await bench.change([]);
  expect(bench.reported).toBe("opened 1");
  expect(bench.difference).toEqual([]);
});

const NIGHT: QuietHours = { below: "critical", fromMinute: 0, toMinute: 7 * 60, tz: "UTC", days: null };

test("quiet hours end with the local wall clock, whatever sets it", async () => {
  using bench = await started([alarm()]);
  await bench.change([alarm()], [NIGHT]);
  await bench.signal(HIGH);
  await bench.wait(HOUR);
  expect(bench.reported).toBe("");
  await bench.step(8 * HOUR);
  expect(bench.reported).toBe("opened 1");
});

test("quiet hours last as long as the local wall clock shows them, though it is set back", async () => {
  using bench = await started([alarm()]);
  await bench.change([alarm()], [NIGHT]);
  await bench.signal(HIGH);
  await bench.wait(6 * HOUR);
  await bench.step(-3 * HOUR);
  await bench.wait(3 * HOUR + 30 * MINUTE);
  expect(bench.reported).toBe("");
  await bench.wait(31 * MINUTE);
  expect(bench.reported).toBe("opened 1");
});

test("a clock that is set by a day, either way, changes nothing of quiet hours and reminders but their date", async () => {
  using bench = await started([alarm({ remindEveryMs: 4 * HOUR })]);
  await bench.change([alarm({ remindEveryMs: 4 * HOUR })], [NIGHT]);
  await bench.wait(8 * HOUR);
  await bench.signal(HIGH);
  await bench.work();
  for (const days of [1, -1]) {
    await bench.step(days * 24 * HOUR);
    await bench.wait(4 * HOUR + MINUTE);
    await bench.work();
  }
  // 8:00, 12:00, 16:00.
  expect(bench.reported).toBe("opened 1, reminded 1, reminded 1");
  // 20:00; 0:00 and 4:00 are quiet, and are one at 7:00.
  await bench.wait(4 * HOUR);
  await bench.wait(10 * HOUR + 30 * MINUTE);
  expect(bench.reported).toBe("opened 1, reminded 1, reminded 1, reminded 1");
  await bench.wait(HOUR);
  expect(bench.reported).toBe("opened 1, reminded 1, reminded 1, reminded 1, reminded 1");
  expect(bench.reports.at(-1)?.incident.suppressed_by).toEqual(["quiet_hours"]);
  expect(bench.difference).toEqual([]);
});

test("a key that was resolved by hand opens nothing under another `when` either, before it has stopped matching", async () => {
  using bench = await started([alarm({}, { key: "host" })]);
  await bench.signal({ v: 9, host: 1 });
  await bench.requests.resolve({ incident: 1, by: "ann", why: null });
  await bench.change([alarm({}, { key: "host", when: { v: "number > 6" } })]);
  await bench.signal({ v: 9, host: 1 });
  await bench.crash(MINUTE);
  await bench.signal({ v: 9, host: 1 });
  expect(bench.rows).toHaveLength(1);
  await bench.signal({ v: 1, host: 1 });
  await bench.signal({ v: 9, host: 1 });
  expect(bench.rows).toHaveLength(2);
});

test("a key that was resolved by hand is forgotten where other keys are asked for", async () => {
  using bench = await started([alarm()]);
  await bench.signal(HIGH);
  await bench.requests.resolve({ incident: 1, by: "ann", why: null });
  await bench.change([alarm({}, { key: "$one", on: ["sense", "other"] })]);
  await bench.signal(HIGH);
  expect(bench.rows).toHaveLength(2);
});

test("a key that is a number is the same number in the report of an end that a reload makes", async () => {
  const words = { each: "disks", key: "no" };
  using bench = await started([alarm({ summary: "disk {{ payload.no }} at {{ payload.v }}" }, words)]);
  await bench.signal({ disks: [{ no: 7, v: 9 }] });
  await bench.change([]);
  expect(bench.reports.map(({ incident }) => incident.summary)).toEqual(["disk 7 at 9", "disk 7 at 9"]);
  expect(bench.rows).toMatchObject([{ key: "7", state: "resolved" }]);
});

test("an end that a reload makes is reported though the queue is full", async () => {
  using bench = await started([alarm({}, { key: "host" })], { concurrency: 1, maxQueue: 1 });
  for (const host of ["a", "b", "c"]) {
    await bench.signal({ v: 9, host });
    await bench.work();
  }
  await bench.ask(2);
  await bench.change([]);
  await bench.work();
  expect(bench.reported).toBe("opened 1, opened 2, opened 3, resolved 1, resolved 2, resolved 3");
  expect(bench.reports.every(({ state }) => state === "completed")).toBe(true);
});

test("quiet hours hold a mild resolution back, though a grave incident of the same key opens meanwhile", async () => {
  const words = alarm({ severity: "{{ payload.level }}" });
  using bench = await started([words]);
  await bench.signal({ v: 9, level: "info" });
  await bench.change([words], [NIGHT]);
  await bench.signal({ v: 1, level: "info" });
  await bench.signal({ v: 9, level: "critical" });
  expect(bench.reported).toBe("opened 1, opened 2");
  await bench.wait(8 * HOUR);
  expect(bench.reported).toBe("opened 1, opened 2, resolved 1");
});

test("a channel that is down for a day costs one run for each reminder, and the resolution is reported after", async () => {
  using bench = await started([alarm({ remindEveryMs: 4 * HOUR })]);
  await bench.signal(HIGH);
  for (let hour = 0; hour < 24; hour++) {
    await bench.awake();
    for (const run of bench.sent.filter((one) => bench.row(one).state === "running")) {
      await bench.begins(run);
      await bench.says(run, failedWith("channel `phone`: no answer within 10 s"));
    }
    await bench.signal(HIGH);
    await bench.wait(HOUR);
  }
  await bench.awake();
  await bench.work();
  await bench.signal(LOW);
  await bench.work();
  const kinds = bench.reports.map(({ state, incident }) => `${incident.notification} ${state}`);
  expect(kinds).toEqual([
    "opened failed",
    ...Array.from({ length: 5 }, () => "reminded failed"),
    "reminded completed",
    "resolved completed",
  ]);
  expect(bench.difference).toEqual([]);
});
