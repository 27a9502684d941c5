/** What `nerve status` says, asked of the kernel over its control socket. */

/** Unix milliseconds, or a date as text. */
type Time = number | string;

export interface Status {
  readonly kernel: { readonly pid: number; readonly version: string; readonly started_at: Time };
  readonly groups: readonly {
    readonly name: string;
    readonly state: "starting" | "up" | "backoff" | "stuck";
    readonly restarts: number;
  }[];
  readonly senses: readonly SenseStatus[];
  readonly workflows: readonly {
    readonly name: string;
    readonly running: number;
    readonly queued: number;
    readonly sleeping: number;
  }[];
}

export interface SenseStatus {
  readonly name: string;
  readonly state: "ok" | "failed" | "quarantined" | "disabled";
  readonly computes: number;
  readonly nulls: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly last_signal: Time | null;
  readonly next_due: Time | null;
}

export async function fetchStatus(socket: string | undefined, signal: AbortSignal): Promise<Status> {
  if (!socket) throw new Error("NERVE_SOCKET is not set: this sense asks the kernel that runs it, and there is none");
  let response: Response;
  try {
    response = await fetch("http://nerve/status", { unix: socket, signal });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw new Error(`the kernel does not answer at ${socket}: ${(error as Error).message}`, { cause: error });
  }
  if (!response.ok) throw new Error(`the kernel answers ${response.status} at ${socket}`);
  const status = (await response.json().catch(() => null)) as Partial<Status> | null;
  if (!status?.kernel || ![status.groups, status.senses, status.workflows].every(Array.isArray)) {
    throw new Error(`what answers at ${socket} is no status of nerve`);
  }
  return status as Status;
}
