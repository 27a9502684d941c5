/** The document of the API, held against a real daemon: every route is in it, and every answer is as it says. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { ROUTES } from "../../src/web/routes.ts";
import { ClosedSchemas } from "../helpers/closed-schema.ts";
import { type Nerve, type Project, project, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";
import { type Address, bearer, follow, freeAddress, get, tokenIn } from "../helpers/web.ts";

setDefaultTimeout(120_000);

const config = ({ text }: Address): string => `
http: "${text}"
channels: { desk: { webhook: "http://127.0.0.1:9/" } }
senses:
  load: {}
  disk-usage: {}
  pulse: { group: other }
  leak: { group: other }
  crooked: { group: other }
workflows:
  note: {}
  broken: { retry: { limit: 1, interval: 1ms } }
reflexes:
  - { sense: load, interval: 1s }
  - { sense: disk-usage, interval: 1h, on_start: true }
  - { name: pulsed, workflow: note, on: [pulse], when: { n: number > 0 }, key: $sense, for: 1h, incident: {} }
  - { name: noted, workflow: note, on: [pulse], when: { n: number > 0 }, incident: { severity: critical, summary: "a pulse" } }
  - { name: breaks, workflow: broken, on: [pulse], count: { n: 2, within: 1h }, throttle: 1h }
`;

const LEAK = 'export const compute = () => { throw new Error("no"); };\n';
/** It exports a table that it does not have. */
const CROOKED =
  'export const series = { table: "none", at: "at", numbers: { v: null } };\nexport const compute = () => ({ v: 4.5 });\n';
const BROKEN = 'export const run = (thread) => thread.step("fetch", () => { throw new Error("gone"); });\n';

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { schema: { $ref?: string } }>> }>
  >;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, { readonly get: Operation }>>;
  readonly components: Readonly<Record<string, unknown>>;
}

let folder: Project;
let address: Address;
let nerve: Nerve;
let token: string;
let document: Document;
let schemas: ClosedSchemas;

const ask = (path: string) => get(address, path, bearer(token));
const bodyOf = async (path: string) => JSON.parse((await ask(path)).body);

async function pulse(): Promise<void> {
  const { computes } = await nerve.sense("pulse");
  await nerve.post("/trigger", { name: "pulse" });
  await until("pulse was computed", async () => (await nerve.sense("pulse")).computes > computes);
}

beforeAll(async () => {
  address = await freeAddress();
  folder = project(
    { "nerve.yaml": config(address), "senses/leak/index.ts": LEAK, "senses/crooked/index.ts": CROOKED },
    { pulse: "e2e/tick" },
  );
  folder.write(
    "workflows/note/index.ts",
    'export const run = async (thread) => thread.step("once", () => ({ a: 1 }));\n',
  );
  folder.write("workflows/broken/index.ts", BROKEN);
  nerve = await startNerve(folder.path);
  token = tokenIn(nerve.data, "page");
  await pulse();
  await pulse();
  for (const name of ["leak", "crooked"]) await nerve.post("/trigger", { name });
  await until("crooked has emitted", () => nerve.signals("crooked").length === 1);
  await until("a run has failed", () => nerve.logs({ event: "run.failed" }).length === 1);
  await until("an incident is open and told", () => nerve.logs({ event: "incident.notified" }).length > 0);
  await nerve.post("/silence", { pattern: "breaks", for_ms: 3_600_000, why: "a test" });
  await until("the load was read twice", () => nerve.signals("load").length >= 2);
  await until("the page is up", async () => (await nerve.status()).listeners[0]?.state === "up");
  document = await bodyOf("/api/v1/openapi.json");
  schemas = new ClosedSchemas(document.components);
});

