/** The page of a real daemon in a real browser: `nerve open` lets it in, each view shows what happened, and a daemon that is gone is said. */
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "puppeteer-core";
import { jsonOf, type Nerve, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";
import { CHROMIUM, launch, openPage } from "../page/browser.ts";

setDefaultTimeout(180_000);

if (CHROMIUM === null) console.error("skipped: no Chromium on this machine (Debian: apt-get install chromium)");

const configOf = (port: number): string => `http: 127.0.0.1:${port}
senses:
  cpu-usage:
  memory:
  disk-root: { use: disk-usage, with: { path: / } }
  queue: { use: exec, with: { command: [echo, "7"], parse: number } }
  backup: { use: exec, with: { command: [sh, -c, "echo no such bucket >&2; exit 3"], parse: number } }
workflows:
  notify:
  tidy: { use: exec, with: { command: [echo, "{{ payload.value }}"] } }
  broken:
reflexes:
  - { sense: cpu-usage, interval: 1s }
  - { sense: memory, interval: 1s }
  - { sense: disk-root, interval: 1m }
  - { sense: queue, interval: 1s }
  - { sense: backup, interval: 1s }
  - { name: full, workflow: notify, on: [queue], when: { value: number >= 5 }, incident: { severity: critical, summary: "queue at {{ payload.value }}" } }
  - { name: tidy, workflow: tidy, on: [queue], throttle: 1h }
`;

const BROKEN =
  'export const run = (thread) => thread.step("fetch", () => { throw new Error("the bucket is gone"); });\n';

/** A port that was free a moment ago. Should another program take it, nerve tries again until the port is free. */
function freePort(): number {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { port = 0 } = server;
  server.stop(true);
  return port;
}

/** Waits for all that the views are to show; the ids of the run of `tidy` and of `broken`. */
async function happened(nerve: Nerve, folder: Project): Promise<{ tidy: number; broken: number }> {
  await until("the page is served", async () =>
    (await nerve.status()).listeners.some(({ name, state }) => name === "http" && state === "up"),
  );
  await until("an incident is open", async () => (await nerve.status()).incidents.open === 1);
  await until("a sense is failing", async () => (await nerve.sense("backup")).state === "failing");
  await runNerve(folder.path, ["run", "broken", "{}"]);
  const idOf = (source: string, event: string) =>
    until(`${event} of ${source}`, () => {
      const [first] = nerve.logs({ source, event });
      return first === undefined ? null : Number(/^run (\d+) /.exec(first.message)?.[1]);
    });
  return {
    tidy: await idOf("workflow:tidy", "run.completed"),
    broken: await idOf("workflow:broken", "run.failed"),
  };
}

/** Waits until the view of `hash` shows every one of the texts. */
async function shows(page: Page, hash: string, title: string, texts: readonly string[]): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  let missing: readonly string[] = texts;
  const isShown = async (): Promise<boolean> => {
    const [heading, shown] = (await page.evaluate(
      "[document.querySelector('h1.title')?.textContent ?? '', document.querySelector('main')?.textContent ?? '']",
    )) as [string, string];
    missing = heading === title ? texts.filter((text) => !shown.includes(text)) : [`the title ${title}`];
    return missing.length === 0;
  };
  await until(`${hash} shows its texts`, isShown).catch((error: Error) => {
    throw new Error(`${error.message}; missing: ${missing.join(", ")}`);
  });
}

/** What was asked for since, each path once: a page that is open asks again. Bytes as they came, compressed. */
async function countTraffic(page: Page): Promise<() => { readonly paths: number; readonly bytes: number }> {
  const asked = new Map<string, string>();
  const came = new Map<string, number>();
  const session = await page.createCDPSession();
  await session.send("Network.enable");
  session.on("Network.requestWillBeSent", ({ requestId, request }) => {
    asked.set(requestId, request.url.replace(/\b(from|to|since)=\d+/g, "$1"));
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const path = asked.get(requestId);
    if (path !== undefined && !came.has(path)) came.set(path, encodedDataLength);
  });
  return () => ({ paths: came.size, bytes: [...came.values()].reduce((sum, bytes) => sum + bytes, 0) });
}

interface Trouble {
  readonly kind: string;
  readonly id: number | null;
  readonly name: string | null;
  readonly check: { readonly check: string } | null;
}

const troubleId = ({ kind, id, name, check }: Trouble): string => `${kind}:${id ?? name ?? ""}:${check?.check ?? ""}`;

/** What *Now* lists. */
const listed = async (page: Page): Promise<string[]> =>
  (
    (await page.evaluate(
      "[...document.querySelectorAll('[data-trouble]')].map((one) => one.dataset.trouble)",
    )) as string[]
  ).sort();

