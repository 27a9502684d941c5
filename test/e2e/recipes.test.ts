/**
 * The recipes of docs/recipes.md, all in one config: each is short, and those whose world can be made here do what they say. That each
 * is fine with `nerve check`, alone and as it stands: test/docs/examples.test.ts.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { authority } from "../helpers/certificates.ts";
import { type Example, examplesOf } from "../helpers/examples.ts";
import { NERVE, type Nerve, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const PAGE = "docs/recipes.md";
const ALL = examplesOf(PAGE, readFileSync(join(import.meta.dir, "../..", PAGE), "utf8"));
const MODULE = /^\/\/ (senses\/\S+)\n/;
const modules = ALL.filter(({ language }) => language === "ts");
const recipes = ALL.filter(({ language, section }) => language === "yaml" && section !== "");

test("there are twenty of them, each of ten lines at most, and no name is there twice", () => {
  expect(recipes.length).toBeGreaterThanOrEqual(20);
  for (const { section, text } of recipes) {
    expect({ section, lines: text.trimEnd().split("\n").length <= 10 }).toEqual({ section, lines: true });
  }
  for (const { section, text } of modules) {
    expect({ section, lines: text.trimEnd().split("\n").length <= 10 }).toEqual({ section, lines: true });
  }
  const names = recipes.flatMap(({ text }) => Object.keys((Bun.YAML.parse(text) as { senses: object }).senses));
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

let status = 200;
let health = "healthy";
let folder: Project;
let nerve: Nerve;
const web = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response('{"ok":true}', { status }) });
const slow = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch() {
    await Bun.sleep(30);
    return new Response("found");
  },
});

const printing = (json: string): string => `{ use: exec, with: { command: [echo, '${json}'] } }`;

/** What of this machine stands in for the world of a recipe: by its section, a text of the recipe and what takes its place. */
const worldOf = (at: string): Readonly<Record<string, readonly (readonly [from: string, to: string])[]>> => ({
  "A page that has to answer": [["https://shop.example.org/health", `http://127.0.0.1:${web.port}/`]],
  "A page that is slow": [
    ["https://shop.example.org/search?q=a", `http://127.0.0.1:${slow.port}/`],
    ["number > 1000", "number > 10"],
  ],
  "A port": [["host: db.example.org, port: 5432", "host: 127.0.0.1, port: 1"]],
  "A certificate of a server": [["host: mail.example.org, port: 465", `file: ${at}/short.pem`]],
  "A certificate in a file": [["/etc/ssl/web/fullchain.pem", `${at}/expired.pem`]],
  "A line in a log": [["/var/log/kern.log", `${at}/kern.log`]],
  "Too many errors in a log": [["/var/log/app/*.log", `${at}/app/*.log`]],
  "Failed logins": [["use: journal, with: { unit: ssh,", `use: tail, with: { path: ${at}/auth.log,`]],
  "A disk that is full": [
    ["number >= 90", "number >= 0"],
    ["number < 80", "number < 0"],
  ],
  "A container": [["docker: }", `docker: { with: { socket: ${at}/docker.sock } } }`]],
  "A backup that did not come": [["/srv/backup/", `${at}/backup/`]],
  "A job that hangs": [["max_duration: 30m", "max_duration: 1s"]],
  "Memory that runs out": [
    ["number >= 95", "number >= 0"],
    ["number < 90", "number < 0"],
  ],
  "A plugin of Nagios": [
    ['[/usr/lib/nagios/plugins/check_mailq, -w, "50", -c, "200"]', "[sh, -c, 'echo MAILQ; exit 1']"],
  ],
  "A disk that fills": [
    ["number < 8 ", "number | null "],
    ["number > 48 | null", "number < 0"],
  ],
  "A unit that failed": [
    ["systemd: }", `systemd: ${printing('{"failed":[{"unit":"a.service","result":"exit-code"}]}')} }`],
  ],
  "A unit that is started again, and looked at again": [
    ["{ use: systemd, with: { units: [nginx] } }", printing('{"units":[{"unit":"nginx.service","state":"failed"}]}')],
    ["[systemctl, restart, nginx.service]", '["true"]'],
  ],
  "A backup that did not start": [["expect_every: 25h", "expect_every: 1s"]],
  "A rollup of other senses": [["throttle: 1m", "throttle: 100ms"]],
  "One word for the whole host": [["\"'critical'\"", "string"]],
  "A job of the night, with tries": [
    ["/usr/local/bin/nightly", '"false"'],
    ["interval: 10m", "interval: 10ms"],
  ],
  "A question to a database": [["[redis-cli, llen, jobs]", "[echo, '5000']"]],
});

