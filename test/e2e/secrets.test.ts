/**
 * What is filled into the config is found nowhere afterwards: a value of its own is planted in each place where a config may
 * hold one, everything that can fail with it fails, and every byte that nerve has written or said is searched.
 */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are what stands in the config
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Nerve, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

const VALUES = {
  URL_TOKEN: 'url/tok+en:"1" x',
  PASSWORD: "pass word?w0rd&",
  HEADER_TOKEN: "hdr-4f1e9a77c0",
  ARGUMENT: "argv-secret-'77'",
  OPTION: "option\\se\tcret",
  HOST: "Secret-Host-9.invalid",
} as const;
const CREDENTIAL = "cred-line-one-aaaa\ncred-line-two-bbbb";

const FAILURES = ["dns", "tls", "unauthorized", "redirect", "timeout", "header", "throw", "log", "reject"] as const;

/** Fails in the way its options say, with everything that it was given. */
const PROBE = `
import { type } from "arktype";
export const options = type({ "[string]": "string" });
export const compute = async (_db, _peers, { options, log, signal }) => {
  const { mode, base, token, password, header, option, credential, host } = options;
  const url = new URL(base + "/" + encodeURIComponent(token) + "?t=" + encodeURIComponent(token));
  url.username = "me";
  url.password = password;
  const headers = { Authorization: "Basic " + btoa("me:" + password), "X-Token": header };
  const describe = async (response) => response.status + " of " + response.url + " for " + JSON.stringify(headers);
  if (mode === "dns") await fetch("http://" + host + "/" + token, { headers });
  if (mode === "tls") { url.protocol = "https:"; await fetch(url, { headers }); }
  if (mode === "unauthorized") throw new Error(await describe(await fetch(url, { headers })));
  if (mode === "redirect") { url.pathname = "/loop" + url.pathname; await fetch(url, { headers }); throw new Error(url.href); }
  if (mode === "timeout") { url.pathname = "/hang" + url.pathname; await fetch(url, { headers, signal: AbortSignal.timeout(50) }).catch((e) => { throw new Error(url.href, { cause: e }); }); }
  if (mode === "header") await fetch(url, { headers: { "X-Bad": header + "\\n" + credential } }).catch((e) => { throw new Error(e.message + header + credential); });
  if (mode === "throw") throw Object.assign(new Error(JSON.stringify({ option, credential }) + String(url)), { name: header });
  if (mode === "log") {
    log("warn", "about to use " + option, { [header]: [credential, { password }], url: url.href });
    console.log("printed", option, credential, url.href);
    console.error(header);
    Bun.spawnSync(["sh", "-c", 'echo "$1" >&2', "sh", header], { stdio: ["ignore", "inherit", "inherit"] });
    return null;
  }
  if (mode === "reject") { Promise.reject(new Error("stray " + option + header)); await Bun.sleep(5); return null; }
  throw new Error("unknown mode " + mode + signal);
};
`;

const WORKFLOW = `
import { type } from "arktype";
export const options = type({ "[string]": "string" });
export const run = async (thread, { options }) => {
  const caught = await thread.step("fails", () => { throw new TypeError("no " + options.option + " at " + options.url); }).catch((e) => e);
  thread.log("error", "caught " + caught.message, { caught: caught.message, stack: caught.stack });
  throw new Error("for good: " + options.header, { cause: caught });
};
`;

const config = (base: string): string => {
  const shared = `base: "${base}", token: "\${URL_TOKEN}", password: "\${PASSWORD}", header: "\${HEADER_TOKEN}", option: "\${OPTION}", credential: "\${credential:key}", host: "\${HOST}"`;
  const senses = FAILURES.map((mode) => `  ${mode}: { use: probe, timeout: 3s, with: { mode: ${mode}, ${shared} } }`);
  return `retention: { logs: 1ms }
senses:
${senses.join("\n")}
  argv: { use: exec, with: { command: [/no/such/program, "\${ARGUMENT}"] } }
  shell: { use: exec, with: { command: [sh, -c, 'echo "got $1" >&2; exit 3', sh, "\${ARGUMENT}"] } }
  absent: { use: exec, with: { command: ["/no/such/\${ARGUMENT}"] } }
  unloaded: { with: { option: "\${OPTION}" } }
reflexes:
${[...FAILURES, "argv", "shell", "absent", "unloaded"].map((name) => `  - { sense: ${name}, on_start: true }`).join("\n")}
workflows:
  fails: { with: { option: "\${OPTION}", header: "\${HEADER_TOKEN}", url: "${base}/\${HEADER_TOKEN}" } }
  hook: { use: webhook, with: { url: "${base}/\${HEADER_TOKEN}", headers: { Authorization: "Bearer \${HEADER_TOKEN}" }, retry: { limit: 0 } } }
  lost: { use: webhook, with: { url: "http://\${HOST}/\${HEADER_TOKEN}", retry: { limit: 0 } } }
  program: { use: exec, with: { command: [sh, -c, 'echo "$1" >&2; echo "$1"; exit 4', sh, "\${ARGUMENT}"] } }
  nothing: { use: exec, with: { command: ["/no/such/\${ARGUMENT}"] } }
`;
};

