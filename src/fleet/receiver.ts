/**
 * Owns what comes: frames in the order of the stream, each taken once. The place up to which the kernel has them is the truth; a reading
 * begins behind that place after each doubt. A frame that is known is dropped, one that is known in part is cut.
 *
 * A stream that lost its newest frames and was filled again has other frames in front of the place. So, where a frame does not follow the one
 * before, the frames of its host in front of the place are read before the gap is believed: once in each reading, since all that
 * lies behind the place was read, and only what was stored since this host took the last frame.
 */

import type { FleetParentMessageOf } from "../ipc/fleet-definitions.ts";
import { isName } from "../model/name.ts";
import { FORMER_EPOCHS } from "../model/origin.ts";
import type { Batches } from "./batches.ts";
import { type CarriedFrame, offline, type Reading, type Session, type Trouble } from "./engine/engine.ts";
import { type Frame, unpackFrame } from "./frame.ts";
import { type Pace, Pause, retryAfterMs } from "./pause.ts";
import type { Wanted } from "./wanted.ts";

type Init = FleetParentMessageOf<"init">;

/** Clocks of server and host differ by less. */
const AGAIN_MARGIN_MS = 600_000;
/** No more of one host is read again in one reading: the others wait meanwhile. */
const AGAIN_FRAMES = 20_000;
const AGAIN_BYTES = 32 * 1024 * 1024;

/** Whatever else this process does waits no longer than this for frames that are there. */
const TURN_MS = 50;

export interface ReceiverHost {
  readonly host: string;
  readonly wanted: Wanted;
  readonly place: Init["place"];
  /** Unix milliseconds at which something of another host was taken last, 0: never. */
  readonly takenAt: number;
  readonly origins: Init["origins"];
  readonly batches: Batches;
  readonly pace: Pace;
  random(): number;
  isConnected(): void;
  /** A try failed; the next one comes after `waitMs`. */
  isShut(trouble: Trouble, waitMs: number): void;
  /** A frame came in line. */
  took(frame: CarriedFrame): void;
  /** Frames that wait in the stream; null: nobody knows. */
  pending(frames: number | null): void;
}

/** What a frame is held against. */
interface Context {
  readonly session: Session;
  /** What stands up to here was read before: a frame there is no sign of life. */
  readonly readUpto: number;
  /** The place behind which the reading began. */
  readonly from: number;
  /** What lies in front of it and is not known was stored at this time or later. */
  readonly sinceMs: number;
  /** Hosts whose frames in front of it were read. */
  readonly again: Set<string>;
  /** Of a reading that looks for what is missing. */
  readonly isAgain: boolean;
}

export class Receiver {
  readonly #host: ReceiverHost;
  /** How far each epoch of each host is known. */
  readonly #known = new Map<string, Map<string, number>>();
  readonly #pause = new Pause();
  /** When the newest frame that was read was stored, or taken. */
  #storedMs: number;
  #place: Init["place"];
  #turnedAt = performance.now();
  #session: Session | null = null;
  #reading: Reading | null = null;

