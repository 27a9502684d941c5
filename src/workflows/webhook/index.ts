/** Sends what started the run to a web server: a POST, tried again until the server takes it. */
import type { Run } from "nerve";
import { duration, type Infer, mapping, number, record, text, where, whole } from "nerve/options";
import { deliver } from "./deliver.ts";
import { areHeaders, isWebAddress } from "./request.ts";

const WAIT = { min: "10ms", max: "1d" };

export const options = record({
  url: where(text(), isWebAddress, "be an http or https URL"),
  headers: where(mapping(), areHeaders, "be headers of a request, other than those nerve sets itself"),
  timeout: duration("10s", { min: "10ms", max: "10m" }),
  retry: record({
    limit: whole(5, { min: 0, max: 1000 }),
    interval: duration("5s", WAIT),
    backoff: number(2, { min: 1, max: 100 }),
    max_interval: duration("5m", WAIT),
  }),
});

export const run: Run<Infer<typeof options>> = (thread, { options: { url, headers, timeout, retry } }) => {
  const body = JSON.stringify(thread.trigger);
  return thread.step(
    "webhook",
    (step) => deliver({ url, headers, body, idempotencyKey: step.id, timeoutMs: timeout }, step.signal),
    // A long `interval` is not cut short by a `max_interval` nobody wrote.
    { retry: { ...retry, max_interval: Math.max(retry.interval, retry.max_interval) } },
  );
};
