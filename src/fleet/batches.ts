/**
 * Owns what goes to the kernel: frames that follow one another are one, frames of all hosts are a batch, and no more batches are under
 * way than the kernel has given credit for.
 */
import type { FleetMessageOf } from "../ipc/fleet-definitions.ts";
import type { CarriedFrame } from "./engine/engine.ts";
import type { Frame } from "./frame.ts";

type Batch = Omit<FleetMessageOf<"batch">, "type" | "generation">;
type BatchFrame = Batch["frames"][number];

/** When a frame was sent, and when it was stored. */
type Times = Pick<CarriedFrame, "sentMs" | "storedMs">;

/** Batches without an answer. */
const CREDIT = 2;
const MAX_SIGNALS = 2_000;
const MAX_CHARACTERS = 1024 * 1024;
/** Frames that do not follow one another are one each, signals or not. */
const MAX_FRAMES = 1_000;
/** Frames without signals wait for others for so long. */
const BEATS_MS = 1_000;
/** What was added in this time may be on its way: a host that always sends is heard all the same. */
export const LATELY_MS = 2_000;
/** A place that has moved so far is committed though nothing was taken. */
const FAR = 10_000;

const charactersOf = ({ signals }: Pick<Frame, "signals">): number =>
  signals.reduce((sum, { payload, sense }) => sum + payload.length + sense.length + 64, 0);

export class Batches {
  readonly #post: (batch: Batch) => void;
  readonly #settled: () => void;
  readonly #nowMs: () => number;
  #ids = 0;
  #underWay = 0;
  /** All that was added before this moment is committed. */
  #settledAt = Number.NEGATIVE_INFINITY;
  /** Once the batch `id` is committed, so is all that was added before `at`. */
  #mark = { id: 0, at: 0 };
  #frames: BatchFrame[] = [];
  /** The frame of each host to which the next one may be added. */
  readonly #open = new Map<string, BatchFrame>();
  #signals = 0;
  #characters = 0;
  #place: Batch["place"] | null = null;
  #placePosted = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isScheduled = false;
  #awaiting: (() => void)[] = [];

  /** `settled` is called when the kernel has all that was added, but for the newest. */
  constructor(post: (batch: Batch) => void, settled: () => void, nowMs: () => number) {
    this.#post = post;
    this.#settled = settled;
    this.#nowMs = nowMs;
  }

  /** The kernel has all that was added, but for what was added lately. */
  get isSettled(): boolean {
    return this.isEmpty || this.#nowMs() - this.#settledAt < LATELY_MS;
  }

  /** The kernel has all that was added. */
  get isEmpty(): boolean {
    return this.#underWay === 0 && this.#frames.length === 0;
  }

  #marks(): void {
    this.#mark = { id: this.#ids + (this.#frames.length > 0 ? 1 : 0), at: this.#nowMs() };
  }

  /** A frame for the kernel; resolves when there is room for the next. */
  async add(host: string, frame: Frame, refused: string | null, times: Times): Promise<void> {
    const wasEmpty = this.isEmpty;
    if (wasEmpty) this.#settledAt = this.#nowMs();
    this.#merge(host, frame, refused, times);
    if (wasEmpty) this.#marks();
    this.#signals += frame.signals.length;
    this.#characters += charactersOf(frame);
    this.#schedule();
    while (this.#isLarge) await new Promise<void>((resolve) => this.#awaiting.push(resolve));
  }

  /** All up to here was taken, or is for nobody. */
  moved(stream: string, position: number): void {
    this.#place = { stream, position };
    if (position - this.#placePosted > FAR) this.#schedule();
  }

  /** The kernel has committed a batch. */
  stored(): void {
    this.#underWay--;
    if (this.#ids - this.#underWay >= this.#mark.id) {
      this.#settledAt = this.#mark.at;
      this.#marks();
    }
    this.#send();
    if (this.isSettled) this.#settled();
  }

  get #isLarge(): boolean {
    return this.#signals >= MAX_SIGNALS || this.#characters >= MAX_CHARACTERS || this.#frames.length >= MAX_FRAMES;
  }

  #merge(host: string, { epoch, from, to, lost, signals }: Frame, refused: string | null, times: Times): void {
    const { sentMs: sentAt, storedMs: storedAt } = times;
    const open = this.#open.get(host);
    if (open !== undefined && refused === null && lost === 0 && open.epoch === epoch && open.to === from) {
      open.to = to;
      open.sentAt = sentAt;
      open.storedAt = storedAt;
      open.signals.push(...signals);
      return;
    }
    const frame: BatchFrame = { host, epoch, from, to, lost, refused, sentAt, storedAt, signals: [...signals] };
    this.#frames.push(frame);
    if (refused === null) this.#open.set(host, frame);
    else this.#open.delete(host);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    if (this.#signals === 0 && this.#frames.length > 0 && !this.#isLarge) {
      this.#timer ??= setTimeout(() => this.#send(), BEATS_MS);
      return;
    }
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  #send(): void {
    const place = this.#place;
    const isFar = place !== null && place.position - this.#placePosted > FAR;
    if (this.#underWay >= CREDIT || place === null || (this.#frames.length === 0 && !isFar)) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const frames = this.#frames;
    this.#frames = [];
    this.#open.clear();
    this.#signals = 0;
    this.#characters = 0;
    this.#underWay++;
    this.#placePosted = place.position;
    this.#post({ id: ++this.#ids, place, frames });
    const awaiting = this.#awaiting;
    this.#awaiting = [];
    for (const goOn of awaiting) goOn();
  }
}
