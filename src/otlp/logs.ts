/** Owns logs as log records. Source: opentelemetry-proto, logs/v1/logs.proto. */
import { readJson } from "../base/json.ts";
import type { LogLevel } from "../model/log.ts";
import { attribute, type Encoded, request, type Sender } from "./attributes.ts";
import type { LogRow } from "./rows.ts";
import type { Wire } from "./wire.ts";

const RECORD = { time: 1, severity: 2, severityText: 3, body: 5, attributes: 6, trace: 9, observed: 11, event: 12 };
/** Numbers of the data model of logs. */
const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 5, info: 9, warn: 13, error: 17 };

export function logsRequest(logs: readonly LogRow[], sender: Sender): Encoded {
  const body = request(sender, (wire) => {
    for (const log of logs) wire.message(2, () => writeRecord(wire, log, sender));
  });
  return { body, items: logs.length };
}

function writeRecord(wire: Wire, log: LogRow, { epoch }: Sender): void {
  const { id, at, level, source, event, run, trace, message, data } = log;
  wire.moment(RECORD.time, at);
  wire.moment(RECORD.observed, at);
  wire.count(RECORD.severity, SEVERITY[level]);
  wire.text(RECORD.severityText, level);
  wire.message(RECORD.body, () => wire.text(1, message.toWellFormed()));
  attribute(wire, RECORD.attributes, "nerve.id", id);
  attribute(wire, RECORD.attributes, "nerve.epoch", epoch);
  attribute(wire, RECORD.attributes, "nerve.source", source);
  if (run !== null) attribute(wire, RECORD.attributes, "nerve.run", run);
  const parsed = data === null ? undefined : readJson(data);
  if (parsed !== undefined) attribute(wire, RECORD.attributes, "nerve.data", parsed);
  if (trace !== null) wire.hex(RECORD.trace, trace);
  wire.text(RECORD.event, event);
}
