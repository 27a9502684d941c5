/** What wakes a sense when it changes on the host: files, folders, links, and what is not there yet. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { project, startNerve } from "../helpers/nerve.ts";
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