function inThisWorld({ section, text }: Example, at: string): string {
  // A rule that waits does so for a moment here.
  let recipe = text.replaceAll(/\bfor: \d+m/g, "for: 100ms").replace(/^workflows:\n(?: {2}notify:\n)$/m, "");
  for (const [from, to] of worldOf(at)[section] ?? []) {
    expect({ section, has: recipe.includes(from) ? from : null }).toEqual({ section, has: from });
    recipe = recipe.replaceAll(from, to);
  }
  return recipe;
}

const engine = (at: string) =>
  Bun.serve({
    unix: join(at, "docker.sock"),
    fetch: ({ url }) =>
      url.includes("all=1")
        ? Response.json([{ Id: "a".repeat(64), Names: ["/shop"], Image: "shop:1" }])
        : Response.json({ RestartCount: 0, State: { Status: "running", Health: { Status: health } } }),
  });
let docker: ReturnType<typeof engine>;

beforeAll(async () => {
  folder = project({});
  const at = folder.path;
  docker = engine(at);
  const { lower, server } = authority();
  folder.write("short.pem", server(["mail.example.org"], 5).certificate + lower.certificate);
  folder.write("expired.pem", server(["www.example.org"], -1).certificate + lower.certificate);
  for (const name of ["kern.log", "auth.log", "app/one.log"]) folder.write(name, "");
  mkdirSync(join(at, "backup"));
  for (const [index, recipe] of recipes.entries()) {
    folder.write(`conf.d/${index}.yaml`, withoutNotify(inThisWorld(recipe, at)));
  }
  for (const { text } of modules) folder.write(MODULE.exec(text)?.[1] ?? "", text);
  folder.write("nerve.yaml", "include: [conf.d/*.yaml]\nworkflows: { notify: }\n");
  nerve = await startNerve(at);
});
afterAll(async () => {
  await nerve?.[Symbol.asyncDispose]();
  await Promise.all([web.stop(true), slow.stop(true), docker?.stop(true)]);
  folder?.[Symbol.dispose]();
});

/** The one of all recipes stands in nerve.yaml. */
const withoutNotify = (text: string): string => text.replace(/^ {2}notify:\n/m, "");

const lookAt = async (...senses: string[]): Promise<void> => {
  for (const sense of senses) await runNerve(folder.path, ["run", `sense:${sense}`]);
};

/** The first run that `reflex` started, once there is one; `act` is done again and again until then. */
const runOf = (reflex: string, act: () => Promise<unknown>) =>
  until(`${reflex} has started a run`, async () => {
    await act();
    return nerve.logs({ event: "run.queued" }).find(({ data }) => data.trigger.reflex === reflex) ?? null;
  });

const summaryOf = async (reflex: string, act: () => Promise<unknown>): Promise<string> =>
  (await runOf(reflex, act)).data.trigger.incident?.summary;

