/** nerve itself: what has failed, is failing, hangs, waits or is not up. Fails only when the kernel does not answer. */
import type { Compute } from "nerve";
import { duration, type Infer, record, whole } from "nerve/options";
import { fetchStatus } from "nerve/status";
import { judge } from "./judge.ts";
import { looks } from "./schema.ts";

export const options = record({
  stale_after: duration("5m", { min: "1s", max: "7d" }),
  queue_warning: whole(50, { min: 1, max: 1_000_000 }),
});

export const compute: Compute<Infer<typeof options>> = async (
  db,
  _peers,
  { options: { stale_after, queue_warning }, signal },
) => {
  const status = await fetchStatus(signal);
  const previous = db.select().from(looks).get();
  const { payload, look } = judge(status, previous?.look ?? null, {
    now: Date.now(),
    staleAfterMs: stale_after,
    queueWarning: queue_warning,
  });
  if (previous) db.update(looks).set({ look }).run();
  else db.insert(looks).values({ look }).run();
  return payload;
};
