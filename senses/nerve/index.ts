/** nerve itself: what has failed, is failing, hangs, waits or is not up. Fails only when the kernel does not answer. */
import { notBetween } from "drizzle-orm";
import type { Compute, Series, Watch } from "nerve";
import { duration, type Infer, record, whole } from "nerve/options";
import { declaration } from "nerve/payload";
import { fetchFailures, fetchStatus } from "nerve/status";
import { BadEndings } from "./bad-endings.ts";
import { judge } from "./judge.ts";
import { looks, samples } from "./schema.ts";

export const options = record({
  stale_after: duration("5m", { min: "1s", max: "7d" }),
  queue_warning: whole(50, { min: 1, max: 1_000_000 }),
  keep: duration("1h", { min: "1m", max: "7d" }),
});

const COUNT = "number.integer >= 0";
const NAMES = "string[]";

export const payload = declaration({
  status: "'ok' | 'warning' | 'critical'",
  reasons: NAMES,
  version: "string",
  uptime_seconds: COUNT,
  senses: COUNT,
  failed: NAMES,
  quarantined: NAMES,
  failing: NAMES,
  stale: NAMES,
  disabled: NAMES,
  groups_not_up: NAMES,
  restarts: COUNT,
  new_restarts: COUNT,
  running: COUNT,
  queued: COUNT,
  sleeping: COUNT,
  queues: { "[string]": COUNT },
  failed_workflows: NAMES,
  stale_workflows: NAMES,
  failed_runs: [{ workflow: "string", run: COUNT, state: "string", error: "string | null" }, "[]"],
  failed_run_count: COUNT,
  own_failures: COUNT,
  unread_logs: COUNT,
  dead_items: { "[string]": COUNT },
  failing_channels: [{ name: "string", reason: "string | null" }, "[]"],
  store: "string",
  more: { "[string]": COUNT },
});

export const watch: Watch = () => ({ kernel: true });

export const series: Series = {
  table: "samples",
  at: "at",
  numbers: {
    running: null,
    queued: null,
    sleeping: null,
    restarts: null,
  },
};

export const compute: Compute<Infer<typeof options>> = async (
  db,
  _peers,
  { options: { stale_after, queue_warning, keep }, signal, now },
) => {
  const status = await fetchStatus(signal);
  const previous = db.select().from(looks).get();
  const cursor = previous?.look.looked_up_to ?? previous?.look.last_failure ?? null;
  const endings = await BadEndings.since(cursor, (after) => fetchFailures(after, signal));
  const { payload, look } = judge(status, endings, previous?.look ?? null, {
    now: Date.now(),
    staleAfterMs: stale_after,
    queueWarning: queue_warning,
  });
  if (previous) db.update(looks).set({ look }).run();
  else db.insert(looks).values({ look }).run();

  const sample = { at: now, ...payload };
  const { id } = db.insert(samples).values(sample).returning({ id: samples.id }).get();
  const outdated = notBetween(samples.at, now - keep, now + keep);
  if (id % 100 === 0) db.delete(samples).where(outdated).run();

  return payload;
};
