/** Incidents in the kernel: the runs that report them, what holds them back, and what outlives a kernel or a config. */
import { expect, test } from "bun:test";
import { Lifetime } from "../../../src/kernel/time/lifetime.ts";
import type { WorkflowReflexConfig } from "../../../src/model/config.ts";
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

test("an incident opens with its signal, and a run reports it under a decision of its own", async () => {
  using bench = await started([alarm({ severity: "critical", summary: "v is {{ payload.v }}" })]);
  const signal = await bench.signal(HIGH);
  const [report] = bench.reports;
  expect(report?.incident).toMatchObject({
    id: 1,
    notification: "opened",
    state: "open",
    severity: "critical",
    summary: "v is 9",
    duration_ms: 0,
    count: 1,
    acked_by: null,
    suppressed_ms: 0,
    suppressed_by: [],
  });
  expect(bench.row(report?.run ?? 0)).toMatchObject({ decision: "incident:1:1", signal_id: signal, reflex: "high" });
  expect(bench.rows).toMatchObject([{ id: 1, state: "open", signal_id: signal, count: 1, summary: "v is 9" }]);
  expect(bench.difference).toEqual([]);
});

test("a thousand flaps within `resolve_after` are one incident and two reports, and an acknowledgement stays", async () => {
  using bench = await started([alarm({ resolveAfterMs: HOUR })]);
  await bench.signal(HIGH);
  await bench.requests.ack({ incident: 1, by: "ann", why: null });
  for (let flap = 0; flap < 1_000; flap++) {
    await bench.signal(LOW);
    await bench.signal(HIGH);
  }
  await bench.work();
  expect(bench.rows).toMatchObject([{ count: 1_001, state: "acked", acked_by: "ann" }]);
  await bench.signal(LOW);
  await bench.wait(HOUR);
  expect(bench.reported).toBe("opened 1, resolved 1");
  expect(bench.reports[1]?.incident).toMatchObject({ acked_by: "ann", count: 1_001, duration_ms: HOUR });
  expect(bench.difference).toEqual([]);
});

test("an opening that has not begun joins the resolution, which reports both", async () => {
  using bench = new IncidentBench([alarm()]);
  await bench.signal(HIGH);
  await bench.signal(LOW);
  expect(bench.reports.map(({ state }) => state)).toEqual(["joined", "queued"]);
  await bench.ready();
  await bench.work();
  expect(bench.reports.map(({ state }) => state)).toEqual(["joined", "completed"]);
  const retried = await bench.workflows.byHand.retry(1, null);
  expect(retried).toMatchObject({ ok: false, error: { kind: "run-joined", message: "run 1 joined run 2" } });
  expect(bench.difference).toEqual([]);
});

test("a resolution waits for an opening that fails and is tried again, though slots are free", async () => {
  using bench = await started([alarm()], {
    concurrency: 4,
    retry: { limit: 1, intervalMs: 5_000, backoff: null, maxIntervalMs: null },
  });
  await bench.signal(HIGH);
  const opening = bench.reports[0]?.run ?? 0;
  await bench.begins(opening);
  await bench.says(opening, failedWith("no answer"));
  await bench.signal(LOW);
  const resolution = bench.reports[1]?.run ?? 0;
  expect(bench.states(opening, resolution)).toEqual(["sleeping", "queued"]);
  await bench.wait(5_000);
  expect(bench.states(opening, resolution)).toEqual(["running", "queued"]);
  await bench.begins(opening);
  await bench.says(opening, failedWith("no answer"));
  expect(bench.states(opening, resolution)).toEqual(["failed", "running"]);
});

test("reminders that wait for a report that is tried again are one, the newest", async () => {
  using bench = await started([alarm({ remindEveryMs: MINUTE })], {
    retry: { limit: 1, intervalMs: HOUR, backoff: null, maxIntervalMs: null },
  });
  await bench.signal(HIGH);
  const opening = bench.reports[0]?.run ?? 0;
  await bench.begins(opening);
  await bench.says(opening, failedWith("no answer"));
  await bench.wait(5 * MINUTE);
  expect(bench.reports.map(({ state, incident }) => `${incident.notification} ${state}`)).toEqual([
    "opened sleeping",
    ...Array.from({ length: 4 }, () => "reminded joined"),
    "reminded queued",
  ]);
  expect(bench.difference).toEqual([]);
});

