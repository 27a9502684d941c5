/** Whose code is running in a sense worker, across awaits. */
import { AsyncLocalStorage } from "node:async_hooks";

export interface ComputeAuthor {
  readonly sense: string | null;
  readonly trace: string | null;
}

export const author = new AsyncLocalStorage<ComputeAuthor>();
