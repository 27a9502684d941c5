/** Debian's Prometheus and its promtool, where this machine has them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "./until.ts";

export const PROMETHEUS = Bun.which("prometheus");
export const PROMTOOL = Bun.which("promtool");

/** The exit code of `promtool check metrics`, and what it says of the text. */
export async function complaintsOf(text: string): Promise<string> {
  const child = Bun.spawn([PROMTOOL ?? "", "check", "metrics"], {
    stdio: [new Blob([text]), "pipe", "pipe"],
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return `${code}: ${out}${err}`;
}

/** Starts Prometheus in a folder of its own; it scrapes `target` with `token`, where there is one, twice a second. */
export async function startPrometheus(folder: string, target: string, token: string | null) {
  const file = join(folder, "prometheus.yml");
  const scrape = {
    job_name: "nerve",
    scrape_interval: "500ms",
    scrape_timeout: "500ms",
    static_configs: [{ targets: [target] }],
    ...(token === null ? {} : { authorization: { credentials: token } }),
  };
  writeFileSync(file, JSON.stringify({ scrape_configs: [scrape] }));
  const data = join(folder, "data");
  const child = Bun.spawn(
    [PROMETHEUS ?? "", `--config.file=${file}`, `--storage.tsdb.path=${data}`, "--web.listen-address=127.0.0.1:0"],
    { cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  const reading = (async () => {
    for await (const chunk of child.stderr) said += Buffer.from(chunk).toString("utf8");
  })();
  const address = await until("Prometheus listens", () => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended with ${child.exitCode}:\n${said}`);
    return /"Listening on" address=(127\.0\.0\.1:[1-9]\d*)/.exec(said)?.[1] ?? null;
  });
  const ask = async (query: string, label: string): Promise<Record<string, string>> => {
    const answer = await fetch(`http://${address}/api/v1/query?query=${encodeURIComponent(query)}`);
    // It is not ready yet.
    if (!answer.ok) return {};
    const { data: found } = (await answer.json()) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] } | undefined;
    };
    return Object.fromEntries((found?.result ?? []).map(({ metric, value }) => [metric[label] ?? "", value[1]]));
  };
  return {
    /** The values of a query at this moment, by what `label` says. */
    ask,
    /** Resolves once the query has these values, and no others. */
    arrives: (query: string, label: string, values: Readonly<Record<string, string>>): Promise<boolean> =>
      until(`${query} is ${JSON.stringify(values)}`, async () => Bun.deepEquals(await ask(query, label), values)),
    async stop(): Promise<void> {
      child.kill("SIGKILL");
      await child.exited;
      await reading;
    },
  };
}
