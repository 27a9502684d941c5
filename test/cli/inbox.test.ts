/** `nerve push`, `nerve inbox` and `nerve once --inbox` as a person types them. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { NERVE, type Nerve, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const SENSE = `import type { Compute } from "nerve";
export const compute: Compute = (_db, _peers, { inbox }) => {
  if (inbox.some(({ body }) => body === "bad")) throw new Error("a bad item");
  return inbox.length === 0 ? null : { bodies: inbox.map(({ body }) => body), keys: inbox.map(({ key }) => key) };
};
`;
const folder = project({
  "nerve.yaml":
    "senses: { deploys: { inbox: { max: 5 } }, wide: { inbox: {} }, load: }\nreflexes: [{ sense: load, interval: 1h }]\n",
  "senses/deploys/index.ts": SENSE,
  "senses/wide/index.ts": SENSE,
  "items.jsonl": '{"version":1}\n\n"two"\n',
  "bad.jsonl": "1\n{\n",
});
let daemon: Nerve;
beforeAll(async () => {
  daemon = await startNerve(folder.path);
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const nerve = (...args: string[]) => runNerve(folder.path, args);
/** Its answers as JSON, one a line. */
const linesOf = async (...args: string[]): Promise<readonly unknown[]> =>
  (await nerve(...args, "--json")).stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
const payloads = async () =>
  (await linesOf("signals", "deploys")).map((row) => (row as { readonly payload: unknown }).payload);

test("what is pushed is taken, and the same key is the same push", async () => {
  expect(await nerve("push", "deploys", '{"version":"1"}', "--key", "job-1")).toMatchObject({
    code: 0,
    stdout: "1 item accepted by deploys\n",
  });
  const again = await linesOf("push", "deploys", '{"version":"1"}', "--key", "job-1");
  expect(again).toEqual([{ sense: "deploys", accepted: 1, ids: [1] }]);
  await until("the item is taken", async () => (await payloads()).length === 1);
  expect(await payloads()).toEqual([{ bodies: [{ version: "1" }], keys: ["job-1"] }]);
  const other = await nerve("push", "deploys", "2", "--key", "job-1");
  expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining("came before, with another body") });
});

test.each([
  ["no JSON", ["push", "deploys", "{"], 2, "is not JSON"],
  ["a key over 255 bytes", ["push", "deploys", "1", "--key", "k".repeat(20_000)], 2, "`--key` is over 255 bytes"],
  ["an item that is too large", ["push", "deploys", JSON.stringify("x".repeat(65_536))], 1, "the item is over 64 KiB"],
  ["no inbox", ["push", "load", "1"], 2, "there is no inbox `load`"],
  ["an item that is gone", ["inbox", "drop", "999"], 2, "there is no item 999"],
  ["no id", ["inbox", "retry", "x"], 2, "is not the id of an item"],
  ["no sense", ["inbox", "nobody"], 2, "there is no sense `nobody`"],
  ["items for a sense without an inbox", ["once", "load", "--inbox", "items.jsonl"], 2, "has no inbox"],
  ["items that are no JSON", ["once", "deploys", "--inbox", "bad.jsonl"], 2, "line 2 is no JSON"],
] as const)("%s is refused", async (_, args, code, words) => {
  expect(await nerve(...args)).toMatchObject({ code, stderr: expect.stringContaining(words) });
});

test("a bad line of stdin is named by its number in stdin, however many requests went before", async () => {
  const lines = ["", ...Array.from({ length: 1_200 }, (_, n) => String(n)), "{"].join("\n");
  const command = ["sh", "-c", `printf '%s' "$LINES_IN" | exec "$@"`, "sh", ...NERVE];
  const pushed = await runNerve(folder.path, ["push", "wide", "-"], { command, environment: { LINES_IN: lines } });
  expect(pushed.stderr).toContain("line 1202 is no JSON; 1000 items before that are accepted");
  expect(pushed.code).toBe(1);
});

test("a compute is tried with items of a file, and nothing is kept", async () => {
  const [once] = await linesOf("once", "deploys", "--inbox", "items.jsonl");
  expect(once).toMatchObject({ payload: { bodies: [{ version: 1 }, "two"], keys: [null, null] }, rows: [] });
});

test("what waits is shown, is full at its bound, and is dropped by hand", async () => {
  await nerve("disable", "deploys");
  expect((await nerve("push", "deploys", '"bad"')).code).toBe(0);
  const [item] = await linesOf("inbox", "deploys");
  expect(item).toMatchObject({ sense: "deploys", state: "waiting", body: "bad", failures: 0 });
  const { id } = item as { readonly id: number };
  expect((await nerve("inbox", "show", String(id))).stdout).toContain(`item ${id} of deploys, waiting`);
  expect((await nerve("push", "deploys", '"x"')).code).toBe(0);
  for (let n = 0; n < 3; n++) expect((await nerve("push", "deploys", String(n))).code).toBe(0);
  expect(await nerve("push", "deploys", "4")).toMatchObject({ code: 1, stderr: expect.stringContaining("is full") });
  expect((await nerve("status")).stdout).toMatch(/^deploys +5 +0$/m);
  expect((await nerve("inbox", "drop", String(id))).stdout).toBe("1 item is dropped\n");
  await nerve("enable", "deploys");
  await until("the rest is taken", async () => (await linesOf("inbox")).length === 0);
  expect((await payloads()).at(-1)).toMatchObject({ bodies: ["x", 0, 1, 2] });
});
