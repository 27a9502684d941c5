/**
 * Owns what leaves: one frame at a time, each appended behind the last one of this host. After any doubt it reads that last frame, and
 * goes forward or back. logs.db is the truth: whatever the stream forgets is sent again. Where another copy of this data has sent
 * under the epoch, another epoch begins: each of the two copies then has ids of its own.
 */
import { randomBytes } from "../base/chance.ts";
import type { FleetMessageOf } from "../ipc/fleet-definitions.ts";
import { isOurs, kernelStart, partingOf } from "./copies.ts";
import type { Session, Trouble } from "./engine/engine.ts";
import { Gathering, type Outgoing } from "./gathering.ts";
import type { OwnSignals } from "./own-signals.ts";
import { type Pace, Pause, retryAfterMs } from "./pause.ts";
import { type Cursor, type KernelStart, othersBehind, type Proof, type Standing, standingOf } from "./proof.ts";
import { type Start, startAt } from "./start.ts";

export interface ForwarderHost {
  readonly host: string;
  readonly epoch: string;
  readonly epochFrom: number;
  readonly startedAt: number;
  readonly firstStartedAt: number;
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
  readonly #start: KernelStart | null;
  #epoch: string;
  #cursor: Cursor;
  /** Where the last frame of this host stands. */
  #expected = 0;
  /** The highest id that was ever acknowledged: going back loses nothing below. */
  #reached: number;
  #leftAt = Number.NEGATIVE_INFINITY;
  #hasBegunAnew = false;
  #session: Session | null = null;
  /** The last frame was refused: only one that is taken shows that the stream takes frames again. */
  #isRefused = false;

