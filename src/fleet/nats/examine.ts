/** Tries what a host needs of the server, without leaving anything there: for `nerve fleet check`. */
import { isTrouble, type Room, type Trouble } from "../engine/engine.ts";
import { Nats, type NatsSettings, NEVER } from "./session.ts";

export interface Found {
  readonly what: string;
  /** Null: it works. */
  readonly why: string | null;
  /** What is worth knowing, though it works. */
  readonly remark: string | null;
}

/** What is known of this host beside its configuration. `epoch`: null where it has no store yet. */
export interface Examined {
  readonly settings: NatsSettings;
  readonly receives: boolean;
  readonly epoch: string | null;
  readonly nowMs: number;
  /** What is worth knowing of how full the stream is, or null. */
  readonly aboutRoom: (room: Room) => string | null;
}

/** A clock that differs by less is no trouble: times of signals are shown, and `fresh` is minutes. */
const CLOCK_MS = 30_000;

const works = (what: string, remark: string | null = null): Found => ({ what, why: null, remark });
const fails = (what: string, { why }: Trouble): Found => ({ what, why, remark: null });

export async function examine(examined: Examined): Promise<Found[]> {
  const { settings, receives } = examined;
  const found: Found[] = [];
  for (const server of settings.servers) {
    const session = await new Nats({ ...settings, servers: [server] }).connect();
    if (session.kind !== "session") {
      found.push(fails(`connect to ${server}`, session));
      continue;
    }
    found.push(works(`connect to ${server}`, session.concern));
    try {
      found.push(await lastFrame(session, examined), await mayPublish(session));
      if (receives) found.push(...(await mayReceive(session, examined)));
    } finally {
      await session.close();
    }
  }
  return found;
}

type Connected = Extract<Awaited<ReturnType<Nats["connect"]>>, { kind: "session" }>;

async function lastFrame(session: Connected, { settings, epoch }: Examined): Promise<Found> {
  const what = `read the last frame of ${settings.host}`;
  const last = await session.last();
  if (isTrouble(last)) return fails(what, last);
  if (last.kind === "none") return works(what, `the stream has no frame of ${settings.host} yet`);
  const { label, flaw, position } = last.frame;
  if (label === null)
    return {
      what,
      why: `what stands at ${position} is no frame of nerve: ${flaw}; somebody else has the key of ${settings.host}`,
      remark: null,
    };
  const isOther = epoch !== null && label.epoch !== epoch;
  const other = `the last frame is of another epoch (${label.epoch}, here ${epoch}): this host was restored or made anew, or another kernel has its name`;
  return works(what, isOther ? other : null);
}

async function mayPublish(session: Connected): Promise<Found> {
  const what = "publish a frame";
  const answer = await session.append(new Uint8Array(0), { epoch: "0", to: 0 }, NEVER);
  return isTrouble(answer) ? fails(what, answer) : works(what);
}

async function mayReceive(session: Connected, { nowMs, aboutRoom }: Examined): Promise<readonly Found[]> {
  const state = await session.stream();
  if (isTrouble(state)) return [fails("look at the stream", state)];
  const offMs = state.atMs === null ? 0 : state.atMs - nowMs;
  const clock =
    Math.abs(offMs) > CLOCK_MS
      ? `the server's clock is ${Math.round(Math.abs(offMs) / 1_000)} s ${offMs > 0 ? "ahead of" : "behind"} this host's`
      : null;
  const remark = [clock, aboutRoom(state.room)].filter((words) => words !== null).join("; ") || null;
  const reading = await session.read(state.last);
  if (isTrouble(reading)) return [works("look at the stream", remark), fails("read frames", reading)];
  reading.stop();
  return [works("look at the stream", remark), works("read frames")];
}
