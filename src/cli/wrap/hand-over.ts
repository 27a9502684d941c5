/**
 * Owns the way of what is to be said of a command: to the inbox by the control socket, where that can be reached, else to the ping
 * URL of $NERVE_PUSH. The command never waits for it.
 */
import { randomUUID } from "node:crypto";
import { formatDuration } from "../../base/duration.ts";
import { socketPath } from "../../control/socket-path.ts";
import type { PingBody, PingType } from "../../inbox/pings.ts";

export interface Destination {
  readonly sense: string;
  /** The data directory of the daemon, or null where no configuration says where that is. */
  readonly data: string | null;
  /** A ping URL, or null. */
  readonly pingUrl: string | null;
}

/** A try takes this long at most. */
const TRY_MS = 5_000;
/** A daemon that starts again, or an inbox that is full for a moment, is tried again after each of these. */
const PAUSES_MS = [250, 1_000, 3_000];
/** No try begins after so long. */
const PATIENCE_MS = 4_500;

type Tried =
  | { readonly kind: "taken" }
  /** Trying again may help. */
  | { readonly kind: "later"; readonly why: string }
  | { readonly kind: "refused"; readonly why: string };

/** Null once it is handed over; else why it could not be. `patient`: tries again where that may help. */
export async function handOver(
  to: Destination,
  type: PingType,
  body: PingBody,
  isPatient: boolean,
): Promise<string | null> {
  // The same event however often it is tried.
  const event = {
    specversion: "1.0",
    id: randomUUID(),
    source: "nerve wrap",
    type,
    datacontenttype: "application/json",
    data: body,
  };
  const ways = [
    ...(to.data === null ? [] : [socketWay(to.data, to.sense, JSON.stringify(event))]),
    ...(to.pingUrl === null ? [] : [pingWay(to.pingUrl, type, body)]),
  ];
  if (ways.length === 0) return "there is no nerve.yaml here, and no ping URL in $NERVE_PUSH";
  let why = "";
  const began = performance.now();
  for (const pauseMs of isPatient ? [0, ...PAUSES_MS] : [0]) {
    await Bun.sleep(pauseMs);
    if (performance.now() - began > PATIENCE_MS) break;
    for (const way of ways) {
      const tried = await way();
      if (tried.kind === "taken") return null;
      why = tried.why;
      if (tried.kind === "refused") return why;
    }
  }
  return why;
}

const socketWay = (data: string, sense: string, body: string) => (): Promise<Tried> =>
  attempt(`http://nerve/v1/inbox/${encodeURIComponent(sense)}`, "the daemon", () => ({
    method: "POST",
    headers: { "content-type": "application/cloudevents+json" },
    body,
    // A data directory that is not there, or belongs to another user, may have no such path.
    unix: socketPath(data),
  }));

function pingWay(url: string, type: PingType, { exit_code, output }: PingBody): () => Promise<Tried> {
  const base = url.replace(/\/+$/, "");
  const end = exit_code === null ? `/${type}` : `/${exit_code}`;
  return () => attempt(`${base}${end}`, "the address in $NERVE_PUSH", () => ({ method: "POST", body: output ?? "" }));
}

/** What `request` throws is a way that is not there. */
async function attempt(url: string, who: string, request: () => BunFetchRequestInit): Promise<Tried> {
  try {
    const response = await fetch(url, { ...request(), signal: AbortSignal.timeout(TRY_MS), redirect: "error" });
    if (response.ok) return { kind: "taken" };
    const why = `${who} answered ${response.status}${await messageIn(response)}`;
    const isLater = response.status === 429 || response.status >= 500;
    return { kind: isLater ? "later" : "refused", why };
  } catch (error) {
    const isSlow = (error as Error).name === "TimeoutError";
    const why = isSlow ? `${who} has not answered for ${formatDuration(TRY_MS)}` : `${who} cannot be reached`;
    return { kind: "later", why };
  }
}

/** What an answer of nerve's says, behind a colon; empty where it says nothing. */
async function messageIn(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as { error: { message: string } };
    return `: ${error.message}`;
  } catch {
    return "";
  }
}
