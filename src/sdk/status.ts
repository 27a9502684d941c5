/** `nerve/status`: what `nerve status` reports, asked of the kernel over its control socket. */
import type { ChannelStatus, Failure, Failures, Status } from "../control/contract.ts";

export type { ChannelStatus, Failure, Failures, Status };
export type SenseStatus = Status["senses"][number];
export type GroupStatus = Status["groups"][number];
export type WorkflowStatus = Status["workflows"][number];

/** The kernel's status, now. Throws when the kernel does not answer, or when what answers is no kernel of nerve. */
export async function fetchStatus(signal: AbortSignal): Promise<Status> {
  return ask("/status", signal, isStatus);
}

/**
 * Runs that failed, timed out or were dropped, by the logs of their endings above `after`; null: since the kernel started. An
 * answer is bounded: `up_to` says how far it looked.
 */
export async function fetchFailures(after: number | null, signal: AbortSignal): Promise<Failures> {
  return ask(after === null ? "/failures" : `/failures?after=${after}`, signal, isFailures);
}

async function ask<T>(path: string, signal: AbortSignal, is: (answer: unknown) => answer is T): Promise<T> {
  const socket = process.env.NERVE_SOCKET;
  if (!socket) throw new Error("NERVE_SOCKET is not set: only a worker of a running nerve can ask its kernel");
  let response: Response;
  try {
    response = await fetch(`http://nerve${path}`, { unix: socket, signal });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new Error(`the kernel does not answer at ${socket}: ${(error as Error).message}`);
  }
  if (!response.ok) throw new Error(`the kernel answers ${response.status} at ${socket}`);
  const answer: unknown = await response.json().catch(() => null);
  if (!is(answer)) throw new Error(`what answers at ${socket} is no status of nerve`);
  return answer;
}

function isStatus(answer: unknown): answer is Status {
  if (typeof answer !== "object" || answer === null) return false;
  const { kernel, groups, senses, workflows } = answer as Record<keyof Status, unknown>;
  return typeof kernel === "object" && kernel !== null && [groups, senses, workflows].every(Array.isArray);
}

function isFailures(answer: unknown): answer is Failures {
  if (typeof answer !== "object" || answer === null) return false;
  const { runs, up_to, newest, archived } = answer as Record<keyof Failures, unknown>;
  return Array.isArray(runs) && [up_to, newest, archived].every(Number.isSafeInteger);
}
