/** Batches on the executable: a hundred disks that fill are one message with a hundred names, whatever is killed meanwhile. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Nerve, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const DISKS = Array.from({ length: 100 }, (_, n) => `/mnt/disk-${n}`);

/** Takes what is posted, and answers once `open` is called. */
function receiver() {
  const gate = Promise.withResolvers<void>();
  const bodies: { readonly path: string; readonly body: string }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const body = await request.text();
      await gate.promise;
      bodies.push({ path: new URL(request.url).pathname, body });
      return new Response("ok");
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    bodies,
    open: gate.resolve,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

function given(url: string): Project {
  const folder = project({
    "nerve.yaml": `senses: { disks: }
channels:
  hook: { webhook: { url: "${url}/hook" } }
  phone: { ntfy: "${url}/phone" }
workflows:
  notify: { with: { to: [hook, phone] }, concurrency: 1, batch: { wait: 200ms, by: severity } }
reflexes:
  - name: full
    workflow: notify
    on: [disks]
    each: mounts
    key: path
    when: { used: number >= 90 }
    incident: { severity: critical, summary: "{{ payload.path }} is full" }
`,
  });
  folder.write(
    "senses/disks/index.ts",
    `import { readFileSync } from "node:fs";
export const compute = () => JSON.parse(readFileSync(${JSON.stringify(join(folder.path, "disks"))}, "utf8"));\n`,
  );
  return folder;
}

/** The first `full` disks are full. */
async function tell(nerve: Nerve, folder: Project, full: number): Promise<void> {
  const before = nerve.signals("disks").length;
  const mounts = DISKS.map((path, n) => ({ path, used: n < full ? 95 : 10 }));
  writeFileSync(join(folder.path, "disks"), JSON.stringify({ mounts }));
  expect((await nerve.post("/trigger", { name: "disks" })).status).toBe(200);
  await until("the sense has emitted", () => nerve.signals("disks").length > before);
}

const runsOf = async (folder: Project): Promise<{ readonly id: number; readonly state: string }[]> =>
  (await runNerve(folder.path, ["runs", "--json", "-n", "500"])).stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));

const inState = async (folder: Project, state: string) => (await runsOf(folder)).filter((run) => run.state === state);

test("a hundred disks that fill are one message with a hundred names, over a kill -9", async () => {
  using site = receiver();
  using folder = given(site.url);
  {
    await using nerve = await startNerve(folder.path);
    // Has the one slot until it is answered.
    expect((await runNerve(folder.path, ["run", "notify", '{ "title": "before" }'])).code).toBe(0);
    await until("it is under way", async () => (await inState(folder, "running")).length === 1);
    for (const full of [30, 60]) await tell(nerve, folder, full);
    nerve.kill("SIGKILL");
    await nerve.exited;
  }
  await using nerve = await startNerve(folder.path);
  await tell(nerve, folder, 100);
  await until("all of them wait", async () => (await inState(folder, "queued")).length === 100);
  site.open();
  await until("the batch is told", async () => (await inState(folder, "completed")).length === 2);
  expect((await inState(folder, "joined")).map(({ id }) => id).sort((a, b) => a - b)).toEqual(
    DISKS.slice(1).map((_, n) => n + 3),
  );
  const about = site.bodies.filter(({ body }) => body.includes("/mnt/"));
  expect(about.map(({ path }) => path).sort()).toEqual(["/hook", "/phone"]);
  const { batch } = JSON.parse(about.find(({ path }) => path === "/hook")?.body ?? "null");
  expect(batch.more).toBe(0);
  expect(batch.items.map(({ key }: { key: string }) => key).sort()).toEqual(DISKS.toSorted());
  const message = about.find(({ path }) => path === "/phone")?.body ?? "";
  for (const disk of DISKS) expect(message).toContain(`\n${disk} is full\n`);

  const shown = await runNerve(folder.path, ["show", "run:3"]);
  expect(shown.stdout).toContain("joined to run 2");
  const retried = await runNerve(folder.path, ["retry", "3"]);
  expect([retried.code, retried.stderr]).toEqual([1, expect.stringContaining("run 3 joined run 2")]);

  const before = site.bodies.length;
  await tell(nerve, folder, 0);
  await until("the resolutions are told", async () => (await inState(folder, "completed")).length === 3);
  const [hook, ...more] = site.bodies.slice(before).filter(({ path }) => path === "/hook");
  const resolved = JSON.parse(hook?.body ?? "null").batch.items;
  expect([more, resolved.map(({ incident }: { incident: { notification: string } }) => incident.notification)]).toEqual(
    [[], DISKS.map(() => "resolved")],
  );
  const checked = await runNerve(folder.path, ["rebuild", "--check"]);
  expect([checked.code, checked.stderr]).toEqual([0, ""]);
});
