/**
 * Owns runs and steps as spans, each sent when it has ended. The trace is nerve's own; the id of a span is made of the host and of what
 * nerve calls the run or the step, so that a span that is sent twice is the same span. Source: opentelemetry-proto, trace/v1/trace.proto.
 */
import { isJsonObject, type Json, readJson } from "../base/json.ts";
import { attribute, type Encoded, request, type Sender } from "./attributes.ts";
import type { EndedRow } from "./rows.ts";
import type { Wire } from "./wire.ts";

const SPAN = { trace: 1, id: 2, parent: 4, name: 5, kind: 6, begin: 7, end: 8, attributes: 9, status: 15 } as const;
const INTERNAL = 1;
const STATUS = { message: 2, code: 3 } as const;
const OK = 1;
const ERROR = 2;

const RUN = "run.";
const FAILED: readonly string[] = ["run.failed", "run.timed-out", "run.dropped", "step.failed"];
const COMPLETED: readonly string[] = ["run.completed", "step.completed"];

type Attributes = Readonly<Record<string, Json>>;

/** 16 hex digits. */
function spanId(parts: readonly (string | number)[]): string {
  const id = new Bun.CryptoHasher("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
  return /^0+$/.test(id) ? `${id.slice(1)}1` : id;
}

export function spansRequest(rows: readonly EndedRow[], sender: Sender): Encoded {
  const body = request(sender, (wire) => {
    for (const row of rows) wire.message(2, () => writeSpan(wire, row, sender));
  });
  return { body, items: rows.length };
}

function writeSpan(wire: Wire, row: EndedRow, { host, epoch }: Sender): void {
  const { id, at, run, event, trace } = row;
  const data = readJson(row.data ?? "null") ?? null;
  const said = isJsonObject(data) ? data : {};
  const ofRun = spanId([host, epoch, "run", run]);
  const isRun = event.startsWith(RUN);
  wire.hex(SPAN.trace, trace);
  wire.hex(SPAN.id, isRun ? ofRun : spanId([host, epoch, "log", id]));
  if (!isRun) wire.hex(SPAN.parent, ofRun);
  wire.text(SPAN.name, isRun || typeof said.step !== "string" ? row.workflow : said.step.toWellFormed());
  wire.count(SPAN.kind, INTERNAL);
  wire.moment(SPAN.begin, isRun ? Math.min(at, row.begunAt ?? at) : at - numberOr(said.duration_ms, 0));
  wire.moment(SPAN.end, at);
  const own = isRun ? attributesOfRun(row) : { "nerve.step.nth": said.nth, "nerve.step.attempt": said.attempt };
  const all: Attributes = { "nerve.id": id, "nerve.epoch": epoch, "nerve.run": run, "nerve.workflow": row.workflow };
  for (const [name, value] of Object.entries({ ...all, ...own })) {
    if (value !== null && value !== undefined) attribute(wire, SPAN.attributes, name, value);
  }
  writeStatus(wire, event, said.error);
}

const numberOr = (value: Json | undefined, fallback: number): number => (typeof value === "number" ? value : fallback);

const attributesOfRun = ({ event, reflex, signal, attempt }: EndedRow): Attributes => ({
  "nerve.state": event.slice(RUN.length),
  "nerve.reflex": reflex,
  "nerve.signal": signal,
  "nerve.attempt": attempt,
});

function writeStatus(wire: Wire, event: string, error: Json | undefined): void {
  const code = FAILED.includes(event) ? ERROR : COMPLETED.includes(event) ? OK : null;
  if (code === null) return;
  wire.message(SPAN.status, () => {
    if (code === ERROR && typeof error === "string") wire.text(STATUS.message, error.toWellFormed());
    wire.count(STATUS.code, code);
  });
}