describe("does what it says:", () => {
  test("the page that is down is told after three looks, and that it is up again after two", async () => {
    status = 503;
    expect(await summaryOf("shop-down", () => lookAt("shop"))).toEndWith("the status is 503, and not 200-299");
    status = 200;
    await until("it is resolved", async () => {
      await lookAt("shop");
      return nerve.logs({ event: "incident.resolved" }).some(({ source }) => source === "reflex:shop-down");
    });
  });

  test.each([
    ["search-slow", "search", /^the search takes [\d.]+ ms$/],
    ["database-gone", "database", /^127.0.0.1:1: nothing listens there/],
    ["mail-cert-ends", "mail-cert", /short.pem: 5 days left$/],
    ["web-cert-bad", "web-cert", /expired.pem: the certificate expired on/],
    ["disk-full", "disks", / % full$/],
    ["dump-bad", "dump", /: there is no such file$/],
    ["ram-low", "ram", /% of the memory is used$/],
    ["database-ended", "programs", /^the database does not run$/],
    ["mails-wait", "mails", /^MAILQ$/],
    ["jobs-wait", "jobs", /^5000 jobs wait$/],
    ["disk-fills", "space", / is full in .*h$/],
    ["unit-failed", "systemd", /^a.service failed: exit-code$/],
    ["web-unit", "web", /^nginx.service does not stay up$/],
    // On a busy machine others may have been late before.
    ["did-not-come", "self", /^nothing came of \S/],
  ])("%s", async (reflex, sense, summary) => {
    expect(await summaryOf(reflex, () => lookAt(sense))).toMatch(summary);
  });

  test("the backup that did not start is among what is stale", async () => {
    await until("it is listed", () =>
      nerve.signals("self").some(({ payload }) => payload.stale.includes("nightly-backup")),
    );
  });

  test("the word for the host, and the job of the night that failed after its tries", async () => {
    await runOf("host-bad", () => lookAt("cpu-usage", "memory", "load"));
    await runNerve(folder.path, ["run", "nightly"]);
    const { data } = await runOf("bad-runs", async () => {});
    expect(data.input).toMatchObject({ workflow: "nightly" });
  });

  test("the rollup is handed every order, and tells of a hundred", async () => {
    for (const count of [0, 60, 41]) {
      expect(await nerve.post("/v1/inbox/orders", { count })).toMatchObject({ status: 202 });
    }
    const added = (): number => nerve.signals("orders-total").reduce((sum, { payload }) => sum + payload.added, 0);
    await until("all orders are added up", () => added() === 101);
    expect(await nerve.post("/v1/inbox/orders", { count: 100 })).toMatchObject({ status: 202 });
    expect((await runOf("busy", async () => {})).data.input.added).toBeGreaterThanOrEqual(100);
    await until("no order is added twice", () => added() === 201);
  });

  test("the backup that came is well", async () => {
    const dump = join(folder.path, "backup/today.sql.gz");
    writeFileSync(dump, "x".repeat(1000));
    utimesSync(dump, Date.now() / 1000 - 600, Date.now() / 1000 - 600);
    await until("it is resolved", async () => {
      await lookAt("dump");
      return nerve.logs({ event: "incident.resolved" }).some(({ source }) => source === "reflex:dump-bad");
    });
  });

  test("the container that is unhealthy", async () => {
    health = "unhealthy";
    expect(await summaryOf("unhealthy", () => lookAt("docker"))).toBe("container shop is unhealthy");
  });

  test("a line wakes its sense, and the fifth failed login from one address is told", async () => {
    // What a file holds at the first look is not read.
    for (const sense of ["oom", "logins", "app-errors"]) {
      expect(await runNerve(folder.path, ["run", `sense:${sense}`, "--wait"])).toMatchObject({ code: 0 });
    }
    appendFileSync(join(folder.path, "kern.log"), "Out of memory: Killed process 4711 (java) total-vm:1kB\n");
    expect((await runOf("oom-kill", async () => {})).data.input.fields).toEqual({
      pid: "4711",
      program: "java",
    });
    const failure = (address: string): string =>
      `sshd[1]: Failed password for invalid user a from ${address} port 1 ssh2\n`;
    for (let host = 1; host <= 9; host++) appendFileSync(join(folder.path, "auth.log"), failure(`192.0.2.${host}`));
    for (let count = 0; count < 4; count++) appendFileSync(join(folder.path, "auth.log"), failure("192.0.2.7"));
    const run = await runOf("guessing", async () => {});
    expect(run.data.trigger).toMatchObject({ key: "192.0.2.7" });
    appendFileSync(join(folder.path, "app/one.log"), "ERROR one\n".repeat(25));
    expect((await runOf("app-noisy", () => lookAt("app-errors"))).data.input).toMatchObject({ matched: 25 });
  });

  test("the backup that fails, the job that hangs and the deploy come from outside", async () => {
    const wrapped = await runNerve(folder.path, ["wrap", "backup", "--", "sh", "-c", "exit 3"]);
    expect(wrapped.code).toBe(3);
    expect(await summaryOf("backup-failed", async () => {})).toBe("backup: the job ended with exit code 3");
    const hanging = Bun.spawn([...NERVE, "wrap", "import", "--", "sleep", "600"], {
      cwd: folder.path,
      stdio: ["ignore", "ignore", "ignore"],
    });
    const late = await runOf("import-hangs", () => lookAt("import"));
    expect(late.data.input).toMatchObject({ state: "late", failures: 1 });
    hanging.kill("SIGTERM");
    await hanging.exited;
    expect(await nerve.post("/v1/inbox/deploys", { version: "1.4.2" })).toMatchObject({ status: 202 });
    expect((await runOf("deployed", async () => {})).data.input).toEqual({ version: "1.4.2" });
    await until("the smoke test is over", () =>
      nerve.logs({ event: "run.completed" }).some(({ source }) => source === "workflow:smoke-test"),
    );
  });
});
