/**
 * What steps throw, as it is recorded and as the run meets it: the same error when the step fails and in every replay.
 * Owns which step an error of a run stems from.
 */
import { clipLine } from "../base/row-limiter.ts";
import { describeThrown, standsFor } from "../base/thrown.ts";
import type { Peers } from "../sdk/index.ts";
import { clip } from "../worker/output.ts";
import { describeAuthorFailure } from "../worker/peer-record.ts";
import type { PastStep, StepPlace } from "./past.ts";

export type StepFailure = Exclude<PastStep["failure"], null>;

const LONGEST_NAME = 200;
/** Errors that are looked at for the steps which a failure stems from. */
const MOST_ERRORS = 1_000;

const text = (value: unknown, otherwise: string): string => (typeof value === "string" ? value : otherwise);

/** What a step threw, in the fields of its record. What is no error is its own message. */
export function failureOf(thrown: unknown, peers: Peers): StepFailure {
  const { message: error, stack } = describeAuthorFailure(thrown, peers);
  const recorded = { error: clipLine(error), stack: clip(stack) };
  const shown = describeThrown(thrown).message;
  try {
    if (typeof thrown === "object" && thrown !== null && "message" in thrown) {
      const name = text("name" in thrown ? thrown.name : null, "Error").slice(0, LONGEST_NAME);
      return { ...recorded, name, message: clipLine(text(thrown.message, shown)) };
    }
  } catch {
    // An error whose properties cannot be read is shown as well as it can be.
  }
  return { ...recorded, name: "Error", message: clipLine(typeof thrown === "string" ? thrown : shown) };
}

export const failureOfResult = (message: string): StepFailure => {
  const clipped = clipLine(message);
  return { error: `Error: ${clipped}`, name: "Error", message: clipped, stack: null };
};

function namedError(name: string, message: string, stack: string | null): Error {
  const error = new Error(message);
  Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  // The stack of this line says nothing about the author's code.
  error.stack = stack ?? `${name}: ${message}`;
  return error;
}

/** The words of a failure behind its own: those of its causes. */
function causeOf({ error, name, message }: StepFailure): Error | null {
  const own = `${name}: ${message}; `;
  if (!error.startsWith(own)) return null;
  const [, causeName = "Error", causeMessage = ""] = /^([^:]*): ([\s\S]*)$/.exec(error.slice(own.length)) ?? [];
  return namedError(causeName, causeMessage, null);
}

/** The error that the run meets. */
export function stepError(failure: StepFailure): Error {
  const error = namedError(failure.name, failure.message, failure.stack);
  const cause = causeOf(failure);
  if (cause !== null) Object.defineProperty(error, "cause", { value: cause, configurable: true, writable: true });
  return standsFor(error, failure.error);
}

export class Failures {
  readonly #places = new WeakMap<Error, StepPlace>();

  /** The error of a step. */
  errorOf(place: StepPlace, failure: StepFailure): Error {
    const error = stepError(failure);
    this.#places.set(error, place);
    return error;
  }

  /** The steps that `thrown` stems from: by itself, by its causes, and by the errors that it gathers. */
  culpritsOf(thrown: unknown): StepPlace[] {
    const left: unknown[] = [thrown];
    const seen = new Set<unknown>();
    const places = new Set<StepPlace>();
    while (left.length > 0 && seen.size < MOST_ERRORS) {
      const error = left.pop();
      if (seen.has(error)) continue;
      seen.add(error);
      try {
        if (!(error instanceof Error)) continue;
        const place = this.#places.get(error);
        if (place) {
          places.add(place);
          continue;
        }
        left.push(error.cause);
        const { errors } = error as { readonly errors?: unknown };
        if (Array.isArray(errors)) left.push(...errors.slice(0, MOST_ERRORS));
      } catch {
        // An error that cannot be read stems from nothing.
      }
    }
    return [...places];
  }
}
