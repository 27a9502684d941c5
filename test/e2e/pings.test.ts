/** Lines of crontabs and scripts, as Healthchecks documents them, with only their URL changed: each is one item of a real inbox. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { jsonOf, type Nerve, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";
import { freeAddress } from "../helpers/web.ts";

setDefaultTimeout(120_000);

const SENSE = `import { type Compute, signals } from "nerve";
export const compute: Compute = (_db, _peers, { inbox }) =>
  signals(inbox.map(({ key, type, body }) => ({ key, type, ...body })));
`;

let folder: Project;
let nerve: Nerve;
let url = "";

beforeAll(async () => {
  const address = await freeAddress();
  const config = `push: "${address.text}"\nsenses: { backup: { inbox: {}, throttle: 20ms } }\nreflexes: [{ sense: backup, interval: 1h }]\n`;
  folder = project({ "nerve.yaml": config, "senses/backup/index.ts": SENSE }, {});
  nerve = await startNerve(folder.path);
  await until("the push listener is up", async () =>
    (await nerve.status()).listeners.some(({ name, state }) => name === "push" && state === "up"),
  );
  url = (await jsonOf(folder.path, ["token", "backup"])).value.ping_url;
});

afterAll(async () => {
  await nerve[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

interface Form {
  /** As people write the line; `$URL` is the ping URL. */
  readonly line: string;
  readonly item: object;
  /** Of the line. */
  readonly stdout: string;
}

const plain = (type: string, more: object = {}) => ({
  type,
  key: null,
  exit_code: null,
  duration_ms: null,
  output: null,
  ...more,
});
const silent = (line: string, item: object): Form => ({ line, item, stdout: "" });
const RUN = "728b3763-fcab-4c5a-9bfb-e9d1a2f01a0e";
const text = (output: string) => ({ output });

const FORMS: readonly Form[] = [
  silent("true && curl -fsS -m 10 --retry 5 -o /dev/null $URL", plain("success")),
  { line: "curl -m 10 --retry 5 -s $URL", item: plain("success"), stdout: "OK" },
  silent("curl -fsS --retry 3 $URL > /dev/null", plain("success")),
  silent("curl -fsS -o /dev/null $URL/", plain("success")),
  { line: "curl -0 -fsS $URL", item: plain("success"), stdout: "OK" },
  silent("curl -fsS -I -o /dev/null $URL/start", plain("start")),
  silent("curl -fsS -o /dev/null $URL/start/", plain("start")),
  silent("false || curl -fsS -m 10 -o /dev/null $URL/fail", plain("fail")),
  silent("(exit 3); curl -fsS -m 10 --retry 5 -o /dev/null $URL/$?", plain("fail", { exit_code: 3 })),
  silent("true; curl -fsS -m 10 --retry 5 -o /dev/null $URL/$?", plain("success", { exit_code: 0 })),
  silent("sh -c 'kill -9 $$' 2>/dev/null; curl -fsS -o /dev/null $URL/$? 2>&1", plain("fail", { exit_code: 137 })),
  silent('m=$(echo half way); curl -fsS -o /dev/null --data-raw "$m" $URL/log', plain("log", text("half way"))),
  silent(
    'm=$(echo broken 2>&1; exit 4); curl -fsS -m 10 --retry 5 -o /dev/null --data-raw "$m" $URL/$?',
    plain("fail", { exit_code: 4, ...text("broken") }),
  ),
  silent(
    'm=$(false 2>&1); curl -fsS -X POST -o /dev/null --data-raw "$m" "$URL$([ $? -ne 0 ] && echo -n /fail)"',
    plain("fail"),
  ),
  silent("printf 'a\\nb\\n' | curl -fsS -o /dev/null --data-binary @- $URL", plain("success", text("a\nb\n"))),
  silent("printf out | curl -fsS -o /dev/null -X POST -T - $URL", plain("success", text("out"))),
  silent(
    "printf out | curl -fsS -o /dev/null -F log=@- $URL",
    plain("success", { output: expect.stringContaining("out") }),
  ),
  silent(`curl -fsS -o /dev/null "$URL/start?rid=${RUN}"`, plain("start", { key: RUN })),
  silent(`curl -fsS -o /dev/null "$URL?rid=${RUN}"`, plain("success", { key: RUN })),
  silent(`curl -fsS -o /dev/null "$URL/7?rid=${RUN}"`, plain("fail", { key: RUN, exit_code: 7 })),
  silent("curl -fsS -o /dev/null $URL/backup", plain("success")),
  silent('curl -fsS -o /dev/null "$URL/backup?create=1"', plain("success")),
  silent("curl -fsS -o /dev/null $URL/backup/start?create=1", plain("start")),
  silent("curl -fsS -o /dev/null $URL/backup/2", plain("fail", { exit_code: 2 })),
  silent("wget $URL -T 10 -t 10 -O /dev/null -q", plain("success")),
  { line: "wget -q -O - $URL", item: plain("success"), stdout: "OK" },
  silent("wget -q --spider $URL/start", plain("start")),
  silent("wget -q -O /dev/null --post-data='all done' $URL", plain("success", text("all done"))),
];

const has = (line: string): boolean => Bun.which(line.includes("wget ") ? "wget" : "curl") !== null;

test.each(FORMS.filter(({ line }) => has(line)))("$line", async ({ line, item, stdout }) => {
  const before = nerve.signals("backup").length;
  const child = Bun.spawn(["sh", "-c", line], {
    cwd: folder.path,
    env: { PATH: process.env.PATH ?? "", URL: url },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect({ code, out, err }).toEqual({ code: 0, out: stdout, err: "" });
  await until("the ping is a signal", () => nerve.signals("backup").length > before);
  const [signal, ...more] = nerve.signals("backup").slice(before);
  expect(signal?.payload).toEqual(item);
  expect(more).toEqual([]);
});

test("an item keeps the trace of its sender, and `nerve show` and the lists find it by that", async () => {
  const before = nerve.signals("backup").length;
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const pushed = await jsonOf(folder.path, ["token", "backup"]);
  const { status } = await fetch(pushed.value.url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${pushed.value.token}`,
      "content-type": "application/json",
      traceparent: `00-${trace}-00f067aa0ba902b7-01`,
    },
    body: "{}",
  });
  expect(status).toBe(202);
  await until("the item is a signal", () => nerve.signals("backup").length > before);
  const shown = await jsonOf(folder.path, ["show", trace]);
  expect(shown.value).toMatchObject({ trace, signals: [{ sense: "backup", trace }] });
  expect((await runNerve(folder.path, ["show", trace])).stdout).not.toContain("4617-");
  expect((await runNerve(folder.path, ["signals", "--trace", trace])).stdout).toContain("backup");
});

test("what says nothing is refused, so that a line with a slip is seen", async () => {
  const before = nerve.signals("backup").length;
  for (const wrong of [`${url}/sucess`, `${url}/256`, `${url}/other-job`, `${url}x`, `${url}/start/backup`]) {
    expect((await fetch(wrong)).status).toBe(404);
  }
  expect((await fetch(url, { method: "DELETE" })).status).toBe(405);
  expect(nerve.signals("backup").length).toBe(before);
});
