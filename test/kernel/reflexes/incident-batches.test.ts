/** Incidents that are reported in batches: each once, in its newest state, and no report overtakes another. */
import { describe, expect, test } from "bun:test";
import type { TriggerIncident } from "../../../src/model/incident.ts";
import { alarm, IncidentBench } from "../../helpers/incident-bench.ts";
import type { FlowConfig } from "../../helpers/runs-bench.ts";
import { COMPLETED, failedWith, suspendedFor } from "../../helpers/runs-bench.ts";

const SECOND = 1_000;
const HOUR = 3_600_000;
const WAIT = 30 * SECOND;

const batched = (by: string | null = null): FlowConfig => ({ concurrency: 5, batch: { waitMs: WAIT, by } });
const byHost = (words: Parameters<typeof alarm>[0] = {}) => alarm(words, { key: "host" });

/** `opened 1, resolved 2`: what the run reports, as its thread is given it. */
function itemsOf(bench: IncidentBench, run: number): string {
  const { items } = bench.dataOf(run, "run.started").batch as { items: { incident: TriggerIncident }[] };
  return items.map(({ incident: { id, notification } }) => `${notification} ${id}`).join(", ");
}

const UP = new WeakSet<object>();

/** The worker is up whenever it is wanted. */
async function up(bench: IncidentBench): Promise<void> {
  await bench.settle();
  if (bench.children.length === 0) return;
  if (!bench.child.isGone && bench.child.of("shutdown").length > 0) bench.leave();
  await bench.settle();
  if (bench.child.isGone || UP.has(bench.child)) return;
  UP.add(bench.child);
  await bench.ready();
}

const elapse = async (bench: IncidentBench, ms: number): Promise<void> => {
  await bench.wait(ms);
  await up(bench);
};

const states = (bench: IncidentBench): string[] => bench.reports.map(({ state }) => state);