const RUNS = ["fails", "hook", "lost", "program", "nothing"] as const;

let folder: Project;
let server: ReturnType<typeof Bun.serve>;
let environment: Record<string, string>;
let nerve: Nerve;

beforeAll(async () => {
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname.startsWith("/hang")) return new Promise<Response>(() => {});
      if (pathname.startsWith("/loop")) return Response.redirect(request.url, 302);
      return new Response("no", { status: 401 });
    },
  });
  folder = project({
    "nerve.yaml": config(`http://127.0.0.1:${server.port}`),
    "senses/probe/index.ts": PROBE,
    "senses/unloaded/index.ts": "throw new Error('top level');\n",
    "workflows/fails/index.ts": WORKFLOW,
  });
  const credentials = join(folder.path, "credentials");
  mkdirSync(credentials);
  writeFileSync(join(credentials, "key"), `${CREDENTIAL}\n`);
  environment = { ...VALUES, CREDENTIALS_DIRECTORY: credentials };
  nerve = await startNerve(folder.path, { environment });
});

afterAll(async () => {
  await nerve[Symbol.asyncDispose]();
  await server.stop(true);
  folder[Symbol.dispose]();
});

/** A value, and how errors quote it. */
const forms = (value: string): string[] => [
  value,
  JSON.stringify(value).slice(1, -1),
  encodeURIComponent(value),
  encodeURIComponent(value).replaceAll("%20", "+"),
  btoa(`me:${value}`).slice(4, -4),
  value.toLowerCase(),
];

/** Each planted value that stands in `text`, however it is written. */
function leaks(text: string): string[] {
  const planted = { ...VALUES, CREDENTIAL, LINE_ONE: "cred-line-one-aaaa", LINE_TWO: "cred-line-two-bbbb" };
  return Object.entries(planted).flatMap(([name, value]) =>
    forms(value)
      .filter((form) => text.includes(form))
      .map(
        (form) => `${name} as ${form}: …${text.slice(Math.max(0, text.indexOf(form) - 80), text.indexOf(form) + 40)}`,
      ),
  );
}

function* filesBelow(path: string): Generator<string> {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const at = join(path, entry.name);
    if (entry.isDirectory()) yield* filesBelow(at);
    else if (entry.isFile()) yield at;
  }
}

describe("what was filled in", () => {
  test("was really met by each failure", async () => {
    await until("every sense has failed or logged", async () => {
      const { senses } = await nerve.status();
      return senses.every(({ state, nulls }) => state === "failing" || state === "failed" || nulls > 0);
    });
    for (const workflow of RUNS) {
      const { code } = await runNerve(folder.path, ["run", workflow, "--wait"], { environment });
      expect([workflow, code]).toEqual([workflow, 1]);
    }
    const messages = nerve.logs().map(({ message, data }) => message + JSON.stringify(data));
    for (const name of [...Object.keys(VALUES), "credential:key"]) {
      expect([name, messages.some((message) => message.includes(`\${${name}}`))]).toEqual([name, true]);
    }
    expect(messages.some((message) => message.includes("about to use ${OPTION}"))).toBe(true);
    expect(messages.some((message) => message.includes("got ${ARGUMENT}"))).toBe(true);
  });

  test("is in no answer of the control socket", async () => {
    expect(leaks(JSON.stringify(await nerve.status()))).toEqual([]);
    expect(leaks(JSON.stringify(await nerve.post("/trigger", { name: VALUES.HEADER_TOKEN })))).toEqual([]);
    expect(JSON.stringify(await nerve.status())).toContain("${HEADER_TOKEN}");
  });

  test.each([
    "status",
    "status --json",
    "logs --limit 1000",
    "logs --limit 1000 --json",
    "runs --json",
    "show run:1",
    "show run:2 --json",
    "graph",
    "check",
    "check --json",
    "once unauthorized",
    "once throw --json",
    "once log",
    "once log --json",
    "once shell",
    "reload",
  ])("is not printed by nerve %s", async (line) => {
    const { stdout, stderr } = await runNerve(folder.path, line.split(" "), { environment });
    expect(leaks(stdout)).toEqual([]);
    expect(leaks(stderr)).toEqual([]);
  });

  test("is in no file of the data directory and in no line on stderr, also once all is archived and stopped", async () => {
    expect((await runNerve(folder.path, ["archive", "run"], { environment })).code).toBe(0);
    await nerve.stop();
    expect(readdirSync(join(nerve.data, "archive")).length).toBeGreaterThan(0);
    expect((await runNerve(folder.path, ["rebuild", "--check"], { environment })).code).toBe(0);
    expect(nerve.stderr()).toContain("${HEADER_TOKEN}");
    expect(leaks(nerve.stderr())).toEqual([]);
    for (const file of filesBelow(nerve.data)) {
      expect([file, ...leaks(readFileSync(file, "utf8"))]).toEqual([file]);
    }
  });
});
