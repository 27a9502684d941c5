/** The bytes that are sent, read by the official generated decoder. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Json } from "../../src/base/json.ts";
import type { Sender } from "../../src/otlp/attributes.ts";
import { logsRequest } from "../../src/otlp/logs.ts";
import { eachNumber, metricsRequest } from "../../src/otlp/metrics.ts";
import type { EndedRow, LogRow, SignalRow } from "../../src/otlp/rows.ts";
import { spansRequest } from "../../src/otlp/spans.ts";
import { decode } from "../helpers/otlp-receiver.ts";

const SENDER: Sender = { host: "web1", epoch: "e1", version: "1.2.3" };
const TRACE = "0123456789abcdef0123456789abcdef";

const signal = (id: number, payload: Json, sense = "disk-usage"): SignalRow => ({
  id,
  sense,
  at: 1_700_000_000_000 + id,
  trace: TRACE,
  payload: JSON.stringify(payload),
});

const log = (over: Partial<LogRow>): LogRow => ({
  id: 7,
  at: 1_700_000_000_007,
  level: "warn",
  source: "sense:load",
  event: "sense.error",
  run: null,
  trace: TRACE,
  message: "no file",
  data: null,
  ...over,
});

const ended = (over: Partial<EndedRow>): EndedRow => ({
  id: 9,
  at: 5_000,
  run: 3,
  event: "run.completed",
  trace: TRACE,
  data: null,
  workflow: "page",
  reflex: "high",
  signal: 12,
  attempt: 2,
  begunAt: 4_000,
  ...over,
});

test("each number of a payload is a gauge with the attributes `sense` and `host.name` alone", () => {
  const payload = { used: 0.5, note: "full", ok: true, mounts: [{ path: "/", free: -3 }], none: null };
  const { body, items } = metricsRequest([signal(1, payload), signal(2, { used: 1e300 })], SENDER);
  const { resource, points } = decode("/v1/metrics", body);
  expect(items).toBe(3);
  expect(resource).toEqual({ "service.name": "nerve", "service.version": "1.2.3", "host.name": "web1" });
  const attributes = { sense: "disk-usage", "host.name": "web1" };
  const of = (id: number) => ({ id, epoch: "e1", trace: TRACE, at: 1_700_000_000_000 + id, attributes });
  expect(points).toEqual([
    { name: "nerve.disk-usage.used", value: 0.5, ...of(1) },
    { name: "nerve.disk-usage.used", value: 1e300, ...of(2) },
    { name: "nerve.disk-usage.mounts.0.free", value: -3, ...of(1) },
  ]);
});

test("signals without a number make no item, and a payload that is a number is the gauge of its sense", () => {
  expect(metricsRequest([signal(1, { state: "up" }), signal(2, null)], SENDER).items).toBe(0);
  const [point] = decode("/v1/metrics", metricsRequest([signal(3, 4, "load")], SENDER).body).points;
  expect(point).toMatchObject({ name: "nerve.load", value: 4, id: 3 });
});

test("any payload arrives with each of its numbers", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ maxDepth: 4 }), { maxLength: 20 }), (payloads) => {
      const signals = payloads.map((payload, index) => signal(index + 1, payload as Json));
      const expected = signals.flatMap(({ id, payload }) => {
        const found: [number, string, number][] = [];
        eachNumber(JSON.parse(payload), (path, value) => found.push([id, path, value]));
        return found.map(([of, path, value]) => JSON.stringify([of, path === "" ? "" : `.${path}`, value]));
      });
      const { body, items } = metricsRequest(signals, SENDER);
      const came = decode("/v1/metrics", body).points.map(({ id, name, value }) =>
        JSON.stringify([id, name.slice("nerve.disk-usage".length), value]),
      );
      expect(items).toBe(expected.length);
      expect(came.toSorted()).toEqual(expected.toSorted());
    }),
    { numRuns: 100 },
  );
});

test("a log is a record with its severity, event, trace, id and data", () => {
  const data = { code: "ENOENT", nested: { list: [1, -2, 0.5, true, null, "x"] }, big: 2 ** 53 };
  const rows = [log({ data: JSON.stringify(data), run: 4 }), log({ id: 8, level: "debug", trace: null })];
  const { body, items } = logsRequest(rows, SENDER);
  expect(items).toBe(2);
  // The generated decoder is older than the field `event_name`, which has the number 12.
  const event = "sense.error";
  expect(Buffer.from(body).includes(Buffer.from([(12 << 3) | 2, event.length, ...Buffer.from(event)]))).toBe(true);
  const [first, second] = decode("/v1/logs", body).logs;
  expect(first).toMatchObject({
    ...{ id: 7, at: 1_700_000_000_007, severity: 13, severityText: "warn", body: "no file", trace: TRACE },
    attributes: { "nerve.source": "sense:load", "nerve.run": 4, "nerve.epoch": "e1", "nerve.data": data },
  });
  expect(second).toMatchObject({ id: 8, severity: 5, trace: "" });
});

test("any data of a log arrives as it is", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const data = JSON.stringify(value);
      const [record] = decode("/v1/logs", logsRequest([log({ data })], SENDER).body).logs;
      expect(JSON.stringify(record?.attributes["nerve.data"])).toBe(JSON.stringify(JSON.parse(data)));
    }),
    { numRuns: 100 },
  );
});

test("a run is a span of its trace, and its steps are below it; what is sent twice is the same span", () => {
  const step = { step: "fetch", nth: 0, attempt: 1, duration_ms: 250 };
  const rows = [
    ended({ id: 8, at: 4_900, event: "step.failed", data: JSON.stringify({ ...step, error: "Error: no" }) }),
    ended({ id: 9 }),
    ended({ id: 10, run: 4, event: "run.timed-out", data: '{"error":"over 1s"}', begunAt: null, reflex: null }),
  ];
  const { body, items } = spansRequest(rows, SENDER);
  const { spans } = decode("/v1/traces", body);
  expect(items).toBe(3);
  const [fetched, run, late] = spans;
  expect(run).toMatchObject({
    ...{ id: 9, trace: TRACE, parent: "", name: "page", kind: 1, begin: 4_000, end: 5_000 },
    status: { code: 1, message: "" },
    attributes: { "nerve.run": 3, "nerve.state": "completed", "nerve.reflex": "high", "nerve.signal": 12 },
  });
  expect(fetched).toMatchObject({
    ...{ id: 8, trace: TRACE, parent: run?.span, name: "fetch", begin: 4_650, end: 4_900 },
    status: { code: 2, message: "Error: no" },
    attributes: { "nerve.step.nth": 0, "nerve.step.attempt": 1 },
  });
  expect(late).toMatchObject({ begin: 5_000, end: 5_000, status: { code: 2, message: "over 1s" } });
  expect(new Set(spans.map(({ span }) => span)).size).toBe(3);
  expect(spansRequest(rows, SENDER).body).toEqual(body);
});

test("rows whose trace is no trace make no broken request", () => {
  const { body } = spansRequest([ended({ trace: "xyz" }), ended({ id: 11, run: 5 })], SENDER);
  expect(decode("/v1/traces", body).spans.map(({ trace }) => trace)).toEqual(["", TRACE]);
});
