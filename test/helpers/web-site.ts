/** A small site with the page, for the tests that look at it: a pulse, a workflow it starts, and values that may not be shown. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are what stands in the config
import { type Nerve, type Project, project, startNerve } from "./nerve.ts";
import { until } from "./until.ts";
import { type Address, bearer, freeAddress, get, type Reply, tokenIn } from "./web.ts";

/** Variables of the config. */
export const PLANTED = {
  OPTION: "planted-option-5d1c7e",
  HOOK: "planted-hook-90ab3f77",
  TOPIC: "planted-topic-c0ffee12",
  LINK: "planted-link-77aa01bc",
} as const;
/** Written into the config itself, as an address of a channel. */
export const LITERAL = "literal-hook-4be1f0d2";

const config = ({ text }: Address): string => `
http: { listen: "${text}", url: "https://\${LINK}.example.org/nerve" }
channels:
  chat: { slack: "https://127.0.0.1:9/\${HOOK}" }
  phone: { ntfy: { url: "http://127.0.0.1:9/\${TOPIC}", token: "\${HOOK}" } }
  plain: { discord: "https://127.0.0.1:9/${LITERAL}" }
senses:
  pulse: {}
  leak: { with: { option: "\${OPTION}" } }
workflows:
  note: {}
  tell: { use: webhook, with: { url: "http://127.0.0.1:9/\${HOOK}", retry: { limit: 0 } } }
reflexes:
  - { name: noted, workflow: note, on: [pulse] }
  - { name: clocked, sense: pulse, interval: 1h }
`;

const LEAK = `
import { type } from "arktype";
export const options = type({ option: "string" });
export const compute = (_db, _peers, { options, log }) => { log("warn", "used " + options.option); throw new Error("no " + options.option); };
`;

export interface WebSite extends AsyncDisposable {
  readonly folder: Project;
  readonly address: Address;
  readonly nerve: Nerve;
  /** Of the page; a test that renews it sets the new one. */
  token: string;
  /** With the token. */
  ask(path: string, headers?: Readonly<Record<string, string>>): Promise<Reply>;
}

/** Three signals, three runs, the last of which failed; and the page is up. */
export async function webSite(): Promise<WebSite> {
  const address = await freeAddress();
  const folder = project({ "nerve.yaml": config(address), "senses/leak/index.ts": LEAK }, { pulse: "e2e/tick" });
  folder.write("workflows/note/index.ts", 'export const run = async (thread) => thread.step("once", () => 1);\n');
  const nerve = await startNerve(folder.path, { environment: PLANTED });
  for (let turn = 0; turn < 3; turn++) {
    const before = nerve.signals("pulse").length;
    await nerve.post("/trigger", { name: "pulse" });
    await until("pulse was computed", async () => (await nerve.sense("pulse")).computes > turn);
    if (turn < 2) await until("pulse has emitted", () => nerve.signals("pulse").length > before);
  }
  await nerve.post("/trigger", { name: "leak" });
  await nerve.post("/run", { workflow: "tell", input: null });
  await until(
    "three runs are over",
    () => nerve.logs().filter(({ event }) => /^run\.(completed|failed)$/.test(event)).length === 3,
  );
  await until("the page is up", async () => (await nerve.status()).listeners[0]?.state === "up");
  const site: WebSite = {
    folder,
    address,
    nerve,
    token: tokenIn(nerve.data, "page"),
    ask(path, headers = {}) {
      return get(address, path, { ...bearer(site.token), ...headers });
    },
    async [Symbol.asyncDispose]() {
      await nerve[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
  return site;
}

const LISTS = ["signals", "logs", "runs", "incidents", "deaths"];
const OTHERS = ["session", "status", "senses", "reflexes", "reflexes/noted", "graph", "config", "store", "silences"];
const STORIES = ["runs/1", "traces/signal:1"];
/** What is answered with JSON, each path once. */
export const PATHS = [...LISTS, ...OTHERS, ...STORIES].map((path) => `/api/v1/${path}`);