afterAll(async () => {
  await nerve[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Real answers for each path of the document that gives JSON. */
const ASKED: Readonly<Record<string, readonly string[]>> = {
  "/session": [""],
  "/status": [""],
  "/senses": [""],
  "/signals": ["?limit=200", "?limit=1", "?sense=nobody"],
  "/logs": ["?limit=200", "?level=error"],
  "/runs": [""],
  "/runs/{id}": ["/runs/1", "/runs/2"],
  "/traces/{id}": ["/traces/signal:1", "/traces/run:1", "/traces/incident:1"],
  "/incidents": [""],
  "/deaths": [""],
  "/reflexes": [""],
  "/reflexes/{name}": ["/reflexes/noted", "/reflexes/pulsed", "/reflexes/breaks", "/reflexes/load%231"],
  "/series": ["?sense=load", "?sense=disk-usage&field=used_percent", "?sense=pulse"],
  "/graph": [""],
  "/config": [""],
  "/store": [""],
  "/why": [""],
  "/hosts": ["", "?state=silent&host=web1&limit=1"],
  "/silences": [""],
};
const pathsOf = (path: string): readonly string[] =>
  (ASKED[path] ?? []).map((end) => `/api/v1${end.startsWith("/") ? end : `${path}${end}`}`);

const refOf = (path: string, status: "200" | "default", type = "application/json"): string =>
  document.paths[path]?.get.responses[status]?.content[type]?.schema.$ref ?? "";

test("every route of the server is in the document, and every path of the document is answered", async () => {
  expect(document.openapi).toBe("3.1.0");
  const beside = ["/session", "/healthz", "/metrics"];
  expect(Object.keys(document.paths).sort()).toEqual([...ROUTES.map(({ path }) => path), ...beside].sort());
  const tested = [
    ...Object.keys(ASKED).map((path) => `/api/v1${path}`),
    "/api/v1/openapi.json",
    "/api/v1/events",
    ...beside,
  ];
  expect(Object.keys(document.paths).sort()).toEqual(tested.sort());
  expect((await ask("/healthz")).status).toBe(200);
  expect((await ask("/metrics")).status).toBe(200);
  expect((await ask("/session")).status).toBe(401);
});

describe("each answer is as the document says, and has nothing more:", () => {
  test.each(Object.keys(ASKED))("%s", async (path) => {
    for (const asked of pathsOf(path)) {
      const { status, body } = await ask(asked);
      expect([asked, status]).toEqual([asked, 200]);
      expect([asked, schemas.complaints(refOf(`/api/v1${path}`, "200"), JSON.parse(body))]).toEqual([asked, []]);
    }
  });

  test("the answers are no empty ones", async () => {
    const [incidents, silences, reflex, series, senses] = await Promise.all(
      ["incidents", "silences", "reflexes/noted", "series?sense=load", "senses"].map((path) =>
        bodyOf(`/api/v1/${path}`),
      ),
    );
    expect(incidents.rows[0]).toMatchObject({ reflex: "noted", severity: "critical", state: "open" });
    expect(silences.silences).toHaveLength(1);
    expect(reflex.decisions.length).toBeGreaterThan(0);
    expect(series).toMatchObject({ source: "table", cut: null });
    expect(series.lines.find(({ field }: { field: string }) => field === "load1_per_core").at.length).toBeGreaterThan(
      0,
    );
    const { name, unit, by } = senses.senses.find((sense: { name: string }) => sense.name === "disk-usage").series[0];
    expect({ name, unit, by }).toEqual({ name: "used_percent", unit: "percent", by: "path" });
  });

  test("a sense whose `series` its database does not have computes, and is read from its signals", async () => {
    const told = nerve.logs({ event: "sense.series-refused" });
    expect(told.map(({ source }) => source)).toEqual(["sense:crooked"]);
    expect(told[0]?.message).toContain("sense `crooked` exports `series`, and keeps no tables");
    const found = await bodyOf("/api/v1/series?sense=crooked");
    expect(found).toMatchObject({ source: "signals", cut: null, lines: [{ field: "v", min: [4.5], max: [4.5] }] });
  });

  test("the events of the stream", async () => {
    const last = nerve.logs().at(-1)?.id ?? 0;
    const events = await follow(address, token, "s0.l0", ({ name, data }) => name === "log" && data.id >= last);
    const names = new Set(events.map(({ name }) => name));
    expect([...names].sort()).toEqual(["incident", "link", "log", "place", "run", "signal"]);
    const ref = refOf("/api/v1/events", "200", "text/event-stream");
    for (const { name, data } of events) {
      if (name === "place") continue;
      expect([name, schemas.complaints(`${ref}/properties/${name}`, data)]).toEqual([name, []]);
    }
  });

  test("refusals", async () => {
    for (const path of ["/api/v1/runs/999", "/api/v1/signals?limit=0", "/api/v1/none", "/api/v1/series"]) {
      const { status, body } = await ask(path);
      expect([400, 404]).toContain(status);
      expect([path, schemas.complaints("#/components/schemas/RefusalAnswer", JSON.parse(body))]).toEqual([path, []]);
    }
    const { status, body } = await get(address, "/api/v1/status");
    expect([status, schemas.complaints(refOf("/api/v1/status", "default"), JSON.parse(body))]).toEqual([401, []]);
  });
});

test("each path takes the parameters that the document gives the path, and no other", async () => {
  for (const path of Object.keys(ASKED)) {
    const [asked = ""] = pathsOf(path);
    const { parameters } = document.paths[`/api/v1${path}`]?.get ?? { parameters: [] };
    for (const name of [...parameters.filter((one) => one.in === "query").map((one) => one.name), "no-such"]) {
      const { status, body } = await ask(`${asked.split("?")[0]}?${name}=%00`);
      const kind = status === 200 ? null : JSON.parse(body).error.kind;
      expect([path, name, kind === "unknown-parameter"]).toEqual([path, name, name === "no-such"]);
    }
  }
});
