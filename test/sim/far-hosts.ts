/**
 * Other hosts, and the stream that they send to: each makes signals at its own pace, falls silent now and again, loses some of them
 * before they leave, and is put back from a copy of its data. The stream forgets nothing, and outlives every process that reads it.
 */
import { type Below, pick } from "../rules/random.ts";
import type { Machine } from "./machine.ts";
import { type Fields, HOUR, MINUTE, SECOND } from "./words.ts";

export const FAR_HOSTS = ["web1", "web2", "db1"] as const;
/** The sense of theirs that is received. */
export const PROBE = "probe";
/** Nothing is late in these worlds: no clock agrees with another one there. */
export const NEVER_LATE_MS = 1000 * 365 * 86_400_000;
export const BEAT_MS = 45 * SECOND;
export const SILENT_AFTER_MS = 3 * MINUTE;

interface FarSignal {
  readonly id: number;
  readonly sense: string;
  readonly at: number;
  readonly trace: string;
  readonly payload: string;
}

/** A frame as it lies in the stream. */
export interface FarFrame {
  readonly position: number;
  readonly host: string;
  readonly epoch: string;
  readonly from: number;
  readonly to: number;
  readonly signals: readonly FarSignal[];
}

interface FarHost {
  readonly name: string;
  epoch: number;
  upto: number;
  /** Signals that it ever sent, across its epochs. */
  n: number;
  level: number;
  nextAt: number;
  /** Its signal of each number, from 1 on. */
  readonly signals: FarSignal[];
}

export class FarHosts {
  readonly stream: FarFrame[] = [];
  /** None of them falls silent, loses or restores anything. */
  isWell = false;
  readonly #machine: Machine;
  readonly #below: Below;
  readonly #hosts: readonly FarHost[];

  constructor(machine: Machine, below: Below) {
    this.#machine = machine;
    this.#below = below;
    this.#hosts = FAR_HOSTS.map((name) => ({
      name,
      epoch: 1,
      upto: below(50),
      n: 0,
      level: 5,
      nextAt: 0,
      signals: [],
    }));
  }

  /** The signal of that number, as its host made it. */
  sent(host: string, n: number): FarSignal | undefined {
    return this.#hosts.find(({ name }) => name === host)?.signals[n - 1];
  }

  /** What the hosts have sent up to now is in the stream. */
  catchUp(): void {
    const { now } = this.#machine;
    const { isWell } = this;
    for (const host of this.#hosts) {
      // A day in which nobody looked is not made up for beat by beat.
      host.nextAt = Math.max(host.nextAt, now - 5 * MINUTE);
      // Whoever is silent returns.
      if (isWell) host.nextAt = Math.min(host.nextAt, now);
      while (host.nextAt <= now) {
        this.#sends(host);
        const isQuiet = !isWell && this.#below(20) === 0;
        host.nextAt += isQuiet ? pick(this.#below, [6 * MINUTE, 20 * MINUTE, 2 * HOUR]) : BEAT_MS;
      }
    }
  }

  #sends(host: FarHost): void {
    const { isWell } = this;
    if (!isWell && this.#below(130) === 0) this.#isPutBack(host);
    const lost = !isWell && this.#below(65) === 0 ? 1 + this.#below(5) : 0;
    const from = host.upto + lost;
    const count = this.#below(3) === 0 ? 1 + this.#below(3) : 0;
    const signals = Array.from({ length: count }, (_, index) => this.#signal(host, from + index + 1));
    host.upto = from + count;
    const { name, epoch } = host;
    this.stream.push({
      ...{ position: this.stream.length + 1, host: name, epoch: `e${epoch}`, from, to: host.upto },
      signals,
    });
  }

  /** Its ids begin again at some that it gave before. */
  #isPutBack(host: FarHost): void {
    host.epoch++;
    host.upto = Math.max(0, host.upto - this.#below(10));
  }

  #signal(host: FarHost, id: number): FarSignal {
    host.level = Math.max(0, Math.min(9, host.level + this.#below(5) - 2));
    const { level } = host;
    const n = ++host.n;
    const fields: Fields = {
      n,
      level,
      status: level >= 7 ? "bad" : "ok",
      host: host.name,
      id: `${n % 3}`,
      items: null,
    };
    const at = this.#machine.wallMs;
    const signal = { id, sense: PROBE, at, trace: traceOf(host.name, n), payload: JSON.stringify(fields) };
    host.signals.push(signal);
    return signal;
  }
}

const traceOf = (host: string, n: number): string => Bun.hash.wyhash(`${host} ${n}`).toString(16).padStart(32, "0");
