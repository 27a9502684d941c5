/** Whether something listens at a port, and how long the connection takes. */
import { connect } from "node:net";
import { desc, notBetween } from "drizzle-orm";
import type { Compute, Series } from "nerve";
import { CHECK_PAYLOAD, inARow, msSince, networkReason, patience, within } from "nerve/checks";
import { duration, type Infer, port, record, text } from "nerve/options";
import { declaration } from "nerve/payload";
import { samples } from "./schema.ts";

export const options = record({
  host: text(),
  port: port(),
  timeout: patience,
  keep: duration("7d", { min: "1m", max: "90d" }),
});

export const payload = declaration({ host: "string", port: "number.integer", ...CHECK_PAYLOAD, ms: "number >= 0" });

export const series: Series = {
  table: "samples",
  at: "at",
  numbers: { ms: "ms", failures: null },
};

export const compute: Compute<Infer<typeof options>> = async (db, _peers, { options: given, signal, now }) => {
  const { host, port, timeout, keep } = given;
  const start = performance.now();
  const reason = await within(timeout, signal, (limit) => knock(host, port, limit)).then(
    (opened) => (opened === null ? `there was no connection within ${timeout / 1000} s` : null),
    (error) => {
      signal.throwIfAborted();
      return networkReason(error);
    },
  );
  const ms = msSince(start);

  const target = `${host}:${port}`;
  const last = db.select().from(samples).orderBy(desc(samples.id)).limit(1).get();
  const result = {
    ok: reason === null,
    reason,
    ...inARow(last?.target === target ? last : undefined, reason === null),
  };
  const { id } = db
    .insert(samples)
    .values({ at: now, target, ms, ...result })
    .returning({ id: samples.id })
    .get();
  const outdated = notBetween(samples.at, now - keep, now + keep);
  if (id % 100 === 0) db.delete(samples).where(outdated).run();

  return { host, port, ...result, ms };
};

/** Resolves once the connection is there, and hangs up. */
function knock(host: string, port: number, signal: AbortSignal): Promise<"opened"> {
  const { promise, resolve, reject } = Promise.withResolvers<"opened">();
  const socket = connect({ host, port });
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  socket.once("connect", () => resolve("opened"));
  socket.on("error", reject);
  return promise.finally(() => {
    signal.removeEventListener("abort", stop);
    socket.destroy();
  });
}
