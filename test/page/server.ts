/** Serves the page and a made-up host, under the same rules as the web process: one origin, no inline code, nothing but GET. */
import { gunzipSync } from "bun";
import { type PageFiles, pageFiles } from "../../scripts/page/page.ts";
import { fullNameOf, matchesName } from "../../src/model/full-name.ts";
import type { ShownSignal, StreamEvents } from "../../src/web/contract.ts";
import type { SeriesAnswer } from "../../src/web/contract-host.ts";
import { NOW } from "./world/shapes.ts";
import { whyOf } from "./world/why.ts";
import { lineOf, storyOf, type World } from "./world/world.ts";

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export interface FixtureServer {
  readonly url: string;
  /** Paths that were asked for since the last call. */
  asked: () => readonly string[];
  show: (world: World) => void;
  /** Sends an event to each open stream. */
  send: <Kind extends keyof StreamEvents>(kind: Kind, row: StreamEvents[Kind], id: string | null) => void;
  /** Cuts each open stream. */
  cut: () => void;
  /** As a process that was killed: nothing listens any longer. */
  down: () => Promise<void>;
  up: () => void;
  /** The `Last-Event-ID` of each stream that was opened. */
  readonly resumed: (string | null)[];
  streams: () => number;
  refuse: (refused: boolean) => void;
  stop: () => Promise<void>;
}

const MAX_ROWS = 200;

type Row = { readonly id: number };

/** As the lists of the API answer: the newest, or those before an id; in rising order. */
function listing<T extends Row>(rows: readonly T[], query: URLSearchParams, keep: (row: T) => boolean) {
  const limit = Math.min(Number(query.get("limit") ?? 50), MAX_ROWS);
  const before = Number(query.get("before") ?? Number.POSITIVE_INFINITY);
  const found = rows.filter((row) => row.id < before && keep(row)).sort((a, b) => a.id - b.id);
  const page = found.slice(-limit);
  const [first] = page;
  const next = found.length > page.length && first !== undefined ? `before=${first.id}` : null;
  return { rows: page, next, short: false, looked_to: first?.id ?? 0 };
}

const LEVELS = ["debug", "info", "warn", "error"];
const any = (query: URLSearchParams, name: string, value: string | null): boolean =>
  !query.has(name) || query.getAll(name).includes(value ?? "");

/** As the API reads `sense`: the full name, or a pattern of one. */
const isAsked = (query: URLSearchParams, row: ShownSignal): boolean =>
  !query.has("sense") || query.getAll("sense").some((pattern) => matchesName(pattern, fullNameOf(row)));

function answerOf(world: World, path: string, query: URLSearchParams, at: number): unknown {
  const link = { state: "up", answered_at: at };
  const from = Number(query.get("since") ?? 0);
  const to = Number(query.get("until") ?? Number.POSITIVE_INFINITY);
  const inTime = (time: number): boolean => time >= from && time <= to;
  const trace = query.get("trace");
  const [head = "", id = ""] = path.split("/", 2).map(decodeURIComponent);
  if (head === "session") return { instance: "test", version: "0.1.0", at, until: at + 43_200_000 };
  if (head === "status")
    return {
      instance: "test",
      host: world.host,
      at,
      tz: world.tz,
      link,
      status: world.status,
      watermarks: { signals: world.signals.at(-1)?.id ?? 0, logs: world.logs.at(-1)?.id ?? 0 },
    };
  if (head === "senses") return { link, senses: world.senses };
  if (head === "reflexes" && id === "") return { link, reflexes: world.reflexes };
  if (head === "reflexes") return world.explained[id] ?? null;
  if (head === "signals")
    return listing(
      world.signals,
      query,
      (row) => isAsked(query, row) && inTime(row.at) && (trace === null || row.trace === trace),
    );
  if (head === "logs") {
    const least = LEVELS.indexOf(query.get("level") ?? "debug");
    const text = (query.get("text") ?? "").toLowerCase();
    return listing(
      world.logs,
      query,
      (row) =>
        LEVELS.indexOf(row.level) >= least &&
        any(query, "source", row.source) &&
        any(query, "event", row.event) &&
        row.message.toLowerCase().includes(text) &&
        inTime(row.at) &&
        (trace === null || row.trace === trace),
    );
  }
  if (head === "deaths") return listing(world.logs, query, (row) => row.event === "worker.exited" && inTime(row.at));
  if (head === "runs" && id === "")
    return listing(
      world.runs,
      query,
      (row) =>
        any(query, "state", row.state) &&
        any(query, "workflow", row.workflow) &&
        any(query, "reflex", row.reflex) &&
        inTime(row.queued_at),
    );
  if (head === "runs") return storyOf(world, `run:${id}`);
  if (head === "traces") return storyOf(world, id);
  if (head === "incidents")
    return listing(
      world.incidents,
      query,
      (row) => any(query, "state", row.state) && any(query, "reflex", row.reflex) && inTime(row.opened_at),
    );
  if (head === "graph") return world.graph;
  if (head === "store") return world.store;
  if (head === "why") return whyOf(world, at);
  if (head === "hosts") {
    const hosts = world.hosts.slice(0, Number(query.get("limit") ?? 200));
    return { link, fleet: world.status.fleet, hosts, more: world.hosts.length - hosts.length };
  }
  if (head === "silences") return { silences: world.silences };
  if (head === "config") return { file: world.graph.file, loaded_at: NOW - 294_000, config: world.config };
  if (head !== "series") return null;
  const [begin, end] = [Number(query.get("from")), Number(query.get("to"))];
  const lines = query.getAll("field").map((field) => lineOf(world, query.get("sense") ?? "", field, begin, end));
  return {
    sense: query.get("sense") ?? "",
    from: begin,
    to: end,
    step_ms: (end - begin) / Number(query.get("width") ?? 600),
    source: "table",
    by: null,
    cut: null,
    looked_to: begin,
    next: null,
    lines,
  } satisfies SeriesAnswer;
}

