/** Owns the endings of an upgrade, and of the way back. */
import { err } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { Build, Rung } from "./home.ts";

export type End =
  /** The new executable is in place. With `isWatched` a daemon runs it and commits. */
  | { readonly kind: "upgraded"; readonly from: Build; readonly to: Build; readonly isWatched: boolean }
  /** Everything was tried on copies, and nothing was changed. */
  | { readonly kind: "rehearsed"; readonly to: Build; readonly pending: readonly string[] }
  /** The executable is in place already. */
  | { readonly kind: "same"; readonly build: Build }
  /** The old executable is in place again. */
  | {
      readonly kind: "gone-back";
      readonly from: Build;
      readonly to: Build;
      readonly reason: string;
      readonly rung: Rung;
    };

/** A refusal. Nothing was changed, or the message says what was. */
export const refused = (kind: string, message: string, hint: string | null = null, file: string | null = null) =>
  err([problem(kind, message, hint, file)] as readonly Problem[]);
