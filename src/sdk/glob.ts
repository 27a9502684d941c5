/** `nerve/glob`: names chosen by patterns in which `*` stands for any run of characters. Linear: the names come from strangers. */
import { matches } from "../base/glob.ts";

export { matches };

/** Chosen by `only`, and not by `except`. */
export const isChosen = (name: string, only: readonly string[], except: readonly string[]): boolean =>
  only.some((pattern) => matches(pattern, name)) && !except.some((pattern) => matches(pattern, name));
