/** `nerve why` of some nights, word for word in nights.txt beside this file: read what changed before you commit. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answerJson } from "../../src/causes/answer-json.ts";
import { answerTo } from "../../src/causes/asked.ts";
import { REASONS, type Scene } from "../../src/causes/scene.ts";
import { worstFirst } from "../../src/causes/shown-trouble.ts";
import { PIPE } from "../../src/cli/screen/terminal.ts";
import { renderAnswer } from "../../src/cli/stories/paragraph.ts";
import { StoryBench } from "../helpers/story-bench.ts";
import type { Night } from "./night.ts";
import { NIGHTS } from "./stories.ts";

setDefaultTimeout(60_000);

const FILE = join(import.meta.dir, "nights.txt");

function ask(scene: Scene, word: string | null): string {
  const found = answerTo(scene, word);
  if (!found.ok) throw new Error(found.error.message);
  return renderAnswer(found.value, "", PIPE);
}

async function told({ title, config, asked, make }: Night): Promise<string> {
  using bench = new StoryBench(config);
  await make(bench);
  using scene = bench.scene();
  const answers = asked.map((word) => `$ nerve why${word === null ? "" : ` ${word}`}\n${ask(scene, word)}\n`);
  return `## ${title}\n\n${answers.join("\n")}`;
}

test("each night is told as it stands in nights.txt", async () => {
  const nights: string[] = [];
  for (const night of NIGHTS) nights.push(await told(night));
  const text = nights.join("\n");
  if (process.env.NERVE_GOLDEN === "write") writeFileSync(FILE, text);
  expect(text).toBe(readFileSync(FILE, "utf8"));
});

test("a group that is stuck speaks for its senses that wait, and a store that takes no commit comes first", () => {
  using bench = new StoryBench("senses: { memory: , load: { group: other } }\n");
  using scene = bench.scene();
  const { status } = scene;
  if (status === null) throw new Error("the bench runs");
  const [memory, load] = status.senses;
  if (memory === undefined || load === undefined) throw new Error("the bench has two senses");
  const group = { name: memory.group, state: "stuck", pid: 1, restarts: 2, memory: 0 } as const;
  const senses = [
    { ...memory, state: "stale" as const, reason: "the worker does not go" },
    { ...load, state: "stale" as const, reason: "the worker does not go" },
  ];
  const kernel = { ...status.kernel, store: "the disk is nearly full" };
  const answer = (changed: Partial<typeof status>) => {
    const found = answerTo({ ...scene, status: { ...status, senses, groups: [group], ...changed } }, null);
    if (!found.ok) throw new Error(found.error.message);
    const { trouble, others, text } = answerJson(found.value, "");
    return { text, troubles: worstFirst(trouble === null ? others : [trouble, ...others]) };
  };
  const stuck = answer({});
  expect(stuck.troubles.map(({ kind, name, severity }) => [kind, name, severity])).toEqual([
    ["sense", "load", "critical"],
    ["group", memory.group, "critical"],
  ]);
  const held = answer({ kernel });
  expect(held.text).toStartWith("nerve begins nothing new: the disk is nearly full.");
  expect(held.troubles.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["store", "sense", "group"]));
});

test("what is well is so since nerve started, where it stood still before; a short restart is no standstill", async () => {
  using bench = new StoryBench("senses: { memory: }\nreflexes: [{ sense: memory, interval: 1m }]\n");
  bench.sees("memory", { used_percent: 10 });
  await bench.wait(5 * 60_000);
  const starts = async (aheadMs = 0): Promise<number> => {
    const at = bench.clock.wallMs() + aheadMs;
    const data = { ahead_ms: 0, last_signal: bench.store.signals.lastId() };
    bench.ledger.write(() => bench.journal.ofMoment(at, "kernel").info("kernel.started", "nerve started", data));
    await bench.settle();
    return at;
  };
  using running = bench.scene();
  const { status } = running;
  if (status === null) throw new Error("the bench runs");
  const well = (started: number) => {
    using scene = bench.scene();
    const kernel = { ...status.kernel, started_at: started };
    const found = answerTo({ ...scene, isRunning: true, status: { ...status, kernel } }, null);
    if (!found.ok) throw new Error(found.error.message);
    const { since, text } = answerJson(found.value, "");
    return { since, text };
  };
  const early = bench.clock.wallMs();
  await starts(2 * 3_600_000);
  await bench.pass(2_000);
  expect(well(early + 1_000).text).not.toContain("stood still");
  const first = well(await starts());
  expect(first.since).toBeLessThan(bench.clock.wallMs() - 4 * 60_000);
  expect(first.text).not.toContain("stood still");
  await bench.stop();
  await bench.pass(18 * 60_000);
  const again = await starts();
  const late = well(again);
  expect(late.since).toBe(again);
  expect(late.text).toMatch(/, when nerve started: it stood still from \d\d:\d\d:\d\d to \d\d:\d\d:\d\d\./);
});

test("docs/operations.md lists every reason", () => {
  const docs = readFileSync(join(import.meta.dir, "../../docs/operations.md"), "utf8");
  expect(REASONS.filter((reason) => !docs.includes(`\`${reason}\``))).toEqual([]);
});

test("the paragraph of docs/incidents.md is that of a night", () => {
  const docs = readFileSync(join(import.meta.dir, "../../docs/incidents.md"), "utf8");
  const [, shown = "nothing"] = /```text\n(Incident [^`]*)```/.exec(docs) ?? [];
  expect(readFileSync(FILE, "utf8")).toContain(shown);
});
