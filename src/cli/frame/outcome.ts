/** Owns the end of a command: an exit code of the contract, or a failure that main.ts prints and turns into an exit code. */
import { err, type Result } from "../../base/result.ts";
import { type Problem, problem } from "../../model/problem.ts";

export const EXIT = {
  done: 0,
  /** The command ran, and what it examined is not in order. */
  finding: 1,
  /** Wrong usage, or a name that nothing has. */
  usage: 2,
  unreachable: 3,
  bug: 70,
  inUse: 75,
  badConfig: 78,
} as const;

/** A shell reads 128 and the signal's number as "ended by it". */
export const ENDED_BY = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface Failure {
  readonly code: ExitCode;
  readonly problems: readonly Problem[];
}

export type Outcome = Result<ExitCode, Failure>;

export const fail = (
  code: ExitCode,
  ...problems: readonly Problem[]
): { readonly ok: false; readonly error: Failure } => err({ code, problems });

export const usageError = (
  message: string,
  hint: string | null = null,
): { readonly ok: false; readonly error: Failure } => fail(EXIT.usage, problem("usage", message, hint));
