/** What a message says of the cause of a run: the rule, warnings of its trace, and processes of its moment. The store is real. */
import { describe, expect, test } from "bun:test";
import type { Json } from "../../../src/base/json.ts";
import { parseNerveConfig } from "../../../src/config/parse.ts";
import { causeOf } from "../../../src/kernel/runs/cause.ts";
import type { NerveConfig } from "../../../src/model/config.ts";
import { KernelBench } from "../../helpers/kernel-bench.ts";

const NOW = Date.UTC(2025, 0, 1);
const MINUTE = 60_000;

/** The first 12 digits of a trace are its time. */
const traceAt = (at: number, nth = 1): string => `${at.toString(16).padStart(12, "0")}${String(nth).padStart(20, "0")}`;
const TRACE = traceAt(NOW);

const CONFIG = `
senses: { disks: , top: { use: processes } }
workflows: { notify: }
reflexes:
  - { sense: disks, interval: 1m }
  - { name: full, workflow: notify, on: [disks], when: { used: number >= 90 } }
  - { name: any, workflow: notify, on: [disks] }
`;

function configOf(text = CONFIG): NerveConfig {
  const read = parseNerveConfig(text);
  if (!read.ok) throw new Error(read.error[0]?.message);
  return read.value;
}

class CauseBench extends KernelBench {
  signal(sense: string, at: number, payload: Json | string, trace = TRACE): number {
    const text = typeof payload === "string" ? payload : JSON.stringify(payload);
    return this.store.signals.append({ sense, at, payload: text, cause: null, trace });
  }

  log(level: "info" | "warn" | "error", message: string, trace: string | null = TRACE, at = NOW): void {
    this.store.logs.append({ at, level, source: "sense:disks", event: "log", run: null, trace, message, data: null });
  }

  cause(reflex: string | null, id: number | null, config = configOf()) {
    const trigger = { id, sense: "disks", at: NOW, reflex, key: null, isElement: false, due: null, incident: null };
    const order = { input: null, trigger, decision: null, trace: TRACE, retryOf: null, fromStep: null };
    return causeOf(this.store, config, order as Parameters<typeof causeOf>[2]);
  }

  warned(): string[] {
    return this.cause(null, null).warnings.map(({ message }) => message);
  }
}

describe("the rule", () => {
  test("is the `when` of the reflex", () => {
    using bench = new CauseBench();
    expect(bench.cause("full", null).rule).toEqual({ used: "number >= 90" });
  });

  test.each([["any"], ["gone"], [null]])("of reflex %p is not there", (reflex) => {
    using bench = new CauseBench();
    expect(bench.cause(reflex, null).rule).toBeNull();
  });
});

describe("warnings", () => {
  test("are the last three of the trace, oldest first, errors included, with time and source", () => {
    using bench = new CauseBench();
    bench.log("warn", "one");
    bench.log("warn", "two", TRACE, NOW + 1);
    bench.log("info", "not bad");
    bench.log("warn", "of another trace", traceAt(NOW, 2));
    bench.log("warn", "of none", null);
    bench.log("error", "three");
    bench.log("warn", "four");
    expect(bench.warned()).toEqual(["two", "three", "four"]);
    expect(bench.cause(null, null).warnings[0]).toEqual({ at: NOW + 1, source: "sense:disks", message: "two" });
  });

  test("are sought from the time of the trace on, and in a bounded number of logs", () => {
    using bench = new CauseBench();
    bench.log("warn", "far back");
    bench.store.commit(() => {
      for (let n = 0; n < 5_000; n++) bench.log("info", "between");
    });
    expect(bench.warned()).toEqual([]);
    bench.log("warn", "near");
    expect(bench.warned()).toEqual(["near"]);
  });
});

const TOP = {
  top_cpu: [
    { pid: 1, name: "a", cpu_percent: 90 },
    { pid: 2, name: "b", cpu_percent: 5 },
    { pid: 3, name: "c", cpu_percent: 4 },
    { pid: 4, name: "d", cpu_percent: 3 },
  ],
  top_memory: [{ pid: 2, name: "b", rss_bytes: 1024 }],
};
const SHOWN = [
  { pid: 1, name: "a", cpuPercent: 90, rssBytes: null },
  { pid: 2, name: "b", cpuPercent: 5, rssBytes: 1024 },
  { pid: 3, name: "c", cpuPercent: 4, rssBytes: null },
];

describe("processes", () => {
  test("are the three largest of the look that is nearest to the signal, up to a second behind it", () => {
    using bench = new CauseBench();
    bench.signal("top", NOW - MINUTE, { top_cpu: [{ pid: 9, name: "before", cpu_percent: 1 }] });
    const id = bench.signal("disks", NOW, {});
    bench.signal("top", NOW + 900, TOP);
    bench.signal("top", NOW + 2_000, { top_cpu: [{ pid: 9, name: "after", cpu_percent: 1 }] });
    expect(bench.cause("full", id).processes).toEqual(SHOWN);
  });

  test("come by memory where processor time is not known", () => {
    using bench = new CauseBench();
    bench.signal("top", NOW, { top_cpu: [], top_memory: TOP.top_memory });
    const id = bench.signal("disks", NOW, {});
    expect(bench.cause("full", id).processes).toEqual([{ pid: 2, name: "b", cpuPercent: null, rssBytes: 1024 }]);
  });

  test("of more than five minutes before say nothing", () => {
    using bench = new CauseBench();
    bench.signal("top", NOW - 5 * MINUTE - 1, TOP);
    expect(bench.cause("full", bench.signal("disks", NOW, {})).processes).toBeNull();
  });

  test("are sought in a bounded number of signals", () => {
    using bench = new CauseBench();
    bench.signal("top", NOW, TOP);
    bench.store.commit(() => {
      for (let n = 0; n < 400; n++) bench.signal("other", NOW, {});
    });
    expect(bench.cause("full", bench.signal("disks", NOW, {})).processes).toBeNull();
  });

  test("are not there without a sense of that kind, without a signal, or once the signal was removed", () => {
    using bench = new CauseBench();
    bench.signal("top", NOW, TOP);
    const id = bench.signal("disks", NOW, {});
    expect(bench.cause("full", id, configOf(CONFIG.replace("processes", "load"))).processes).toBeNull();
    expect(bench.cause("full", null).processes).toBeNull();
    expect(bench.cause("full", 99).processes).toBeNull();
  });

  test.each<[Json | string]>([
    ["text"],
    [{ top_cpu: {}, top_memory: "none" }],
    [{ top_cpu: [null, 7, { pid: "1", name: "a" }, { pid: 1 }] }],
  ])("of a payload %p are none, and nothing throws", (payload) => {
    using bench = new CauseBench();
    bench.signal("top", NOW, payload === "text" ? '"text"' : payload);
    expect(bench.cause("full", bench.signal("disks", NOW, {})).processes).toEqual([]);
  });

  test("of a damaged signal are passed over", () => {
    using bench = new CauseBench();
    bench.signal("top", NOW, TOP);
    bench.signal("top", NOW, "not JSON");
    expect(bench.cause("full", bench.signal("disks", NOW, {})).processes).toEqual(SHOWN);
  });
});
