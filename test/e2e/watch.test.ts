/** What wakes a sense when it changes on the host: files, folders, links, and what is not there yet. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, mkdirSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { jsonOf, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

/** Emits how many bytes the file has, where that has changed. */
const SIZE = `import { existsSync, statSync } from "node:fs";
import { record, text } from "nerve/options";
export const options = record({ path: text("log") });
export const watch = ({ path }) => ({ file: path });
let last = -1;
export const compute = (_db, _peers, { options: { path } }) => {
  const bytes = existsSync(path) ? statSync(path).size : 0;
  if (bytes === last) return null;
  last = bytes;
  return { bytes };
};`;

test("a sense whose module names a file computes when the file changes, and not otherwise", async () => {
  using folder = project({
    "nerve.yaml": `
      senses: { size: { with: { path: logs/app.log } } }
      reflexes: [{ sense: size, watch: true }]`,
    "senses/size/index.ts": SIZE,
  });
  await using nerve = await startNerve(folder.path);
  const log = join(folder.path, "logs/app.log");
  const sees = (bytes: number): Promise<unknown> =>
    until(`${bytes} bytes are seen`, () => nerve.signals("size").some(({ payload }) => payload.bytes === bytes));
  await sees(0);
  mkdirSync(join(folder.path, "logs"));
  appendFileSync(log, "x".repeat(10));
  await sees(10);
  appendFileSync(log, "x".repeat(10));
  await sees(20);
  renameSync(log, `${log}.1`);
  appendFileSync(log, "x".repeat(5));
  await sees(5);
  expect(await nerve.stop()).toBe(0);
  // A few computes for three changes, and none by a clock.
  expect(nerve.logs({ event: "watch.limited" })).toEqual([]);
});

/** Emits the names in the folder and the text of the file, where they have changed. */
const LOOK = `import { existsSync, readdirSync, readFileSync } from "node:fs";
let last = "";
export const compute = () => {
  const names = existsSync("spool") ? readdirSync("spool").sort().join(" ") : "";
  const text = existsSync("link") ? readFileSync("link", "utf8") : "";
  const now = JSON.stringify({ names, text });
  if (now === last) return null;
  last = now;
  return JSON.parse(now);
};`;

test("a reflex watches files, folders and what links lead to, relative to nerve.yaml", async () => {
  using folder = project({
    "nerve.yaml": `
      senses: { look: }
      reflexes:
        - { sense: look, watch: [{ file: link }, { dir: spool, match: "*.job" }] }`,
    "senses/look/index.ts": LOOK,
    one: "1",
    two: "2",
  });
  await using nerve = await startNerve(folder.path);
  const at = (name: string): string => join(folder.path, name);
  const sees = (payload: object): Promise<unknown> =>
    until(`${JSON.stringify(payload)} is seen`, () =>
      nerve.signals("look").some((signal) => JSON.stringify(signal.payload) === JSON.stringify(payload)),
    );
  await sees({ names: "", text: "" });
  symlinkSync("one", at("link"));
  await sees({ names: "", text: "1" });
  appendFileSync(at("one"), "1");
  await sees({ names: "", text: "11" });
  symlinkSync("two", at("next"));
  renameSync(at("next"), at("link"));
  await sees({ names: "", text: "2" });
  mkdirSync(at("spool"));
  appendFileSync(at("spool/a.job"), "");
  await sees({ names: "a.job", text: "2" });
  appendFileSync(at("spool/b.job"), "");
  await sees({ names: "a.job b.job", text: "2" });
  const { stdout } = await runNerve(folder.path, ["graph"]);
  expect(stdout).toContain("watch link");
  const { value } = await jsonOf(folder.path, ["check"]);
  expect(value.reflexes[0].trigger).toBe("every 1m, watch link, watch spool, *.job");
});
