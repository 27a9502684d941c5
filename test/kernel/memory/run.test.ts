/** The phases of a live run: moves that no part of the kernel should make are bugs, and say so. */
import { expect, test } from "bun:test";
import { LiveRun, type Phase } from "../../../src/kernel/memory/run.ts";

const run = (...phases: readonly Phase[]): LiveRun => {
  const live = new LiveRun(7, "flow", "0".repeat(32), null);
  for (const phase of phases) live.to(phase);
  return live;
};
const UNDER_WAY = ["beginning", "handed", "sent", "under-way"] as const;

test.each<[string, readonly Phase[]]>([
  ["to its end", [...UNDER_WAY, "settling", "gone"]],
  ["through a sleep", [...UNDER_WAY, "settling", "sleeping", "ready", ...UNDER_WAY]],
  ["through the death of its worker", [...UNDER_WAY, "interrupted", "beginning", "handed"]],
  ["past its steps", [...UNDER_WAY, "lingering", "settling", "gone"]],
  ["past logs that cannot be read", ["beginning", "held", "ready", "beginning"]],
  ["nowhere, dropped", ["gone"]],
])("a run goes %s", (_, phases) => {
  expect(run(...phases).phase).toBe(phases.at(-1) as Phase);
});

test.each<[Phase, readonly Phase[]]>([
  ["under-way", []],
  ["sent", ["beginning"]],
  ["beginning", [...UNDER_WAY]],
  ["sleeping", [...UNDER_WAY]],
  ["under-way", [...UNDER_WAY, "settling"]],
  ["ready", ["gone"]],
  ["beginning", ["gone"]],
])("it cannot become %s after %j", (phase, before) => {
  const live = run(...before);
  expect(() => live.to(phase)).toThrow(`run 7 is ${live.phase} and cannot become ${phase}`);
});