type Controller = ReadableStreamDefaultController<Uint8Array>;

/** The clock of the made-up host stands still, so that every picture is the same. */
export async function startFixture(first: World): Promise<FixtureServer> {
  const files: PageFiles = await pageFiles();
  let world = first;
  let asked: string[] = [];
  let refused = false;
  const open = new Set<Controller>();
  const resumed: (string | null)[] = [];
  const encoder = new TextEncoder();
  const linkText = (): string => `event: link\ndata: ${JSON.stringify({ state: "up", answered_at: NOW, at: NOW })}\n\n`;

  function stream(request: Request): Response {
    resumed.push(request.headers.get("last-event-id"));
    let own: Controller | null = null;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        own = controller;
        open.add(controller);
        controller.enqueue(encoder.encode(linkText()));
      },
      cancel() {
        if (own !== null) open.delete(own);
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream", "cache-control": "no-store" } });
  }

  const serve = (port: number) =>
    Bun.serve({
      hostname: "127.0.0.1",
      port,
      idleTimeout: 0,
      fetch(request) {
        const { pathname, searchParams } = new URL(request.url);
        const headers = { "content-security-policy": CSP, "x-content-type-options": "nosniff" };
        const file = files[pathname];
        if (file !== undefined)
          return new Response(new Uint8Array(gunzipSync(Buffer.from(file.gzip, "base64"))), {
            headers: { ...headers, "content-type": file.type },
          });
        asked.push(pathname + new URL(request.url).search);
        if (refused)
          return Response.json({ error: { kind: "auth", message: "no session", hint: "nerve open" } }, { status: 401 });
        if (pathname === "/api/v1/events") return stream(request);
        if (pathname === "/session") return new Response(null, { status: 204, headers });
        const path = pathname.replace(/^\/api\/v1\//, "");
        const answer = answerOf(world, path, searchParams, NOW);
        if (answer === null)
          return Response.json(
            { error: { kind: "unknown", message: `there is no ${path}`, hint: null } },
            { status: 404 },
          );
        return Response.json(answer, { headers });
      },
    });
  let server = serve(0);
  const port = server.port ?? 0;
  const cutAll = (): void => {
    for (const controller of open) {
      try {
        controller.close();
      } catch {
        // The reader has gone already.
      }
    }
    open.clear();
  };
  return {
    url: `http://127.0.0.1:${port}`,
    asked: () => asked.splice(0),
    show: (next) => {
      world = next;
      asked = [];
    },
    send: (kind, row, id) => {
      const text = `${id === null ? "" : `id: ${id}\n`}event: ${kind}\ndata: ${JSON.stringify(row)}\n\n`;
      for (const controller of open) controller.enqueue(encoder.encode(text));
    },
    cut: cutAll,
    down: async () => {
      cutAll();
      await server.stop(true);
    },
    up: () => {
      server = serve(port);
    },
    resumed,
    streams: () => open.size,
    refuse: (now) => {
      refused = now;
      cutAll();
    },
    stop: async () => {
      cutAll();
      await server.stop(true);
    },
  };
}

if (import.meta.main) {
  const { LIVE } = await import("./world/live.ts");
  console.log((await startFixture(LIVE)).url);
}