  constructor(host: ForwarderHost) {
    const { own, epoch, cursor, startedAt } = host;
    this.#host = host;
    this.#start = kernelStart(own, startedAt);
    this.#epoch = epoch;
    this.#cursor = cursor;
    this.#reached = cursor.upto;
    this.#gathering = new Gathering(own, cursor.upto, cursor.proof);
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
      const standing = last.kind === "frame" ? standingOf(last.frame) : null;
      const { own } = this.#host;
      const start = startAt(standing, this.#sender(), (claim) => isOurs(own, this.#cursor, claim), isClaim);
      switch (start.kind) {
        case "go":
          await this.#adopt(standing, start);
          return this.#go(standing, start);
        case "anew":
          // Once is what a copy needs. Whoever sends frames without end that prove nothing costs a log now and again.
          if (this.#hasBegunAnew) await this.#pause.wait(this.#turnMs());
          if (this.#session !== session) return null;
          await this.#beginAnew(start.last);
          break;
        case "conflict":
          await this.#conflicts(start.epoch, last.kind === "frame" ? last.frame.flaw : null);
          isClaim = true;
      }
      if (this.#session !== session) return null;
    }
  }

  #sender() {
    return { epoch: this.#epoch, epochFrom: this.#host.epochFrom, cursor: this.#cursor };
  }

  #go(last: Standing | null, { from, since, expected, isRewound }: Extract<Start, { kind: "go" }>): null {
    const { host, notice } = this.#host;
    if (isRewound) {
      notice(
        "rewound",
        `the stream has lost frames of ${host} behind the signal ${from}: what came after is sent again`,
      );
    }
    const epoch = this.#epoch;
    const proof = this.#proofAt(from);
    const others = othersBehind(last, epoch, this.#cursor.others);
    // Behind a frame of another epoch the last one of this epoch stays where it was; if there is one.
    const before = this.#cursor.epoch === epoch && !isRewound ? this.#cursor.sequence : 0;
    const sequence = last?.label?.epoch === epoch ? expected : before;
    this.#cursor = { epoch, since, upto: from, sequence, proof, others: [...others] };
    this.#expected = expected;
    this.#reached = Math.max(this.#reached, from);
    this.#gathering.beginBehind(from, proof);
    if (!this.#isRefused) this.#host.isConnected();
    return null;
  }

  #proofAt(id: number): Proof | null {
    const { proof } = this.#cursor;
    return this.#host.own.newestUpto(id) ?? (proof !== null && proof.id <= id ? proof : null);
  }

  /** A frame that was taken, and whose acknowledgement was lost: what it says of itself is committed as any other step. */
  async #adopt(last: Standing | null, { from, since }: Extract<Start, { kind: "go" }>): Promise<void> {
    if (last === null || from <= this.#cursor.upto) return;
    this.#cursor = { ...this.#cursor, since };
    const { lost, signals, position } = last;
    const proof = this.#proofAt(from);
    await this.#acknowledged({ from: last.from ?? from, to: from, lost, signals: signals.length, proof }, position);
  }

  /**
   * Another epoch, which is committed before a frame leaves under it. What comes before it is the same in both copies, and was sent.
   */
  async #beginAnew(last: Standing): Promise<void> {
    const { host, own, firstStartedAt } = this.#host;
    const behind = partingOf(own, this.#cursor, firstStartedAt, last, this.#epoch);
    const upto = own.lastId();
    const copied = `the stream has signals of ${host} under ids of its epoch ${this.#epoch} which this data does not have: this data was put back by copy or snapshot, or a copy of it runs elsewhere. What this data has behind the signal ${behind} (it goes up to ${upto}) leaves under another epoch, and is not lost. Put data back with \`nerve restore\`, and give a copy that runs another \`host\``;
    this.#hasBegunAnew = true;
    this.#epoch = randomBytes(8).toString("hex");
    const { others } = this.#cursor;
    this.#cursor = {
      epoch: this.#epoch,
      since: behind,
      upto: behind,
      sequence: 0,
      proof: this.#proofAt(behind),
      others,
    };
    await this.#host.forwarded({ cursor: this.#cursor, signals: 0, lost: 0, copied });
  }

  /** So long somebody else has the turn. */
  #turnMs(): number {
    return this.#host.pace.claimMs * (1 + this.#host.random());
  }

  /** Says so, and leaves the turn to the other one. `flaw`: why the last frame is none. */
  #conflicts(other: string | null, flaw: string | null): Promise<void> {
    const { host, notice } = this.#host;
    const why =
      flaw === null
        ? `another kernel sends as ${host} (frames of the epoch ${other}; here it is ${this.#epoch}): give one of the two another \`host\``
        : `somebody sends as ${host} what is no frame of nerve (${flaw}): who has the key of ${host} can do that`;
    const waitMs = this.#turnMs();
    this.#host.isShut({ kind: "blocked", why }, waitMs);
    notice("conflict", why);
    return this.#pause.wait(waitMs);
  }

  // ── what leaves ──────────────────────────────────────────────────────

  /** Null: the session has ended, or somebody else has sent. `left` is called for each frame that was taken. */
  async #sendAll(session: Session, left: () => void): Promise<Trouble | null> {
    while (this.#session === session) {
      if (!(await this.#isDue(session))) continue;
      const outgoing = this.#gathering.outgoing(this.#epoch, { start: this.#start, others: this.#cursor.others });
      const label = { epoch: this.#epoch, to: outgoing.to };
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
  async #acknowledged({ from, to, lost, signals, proof }: Omit<Outgoing, "body">, position: number): Promise<void> {
    this.#leftAt = this.#host.nowMs();
    this.#expected = position;
    this.#cursor = { ...this.#cursor, epoch: this.#epoch, upto: to, sequence: position, proof };
    this.#gathering.beginBehind(to, proof);
    // Below what was reached nothing is lost: it left before.
    const isLost = Math.max(0, from + lost - Math.max(from, this.#reached));
    this.#reached = Math.max(this.#reached, to);
    const kept = this.#host.forwarded({ cursor: this.#cursor, signals, lost: isLost, copied: null });
    if (isLost > 0) await kept;
  }
}
