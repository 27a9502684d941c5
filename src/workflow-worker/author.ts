/** Whose code is running in a workflow worker, across awaits. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Races } from "./races.ts";
import type { StepId } from "./step-id.ts";

export interface Author {
  readonly run: number | null;
  readonly trace: string | null;
}

/** `step`: the one whose function this is, and its `id`, or null between steps. `races`: of the run, between its steps. */
export const author = new AsyncLocalStorage<
  Author & { readonly step: string | null; readonly id: StepId | null; readonly races: Races | null }
>();
