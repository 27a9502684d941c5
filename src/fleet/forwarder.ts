/**
 * Owns what leaves: one frame at a time, each appended behind the last one of this host. After any doubt it reads that last frame, and
 * goes forward or back. logs.db is the truth: whatever the stream forgets is sent again.
 */
import type { FleetMessageOf } from "../ipc/fleet-definitions.ts";
import type { CarriedFrame, Session, Trouble } from "./engine/engine.ts";
import { unpackFrame } from "./frame.ts";
import { Gathering, type Outgoing } from "./gathering.ts";
import type { OwnSignals } from "./own-signals.ts";
import { type Pace, Pause, retryAfterMs } from "./pause.ts";
import { type Cursor, type Start, startAt } from "./start.ts";

export interface ForwarderHost {
  readonly host: string;
  readonly epoch: string;
  readonly epochFrom: number;
  readonly cursor: Cursor;
  readonly everyMs: number;
  readonly beatMs: number;
  readonly pace: Pace;
  readonly own: OwnSignals;
  nowMs(): number;
  random(): number;
  isConnected(): void;
  /** A try failed; the next one comes after `waitMs`. */
  isShut(trouble: Trouble, waitMs: number): void;
  notice(kind: FleetMessageOf<"notice">["kind"], message: string): void;
  /** Resolves when the step is committed. */
  forwarded(step: Omit<FleetMessageOf<"forwarded">, "type" | "generation">): Promise<void>;
}

export class Forwarder {
  readonly #host: ForwarderHost;
  readonly #gathering: Gathering;
  readonly #pause = new Pause();
  #cursor: Cursor;
  /** Where the last frame of this host stands. */
  #expected = 0;
  /** The highest id that was ever acknowledged: going back loses nothing below. */
  #reached: number;
  #leftAt = Number.NEGATIVE_INFINITY;
  #session: Session | null = null;
  /** The last frame was refused: only one that is taken shows that the stream takes frames again. */
  #isRefused = false;

  constructor(host: ForwarderHost) {
    this.#host = host;
    this.#cursor = host.cursor;
    this.#reached = host.cursor.upto;
    this.#gathering = new Gathering(host.own, host.epoch, host.cursor.upto);
  }

