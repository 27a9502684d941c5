/** Reflexes without words, to be given some. */
import type { SenseReflexConfig, WorkflowReflexConfig } from "../../src/model/config.ts";

const NO_WORDS = {
  when: null,
  clear: null,
  edge: null,
  forMs: null,
  count: null,
  debounce: null,
  throttleMs: null,
  key: null,
  each: null,
};

const NO_CLOCK = {
  intervalMs: null,
  align: null,
  jitterMs: null,
  cron: null,
  tz: null,
  catchUp: null,
  onStart: null,
};

/** Starts workflow `flow` at every signal of `sense`. */
export const workflowReflex = (words: Partial<WorkflowReflexConfig>): WorkflowReflexConfig => ({
  kind: "workflow",
  name: "watched",
  workflow: "flow",
  on: ["sense"],
  input: null,
  ...NO_WORDS,
  ...NO_CLOCK,
  incident: null,
  ...words,
});

/** Runs sense `a`, when it is told when. */
export const senseReflex = (words: Partial<SenseReflexConfig>): SenseReflexConfig => ({
  kind: "sense",
  name: "watched",
  sense: "a",
  on: [],
  ...NO_WORDS,
  ...NO_CLOCK,
  watch: null,
  deliver: null,
  ...words,
});