  constructor(host: ReceiverHost) {
    this.#host = host;
    this.#place = host.place;
    this.#storedMs = host.takenAt;
    for (const { host: name, epoch, upto } of host.origins) this.#knows(name, epoch, upto);
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
      const waitMs = retryAfterMs(this.#host.pace, failures++, this.#host.random());
      this.#host.isShut(trouble, waitMs);
      await this.#pause.wait(waitMs);
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
    const reading = await session.read(position);
    if (reading.kind !== "reading") return reading;
    this.#reading = reading;
    this.#moved(name, position);
    this.#host.isConnected();
    this.#host.pending(reading.pending);
    const context: Context = {
      session,
      readUpto: isSame || known === null ? 0 : last,
      from: position,
      sinceMs: Math.max(0, this.#storedMs - AGAIN_MARGIN_MS),
      again: new Set(),
      isAgain: false,
    };
    for (;;) {
      const frames = await reading.next();
      if (frames === null || "kind" in frames) return frames;
      came();
      for (const frame of frames) {
        await this.#turn();
        const trouble = await this.#take(frame, context);
        if (trouble !== null) return trouble;
        this.#moved(name, frame.position);
        this.#storedMs = frame.storedMs ?? this.#storedMs;
        this.#host.took(frame);
        this.#host.pending(frame.pending);
      }
    }
  }

  /** Frames that are costly to read hold up neither what leaves nor the signs of life of the connection. */
  async #turn(): Promise<void> {
    if (performance.now() - this.#turnedAt < TURN_MS) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#turnedAt = performance.now();
  }

  #moved(stream: string, position: number): void {
    this.#place = { stream, position };
    this.#host.batches.moved(stream, position);
  }

  async #take(carried: CarriedFrame, context: Context): Promise<Trouble | null> {
    const { host, label, flaw } = carried;
    if (host === this.#host.host || !isName(host) || !this.#host.wanted.isFrom(host)) return null;
    if (label === null) {
      await this.#batches.add(host, { epoch: "", from: 0, to: 0, lost: 0, signals: [] }, flaw, carried);
      return null;
    }
    const { epoch, to } = label;
    const known = this.#known.get(host)?.get(epoch) ?? null;
    if (known !== null && to <= known) {
      // Known. A frame that says nothing new is a sign of life, unless it is read again.
      const isBeat = to === known && !context.isAgain && carried.position > context.readUpto;
      if (isBeat) await this.#give(host, { epoch, from: to, to, lost: 0, signals: [] }, carried);
      return null;
    }
    const unpacked = unpackFrame(carried.body);
    if (!unpacked.ok || unpacked.value.to !== to || unpacked.value.epoch !== epoch) {
      const why = unpacked.ok ? "its headers say something else than what it holds" : unpacked.error;
      // Its signals are missing: where it begins is known by what came before.
      await this.#batches.add(host, { epoch, from: known ?? to, to, lost: 0, signals: [] }, why, carried);
      this.#knows(host, epoch, to);
      return null;
    }
    const frame = unpacked.value;
    if (known !== null && frame.from > known && !context.isAgain && !context.again.has(host)) {
      context.again.add(host);
      const trouble = context.from === 0 ? null : await this.#readAgain(carried, context);
      if (trouble !== null) return trouble;
    }
    await this.#give(host, this.#cut(host, frame), carried);
    return null;
  }

  /** Frames of a host in front of the place once more: what was passed over before `found` is among them, or in no frame. */
  async #readAgain(found: CarriedFrame, context: Context): Promise<Trouble | null> {
    // The reading ends at `found` at the latest, so it begins no later, whatever the clocks say.
    const sinceMs = Math.min(context.sinceMs, found.storedMs ?? 0);
    const reading = await context.session.readSince(sinceMs, found.host);
    if (reading.kind !== "reading") return reading;
    try {
      for (let [count, bytes] = [0, 0]; count < AGAIN_FRAMES && bytes < AGAIN_BYTES; ) {
        const frames = await reading.next();
        if (frames === null) return offline("the connection ended while missing frames were looked for");
        if ("kind" in frames) return frames;
        for (const frame of frames) {
          if (frame.position > context.from) return null;
          await this.#turn();
          await this.#take(frame, { ...context, isAgain: true });
          count++;
          bytes += frame.body.length;
        }
      }
      return null;
    } finally {
      reading.stop();
    }
  }

  /** Without what is known of it. */
  #cut(host: string, frame: Frame): Frame {
    const known = this.#known.get(host)?.get(frame.epoch) ?? 0;
    if (known <= frame.from) return frame;
    return {
      epoch: frame.epoch,
      from: known,
      to: Math.max(frame.to, known),
      lost: Math.max(0, frame.from + frame.lost - known),
      signals: frame.signals.filter(({ id }) => id > known),
    };
  }

  async #give(host: string, frame: Frame, carried: CarriedFrame): Promise<void> {
    this.#knows(host, frame.epoch, frame.to);
    await this.#batches.add(host, { ...frame, signals: this.#host.wanted.of(host, frame.signals) }, null, carried);
  }

  #knows(host: string, epoch: string, upto: number): void {
    const epochs = this.#known.get(host) ?? new Map<string, number>();
    // The newest stand last; the kernel keeps as many.
    epochs.delete(epoch);
    epochs.set(epoch, upto);
    const [oldest] = epochs.keys();
    if (epochs.size > FORMER_EPOCHS + 1 && oldest !== undefined) epochs.delete(oldest);
    this.#known.set(host, epochs);
  }

  get #batches(): Batches {
    return this.#host.batches;
  }
}
