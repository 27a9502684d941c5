/** What is allowed, and mostly not what was meant. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ok } from "../../src/base/result.ts";
import { readNerveConfig } from "../../src/config/parse.ts";
import { NOTHING_AROUND } from "../../src/config/source.ts";
import { formatProblem } from "../../src/model/problem.ts";
import { temporaryFolder } from "../helpers/folder.ts";

const LOAD = join(import.meta.dir, "../../src/config/load.ts");

const warningsOf = (config: string): string[] => {
  const { problems, warnings } = readNerveConfig(config, {
    ...NOTHING_AROUND,
    include: () => ok([]),
    environment: { CRON: "*/70 1 */2 * 1" },
  });
  expect(problems).toEqual([]);
  return warnings.map(formatProblem);
};

const withCron = (cron: string): string => `senses: { load: }\nreflexes: [{ sense: load, cron: "${cron}" }]`;

describe("a warning", () => {
  test.each(["0 0 */2 * 1", "0 0 1-7 * */7", "0 0 */2 * */3"])("is given for the day fields of %s", (cron) => {
    const [warning, ...more] = warningsOf(withCron(cron));
    expect(warning).toStartWith(`nerve.yaml:2:33: \`reflexes[0].cron\` gives both day fields in "${cron}"`);
    expect(warning).toContain("a day that matches either is enough; cronie and vixie-cron");
    expect(more).toEqual([]);
  });

  test.each(["0 0 1,15 * 1", "0 0 */2 * *", "0 0 * * */2", "*/5 */2 * * *", "0 0 1-7 * sun"])(
    "is not given for %s",
    (cron) => expect(warningsOf(withCron(cron))).toEqual([]),
  );

  test("is given for a step that its field does not reach, and names no value that was filled in", () => {
    expect(warningsOf(withCron("*/70 * * * *"))).toEqual([
      "nerve.yaml:2:33: `reflexes[0].cron` has `*/70` as its minute, a step longer than the minute goes: only its first value matches",
    ]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the braces are what stands in the config
    const filled = warningsOf(withCron("${CRON}")).join();
    expect(filled).toContain("has a value as its minute");
    expect(filled).not.toContain("70");
  });

  test("is given for a sense that no reflex runs, a group without a sense and an include without a file", () => {
    const config = `include: [confd/*.yaml]
groups: { system: { memory: 256mb } }
senses: { load: { group: systm }, memory: }
reflexes: [{ sense: load, on: [memory] }]
`;
    expect(warningsOf(config)).toEqual([
      "nerve.yaml:1:11: `include[0]` matches no file; a relative pattern begins at the folder of nerve.yaml",
      "nerve.yaml:2:11: no sense is in the group `system`; the sense `load` is in the group `systm`: is one of the two misspelt?",
      "nerve.yaml:3:35: no reflex runs the sense `memory`; add a reflex for it, or run it by hand: nerve run memory",
    ]);
  });

  const batched = (wait: string): string => `senses: { load: }
reflexes: [{ sense: load, interval: 1s }, { name: r, workflow: w, interval: 30s }, { workflow: w, on: [load] }]
workflows: { w: { use: exec, with: { command: [ls] }, batch: { wait: ${wait} } } }
`;

  test.each(["30s", "1m"])("is given for a batch that waits %s, where a reflex is due every 30s", (wait) => {
    expect(warningsOf(batched(wait))).toEqual([
      "nerve.yaml:3:70: `workflows.w.batch.wait` is not shorter than the `interval` of the reflex `r`: a due time is missed while the run before it waits; wait less, or start another workflow from that reflex",
    ]);
  });

  test("is not given for a batch that waits less", () => expect(warningsOf(batched("29s"))).toEqual([]));

  const hysteresis = (when: string, clear: string): string =>
    `senses: { load: , mem: }\nreflexes:\n  - { sense: load, interval: 1s }\n  - { sense: mem, on: [load], when: ${when}, clear: ${clear} }`;

  test.each([
    ["{ used: number > 80 }", "{ used: number < 90 }"],
    ["{ state: \"'a' | 'b'\" }", "{ state: \"'b' | 'c'\" }"],
    ["{ used: number > 80, state: \"'on'\" }", "{ used: number < 90 }"],
    ["number > 5", "number < 6"],
  ])("is given where `clear` overlaps `when`: %s and %s", (when, clear) => {
    const [warning, ...more] = warningsOf(hysteresis(when, clear));
    expect(warning).toContain(
      "`reflexes[1].clear` overlaps `reflexes[1].when`: a payload can match both, and then `clear` wins",
    );
    expect(more).toEqual([]);
  });

  test.each([
    ["{ used: number >= 90 }", "{ used: number < 80 }"],
    ["{ used: number > 90 }", "{ used: number <= 90 }"],
    ["{ state: \"'down'\" }", "{ state: \"'up'\" }"],
    ["{ state: \"'down'\" }", '{ maintenance: "true" }'],
    ["{ state: \"'down'\" }", '{ state: "\'down\'", muted: "true" }'],
  ])("is not given for `when: %s` and `clear: %s`", (when, clear) => {
    expect(warningsOf(hysteresis(when, clear))).toEqual([]);
  });

  test("is nothing that a daemon looks for: with `when` and `clear` in plain notation it loads no ArkType, and a check does", () => {
    using folder = temporaryFolder();
    const lines = hysteresis("{ used: number > 80 }", "{ used: number < 90 }");
    writeFileSync(folder.file("nerve.yaml"), `${lines}\n`, { mode: 0o600 });
    const script = `const { loadNerveConfig, loadAsFarAsReadable } = require(${JSON.stringify(LOAD)});
      const isLoaded = () => Object.keys(require.cache).some((file) => /node_modules.arktype/.test(file));
      const file = process.argv.at(-1);
      const found = [loadNerveConfig(file, {}).ok, isLoaded(), loadAsFarAsReadable(file, {}).warnings.length, isLoaded()];
      console.log(JSON.stringify(found));`;
    const child = Bun.spawnSync([process.execPath, "-e", script, folder.file("nerve.yaml")]);
    expect([child.stdout.toString().trim(), child.stderr.toString()]).toEqual(["[true,false,1,true]", ""]);
  });
});
