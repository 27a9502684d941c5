/**
 * A receiver of OTLP over HTTP that decodes with the official generated decoder. A test says what it answers; it may be stopped, and come back
 * on the same port.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import root from "@opentelemetry/otlp-transformer/build/src/generated/root.js";

const { collector } = (root as unknown as Root).opentelemetry.proto;

// biome-ignore lint/suspicious/noExplicitAny: what a generated decoder gives
type Decoded = any;

interface Message {
  decode(bytes: Uint8Array): Decoded;
  encode(message: object): { finish(): Uint8Array };
  toObject(message: Decoded, options: object): Decoded;
}

interface Root {
  readonly opentelemetry: {
    readonly proto: {
      readonly collector: Readonly<Record<string, { readonly v1: Readonly<Record<string, Message>> }>>;
    };
  };
}

const KINDS = {
  "/v1/metrics": ["signals", "metrics", "ExportMetricsServiceRequest", "ExportMetricsServiceResponse"],
  "/v1/logs": ["logs", "logs", "ExportLogsServiceRequest", "ExportLogsServiceResponse"],
  "/v1/traces": ["runs", "trace", "ExportTraceServiceRequest", "ExportTraceServiceResponse"],
} as const;

export type Kind = (typeof KINDS)[keyof typeof KINDS][0];

const messageOf = (part: string, name: string): Message => {
  const message = collector[part]?.v1[name];
  if (message === undefined) throw new Error(`the decoder has no ${name}`);
  return message;
};

type Attributes = Readonly<Record<string, unknown>>;

export interface Point {
  readonly name: string;
  readonly value: number;
  readonly at: number;
  readonly attributes: Attributes;
  readonly id: number;
  readonly trace: string;
  readonly epoch: string;
}

export interface LogRecord {
  readonly id: number;
  readonly at: number;
  readonly severity: number;
  readonly severityText: string;
  readonly body: string;
  readonly trace: string;
  readonly attributes: Attributes;
}

export interface Span {
  readonly id: number;
  readonly span: string;
  readonly parent: string;
  readonly trace: string;
  readonly name: string;
  readonly kind: number;
  readonly begin: number;
  readonly end: number;
  readonly status: { readonly code: number; readonly message: string };
  readonly attributes: Attributes;
}

export interface Taken {
  readonly resource: Attributes;
  readonly points: readonly Point[];
  readonly logs: readonly LogRecord[];
  readonly spans: readonly Span[];
}

const OPTIONS = { longs: String, enums: Number, bytes: String, defaults: true, arrays: true, oneofs: true };
const hexOf = (base64: string): string => Buffer.from(base64, "base64").toString("hex");
const msOf = (nanos: string): number => Number(BigInt(nanos) / 1_000_000n);

function plainOf(any: Decoded): unknown {
  switch (any?.value) {
    case "stringValue":
    case "boolValue":
    case "doubleValue":
      return any[any.value];
    case "intValue":
      return Number(any.intValue);
    case "arrayValue":
      return any.arrayValue.values.map(plainOf);
    case "kvlistValue":
      return attributesOf(any.kvlistValue.values);
    default:
      return null;
  }
}

const attributesOf = (list: Decoded): Attributes =>
  Object.fromEntries(list.map(({ key, value }: Decoded) => [key, plainOf(value)]));

/** What stands in a request to `path`. Throws for bytes that the official decoder does not take. */
export function decode(path: string, bytes: Uint8Array): Taken {
  const [, part, request] = KINDS[path as keyof typeof KINDS];
  const message = messageOf(part, request);
  const decoded = message.toObject(message.decode(bytes), OPTIONS);
  const [of] = decoded.resourceMetrics ?? decoded.resourceLogs ?? decoded.resourceSpans;
  const [scope] = of.scopeMetrics ?? of.scopeLogs ?? of.scopeSpans;
  return {
    resource: attributesOf(of.resource.attributes),
    points: (scope.metrics ?? []).flatMap(pointsOf),
    logs: (scope.logRecords ?? []).map(logOf),
    spans: (scope.spans ?? []).map(spanOf),
  };
}

