/**
 * Owns what comes: frames in the order of the stream, each taken once. The place up to which the kernel has them is the truth; a reading
 * begins behind that place after each doubt. A frame that is known is dropped, one that is known in part is cut. Where a frame does not
 * follow the one before, the frames of its host are read again before the gap is believed.
 */

import type { FleetParentMessageOf } from "../ipc/fleet-definitions.ts";
import { isName } from "../model/name.ts";
import type { Batches } from "./batches.ts";
import type { CarriedFrame, Reading, Session, Trouble } from "./engine/engine.ts";
import { type Frame, unpackFrame } from "./frame.ts";
import { type Pace, Pause, retryAfterMs } from "./pause.ts";
import type { Wanted } from "./wanted.ts";

type Init = FleetParentMessageOf<"init">;

interface Origin {
  readonly epoch: string;
  readonly upto: number;
}

export interface ReceiverHost {
  readonly host: string;
  readonly wanted: Wanted;
  readonly place: Init["place"];
  readonly origins: Init["origins"];
  readonly batches: Batches;
  readonly pace: Pace;
  random(): number;
  /** What became of this side. */
  link(state: "connected" | Trouble): void;
  /** Frames that wait in the stream; null: nobody knows. */
  pending(frames: number | null): void;
}

/** What a frame is held against. */
interface Context {
  readonly session: Session;
  readonly stream: string;
  /** Up to here frames of other epochs than the known one are older, and not newer. */
  readonly olderUpto: number;
  /** Of a reading that looks for what is missing. */
  readonly isAgain: boolean;
}

export class Receiver {
  readonly #host: ReceiverHost;
  readonly #origins: Map<string, Origin>;
  readonly #pause = new Pause();
  #place: Init["place"];
  #session: Session | null = null;
  #reading: Reading | null = null;

  constructor(host: ReceiverHost) {
    this.#host = host;
    this.#place = host.place;
    this.#origins = new Map(host.origins.map(({ host: name, epoch, upto }) => [name, { epoch, upto }]));
  }

  /** Reads over this session, until it has ended. */
  async run(session: Session): Promise<void> {
    this.#session = session;
    void session.ended.then(() => {
      if (this.#session !== session) return;
      this.#session = null;
      this.#pause.nudge();
    });
    for (let failures = 0; this.#session === session; ) {
      const trouble = await this.#read(session, () => (failures = 0));
      this.#reading?.stop();
      if (trouble === null || this.#session !== session) continue;
      this.#host.pending(null);
      this.#host.link(trouble);
      await this.#pause.wait(retryAfterMs(this.#host.pace, failures++, this.#host.random()));
    }
  }

  /** `came` is called when the stream gives frames. */
  async #read(session: Session, came: () => void): Promise<Trouble | null> {
    const state = await session.stream();
    if (state.kind !== "stream") return state;
    const { name, last } = state;
    const known = this.#place;
    // Another stream, or an older copy of this one: all is read again, and what is known is dropped.
    const isSame = known !== null && known.stream === name && known.position <= last;
    const position = isSame ? known.position : 0;
    const reading = await session.read(position, null);
    if (reading.kind !== "reading") return reading;
    this.#reading = reading;
    this.#moved(name, position);
    this.#host.link("connected");
    this.#host.pending(reading.pending);
    const context: Context = { session, stream: name, olderUpto: isSame || known === null ? 0 : last, isAgain: false };
    for (;;) {
      const frames = await reading.next();
      if (frames === null || "kind" in frames) return frames;
      came();
      for (const frame of frames) {
        const trouble = await this.#take(frame, context);
        if (trouble !== null) return trouble;
        this.#moved(name, frame.position);
        this.#host.pending(frame.pending);
      }
    }
  }

  #moved(stream: string, position: number): void {
    this.#place = { stream, position };
    this.#host.batches.moved(stream, position);
  }

  async #take(carried: CarriedFrame, context: Context): Promise<Trouble | null> {
    const { host, label } = carried;
    if (host === this.#host.host || !isName(host) || !this.#host.wanted.isFrom(host)) return null;
    const known = this.#origins.get(host) ?? null;
    if (label === null) {
      await this.#refuse(host, known?.upto ?? 0, "it does not say what it holds");
      return null;
    }
    const isOther = known !== null && known.epoch !== label.epoch;
    if (isOther && (context.isAgain || carried.position <= context.olderUpto)) return null;
    // Known. A frame that says nothing new is a sign of life unless it is read again.
    if (known !== null && !isOther && label.to <= known.upto) {
      const isBeat = label.to === known.upto && !context.isAgain && carried.position > context.olderUpto;
      if (isBeat) await this.#give(host, { ...label, from: label.to, lost: 0, signals: [] });
      return null;
    }
    const unpacked = unpackFrame(carried.body);
    if (!unpacked.ok || unpacked.value.to !== label.to || unpacked.value.epoch !== label.epoch) {
      const why = unpacked.ok ? "its headers say something else than what it holds" : unpacked.error;
      await this.#refuse(host, label.to, why, label.epoch);
      return null;
    }
    const frame = unpacked.value;
    if (known !== null && !isOther && frame.from > known.upto && !context.isAgain) {
      const trouble = await this.#readAgain(host, carried.position, context);
      if (trouble !== null) return trouble;
    }
    await this.#give(host, this.#cut(host, frame));
    return null;
  }

  /** Frames of `host` before `position` once more: what was passed over is among them, or in no frame. */
  async #readAgain(host: string, position: number, context: Context): Promise<Trouble | null> {
    const reading = await context.session.read(0, host);
    if (reading.kind !== "reading") return reading;
    try {
      for (;;) {
        const frames = await reading.next();
        if (frames === null)
          return { kind: "offline", why: "the connection ended while missing frames were looked for" };
        if ("kind" in frames) return frames;
        for (const frame of frames) {
          if (frame.position >= position) return null;
          await this.#take(frame, { ...context, isAgain: true });
        }
      }
    } finally {
      reading.stop();
    }
  }

  /** Without what is known of it. */
  #cut(host: string, frame: Frame): Frame {
    const known = this.#origins.get(host);
    if (known === undefined || known.epoch !== frame.epoch || known.upto <= frame.from) return frame;
    const { upto } = known;
    return {
      epoch: frame.epoch,
      from: upto,
      to: Math.max(frame.to, upto),
      lost: Math.max(0, frame.from + frame.lost - upto),
      signals: frame.signals.filter(({ id }) => id > upto),
    };
  }

  async #give(host: string, frame: Frame): Promise<void> {
    this.#origins.set(host, { epoch: frame.epoch, upto: frame.to });
    const signals = this.#host.wanted.of(host, frame.signals);
    await this.#host.batches.add(host, { ...frame, signals }, null);
  }

  /** A frame that cannot be read costs its host these signals, and nobody else anything. */
  async #refuse(host: string, to: number, why: string, epoch: string | null = null): Promise<void> {
    const known = this.#origins.get(host) ?? null;
    const own = epoch ?? known?.epoch ?? "";
    const from = known !== null && known.epoch === own ? known.upto : to;
    if (own !== "") this.#origins.set(host, { epoch: own, upto: Math.max(from, to) });
    await this.#host.batches.add(host, { epoch: own, from, to: Math.max(from, to), lost: 0, signals: [] }, why);
  }
}