  /** Sends over this session, until it has ended. */
  async run(session: Session): Promise<void> {
    this.#session = session;
    void session.ended.then(() => {
      if (this.#session !== session) return;
      this.#session = null;
      this.#pause.nudge();
    });
    for (let failures = 0; this.#session === session; ) {
      const trouble = (await this.#begin(session)) ?? (await this.#sendAll(session, () => (failures = 0)));
      if (trouble === null || this.#session !== session) continue;
      this.#isRefused = trouble.kind === "blocked";
      const waitMs = retryAfterMs(this.#host.pace, failures++, this.#host.random());
      this.#host.isShut(trouble, waitMs);
      await this.#pause.wait(waitMs);
    }
  }

  // ── where to begin ───────────────────────────────────────────────────

  /** Null: it is known behind which frame the next one goes. */
  async #begin(session: Session): Promise<Trouble | null> {
    for (let isClaim = false; ; ) {
      const last = await session.last();
      if (last.kind === "offline" || last.kind === "blocked") return last;
      const frame = last.kind === "frame" ? last.frame : null;
      const start = startAt(frame, this.#sender(), (own) => this.#isOwn(own), isClaim);
      switch (start.kind) {
        case "go":
          await this.#adopt(frame, start);
          return this.#go(start);
        case "conflict":
          await this.#conflicts(start.epoch);
          if (this.#session !== session) return null;
          isClaim = true;
      }
    }
  }

  #sender() {
    return { epoch: this.#host.epoch, epochFrom: this.#host.epochFrom, cursor: this.#cursor };
  }

  #go({ from, since, expected, isRewound }: Extract<Start, { kind: "go" }>): null {
    const { host, notice } = this.#host;
    if (isRewound) {
      notice(
        "rewound",
        `the stream has lost frames of ${host} behind the signal ${from}: what came after is sent again`,
      );
    }
    this.#cursor = { epoch: this.#host.epoch, since, upto: from, sequence: expected };
    this.#expected = expected;
    this.#reached = Math.max(this.#reached, from);
    this.#gathering.beginBehind(from);
    if (!this.#isRefused) this.#host.isConnected();
    return null;
  }

  /** A frame that was taken, and whose acknowledgement was lost: what it says of itself is committed as any other step. */
  async #adopt(frame: CarriedFrame | null, { from, since }: Extract<Start, { kind: "go" }>): Promise<void> {
    if (frame === null || from <= this.#cursor.upto) return;
    this.#cursor = { ...this.#cursor, since };
    const unpacked = unpackFrame(frame.body);
    const { begin, lost, signals } = unpacked.ok
      ? { begin: unpacked.value.from, lost: unpacked.value.lost, signals: unpacked.value.signals.length }
      : { begin: from, lost: 0, signals: 0 };
    await this.#acknowledged({ from: begin, to: from, lost, signals }, frame.position);
  }

  /** Whether the last signal of a frame is ours. */
  #isOwn({ body, label }: CarriedFrame): boolean {
    const { own } = this.#host;
    if (label !== null && label.to > own.lastId()) return false;
    const frame = unpackFrame(body);
    if (!frame.ok) return false;
    const last = frame.value.signals.at(-1);
    return last === undefined || own.isOwn(last.id, last.trace) !== false;
  }

  /** Says so, and leaves the turn to the other one. */
  #conflicts(other: string | null): Promise<void> {
    const { host, epoch, pace, notice } = this.#host;
    const whose = other === null ? "frames that are not nerve's" : `frames of the epoch ${other}`;
    const why = `another kernel sends as ${host} (${whose}; here it is ${epoch}): give one of the two another \`host\``;
    const waitMs = pace.claimMs * (1 + this.#host.random());
    this.#host.isShut({ kind: "blocked", why }, waitMs);
    notice("conflict", why);
    return this.#pause.wait(waitMs);
  }

  // ── what leaves ──────────────────────────────────────────────────────

  /** Null: the session has ended, or somebody else has sent. `left` is called for each frame that was taken. */
  async #sendAll(session: Session, left: () => void): Promise<Trouble | null> {
    const { epoch } = this.#host;
    while (this.#session === session) {
      if (!(await this.#isDue(session))) continue;
      const outgoing = this.#gathering.outgoing();
      const label = { epoch, to: outgoing.to };
      const appended = await session.append(outgoing.body, label, this.#expected);
      if (appended.kind === "overtaken") return null;
      if (appended.kind !== "appended") return appended;
      left();
      this.#isRefused = false;
      await this.#acknowledged(outgoing, appended.position);
      this.#host.isConnected();
    }
    return null;
  }

  /** Looks for more; where that is too little, waits until it is time to look again. True: a frame has to leave now. */
  async #isDue(session: Session): Promise<boolean> {
    const { everyMs, beatMs, nowMs } = this.#host;
    while (this.#gathering.look()) if (this.#session !== session) return false;
    if (this.#gathering.isFull) return true;
    const sinceMs = nowMs() - this.#leftAt;
    if (sinceMs >= beatMs || (this.#gathering.hasNews && sinceMs >= everyMs)) return true;
    const untilMs = this.#gathering.hasNews ? everyMs - sinceMs : Math.min(everyMs, beatMs - sinceMs);
    await this.#pause.wait(untilMs);
    return false;
  }

  /** Ids that were lost are committed before the next frame leaves: no kill leaves them uncounted. */
  async #acknowledged({ from, to, lost, signals }: Omit<Outgoing, "body">, position: number): Promise<void> {
    const { since } = this.#cursor;
    this.#leftAt = this.#host.nowMs();
    this.#expected = position;
    this.#cursor = { epoch: this.#host.epoch, since, upto: to, sequence: position };
    this.#gathering.beginBehind(to);
    // Below what was reached nothing is lost: it left before.
    const isLost = Math.max(0, from + lost - Math.max(from, this.#reached));
    this.#reached = Math.max(this.#reached, to);
    const kept = this.#host.forwarded({ since, upto: to, sequence: position, signals, lost: isLost });
    if (isLost > 0) await kept;
  }
}