describe("reports of incidents in batches", () => {
  test("are one run for all that open while it waits", async () => {
    using bench = new IncidentBench([byHost()], batched());
    for (const host of ["a", "b", "c"]) await bench.signal({ host, v: 6 });
    await elapse(bench, WAIT);
    expect(states(bench)).toEqual(["running", "joined", "joined"]);
    expect(itemsOf(bench, 1)).toBe("opened 1, opened 2, opened 3");
    await bench.work();
    expect(bench.difference).toEqual([]);
  });

  test("have an opening join the resolution that comes before it has begun", async () => {
    using bench = new IncidentBench([byHost()], batched());
    for (const v of [6, 1]) for (const host of ["a", "b"]) await bench.signal({ host, v });
    expect(states(bench)).toEqual(["joined", "joined", "queued", "queued"]);
    await elapse(bench, WAIT);
    expect(states(bench)).toEqual(["joined", "joined", "running", "joined"]);
    expect(itemsOf(bench, 3)).toBe("resolved 1, resolved 2");
    expect(bench.difference).toEqual([]);
  });

  test("have each incident once, in its newest state, at the place of its oldest report", async () => {
    using bench = new IncidentBench([byHost({ remindEveryMs: 10 * SECOND })], batched());
    await bench.signal({ host: "a", v: 6 });
    await bench.signal({ host: "b", v: 6 });
    await bench.wait(WAIT, SECOND);
    await up(bench);
    const kinds = bench.reports.map(({ incident: { notification, id } }) => `${notification} ${id}`);
    expect(kinds.slice(0, 6)).toEqual(["opened 1", "opened 2", "reminded 1", "reminded 2", "reminded 1", "reminded 2"]);
    expect(itemsOf(bench, 1)).toBe("reminded 1, reminded 2");
    expect(bench.difference).toEqual([]);
  });

  test("wait for the run that their incident's report before them joined, also over a kill", async () => {
    using bench = new IncidentBench([byHost()], batched());
    for (const host of ["a", "b"]) await bench.signal({ host, v: 6 });
    await elapse(bench, WAIT);
    await bench.begins(1);
    await bench.says(1, suspendedFor(HOUR));
    for (const host of ["a", "b", "c"]) await bench.signal({ host, v: host === "c" ? 6 : 1 });
    await elapse(bench, WAIT);
    expect(states(bench)).toEqual(["sleeping", "joined", "queued", "queued", "running"]);
    await bench.crash(0);
    await up(bench);
    await bench.work();
    expect(states(bench)).toEqual(["sleeping", "joined", "queued", "queued", "completed"]);
    await elapse(bench, HOUR);
    await bench.begins(1);
    await bench.says(1, failedWith("nobody is there"));
    await bench.settle();
    expect(states(bench)).toEqual(["failed", "joined", "running", "joined", "completed"]);
    expect(itemsOf(bench, 3)).toBe("resolved 1, resolved 2");
    expect(bench.difference).toEqual([]);
  });

  test("are grouped by their severity", async () => {
    const severity = "{{ payload.level }}";
    using bench = new IncidentBench([byHost({ severity })], batched("severity"));
    for (const [host, level] of ["critical", "info", "critical"].entries()) {
      await bench.signal({ host: `h${host}`, v: 6, level });
    }
    await elapse(bench, WAIT);
    expect(states(bench)).toEqual(["running", "running", "joined"]);
  });

  test("of one incident in two groups do not overlap", async () => {
    using bench = new IncidentBench(
      [byHost({ severity: "{{ payload.level }}", remindEveryMs: 60 * SECOND })],
      batched("severity"),
    );
    await bench.signal({ host: "a", v: 6, level: "warning" });
    await elapse(bench, WAIT);
    await bench.begins(1);
    await bench.signal({ host: "a", v: 7, level: "critical" });
    await elapse(bench, 10 * WAIT);
    expect(new Set(states(bench).slice(1))).toEqual(new Set(["queued"]));
    await bench.says(1, COMPLETED);
    await bench.settle();
    expect(states(bench).slice(0, 2)).toEqual(["completed", "running"]);
    expect(itemsOf(bench, 2)).toBe("reminded 1");
    expect(bench.difference).toEqual([]);
  });

  test("that are due in the same millisecond, a hundred of them, are one run", async () => {
    using bench = new IncidentBench([alarm({ remindEveryMs: HOUR }, { each: "disks", key: "path" })], batched());
    const disks = Array.from({ length: 100 }, (_, n) => ({ path: `/mnt/${n}`, v: 6 }));
    await bench.signal({ disks });
    await elapse(bench, WAIT);
    await bench.work();
    await elapse(bench, HOUR + WAIT);
    await bench.work();
    const reminded = bench.reports.filter(({ incident: { notification } }) => notification === "reminded");
    expect(reminded).toHaveLength(100);
    expect(reminded.map(({ state }) => state)).toEqual(["completed", ...Array.from({ length: 99 }, () => "joined")]);
    expect(itemsOf(bench, 101).split(", ").sort()).toEqual(disks.map((_, n) => `reminded ${n + 1}`).sort());
    expect(bench.difference).toEqual([]);
  });

  test("held back by a silence are one batch after it", async () => {
    using bench = new IncidentBench([byHost()], batched());
    await bench.silences.set({ pattern: "high", for_ms: HOUR, why: "work" });
    for (const host of ["a", "b"]) await bench.signal({ host, v: 6 });
    await elapse(bench, WAIT);
    expect(bench.reports).toEqual([]);
    await elapse(bench, HOUR + WAIT);
    expect(states(bench)).toEqual(["running", "joined"]);
    expect(itemsOf(bench, 1).split(", ").sort()).toEqual(["opened 1", "opened 2"]);
  });

  test("go on when their reflex is disabled meanwhile, with the resolutions that this leads to", async () => {
    using bench = new IncidentBench([byHost()], batched());
    for (const host of ["a", "b"]) await bench.signal({ host, v: 6 });
    await bench.change([]);
    expect(states(bench)).toEqual(["joined", "joined", "queued", "queued"]);
    await elapse(bench, WAIT);
    expect(itemsOf(bench, 3)).toBe("resolved 1, resolved 2");
    expect(bench.difference).toEqual([]);
  });
});
