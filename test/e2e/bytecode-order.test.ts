/** The recorded order of functions in the executable fits the sources: a start uses mostly functions that the record knows. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BYTECODE_ORDER } from "../../scripts/build.ts";
import { functionsOf, ORDER_FILE } from "../../scripts/bytecode/profile.ts";
import { COMPILED, project, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(60_000);

const CONFIG = `
  senses: { load: {} }
  reflexes: [{ sense: load, interval: 100ms }]`;

/** Below this share the record is old, and saves too little: `bun scripts/bytecode/record.ts` makes a new one. */
const LEAST_KNOWN = 0.6;

const needsBinary = COMPILED === null ? test.skip : test;

needsBinary("most functions that a kernel uses are in the recorded order of the executable", async () => {
  using folder = project({ "nerve.yaml": CONFIG });
  const profile = join(folder.path, "profile");
  {
    await using nerve = await startNerve(folder.path, { environment: { [ORDER_FILE]: profile } });
    await until("load has emitted", () => nerve.signals("load").length > 0);
  }
  const recorded = new Set(functionsOf(readFileSync(BYTECODE_ORDER, "latin1")));
  const used = functionsOf(readFileSync(profile, "latin1"));
  expect(used.length).toBeGreaterThan(300);
  expect(used.filter((one) => recorded.has(one)).length / used.length).toBeGreaterThan(LEAST_KNOWN);
});
