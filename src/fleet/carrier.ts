/** Owns the connection: made anew after each end, with a pause that grows; and what leaves, comes and is asked over it. */
import type { FleetMessageOf, FleetParentMessageOf } from "../ipc/fleet-definitions.ts";
import type { StreamRoom } from "../model/stream-room.ts";
import { Batches, LATELY_MS } from "./batches.ts";
import { type Engine, offline, type Session, type Trouble } from "./engine/engine.ts";
import { Forwarder } from "./forwarder.ts";
import type { OwnSignals } from "./own-signals.ts";
import { type Pace, Pause, retryAfterMs } from "./pause.ts";
import { Receiver } from "./receiver.ts";
import { type Behind, RollCall } from "./roll-call.ts";
import { RoomWatch } from "./room-watch.ts";
import { Sides, Waiting } from "./sides.ts";
import { Wanted } from "./wanted.ts";

type Said<Type extends "link" | "batch" | "forwarded"> = Omit<FleetMessageOf<Type>, "type" | "generation">;
type HostAnswer = FleetMessageOf<"answers">["answers"][number];

/** What the kernel is told. */
export interface Reports {
  link(link: Said<"link">): void;
  waiting(pending: number | null): void;
  notice(kind: FleetMessageOf<"notice">["kind"], message: string): void;
  behind(behind: Behind): void;
  /** How full the stream is. */
  room(room: StreamRoom): void;
  batch(batch: Said<"batch">): void;
  asked(id: number): void;
  /** Resolves when the step is committed. */
  forwarded(step: Said<"forwarded">): Promise<void>;
}

/** So many hosts are asked at once. A server before 2.10 says nothing of one that is not connected, which then costs all of them the limit. */
const ASKED_AT_ONCE = 500;
/** A connection that lasted so long was a good one: the next pause is short again. */
const GOOD_MS = 10_000;
/** Questions of other hosts that wait for the kernel. */
const MAX_ASKED = 16;

export class Carrier {
  readonly #engine: Engine;
  readonly #reports: Reports;
  readonly #sides: Sides;
  readonly #batches: Batches;
  readonly #waiting: Waiting;
  readonly #forwarder: Forwarder;
  readonly #receiver: Receiver | null;
  readonly #rollCall: RollCall;
  readonly #roomWatch: RoomWatch;
  readonly #own: OwnSignals;
  readonly #pace: Pace;
  readonly #pause = new Pause();
  readonly #concerns = new Set<string>();
  readonly #asked = new Map<number, (text: string) => void>();
  #askedIds = 0;
  #pending: number | null = null;
  #again: ReturnType<typeof setTimeout> | null = null;
  #session: Session | null = null;
  #isOver = false;

