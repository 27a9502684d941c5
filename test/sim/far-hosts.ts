/**
 * Other hosts, and the stream that they send to: each makes signals at its own pace, falls silent now and again, loses some of them
 * before they leave, is put back from a copy of its data, and has a copy that runs beside it and takes turns with it. The stream forgets
 * nothing, and outlives every process that reads it.
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

/** A data directory of a host: the ids that it gave. */
interface FarCopy {
  readonly epoch: string;
  upto: number;
}

interface FarHost {
  readonly name: string;
  epochs: number;
  copy: FarCopy;
  /** Runs beside it, and waits for its turn. */
  beside: FarCopy | null;
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
  #listenedMs = 0;
  #listensSince: number | null = null;
  /** How often somebody who could hear them was cut off. */
  cuts = 0;

  constructor(machine: Machine, below: Below) {
    this.#machine = machine;
    this.#below = below;
    this.#hosts = FAR_HOSTS.map((name) => {
      const copy = { epoch: "e1", upto: below(50) };
      return { name, epochs: 1, copy, beside: null, n: 0, level: 5, nextAt: 0, signals: [] };
    });
  }

  /** Somebody can hear them from now on, or no longer. */
  isHeard(isHeard: boolean): void {
    this.#listenedMs = this.listenedMs;
    if (!isHeard && this.#listensSince !== null) this.cuts++;
    this.#listensSince = isHeard ? this.#machine.realMs : null;
  }

  /** Milliseconds for which somebody could hear them. */
  get listenedMs(): number {
    return this.#listenedMs + (this.#listensSince === null ? 0 : this.#machine.realMs - this.#listensSince);
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
    if (!isWell && this.#below(130) === 0) host.copy = this.#copyOf(host);
    if (!isWell && this.#below(130) === 0) host.beside = host.beside === null ? this.#copyOf(host) : null;
    if (host.beside !== null && this.#below(4) === 0) [host.copy, host.beside] = [host.beside, host.copy];
    const { copy } = host;
    const lost = !isWell && this.#below(65) === 0 ? 1 + this.#below(5) : 0;
    const from = copy.upto + lost;
    const count = this.#below(3) === 0 ? 1 + this.#below(3) : 0;
    const signals = Array.from({ length: count }, (_, index) => this.#signal(host, from + index + 1));
    copy.upto = from + count;
    this.stream.push({
      ...{ position: this.stream.length + 1, host: host.name, epoch: copy.epoch, from, to: copy.upto },
      signals,
    });
  }

  /** Its ids begin again at some that were given before. */
  #copyOf(host: FarHost): FarCopy {
    return { epoch: `e${++host.epochs}`, upto: Math.max(0, host.copy.upto - this.#below(40)) };
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
