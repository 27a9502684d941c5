/** Two instances in one browser, each behind any port of a tunnel; and what programs and URLs are given is in no answer. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are what stands in the config
import { expect, setDefaultTimeout, test } from "bun:test";
import { type Nerve, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";
import { type Address, bearer, follow, freeAddress, get, statusAt, tokenIn } from "../helpers/web.ts";

setDefaultTimeout(120_000);

const PLANTED = { ENVIRONMENT: "planted-environment-1", HEADER: "planted-header-2", HOOK: "planted-hook-3" };
const LITERALS = ["literal-password-4", "literal-header-5"];

const CONFIG = ({ text }: Address): string => `http: "${text}"
senses:
  run: { use: exec, with: { command: [echo, "7"], parse: number, env: { NAME: "\${ENVIRONMENT}", PASSWORD: "${LITERALS[0]}" } } }
  page: { use: http, with: { url: "http://${text}/healthz", headers: { authorization: "Bearer \${HEADER}", x-api-key: "${LITERALS[1]}" } } }
workflows:
  hook: { use: webhook, with: { url: "http://127.0.0.1:9/", headers: { authorization: "Bearer \${HOOK}" }, retry: { limit: 0 } } }
reflexes:
  - { sense: run, on_start: true }
  - { sense: page, on_start: true }
  - { name: told, workflow: hook, on: [run] }
`;

async function cookieOf(folder: Project, address: Address): Promise<string> {
  const { stdout } = await runNerve(folder.path, ["open", "--json"], { environment: PLANTED });
  const { url } = JSON.parse(stdout);
  const code = url.slice(url.indexOf("=") + 1);
  const { headers } = await get(address, "/session", bearer(code));
  return headers.get("set-cookie")?.split(";")[0] ?? "";
}

const answersAt = (address: Address) =>
  until("the page answers", async () => (await statusAt(address, "/healthz")) === 200);

async function everyAnswer(nerve: Nerve, address: Address): Promise<string> {
  const token = tokenIn(nerve.data, "page");
  const lists = ["signals", "logs", "runs", "incidents", "deaths", "status", "senses", "reflexes", "graph", "config"];
  const others = [
    "hosts",
    "store",
    "silences",
    "why",
    "session",
    "reflexes/told",
    "runs/1",
    "traces/run:1",
    "series?sense=run",
  ];
  const paths = ["/", "/metrics", ...[...lists, ...others].map((path) => `/api/v1/${path}`)];
  const texts: string[] = [];
  for (const path of paths) {
    const { status, text } = await get(address, path, bearer(token));
    expect([path, status]).toEqual([path, 200]);
    texts.push(text);
  }
  const last = nerve.logs().at(-1)?.id;
  const events = await follow(address, token, "s0.l0", ({ name, data }) => name === "log" && data.id === last);
  return [...texts, JSON.stringify(events)].join("\n");
}

test("each instance knows its own cookie, whatever others a browser sends along and whatever port a tunnel has; no secret is shown", async () => {
  const [one, other] = [await freeAddress(), await freeAddress()];
  using folder = project({ "nerve.yaml": CONFIG(one) });
  using second = project({ "nerve.yaml": CONFIG(other) });
  await using nerve = await startNerve(folder.path, { environment: PLANTED });
  await using neighbour = await startNerve(second.path, { environment: PLANTED });
  await answersAt(one);
  await answersAt(other);
  const [mine, theirs] = [await cookieOf(folder, one), await cookieOf(second, other)];
  const standing = (address: Address, cookie: string) => statusAt(address, "/api/v1/session", { cookie });
  expect([await standing(one, mine), await standing(other, theirs)]).toEqual([200, 200]);
  expect([await standing(one, theirs), await standing(other, mine)]).toEqual([401, 401]);
  for (const both of [`${mine}; ${theirs}`, `${theirs}; ${mine}`]) {
    expect([await standing(one, both), await standing(other, both)]).toEqual([200, 200]);
    expect(await statusAt(one, "/api/v1/session", { cookie: both, host: "localhost:9999" })).toBe(200);
  }
  const [name = "", value = ""] = [mine.split("=")[0], theirs.split("=")[1]];
  expect(await standing(one, `${name}=${value}`)).toBe(401);
  const isOver = (daemon: Nerve) => () => daemon.logs({ event: "run.failed" }).length === 1;
  await until("the runs are over", () => isOver(nerve)() && isOver(neighbour)());
  const shown = await everyAnswer(nerve, one);
  for (const secret of [...Object.values(PLANTED), ...LITERALS]) expect(shown).not.toContain(secret);
  expect(shown).toContain("${ENVIRONMENT}");
});
