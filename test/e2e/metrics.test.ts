/** `/metrics` of a real daemon: who may read the page, what the page counts, and that Prometheus can store it. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Nerve, type Project, project, startNerve } from "../helpers/nerve.ts";
import { complaintsOf, PROMETHEUS, PROMTOOL, startPrometheus } from "../helpers/prometheus.ts";
import { until } from "../helpers/until.ts";
import { freeAddress } from "../helpers/web.ts";

setDefaultTimeout(120_000);

if (PROMTOOL === null || PROMETHEUS === null) {
  console.error("skipped: no Prometheus on this machine (Debian: apt-get install prometheus)");
}

describe("/metrics", () => {
  let folder: Project;
  let nerve: Nerve;
  let address: string;
  let hostname: string;
  const tokens = { page: "", metrics: "" };

  /** The third compute of `tick` is no signal. */
  const config = (tick: string): string => `
http: { listen: "${address}", hosts: ["${hostname}"] }
senses: { tick: { ${tick} } }
reflexes: [{ name: hourly, sense: tick, interval: 1h }]
`;

  const ask = (path: string, token: string | null): Promise<Response> =>
    fetch(`http://${address}${path}`, { headers: token === null ? {} : { authorization: `Bearer ${token}` } });
  const text = async (): Promise<string> => (await ask("/metrics", tokens.metrics)).text();
  /** The lines of one family, without its head. */
  const linesOf = async (family: string): Promise<string[]> =>
    (await text()).split("\n").filter((line) => line.startsWith(`${family}{`));
  const computes = (signal: number, none: number): string[] => [
    `nerve_computes_total{sense="tick",outcome="signal"} ${signal}`,
    `nerve_computes_total{sense="tick",outcome="null"} ${none}`,
    'nerve_computes_total{sense="tick",outcome="error"} 0',
    'nerve_computes_total{sense="tick",outcome="timeout"} 0',
    'nerve_computes_total{sense="tick",outcome="killed"} 0',
  ];
  const counts = (signal: number, none: number): Promise<boolean> =>
    until(`${signal} signals and ${none} times none are counted`, async () =>
      Bun.deepEquals(await linesOf("nerve_computes_total"), computes(signal, none)),
    );

  async function compute(): Promise<void> {
    const before = (await nerve.sense("tick")).computes;
    await nerve.post("/trigger", { name: "tick" });
    await until("tick was computed", async () => (await nerve.sense("tick")).computes > before);
  }

  beforeAll(async () => {
    ({ hostname, text: address } = await freeAddress());
    folder = project({ "nerve.yaml": config("") }, { tick: "e2e/tick" });
    nerve = await startNerve(folder.path);
    await until("the page is up", async () => (await nerve.status()).listeners[0]?.state === "up");
    for (const name of ["page", "metrics"] as const) {
      tokens[name] = readFileSync(join(nerve.data, "tokens", name), "utf8").trim();
    }
    await compute();
  });

  afterAll(async () => {
    await nerve[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  test("the tokens metrics and page open the page, and nothing else does", async () => {
    const statuses = (path: string): Promise<number[]> =>
      Promise.all([tokens.metrics, tokens.page, null, "wrong"].map(async (token) => (await ask(path, token)).status));
    expect(await statuses("/metrics")).toEqual([200, 200, 401, 401]);
    expect(await statuses("/api/v1/status")).toEqual([401, 200, 401, 401]);
    const { headers } = await ask("/metrics", tokens.metrics);
    expect(headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const refused = await (await ask("/metrics", "wrong")).text();
    expect(JSON.parse(refused).error.kind).toBe("signed-out");
    expect(refused).not.toContain("nerve_");
  });

  test("counts go on over a reload, and the numbers of a sense that gains `metrics` appear", async () => {
    await compute();
    await counts(2, 0);
    expect(await linesOf("nerve_signal_value")).toEqual([]);
    folder.write("nerve.yaml", config("metrics: true"));
    expect((await nerve.post("/reload")).status).toBe(200);
    await until("the numbers of tick are there", async () => (await linesOf("nerve_signal_value")).length > 0);
    expect(await linesOf("nerve_signal_value")).toEqual(['nerve_signal_value{sense="tick",field="n"} 2']);
    expect(await linesOf("nerve_computes_total")).toEqual(computes(2, 0));
    await compute();
    await compute();
    await counts(3, 1);
    expect(await linesOf("nerve_signal_value")).toEqual(['nerve_signal_value{sense="tick",field="n"} 4']);
  });

  test.skipIf(PROMTOOL === null)("promtool has nothing to say of the text", async () => {
    expect(await complaintsOf(await text())).toBe("0: ");
  });

  test.skipIf(PROMETHEUS === null)("Prometheus signs in with the token, and stores the counts", async () => {
    const prometheus = await startPrometheus(folder.path, address, tokens.metrics);
    try {
      await prometheus.arrives("nerve_signals_total", "sense", { tick: "3" });
      await prometheus.arrives("nerve_signal_value", "field", { n: "4" });
      await prometheus.arrives("nerve_compute_duration_seconds_count", "sense", { tick: "4" });
      await prometheus.arrives("up", "job", { nerve: "1" });
    } finally {
      await prometheus.stop();
    }
  });

  test("a kernel that is silent counts nothing, and its counts come back when it answers", async () => {
    const hasCounts = async (): Promise<boolean> => (await linesOf("nerve_computes_total")).length > 0;
    nerve.kill("SIGSTOP");
    try {
      await until("the counts are gone", async () => !(await hasCounts()));
      expect(await linesOf("nerve_build_info")).toHaveLength(1);
      expect((await linesOf("nerve_store_bytes")).length).toBeGreaterThan(1);
    } finally {
      nerve.kill("SIGCONT");
    }
    await until("the counts are back", hasCounts);
    expect(await linesOf("nerve_signals_total")).toEqual(['nerve_signals_total{sense="tick"} 3']);
  });

  test("the newest signal of a sense is known after a restart, which counts none", async () => {
    const newest = nerve.signals("tick").at(-1)?.at ?? Number.NaN;
    const known = () => linesOf("nerve_last_signal_timestamp_seconds");
    const before = await known();
    expect(before).toEqual([`nerve_last_signal_timestamp_seconds{sense="tick"} ${newest / 1_000}`]);
    await nerve[Symbol.asyncDispose]();
    nerve = await startNerve(folder.path);
    await until("the page is up", async () => (await nerve.status()).listeners[0]?.state === "up");
    await until(
      "the counts begin anew",
      async () => (await linesOf("nerve_signals_total"))[0]?.endsWith(" 0") === true,
    );
    expect(await known()).toEqual(before);
    expect(await nerve.sense("tick")).toMatchObject({ last_signal: newest, computes: 0 });
    const senses = (await (await ask("/api/v1/senses", tokens.page)).json()) as { senses: { last: unknown }[] };
    expect(senses.senses.map(({ last }) => last)).toMatchObject([{ sense: "tick", at: newest }]);
  });
});