  constructor(init: FleetParentMessageOf<"init">, engine: Engine, own: OwnSignals, reports: Reports, pace: Pace) {
    this.#pace = pace;
    this.#engine = engine;
    this.#reports = reports;
    this.#sides = new Sides((link) => reports.link(link));
    this.#waiting = new Waiting((pending) => reports.waiting(pending));
    this.#batches = new Batches(
      (batch) => reports.batch(batch),
      () => this.#saysWaiting(),
      () => performance.now(),
    );
    this.#own = own;
    const { host, epoch, epochFrom, startedAt, firstStartedAt, cursor, settings, place, takenAt, origins } = init;
    this.#forwarder = new Forwarder({
      host,
      epoch,
      epochFrom,
      startedAt,
      firstStartedAt,
      cursor,
      everyMs: settings.everyMs,
      beatMs: settings.beatMs,
      own,
      pace,
      nowMs: () => performance.now(),
      random: Math.random,
      isConnected: () => this.#sides.isConnected("out"),
      isShut: (trouble, waitMs) => this.#sides.isShut("out", trouble, waitMs),
      notice: (kind, message) => reports.notice(kind, message),
      forwarded: (step) => reports.forwarded(step),
    });
    this.#roomWatch = new RoomWatch((room) => reports.room(room));
    const wanted = new Wanted(settings.receive);
    this.#rollCall = new RollCall({
      silentAfterMs: settings.silentAfterMs,
      isWanted: (name) => name !== host && wanted.isFrom(name),
      report: (behind) => reports.behind(behind),
    });
    this.#receiver = wanted.isNothing
      ? null
      : new Receiver({
          host,
          wanted,
          place,
          takenAt,
          origins,
          batches: this.#batches,
          pace,
          random: Math.random,
          isConnected: () => this.#sides.isConnected("in"),
          isShut: (trouble, waitMs) => this.#sides.isShut("in", trouble, waitMs),
          took: (frame) => this.#rollCall.took(frame),
          pending: (frames) => this.#isPending(frames),
        });
  }

  start(): void {
    void this.#run();
  }

  stored(): void {
    this.#batches.stored();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#pause.nudge();
    if (this.#again !== null) clearTimeout(this.#again);
    await this.#session?.close();
    this.#own.close();
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isOver; ) {
      const session = await this.#engine.connect();
      const startedAt = performance.now();
      const trouble = session.kind === "session" ? offline(await this.#serve(session)) : session;
      if (this.#isOver) return;
      if (session.kind === "session" && performance.now() - startedAt > GOOD_MS) failures = 0;
      const waitMs = retryAfterMs(this.#pace, failures++, Math.random());
      this.#isCut(trouble, waitMs);
      await this.#pause.wait(waitMs);
    }
  }

  #isCut(trouble: Trouble, waitMs: number): void {
    this.#sides.isShut("out", trouble, waitMs);
    if (this.#receiver === null) return;
    this.#sides.isShut("in", trouble, waitMs);
    this.#isPending(null);
  }

  /** Resolves with why the session ended. */
  async #serve(session: Session): Promise<string> {
    if (this.#isOver) {
      await session.close();
      return session.ended;
    }
    this.#session = session;
    this.#rollCall.over(session);
    if (this.#receiver !== null) this.#roomWatch.over(session);
    this.#concerned(session.concern);
    session.answering((reply) => this.#isAsked(reply));
    await Promise.all([this.#forwarder.run(session), this.#receiver?.run(session)]);
    this.#session = null;
    this.#rollCall.over(null);
    this.#roomWatch.over(null);
    return session.ended;
  }

  /** A concern is said once. */
  #concerned(concern: string | null): void {
    if (concern === null || this.#concerns.has(concern)) return;
    this.#concerns.add(concern);
    this.#reports.notice("server", concern);
  }

  // ── what waits in the stream ─────────────────────────────────────────

  #isPending(frames: number | null): void {
    this.#pending = frames;
    this.#saysWaiting();
  }

  /** Frames that the kernel has not committed wait as well. */
  #saysWaiting(): void {
    if (this.#receiver === null) return;
    const pending = this.#pending === 0 && !this.#batches.isSettled ? 1 : this.#pending;
    this.#waiting.say(pending);
    this.#rollCall.pending(pending);
    if (pending === 0 && !this.#batches.isEmpty) this.#laterAgain();
  }

  /** What was added lately may stay where it is. */
  #laterAgain(): void {
    this.#again ??= setTimeout(() => {
      this.#again = null;
      this.#saysWaiting();
    }, LATELY_MS);
  }

  // ── questions ────────────────────────────────────────────────────────

  async ask(hosts: readonly string[], timeoutMs: number): Promise<readonly HostAnswer[]> {
    const session = this.#session;
    const answers: HostAnswer[] = [];
    for (let at = 0; at < hosts.length; at += ASKED_AT_ONCE) {
      const some = hosts.slice(at, at + ASKED_AT_ONCE).map(async (host): Promise<HostAnswer> => {
        if (session === null) return { host, text: null, why: "this host has no connection" };
        return { host, ...(await session.ask(host, timeoutMs)) };
      });
      answers.push(...(await Promise.all(some)));
    }
    return answers;
  }

  #isAsked(reply: (text: string) => void): void {
    // Who asks faster than the kernel answers hears nothing.
    if (this.#asked.size >= MAX_ASKED) return;
    const id = ++this.#askedIds;
    this.#asked.set(id, reply);
    this.#reports.asked(id);
  }

  replies(id: number, text: string): void {
    const reply = this.#asked.get(id);
    this.#asked.delete(id);
    if (reply !== undefined && this.#session !== null) reply(text);
  }
}
