/** `nerve/status`: what `nerve status` reports, asked of the kernel over its control socket. */
import type { Status } from "../control/contract.ts";

export type { Status };
export type SenseStatus = Status["senses"][number];
export type GroupStatus = Status["groups"][number];
export type WorkflowStatus = Status["workflows"][number];

export type RunFailure = Status["failures"][number];

/** The kernel's status, now. Throws when the kernel does not answer, or when what answers is no kernel of nerve. */
export async function fetchStatus(signal: AbortSignal): Promise<Status> {
  const socket = process.env.NERVE_SOCKET;
  if (!socket) throw new Error("NERVE_SOCKET is not set: only a worker of a running nerve can ask its kernel");
  let response: Response;
  try {
    response = await fetch("http://nerve/status", { unix: socket, signal });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new Error(`the kernel does not answer at ${socket}: ${(error as Error).message}`);
  }
  if (!response.ok) throw new Error(`the kernel answers ${response.status} at ${socket}`);
  const status: unknown = await response.json().catch(() => null);
  if (!isStatus(status)) throw new Error(`what answers at ${socket} is no status of nerve`);
  return status;
}

function isStatus(answer: unknown): answer is Status {
  if (typeof answer !== "object" || answer === null) return false;
  const { kernel, groups, senses, workflows } = answer as Record<keyof Status, unknown>;
  return typeof kernel === "object" && kernel !== null && [groups, senses, workflows].every(Array.isArray);
}
