/** Debian's Prometheus scrapes the page: what it has stored is what nerve counted. */
import { afterAll, beforeAll, setDefaultTimeout, test } from "bun:test";
import { Histogram } from "../../src/base/histogram.ts";
import { unwrittenSense } from "../../src/config/senses.ts";
import type { MetricsLook } from "../../src/control/metrics-look.ts";
import { CONTENT_TYPE, exposition } from "../../src/metrics/exposition.ts";
import { NewestNumbers } from "../../src/metrics/newest-numbers.ts";
import type { NerveConfig } from "../../src/model/config.ts";
import { openStoreReader } from "../../src/store/open-reader.ts";
import { archiveBench, june } from "../helpers/archive.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { PROMETHEUS, startPrometheus } from "../helpers/prometheus.ts";
import { until } from "../helpers/until.ts";

const PATH = 'C:\\a"b\nc';

setDefaultTimeout(120_000);

let folder: Folder;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder[Symbol.dispose]());

const senseOf = (id: number, isWell: boolean): MetricsLook["senses"][number] => {
  const durations = new Histogram([0.01, 1]);
  durations.observe(0.5);
  return {
    name: "disk",
    isWell,
    signals: 7,
    last_signal: { id, at: june(30) },
    computes: { signal: 7, null: 0, error: 0, timeout: 0, killed: 0 },
    duration_seconds: durations.counts,
  };
};

test.skipIf(PROMETHEUS === null)(
  "counts and payloads arrive, and the numbers of a sense that is not well vanish",
  async () => {
    using bench = archiveBench();
    const id = bench.store.commit(() =>
      bench.store.signals.append({
        sense: "disk",
        at: june(30),
        payload: JSON.stringify({ [PATH]: 1.5, used: 7 }),
        cause: null,
        trace: "0".repeat(32),
      }),
    );
    const opened = openStoreReader(bench.data, () => {});
    if (!opened.ok) throw new Error(opened.error.message);
    const store = opened.value;
    const config = {
      senses: new Map([["disk", { ...unwrittenSense("disk"), metrics: "all" }]]),
    } as unknown as NerveConfig;
    let isWell = true;
    const commits = new Histogram([1]).counts;
    const page = async (): Promise<string> => {
      const look = {
        senses: [senseOf(id, isWell)],
        reflexes: [],
        workflows: [],
        groups: [],
        inboxes: [],
        commit_seconds: commits,
      };
      const unhurried = { isOver: false, rest: () => Promise.resolve() };
      const numbers = await new NewestNumbers().of(look, config, store, unhurried);
      return exposition({ look, numbers, fleet: null, otlp: null, store, bytes: new Map([["logs.db", 4_096]]) });
    };
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async () => new Response(await page(), { headers: { "content-type": CONTENT_TYPE } }),
    });
    const prometheus = await startPrometheus(folder.path, `127.0.0.1:${server.port}`, null);
    try {
      const { arrives } = prometheus;
      await arrives("nerve_signal_value", "field", { [PATH]: "1.5", used: "7" });
      await arrives("nerve_computes_total > 0", "outcome", { signal: "7" });
      await arrives("nerve_compute_duration_seconds_bucket", "le", { "0.01": "0", "1": "1", "+Inf": "1" });
      await arrives("nerve_store_bytes", "file", { "logs.db": "4096" });
      isWell = false;
      await until("the numbers have vanished, and the counts are there", async () => {
        const [values, signals] = [
          await prometheus.ask("nerve_signal_value", "field"),
          await prometheus.ask("nerve_signals_total", "sense"),
        ];
        return Object.keys(values).length === 0 && signals.disk === "7";
      });
    } finally {
      await prometheus.stop();
      store.close();
    }
  },
);
