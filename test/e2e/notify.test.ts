/** Channels on the executable: the verb `notify`, and an incident from its opening to what a channel is sent. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Nerve, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

interface Posted {
  readonly path: string;
  readonly title: string;
  readonly text: string;
}

interface Phone extends Disposable {
  readonly url: string;
  readonly posts: Posted[];
}

/** A server as ntfy is one. `answers` come first, one a request. */
function phone(...answers: readonly Response[]): Phone {
  const posts: Posted[] = [];
  const left = [...answers];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const title = request.headers.get("title") ?? "";
      posts.push({ path: new URL(request.url).pathname, title, text: await request.text() });
      return left.shift() ?? Response.json({ id: "m1" });
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, posts, [Symbol.dispose]: () => void server.stop(true) };
}

const channelsOf = (...urls: readonly string[]): string =>
  `channels: { ${urls.map((url, index) => `${["phone", "other"][index]}: { ntfy: "${url}" }`).join(", ")} }\n`;

test("`nerve notify` tells a channel of a trial that opens and resolves, and prints the answers", async () => {
  using server = phone();
  using folder = project({ "nerve.yaml": channelsOf(`${server.url}/topic-SECRET`) });
  const done = await runNerve(folder.path, ["notify", "phone", "the new phone"]);
  expect([done.code, done.stderr]).toEqual([0, ""]);
  expect(done.stdout).toMatch(/^opened: 200 .*\nresolved: 200 .*\n$/);
  expect(server.posts).toHaveLength(2);
  for (const { title, text } of server.posts) expect(`${title}${text}`).toContain("the new phone");
  const asJson = await runNerve(folder.path, ["notify", "phone", "--json"]);
  expect(JSON.parse(asJson.stdout)).toMatchObject({
    channel: "phone",
    kind: "ntfy",
    answers: [{ notification: "opened" }, { notification: "resolved" }],
  });
  expect(server.posts).toHaveLength(4);
});

test("`nerve notify` names what is wrong with a channel, and never its address", async () => {
  using server = phone(new Response("no such topic: topic-SECRET", { status: 404 }));
  using folder = project({
    "nerve.yaml": `channels:
  phone: { ntfy: "${server.url}/topic-SECRET" }
  team: { slack: "\${NO_SUCH_VARIABLE}" }
`,
  });
  const refused = await runNerve(folder.path, ["notify", "phone"]);
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("channel `phone`: it answered 404")]);
  expect(refused.stderr + refused.stdout).not.toContain("SECRET");
  expect(server.posts).toHaveLength(1);
  const unknown = await runNerve(folder.path, ["notify", "phon"]);
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("there is no channel `phon`")]);
  expect(unknown.stderr).toContain("`phone`");
  const missing = await runNerve(folder.path, ["notify", "team"]);
  expect([missing.code, missing.stderr]).toEqual([78, expect.stringContaining("NO_SUCH_VARIABLE")]);
});

const RULES = `senses: { disks: }
workflows:
  notify: { with: { to: [phone] } }
reflexes:
  - name: full
    workflow: notify
    on: [disks]
    key: path
    when: { used: number >= 90 }
    incident: { severity: critical, summary: "{{ payload.path }} is {{ payload.used }} % full" }
`;

async function tell(nerve: Nerve, folder: Project, used: number): Promise<void> {
  const before = nerve.signals("disks").length;
  writeFileSync(join(folder.path, "disks"), JSON.stringify({ path: "/var", used }));
  expect((await nerve.post("/trigger", { name: "disks" })).status).toBe(200);
  await until("the sense has emitted", () => nerve.signals("disks").length > before);
}

function watched(url: string): Project {
  const folder = project({ "nerve.yaml": channelsOf(url) + RULES });
  folder.write(
    "senses/disks/index.ts",
    `import { readFileSync } from "node:fs";
export const compute = () => JSON.parse(readFileSync(${JSON.stringify(join(folder.path, "disks"))}, "utf8"));\n`,
  );
  return folder;
}

const completed = (nerve: Nerve): number => nerve.logs({ event: "run.completed" }).length;

test("an incident is one message when it opens, tried again as the channel asks, and one when it resolves", async () => {
  using server = phone(new Response("slow down", { status: 429, headers: { "retry-after": "1" } }));
  using folder = watched(`${server.url}/topic-SECRET`);
  await using nerve = await startNerve(folder.path);
  await tell(nerve, folder, 91);
  await until("the opening was sent once", () => server.posts.length > 0);
  await tell(nerve, folder, 5);
  await until("both are reported", () => completed(nerve) === 2);
  expect(server.posts.map(({ title }) => title)).toEqual([
    expect.stringContaining("/var is 91 % full"),
    expect.stringContaining("/var is 91 % full"),
    expect.stringContaining("/var is 91 % full"),
  ]);
  const [, opened, resolved] = server.posts;
  expect(opened?.text).toContain("nerve ack 1");
  expect(opened?.text).toContain("number >= 90");
  expect(resolved?.text).not.toContain("nerve ack 1");
  expect(nerve.logs({ event: "run.failed" })).toEqual([]);
  expect(JSON.stringify(nerve.logs()) + nerve.stderr()).not.toContain("SECRET");
});

test("a channel that a reload moves is told at its new place", async () => {
  using before = phone();
  using after = phone();
  using folder = watched(`${before.url}/one`);
  await using nerve = await startNerve(folder.path);
  await tell(nerve, folder, 91);
  await until("the opening is reported", () => completed(nerve) === 1);
  folder.write("nerve.yaml", channelsOf(`${after.url}/two`) + RULES);
  expect((await runNerve(folder.path, ["reload"])).code).toBe(0);
  await tell(nerve, folder, 5);
  await until("the resolution is reported", () => completed(nerve) === 2);
  const paths = [before, after].map(({ posts }) => posts.map(({ path }) => path));
  expect(paths).toEqual([["/one"], ["/two"]]);
});
