/**
 * Owns numbers of signals as gauges. A gauge has two attributes, `sense` and `host.name`; the id of the signal and its trace stand in an
 * exemplar, because as attributes they would make a new series of every point. Source: opentelemetry-proto, metrics/v1/metrics.proto.
 */
import { isJsonObject, type Json, readJson } from "../base/json.ts";
import { attribute, type Encoded, request, type Sender } from "./attributes.ts";
import type { SignalRow } from "./rows.ts";
import type { Wire } from "./wire.ts";

interface Point {
  readonly signal: SignalRow;
  readonly value: number;
}

const METRIC = { name: 1, gauge: 5 } as const;
const POINT = { time: 3, double: 4, exemplars: 5, attributes: 7 } as const;
const EXEMPLAR = { time: 2, double: 3, trace: 5, attributes: 7 } as const;
/** A payload with more numbers is no measurement: what is behind these is not sent. */
const MOST_NUMBERS = 1_000;
const DEEPEST = 16;

/** Calls `take` with each number in `value` and its path: keys and places in lists, with `.` between. */
export function eachNumber(value: Json, take: (path: string, value: number) => void): void {
  let left = MOST_NUMBERS;
  const visit = (inner: Json, path: string, depth: number): void => {
    if (typeof inner === "number") {
      if (left-- > 0) take(path, inner);
      return;
    }
    if (depth >= DEEPEST || left <= 0) return;
    const below = (name: string): string => (path === "" ? name : `${path}.${name}`);
    if (Array.isArray(inner)) for (const [index, item] of inner.entries()) visit(item, below(`${index}`), depth + 1);
    else if (isJsonObject(inner))
      for (const [name, item] of Object.entries(inner)) visit(item, below(name.toWellFormed()), depth + 1);
  };
  visit(value, "", 0);
}

export function metricsRequest(signals: readonly SignalRow[], sender: Sender): Encoded {
  const byName = new Map<string, Point[]>();
  let items = 0;
  for (const signal of signals) {
    eachNumber(readJson(signal.payload) ?? null, (path, value) => {
      const name = `nerve.${signal.sense}${path === "" ? "" : `.${path}`}`;
      const points = byName.get(name);
      items++;
      if (points === undefined) byName.set(name, [{ signal, value }]);
      else points.push({ signal, value });
    });
  }
  const body = request(sender, (wire) => {
    for (const [name, points] of byName) {
      wire.message(2, () => {
        wire.text(METRIC.name, name);
        wire.message(METRIC.gauge, () => {
          for (const point of points) wire.message(1, () => writePoint(wire, point, sender));
        });
      });
    }
  });
  return { body, items };
}

function writePoint(wire: Wire, { signal, value }: Point, { host, epoch }: Sender): void {
  const { id, at, sense, trace } = signal;
  wire.moment(POINT.time, at);
  wire.double(POINT.double, value);
  attribute(wire, POINT.attributes, "sense", sense);
  attribute(wire, POINT.attributes, "host.name", host);
  wire.message(POINT.exemplars, () => {
    wire.moment(EXEMPLAR.time, at);
    wire.double(EXEMPLAR.double, value);
    wire.hex(EXEMPLAR.trace, trace);
    attribute(wire, EXEMPLAR.attributes, "nerve.id", id);
    attribute(wire, EXEMPLAR.attributes, "nerve.epoch", epoch);
  });
}
