/** Whose code is running in a workflow worker, across awaits. */
import { AsyncLocalStorage } from "node:async_hooks";

export interface Author {
  readonly run: number | null;
  readonly trace: string | null;
}

/** `step`: the one whose function this is, or null between steps. */
export const author = new AsyncLocalStorage<Author & { readonly step: string | null }>();