test("a queued report waits for the one before it after a restart as well", async () => {
  using bench = await started([alarm()], {
    concurrency: 4,
    retry: { limit: 1, intervalMs: 5_000, backoff: null, maxIntervalMs: null },
  });
  await bench.signal(HIGH);
  await bench.begins(2);
  await bench.says(2, failedWith("no answer"));
  await bench.signal(LOW);
  await bench.crash(1_000);
  expect(bench.states(2, 3)).toEqual(["sleeping", "queued"]);
  await bench.wait(4_000, 1_000);
  await bench.ready();
  expect(bench.states(2, 3)).toEqual(["running", "queued"]);
});

test("what a silence holds back is reported once when it is over, with how long it waited", async () => {
  using bench = await started([alarm({ remindEveryMs: HOUR })]);
  await bench.silences.set({ pattern: "high", for_ms: 3 * HOUR, why: "work" });
  await bench.signal(HIGH);
  await bench.wait(3 * HOUR - MINUTE);
  expect(bench.reported).toBe("");
  await bench.wait(2 * MINUTE);
  expect(bench.reported).toBe("opened 1");
  expect(bench.reports[0]?.incident).toMatchObject({ suppressed_ms: 3 * HOUR, suppressed_by: ["silence"] });
  await bench.wait(HOUR);
  expect(bench.reported).toBe("opened 1, reminded 1");
  expect(bench.difference).toEqual([]);
});

test("an incident that resolves before any report of it was decided is never reported", async () => {
  using bench = await started([alarm()]);
  await bench.silences.set({ pattern: "*", for_ms: HOUR, why: "work" });
  await bench.signal(HIGH);
  await bench.signal(LOW);
  await bench.wait(2 * HOUR);
  expect(bench.reported).toBe("");
  expect(bench.rows).toMatchObject([{ state: "resolved", notified_at: null }]);
});

test("a silence that is lifted by hand lets go of what it held", async () => {
  using bench = await started([alarm()]);
  await bench.silences.set({ pattern: "high", for_ms: HOUR, why: "work" });
  await bench.signal(HIGH);
  await bench.silences.clear("high");
  await bench.settle();
  expect(bench.reported).toBe("opened 1");
});

test("while another reflex has an open incident nothing is reported, and afterwards what is still open is", async () => {
  const down = alarm({}, { name: "down", when: { down: "true" } });
  using bench = await started([down, alarm({ inhibitedBy: ["down"] })]);
  await bench.signal({ v: 9, down: true });
  expect(bench.reported).toBe("opened 1");
  await bench.signal({ v: 9, down: false });
  await bench.settle();
  expect(bench.reported).toBe("opened 1, resolved 1, opened 2");
  expect(bench.reports[2]?.incident.suppressed_by).toEqual(["inhibited_by:down"]);
});

test("quiet hours hold back what is below their severity until the local time at which they end", async () => {
  using bench = await started([]);
  // 2025-01-01 00:00 UTC is 01:00 in Berlin.
  const quiet = { below: "critical", fromMinute: 22 * 60, toMinute: 7 * 60, tz: "Europe/Berlin", days: null } as const;
  const grave = alarm({ severity: "{{ payload.level }}" }, { name: "grave", when: { level: "string" } });
  await bench.change([alarm(), grave], [quiet]);
  await bench.signal({ v: 9, level: "critical" });
  expect(bench.reported).toBe("opened 2");
  await bench.wait(6 * HOUR - MINUTE);
  expect(bench.reported).toBe("opened 2");
  await bench.wait(2 * MINUTE);
  expect(bench.reported).toBe("opened 2, opened 1");
  expect(bench.reports[1]?.incident).toMatchObject({ suppressed_ms: 6 * HOUR, suppressed_by: ["quiet_hours"] });
});

