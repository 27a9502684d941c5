/** What the suites of pushes share: a daemon that takes items over TCP beside other senses, and clients that push to it. */
import type { Setting } from "../setting.ts";
import { type Running, runNerve, type Site, until } from "../site.ts";

export const [HOSTNAME, PORT] = ["127.0.0.1", 4299];
export const ADDRESS = `${HOSTNAME}:${PORT}`;
const PAGE = `${HOSTNAME}:4297`;
export const ITEM = JSON.stringify({ version: "1.4.2", by: "deploy", took_s: 12.5 });
/** Other senses, whose computes show whether the kernel is kept waiting. */
export const OTHERS = 20;
export const OTHERS_EVERY = "50ms";

function writeConfig(site: Site): void {
  site.sense("taker", "null");
  site.sense("beat", '({ late: performance.timeOrigin + performance.now() - now, fill: "x".repeat(100) })');
  const names = Array.from({ length: OTHERS }, (_, at) => `s${at}`);
  const senses = [
    "  taker: { group: taker, inbox: { max: 1000000, bytes: 512mb } }",
    ...names.map((name) => `  ${name}: { use: beat }`),
  ];
  const reflexes = names.map((name) => `  - { sense: ${name}, interval: ${OTHERS_EVERY}, jitter: ${OTHERS_EVERY} }`);
  const listeners = [`push: "${ADDRESS}"`, `http: "${PAGE}"`];
  site.write("nerve.yaml", [...listeners, "senses:", ...senses, "reflexes:", ...reflexes, ""].join("\n"));
}

async function tokenOf(nerve: string, site: Site, name: string): Promise<string> {
  const child = Bun.spawn([nerve, "token", name, "--json", "-c", site.config], { stdout: "pipe" });
  return ((await new Response(child.stdout).json()) as { token: string }).token;
}

const answers = (address: string): Promise<true> =>
  until(`${address} answers`, async () => (await fetch(`http://${address}/`).catch(() => null)) && true);

/** Of all commits since the start. */
export interface Commits {
  readonly seconds: number;
  readonly count: number;
}

/** A running daemon with the inbox `taker`. */
export interface Taker {
  readonly running: Running;
  /** Opens the inbox. */
  readonly token: string;
  commits(): Promise<Commits>;
}

export async function startTaker({ programs: { nerve } }: Setting, site: Site): Promise<Taker> {
  writeConfig(site);
  const running = runNerve(nerve, site);
  await running.working();
  const [token, page] = [await tokenOf(nerve, site, "taker"), await tokenOf(nerve, site, "page")];
  await Promise.all([answers(ADDRESS), answers(PAGE)]);
  const headers = { authorization: `Bearer ${page}` };
  return {
    running,
    token,
    async commits() {
      const text = await (await fetch(`http://${PAGE}/metrics`, { headers })).text();
      const of = (what: string): number =>
        Number(new RegExp(`^nerve_commit_duration_seconds_${what} (\\S+)`, "m").exec(text)?.[1]);
      return { seconds: of("sum"), count: of("count") };
    },
  };
}

/** What clients send: so many at once, each the next request when the last is answered. */
export interface Sending {
  readonly clients: number;
  /** Items a request. */
  readonly items: number;
  readonly hasKeys: boolean;
}

export interface Sent {
  readonly items: number;
  readonly tookMs: number;
  readonly answersMs: readonly number[];
}

/** Sends until `isOver` says so. A full inbox is asked again. */
export async function send(token: string, sending: Sending, isOver: (requests: number) => boolean): Promise<Sent> {
  const { clients, items, hasKeys } = sending;
  const body = `${ITEM}\n`.repeat(items);
  const shared = { authorization: `Bearer ${token}`, "content-type": "application/x-ndjson" };
  const answersMs: number[] = [];
  const startedAt = performance.now();
  const client = async (): Promise<void> => {
    while (!isOver(answersMs.length)) {
      const askedAt = performance.now();
      const headers = hasKeys ? { ...shared, "idempotency-key": crypto.randomUUID() } : shared;
      const reply = await fetch(`http://${ADDRESS}/v1/inbox/taker`, { method: "POST", headers, body });
      await reply.arrayBuffer();
      if (reply.status === 202) answersMs.push(performance.now() - askedAt);
      else if (reply.status !== 429) throw new Error(`a push was answered with ${reply.status}`);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { items: answersMs.length * items, tookMs: performance.now() - startedAt, answersMs };
}

export const timer = (ms: number): (() => boolean) => {
  const end = performance.now() + ms;
  return () => performance.now() > end;
};
