/** The page's process as a program asks it: an address of the test's own, requests byte by byte, and the stream of events. */

import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";

/** A loopback address that no other test process has, so that a port which is free on it stays free. */
const HOSTNAME = `127.${1 + (process.pid >> 16)}.${(process.pid >> 8) & 0xff}.${process.pid & 0xff}`;

export interface Address {
  readonly hostname: string;
  readonly port: number;
  /** As nerve.yaml has it. */
  readonly text: string;
}

export async function freeAddress(): Promise<Address> {
  const server = Bun.serve({ hostname: HOSTNAME, port: 0, fetch: () => new Response() });
  const { port = 0 } = server;
  await server.stop(true);
  return { hostname: HOSTNAME, port, text: `${HOSTNAME}:${port}` };
}

export const tokenIn = (data: string, name: string): string => readFileSync(join(data, "tokens", name), "utf8").trim();

export const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });

export interface Reply {
  readonly status: number;
  /** Names in small letters. */
  readonly headers: ReadonlyMap<string, string>;
  /** Everything that was sent, the head too. */
  readonly text: string;
  readonly body: string;
}

const HEAD_END = "\r\n\r\n";

function replyOf(text: string): Reply {
  const end = text.indexOf(HEAD_END);
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { status: Number(first.split(" ")[1]), headers, text, body: text.slice(end + HEAD_END.length) };
}

export interface Request {
  readonly path: string;
  readonly method: string;
  /** `host` and `connection` are added where they are absent. */
  readonly headers: Readonly<Record<string, string>>;
}

function send(address: Address, { path, method, headers }: Request): Socket {
  const all = { host: address.text, connection: "close", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = connect(address.port, address.hostname);
  socket.setEncoding("utf8");
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  return socket;
}

/** One request as it is written: nothing of the path or of a header is put in order on the way. */
export function request(address: Address, asked: Request): Promise<Reply> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = send(address, asked);
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => (text.includes(HEAD_END) ? resolve(replyOf(text)) : reject(new Error("no answer"))));
  });
}

export const get = (address: Address, path: string, headers: Request["headers"] = {}): Promise<Reply> =>
  request(address, { path, method: "GET", headers });

/** The status, or null while nobody answers. */
export const statusAt = (address: Address, path: string, headers: Request["headers"] = {}): Promise<number | null> =>
  get(address, path, headers).then(
    ({ status }) => status,
    () => null,
  );

export interface StreamEvent {
  readonly id: string | null;
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a row by reading it
  readonly data: any;
}

function eventOf(block: string): StreamEvent | null {
  const fields = new Map(
    block.split("\n").map((line): [string, string] => {
      const colon = line.indexOf(": ");
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
  const name = fields.get("event");
  const id = fields.get("id") ?? null;
  if (name === undefined && id === null) return null;
  return { id, name: name ?? "", data: JSON.parse(fields.get("data") ?? "null") };
}

/**
 * Follows the stream after the place `from` (null: from now on) until `isEnough` says so of an event, then cuts the connection
 * there. `query` as in `?level=warn`. An `id` that comes without an event is the event `""`. Resolves with the events up to there, or with all of them where the stream has ended.
 */
export async function follow(
  address: Address,
  token: string,
  from: string | null,
  isEnough: (event: StreamEvent) => boolean,
  query = "",
): Promise<StreamEvent[]> {
  const headers = { ...bearer(token), ...(from === null ? {} : { "last-event-id": from }) };
  const cut = new AbortController();
  const events: StreamEvent[] = [];
  const response = await fetch(`http://${address.text}/api/v1/events${query}`, { headers, signal: cut.signal });
  if (response.status !== 200 || response.body === null)
    throw new Error(`the stream was answered with ${response.status}`);
  let text = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = eventOf(block);
        if (event === null) continue;
        events.push(event);
        if (isEnough(event)) return events;
      }
    }
    return events;
  } finally {
    cut.abort();
  }
}