test("a full queue holds reports back, and its first free place lets one go", async () => {
  using bench = await started([alarm({}, { key: "host" })], { concurrency: 1, maxQueue: 1 });
  for (const host of ["a", "b", "c"]) await bench.signal({ v: 9, host });
  expect(bench.reported).toBe("opened 1, opened 2");
  expect(bench.rows).toHaveLength(3);
  await bench.work();
  expect(bench.reported).toBe("opened 1, opened 2, opened 3");
  expect(bench.reports.map(({ state }) => state)).toEqual(["completed", "completed", "completed"]);
  expect(bench.reports[2]?.incident.suppressed_by).toEqual(["queue"]);
});

test("one that is resolved by hand opens no other before its key has stopped matching", async () => {
  using bench = await started([alarm()]);
  await bench.signal(HIGH);
  const done = await bench.requests.resolve({ incident: 1, by: "ann", why: "false alarm" });
  expect(done).toMatchObject({ ok: true, value: { state: "resolved" } });
  await bench.work();
  expect(bench.reports[1]?.incident).toMatchObject({ notification: "resolved", reason: "false alarm" });
  await bench.signal(HIGH);
  expect(bench.rows).toHaveLength(1);
  await bench.signal(LOW);
  await bench.signal(HIGH);
  expect(bench.rows).toHaveLength(2);
  expect(await bench.requests.resolve({ incident: 1, by: "ann", why: null })).toMatchObject({
    ok: false,
    error: { kind: "incident-over" },
  });
  expect(await bench.requests.ack({ incident: 7, by: "ann", why: null })).toMatchObject({
    ok: false,
    error: { kind: "unknown-incident" },
  });
});

test("reminders that were due while nerve was down are one, and a clock that is set by a day changes none", async () => {
  using bench = await started([alarm({ remindEveryMs: 4 * HOUR })]);
  await bench.signal(HIGH);
  await bench.work();
  await bench.crash(30 * HOUR);
  expect(bench.reported).toBe("opened 1, reminded 1");
  for (const day of [24 * HOUR, -24 * HOUR]) {
    bench.clock.step(day);
    await bench.wait(4 * HOUR - 10 * MINUTE);
    expect(bench.reports).toHaveLength(day > 0 ? 2 : 3);
    await bench.wait(12 * MINUTE);
    expect(bench.reports).toHaveLength(day > 0 ? 3 : 4);
  }
  expect(bench.difference).toEqual([]);
});

test("an incident that resolves before the moment at which it opened, for the clock was set back, has lasted no time", async () => {
  using bench = await started([alarm()]);
  await bench.wait(MINUTE);
  await bench.signal(HIGH);
  await bench.work();
  bench.clock.reboot(-MINUTE / 2);
  // What a start knows of the time is what was last kept, which is older than the incident.
  bench.lifetime = new Lifetime(bench.clock, bench.store.meta);
  await bench.crash(0);
  await bench.signal(LOW);
  expect(bench.reported).toBe("opened 1, resolved 1");
  expect(bench.reports.at(-1)?.incident).toMatchObject({ duration_ms: 0, suppressed_ms: 0 });
  expect(bench.difference).toEqual([]);
});

test("a hundred reminders of one millisecond are a hundred runs", async () => {
  using bench = await started([alarm({ remindEveryMs: HOUR }, { each: "disks", key: "path" })], { maxQueue: 1_000 });
  const disks = Array.from({ length: 100 }, (_, index) => ({ path: `/d${index}`, v: 9 }));
  await bench.signal({ disks });
  await bench.wait(HOUR);
  const kinds = bench.reports.map(({ incident: { notification } }) => notification);
  expect(kinds.filter((kind) => kind === "opened")).toHaveLength(100);
  expect(kinds.filter((kind) => kind === "reminded")).toHaveLength(100);
  expect(new Set(bench.reports.map(({ incident }) => incident.summary)).size).toBe(100);
  expect(bench.difference).toEqual([]);
});