const pointsOf = ({ name, gauge }: Decoded): Point[] =>
  gauge.dataPoints.map(({ timeUnixNano, asDouble, attributes, exemplars }: Decoded) => {
    const [exemplar] = exemplars;
    const about = attributesOf(exemplar.filteredAttributes);
    return {
      name,
      value: asDouble,
      at: msOf(timeUnixNano),
      attributes: attributesOf(attributes),
      id: about["nerve.id"],
      epoch: about["nerve.epoch"],
      trace: hexOf(exemplar.traceId),
    };
  });

function logOf(record: Decoded): LogRecord {
  const attributes = attributesOf(record.attributes);
  return {
    id: attributes["nerve.id"] as number,
    at: msOf(record.timeUnixNano),
    severity: record.severityNumber,
    severityText: record.severityText,
    body: record.body.stringValue,
    trace: hexOf(record.traceId),
    attributes,
  };
}

function spanOf(span: Decoded): Span {
  const attributes = attributesOf(span.attributes);
  return {
    id: attributes["nerve.id"] as number,
    span: hexOf(span.spanId),
    parent: hexOf(span.parentSpanId),
    trace: hexOf(span.traceId),
    name: span.name,
    kind: span.kind,
    begin: msOf(span.startTimeUnixNano),
    end: msOf(span.endTimeUnixNano),
    status: { code: span.status?.code ?? 0, message: span.status?.message ?? "" },
    attributes,
  };
}

/** `take` with `refused`: a partial success. `hang-up`: read, and the connection is closed. `silence`: read, and never answered. */
export type Reply =
  | { readonly kind: "take"; readonly refused: number; readonly message: string }
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
    }
  | { readonly kind: "hang-up" }
  | { readonly kind: "silence" };

export const TAKE: Reply = { kind: "take", refused: 0, message: "" };
export const answer = (status: number, body = "", headers: Readonly<Record<string, string>> = {}): Reply => ({
  kind: "status",
  status,
  headers,
  body,
});
export const HANG_UP: Reply = { kind: "hang-up" };
export const SILENCE: Reply = { kind: "silence" };

export interface Came {
  readonly kind: Kind;
  readonly at: number;
  readonly headers: IncomingMessage["headers"];
  readonly reply: Reply;
  readonly taken: Taken;
}

export class OtlpReceiver implements AsyncDisposable {
  /** All requests, in the order in which they came. */
  readonly came: Came[] = [];
  readonly faults: string[] = [];
  replyTo: (kind: Kind, taken: Taken) => Reply = () => TAKE;
  #server: Server | null = null;
  #port = 0;

  async start(): Promise<this> {
    const server = createServer((request, response) => {
      this.#receive(request, response).catch((error: Error) => {
        this.faults.push(error.message);
        response.writeHead(500).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** As a process that was killed: every connection is closed, and nobody listens. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** What came in requests that were taken. */
  get taken(): readonly Taken[] {
    return this.came.filter(({ reply }) => reply.kind === "take").map(({ taken }) => taken);
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "";
    const [kind, part, , answered] = KINDS[path as keyof typeof KINDS];
    const parts: Buffer[] = [];
    for await (const chunk of request) parts.push(chunk as Buffer);
    const { headers } = request;
    if (headers["content-type"] !== "application/x-protobuf" || headers["content-encoding"] !== "gzip")
      throw new Error(`a request with ${JSON.stringify(headers)}`);
    const taken = decode(path, Bun.gunzipSync(Buffer.concat(parts)));
    const reply = this.replyTo(kind, taken);
    this.came.push({ kind, at: performance.now(), headers, reply, taken });
    switch (reply.kind) {
      case "hang-up":
        request.socket.destroy();
        return;
      case "silence":
        return;
      case "status":
        response.writeHead(reply.status, reply.headers).end(reply.body);
        return;
      case "take": {
        const name = { signals: "rejectedDataPoints", logs: "rejectedLogRecords", runs: "rejectedSpans" }[kind];
        const partialSuccess = { [name]: reply.refused, errorMessage: reply.message };
        const isWhole = reply.refused === 0 && reply.message === "";
        const body = messageOf(part, answered)
          .encode(isWhole ? {} : { partialSuccess })
          .finish();
        response.writeHead(200, { "content-type": "application/x-protobuf" }).end(body);
      }
    }
  }
}
