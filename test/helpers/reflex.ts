/** Reflexes without words, to be given some. */
import { NO_CLOCK, NO_WORDS, type SenseReflexConfig, type WorkflowReflexConfig } from "../../src/model/config.ts";

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