interface Told {
  readonly signals: readonly { readonly id: number; readonly sense: string }[];
  readonly runs: readonly {
    readonly id: number;
    readonly workflow: string;
    readonly steps: readonly { readonly step: string }[];
  }[];
}

/** What the page names of a story. */
const namesIn = ({ signals, runs }: Told): string[] => [
  ...signals.map(({ id, sense }) => `${sense} #${id}`),
  ...runs.flatMap(({ id, workflow, steps }) => [`run ${id}, ${workflow}`, ...steps.map(({ step }) => step)]),
];

/** `nerve show --json` and the page's Story are of the same rows. A story that goes on is compared once both have the same. */
async function tellsTheSame(folder: Project, page: Page, word: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(`#/story?sel=${encodeURIComponent(word)}`)}`);
  await until(`the page tells ${word} as nerve show does`, async () => {
    const told = await jsonOf(folder.path, ["show", word]);
    const answered = await page.evaluate(
      `fetch("/api/v1/traces/${encodeURIComponent(word)}").then((answer) => answer.json())`,
    );
    const names = namesIn(told.value);
    const shown = await page.evaluate(
      "[...document.querySelectorAll('.wf .wr:not(.whead) .l > .tr:not(.s)')].map((one) => one.textContent)",
    );
    return (
      Bun.deepEquals(answered, told.value) &&
      names.length > 0 &&
      names.every((name) => (shown as string[]).includes(name))
    );
  });
}

test.skipIf(CHROMIUM === null)(
  "nerve open lets a browser in, ten views show what the daemon keeps without an error, and a killed daemon is said",
  async () => {
    using folder = project({ "nerve.yaml": configOf(freePort()), "workflows/broken/index.ts": BROKEN });
    await using nerve = await startNerve(folder.path);
    const browser = await launch();
    try {
      const { tidy, broken } = await happened(nerve, folder);
      const { page, errors } = await openPage(browser, 1440, "light");
      const refused: string[] = [];
      page.on("response", (response) => {
        if (response.status() >= 400) refused.push(`${response.status()} ${response.url()}`);
      });

      const opened = await jsonOf(folder.path, ["open"]);
      const traffic = await countTraffic(page);
      await page.goto(opened.value.url, { waitUntil: "domcontentloaded" });
      await page.waitForFunction("document.querySelector('[role=status]')?.textContent === 'live'");
      await shows(page, "#/now", "Now", ["Critical", "queue at 7", "nerve ack 1", "backup has never answered", "CPU"]);
      console.log(JSON.stringify({ page: "first view", ...traffic() }));
      expect(traffic().paths).toBeLessThanOrEqual(40);
      expect(traffic().bytes).toBeLessThanOrEqual(160_000);
      const judged = await jsonOf(folder.path, ["why"]);
      const troubles = [judged.value.trouble, ...judged.value.others].map(troubleId).sort();
      expect(troubles).toEqual(expect.arrayContaining(["incident:1:", "sense:backup:", `run:${broken}:`]));
      await until("Now lists the troubles of nerve why", async () => Bun.deepEquals(await listed(page), troubles));
      await shows(page, "#/senses", "Senses", ["failing", "backup", "cpu-usage", "disk-root"]);
      await shows(page, "#/signals?q=sense%3Aqueue", "Signals", ["queue", "value 7"]);
      await shows(page, `#/story?sel=run%3A${tidy}`, "Story", [`run ${tidy}, tidy`, "queue #", "fired", "exec"]);
      await shows(page, "#/reflexes", "Reflexes", ["full", "incident open", "tidy", "throttled", "quiet until"]);
      await shows(page, `#/runs?sel=${broken}`, "Runs", [
        "failed",
        "Error: the bucket is gone",
        `nerve retry ${broken}`,
      ]);
      await shows(page, "#/incidents", "Incidents", ["queue at 7", "critical", "nerve ack 1"]);
      await shows(page, "#/logs", "Logs", ["the bucket is gone", "no such bucket", "http listens on 127.0.0.1"]);
      await shows(page, "#/graph", "Graph", ["cpu-usage", "full", "tidy", "broken"]);
      await shows(page, "#/store", "Store", ["logs.db", "senses/cpu-usage.db", "nerve backup DIR"]);
      for (const word of ["signal:1", `run:${tidy}`, `run:${broken}`, "incident:1"])
        await tellsTheSame(folder, page, word);
      expect({ errors, refused }).toEqual({ errors: [], refused: [] });

      nerve.kill("SIGKILL");
      await page.waitForFunction(
        "document.querySelector('[role=status]').textContent.startsWith('nerve is down since')",
      );
      await shows(page, "#/now", "Now", ["nerve is down since", "this is what it last said."]);
    } finally {
      await browser.close();
    }
  },
);