test("a reflex has a thousand open incidents at the most, which is said once", async () => {
  using bench = await started([alarm({}, { key: "host" })], { maxQueue: 10_000 });
  for (let host = 0; host < 1_010; host++) await bench.signal({ v: 9, host });
  expect(bench.incidents.counts).toEqual({ open: 1_000, acked: 0 });
  expect(bench.said("incident.limited")).toHaveLength(1);
  for (let host = 0; host < 5; host++) {
    await bench.signal({ v: 1, host });
    await bench.signal({ v: 9, host: 1_009 + host });
    await bench.signal({ v: 9, host: 2_000 });
  }
  expect(bench.incidents.counts.open).toBe(1_000);
  expect(bench.said("incident.limited")).toHaveLength(1);
  for (let host = 5; host < 600; host++) await bench.signal({ v: 1, host });
  for (let host = 3_000; host < 3_700; host++) await bench.signal({ v: 9, host });
  expect(bench.said("incident.limited")).toHaveLength(2);
});

test("a key that is gone from the list resolves with what was last seen of it", async () => {
  using bench = await started([
    alarm({ summary: "{{ payload.path }} at {{ payload.v }}" }, { each: "disks", key: "path" }),
  ]);
  await bench.signal({ disks: [{ path: "/a", v: 9 }] });
  await bench.signal({ disks: [] });
  expect(bench.reports.map(({ incident: { notification, summary } }) => [notification, summary])).toEqual([
    ["opened", "/a at 9"],
    ["resolved", "/a at 9"],
  ]);
});

const CHANGES: readonly (readonly [string, WorkflowReflexConfig[], string | null])[] = [
  ["another `when`", [alarm({}, { when: { v: "number > 6" } })], null],
  ["a `for`", [alarm({}, { forMs: MINUTE })], null],
  ["a `clear`", [alarm({}, { clear: { v: "number < 3" } })], null],
  ["another severity", [alarm({ severity: "info", summary: "x" })], null],
  ["another `key`", [alarm({}, { key: "host" })], "`on`, `each` or `key` of its reflex has changed"],
  ["no incident", [alarm({}, { incident: null })], "its reflex no longer keeps incidents"],
  ["no such reflex", [], "its reflex is no longer configured"],
];

test.each(CHANGES)("an open incident meets %s", async (_, after, reason) => {
  using bench = await started([alarm({ remindEveryMs: HOUR })]);
  await bench.signal(HIGH);
  await bench.work();
  await bench.change(after);
  if (reason === null) {
    expect(bench.reported).toBe("opened 1");
    await bench.signal(HIGH);
    await bench.signal(LOW);
    await bench.wait(2 * MINUTE);
    expect(bench.reported).toBe("opened 1, resolved 1");
  } else {
    expect(bench.reported).toBe("opened 1, resolved 1");
    expect(bench.reports[1]?.incident.reason).toBe(reason);
  }
  expect(bench.rows).toMatchObject([{ state: "resolved", reason }]);
  expect(bench.difference).toEqual([]);
});

test("a storm of edits with an open incident reports nothing", async () => {
  using bench = await started([alarm({ remindEveryMs: 10 * HOUR })]);
  await bench.signal(HIGH);
  for (let edit = 0; edit < 50; edit++) {
    await bench.change([alarm({ remindEveryMs: (10 + edit) * HOUR }, { when: { v: `number > ${5 - (edit % 5)}` } })]);
    await bench.signal(HIGH);
  }
  expect(bench.reported).toBe("opened 1");
  expect(bench.rows).toMatchObject([{ state: "open", count: 1 }]);
});

test("a resolution that is held back outlives another `when`", async () => {
  using bench = await started([alarm()]);
  await bench.signal(HIGH);
  await bench.work();
  await bench.silences.set({ pattern: "high", for_ms: HOUR, why: "work" });
  await bench.signal(LOW);
  await bench.change([alarm({}, { when: { v: "number > 7" } })]);
  expect(bench.reported).toBe("opened 1");
  await bench.wait(HOUR + MINUTE);
  expect(bench.reported).toBe("opened 1, resolved 1");
  expect(bench.reports[1]?.incident).toMatchObject({ suppressed_by: ["silence"], suppressed_ms: HOUR });
});

test("what was open when the config changed while nerve was down resolves at the start", async () => {
  using bench = await started([alarm()]);
  await bench.signal(HIGH);
  await bench.work();
  for (const { states } of bench.reflexes.byName.values()) states?.forgetAll();
  await bench.change([]);
  expect(bench.reported).toBe("opened 1, resolved 1");
});
