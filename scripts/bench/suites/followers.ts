/**
 * Twenty followers of the stream of events, and one that reads a byte a second, beside senses that compute all the time: how late a
 * compute begins and how long a commit takes, in rounds with and without followers by turns.
 */
import { connect } from "node:net";
import { type Figure, median } from "../figures.ts";
import type { Setting } from "../setting.ts";
import { type Running, runNerve, Site, until } from "../site.ts";

const [HOSTNAME, PORT] = ["127.0.0.1", 4298];
const ADDRESS = `${HOSTNAME}:${PORT}`;
const FOLLOWERS = 20;
const SENSES = 10;
const EVERY = "100ms";

interface Round {
  readonly lateMs: number;
  readonly commitMs: number;
}

function writeConfig(site: Site): void {
  site.sense("beat", '({ late: Date.now() - now, fill: "x".repeat(2000) })');
  const names = Array.from({ length: SENSES }, (_, at) => `beat-${at}`);
  const senses = names.map((name) => `  ${name}: { use: beat }`);
  const reflexes = names.map((name) => `  - { sense: ${name}, interval: ${EVERY}, align: false }`);
  site.write("nerve.yaml", [`http: "${ADDRESS}"`, "senses:", ...senses, "reflexes:", ...reflexes, ""].join("\n"));
}

const asked = (path: string, token: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://${ADDRESS}${path}`, { ...init, headers: { authorization: `Bearer ${token}` } });

async function commits(token: string): Promise<{ sum: number; count: number }> {
  const text = await (await asked("/metrics", token)).text();
  const of = (what: string): number =>
    Number(new RegExp(`^nerve_commit_duration_seconds_${what} (\\S+)`, "m").exec(text)?.[1]);
  return { sum: of("sum"), count: of("count") };
}

async function round(running: Running, token: string, ms: number): Promise<Round> {
  const [before, from] = [await commits(token), running.lastId()];
  await Bun.sleep(ms);
  const after = await commits(token);
  const sql = "SELECT json_extract(payload, '$.late') AS late FROM signals WHERE id > ?";
  const late = running.query<{ late: number }>(sql, from).map((row) => row.late);
  return { lateMs: median(late), commitMs: (1_000 * (after.sum - before.sum)) / (after.count - before.count) };
}

/** Twenty that take what comes, and one that takes a byte a second. */
function followers(token: string): Disposable {
  const cut = new AbortController();
  for (let one = 0; one < FOLLOWERS; one++) {
    void asked("/api/v1/events", token, { signal: cut.signal })
      .then((response) => response.arrayBuffer())
      .catch(() => {});
  }
  const socket = connect(PORT, HOSTNAME);
  socket.on("error", () => {});
  socket.pause();
  const head = `GET /api/v1/events HTTP/1.1\r\nhost: ${ADDRESS}\r\nauthorization: Bearer ${token}\r\nlast-event-id: s0.l0`;
  socket.write(`${head}\r\n\r\n`);
  const reading = setInterval(() => socket.read(1), 1_000);
  return {
    [Symbol.dispose]() {
      clearInterval(reading);
      socket.destroy();
      cut.abort();
    },
  };
}

export async function followed(setting: Setting): Promise<Figure[]> {
  using site = new Site();
  writeConfig(site);
  await using running = runNerve(setting.programs.nerve, site);
  await running.working();
  await until("the page answers", async () => (await fetch(`http://${ADDRESS}/`).catch(() => null)) && true);
  const child = Bun.spawn([setting.programs.nerve, "token", "page", "--json", "-c", site.config], { stdout: "pipe" });
  const { token } = (await new Response(child.stdout).json()) as { token: string };
  const [alone, watched]: [Round[], Round[]] = [[], []];
  for (let turn = 0; turn < 2 * setting.rounds; turn++) {
    alone.push(await round(running, token, 2 * setting.spans.windowMs));
    using _following = followers(token);
    watched.push(await round(running, token, 2 * setting.spans.windowMs));
  }
  const figure = (name: string, pick: (one: Round) => number): Figure => {
    const [floor, nerve] = [median(alone.map(pick)), median(watched.map(pick))];
    const detail = `${FOLLOWERS} followers and a slow one; ${SENSES} senses, one signal each ${EVERY}`;
    return { suite: "followers", name, unit: "ms", floor, nerve, ratio: nerve / floor, target: null, detail };
  };
  return [
    figure("a compute begins late, beside nobody following", ({ lateMs }) => lateMs),
    figure("a commit, beside nobody following", ({ commitMs }) => commitMs),
  ];
}
