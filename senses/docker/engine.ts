/** The answers of Docker Engine's API, which podman gives as well, over its Unix socket. */
import { existsSync } from "node:fs";

/** Where docker and podman have their sockets. */
export const SOCKETS = ["/var/run/docker.sock", "/run/podman/podman.sock"] as const;

/** The socket to use; null where there is none. */
export const socketOf = (given: string | null): string | null =>
  given === null ? (SOCKETS.find((path) => existsSync(path)) ?? null) : existsSync(given) ? given : null;

/** The list of a thousand containers has about 2 MB. */
const MOST_BYTES = 8 * 1024 * 1024;

/** One answer as JSON; null where there is no such thing any more. */
async function get(socket: string, path: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(`http://localhost${path}`, { unix: socket, signal, keepalive: false }).catch(
    (error: NodeJS.ErrnoException) => {
      signal.throwIfAborted();
      throw new Error(`${socket} ${refusalOf(error)}`);
    },
  );
  const text = await read(response, socket);
  if (response.status === 404) return null;
  if (!response.ok) throw new Error(`${socket} answered ${response.status}: ${text.slice(0, 200)}`);
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${socket} answered no JSON: is it the socket of docker or podman?`);
  }
}

function refusalOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === "EACCES" || code === "EPERM") {
    return "may not be opened by nerve's user: add it to the group `docker` (which is as good as root), or use podman without root";
  }
  return code === "ECONNREFUSED"
    ? "has nobody who listens: docker does not run"
    : `cannot be asked (${code ?? message})`;
}

async function read(response: Response, socket: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) throw new Error(`${socket} answers with more than 8 MiB`);
  }
  return Buffer.concat(chunks).toString();
}

export interface Container {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** `created`, `running`, `paused`, `restarting`, `exited`, `dead` … */
  readonly state: string;
  /** `healthy`, `unhealthy`, `starting`; null where the image has no check. */
  readonly health: string | null;
  /** Of the last end; null while it runs. */
  readonly exit_code: number | null;
  readonly oom_killed: boolean;
  readonly restarts: number;
  /** Unix milliseconds since which it runs, or is ended; null where it never began. */
  readonly since: number | null;
}

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly image: string;
}

/** All containers, those that are stopped included, by name. */
export async function listContainers(socket: string, signal: AbortSignal): Promise<readonly Listed[]> {
  const list = await get(socket, "/containers/json?all=1", signal);
  if (!Array.isArray(list)) throw new Error(`${socket} answered no list of containers`);
  return list
    .map((one): Listed => {
      const id = textIn(objectOf(one), "Id").slice(0, 12);
      const { Names } = objectOf(one);
      const name = Array.isArray(Names) ? String(Names[0] ?? id) : id;
      return { id, name: name.replace(/^\//, ""), image: textIn(objectOf(one), "Image") };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Null where the container is gone. */
export async function inspect(socket: string, listed: Listed, signal: AbortSignal): Promise<Container | null> {
  const found = await get(socket, `/containers/${encodeURIComponent(listed.id)}/json`, signal);
  if (found === null) return null;
  const state = objectIn(found, "State");
  const status = textIn(state, "Status");
  const isUp = ["running", "paused", "restarting"].includes(status);
  // Older podmans call it Healthcheck.
  const health = textIn(objectIn(state, "Health"), "Status") || textIn(objectIn(state, "Healthcheck"), "Status");
  return {
    ...listed,
    state: status,
    health: health === "" || health === "none" ? null : health,
    exit_code: isUp || status === "created" ? null : countIn(state, "ExitCode"),
    oom_killed: state.OOMKilled === true,
    restarts: countIn(objectOf(found), "RestartCount") ?? 0,
    since: timeOf(textIn(state, isUp ? "StartedAt" : "FinishedAt")),
  };
}

type Fields = Readonly<Record<string, unknown>>;

const objectOf = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});
const objectIn = (value: unknown, name: string): Fields => objectOf(objectOf(value)[name]);
const textIn = (fields: Fields, name: string): string => (typeof fields[name] === "string" ? fields[name] : "");
const countIn = (fields: Fields, name: string): number | null =>
  Number.isSafeInteger(fields[name]) ? Number(fields[name]) : null;

/** `2026-11-28T17:52:49.123456789Z`; the year 1 stands for never. */
function timeOf(text: string): number | null {
  const at = Date.parse(text.replace(/(\.\d{3})\d+/, "$1"));
  return Number.isNaN(at) || at <= 0 ? null : at;
}
