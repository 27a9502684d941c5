/** Owns the requests to the running daemon, and turns the daemon's refusals into exit codes. */
import { constants } from "node:fs";
import { join } from "node:path";
import type { Result } from "../../base/result.ts";
import { askKernel, type ControlFailure, giveKernel } from "../../control/client.ts";
import { SOCKET_NAME } from "../../control/contract.ts";
import type { Problem } from "../../model/problem.ts";
import { EXIT, type ExitCode, type Failure, fail } from "../frame/outcome.ts";
import { denialAt } from "./denied.ts";
import { nothingThere, type Place, startCommand } from "./place.ts";

/** Kinds of problems with which the engine reports an unknown name. A config's problems on unknown names have other kinds. */
const UNKNOWN: ReadonlySet<string> = new Set([
  "unknown-sense",
  "unknown-reflex",
  "unknown-name",
  "unknown-workflow",
  "unknown-run",
  "unknown-step",
  "unknown-silence",
  "unknown-item",
  "no-inbox",
]);

const codeOfRefusal = (problems: readonly Problem[]): ExitCode => {
  const kinds = problems.map(({ kind }) => kind);
  if (kinds.includes("internal")) return EXIT.bug;
  return kinds.some((kind) => UNKNOWN.has(kind)) ? EXIT.usage : EXIT.finding;
};

/**
 * Asks when `body` is null, else acts. `refused` is the exit code of a refusal, where the code is always the same.
 * `otherwise` is the remedy that may be needed instead of a start, where no daemon answers.
 */
export async function ask<T>(
  place: Place,
  path: string,
  body: object | null,
  refused: ExitCode | null = null,
  otherwise: string | null = null,
): Promise<Result<T, Failure>> {
  const answer = await askKernel<T>(place.data, path, body);
  return answer.ok ? answer : failed(place, answer.error, refused, otherwise);
}

/** Hands items to the inbox of a sense: JSON lines. */
export async function give(
  place: Place,
  sense: string,
  lines: string,
  key: string | null,
): Promise<Result<{ readonly ids: readonly number[] }, Failure>> {
  const answer = await giveKernel(place.data, sense, lines, key);
  return answer.ok ? answer : failed(place, answer.error, null, null);
}

function failed(
  place: Place,
  failure: ControlFailure,
  refused: ExitCode | null,
  otherwise: string | null,
): Result<never, Failure> {
  if (failure.kind === "unreachable") return nothingThere(place, unreachable(place, failure.problem, otherwise));
  if (failure.kind === "silent") return fail(EXIT.unreachable, failure.problem);
  return fail(refused ?? codeOfRefusal(failure.problems), ...failure.problems);
}

function unreachable(place: Place, found: Problem, otherwise: string | null): Problem {
  const socket = join(place.data, SOCKET_NAME);
  const denial = denialAt(socket, constants.W_OK);
  if (denial !== null) return { ...found, ...denial };
  const start = `start it with \`${startCommand(place)}\``;
  const hint = otherwise === null ? start : `${otherwise}; where no daemon runs, ${start}`;
  return { ...found, message: `no nerve daemon answers on ${place.data}`, hint };
}
