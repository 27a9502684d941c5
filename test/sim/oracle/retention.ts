/**
 * What must be of retention: nothing goes before its time, while the age of things is not known nothing goes unless a person
 * asks for it, and what has not ended keeps its logs.
 */
import type { NerveConfig, RetentionConfig } from "../../../src/model/config.ts";
import type { Machine } from "../machine.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../words.ts";
import { violation } from "./report.ts";

/** What is removed in slices goes on for a while after somebody has asked for it, or has written another time. */
const LASTS_MS = 30 * MINUTE;
/** For so long both clocks must have agreed. */
const TRUSTED_MS = HOUR;
const USUAL_MS = 30 * DAY;

export class RetentionOracle {
  readonly #machine: Machine;
  /** When each signal that is there was stamped, from the oldest on. */
  #stamps: number[] = [];
  #first = 0;
  /** First logs of runs and incidents that have not ended. */
  readonly #begun = new Map<string, number>();
  /** Newest first: what may go, and since when (real time) that is written. */
  #kept: { readonly since: number; readonly keep: RetentionConfig }[] = [];
  #settledAt = 0;
  #begunUntil = 0;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  configured({ retention }: NerveConfig): void {
    const since = this.#machine.realMs;
    const old = this.#kept.findIndex((one) => one.since < since - LASTS_MS);
    this.#kept = [{ since, keep: retention }, ...this.#kept.slice(0, old < 0 ? undefined : old + 1)];
  }

  /** What has begun before goes on. */
  clockSet(): void {
    const { realMs } = this.#machine;
    if (realMs - this.#settledAt >= TRUSTED_MS) this.#begunUntil = realMs + LASTS_MS;
    this.#settledAt = realMs;
  }

  starts(): void {
    this.#settledAt = this.#machine.realMs;
    this.#begunUntil = 0;
  }

  /** A person asks for everything that is past its time. */
  asked(): void {
    this.#askedAt = this.#machine.realMs;
  }

  signal(at: number): void {
    this.#stamps.push(at);
  }

  begins(what: string, log: number): void {
    this.#begun.set(what, log);
  }

  ends(what: string): void {
    this.#begun.delete(what);
  }

  #mayGo(what: string): void {
    const { realMs } = this.#machine;
    if (realMs < this.#begunUntil || realMs - this.#askedAt < LASTS_MS) return;
    if (realMs - this.#settledAt >= TRUSTED_MS - SECOND) return;
    violation("retention", `${what} go ${realMs - this.#settledAt} ms after the clock was set or the kernel started`);
  }

  /** The shortest time that may count. */
  #shortest(of: (keep: RetentionConfig) => number | null, usual: number): number {
    return Math.min(...this.#kept.map(({ keep }) => of(keep) ?? usual));
  }

  removedSignals(count: number): void {
    this.#mayGo("signals");
    const { wallMs } = this.#machine;
    const keepMs = this.#shortest(({ signalsMs }) => signalsMs, USUAL_MS);
    for (const at of this.#stamps.slice(this.#first, this.#first + count))
      if (at > wallMs - keepMs && at <= wallMs)
        violation("retention", `a signal of ${wallMs - at} ms ago is removed, and ${keepMs} ms are kept`);
    this.#first += count;
    if (this.#first < 10_000) return;
    this.#stamps = this.#stamps.slice(this.#first);
    this.#first = 0;
  }

  archived(): void {
    this.#mayGo("logs");
  }

  /** A file of the archive is to go. */
  forgotten(day: string, lastLog: number): void {
    this.#mayGo("files of the archive");
    const { wallMs } = this.#machine;
    const keepMs = this.#shortest(({ archiveMs }) => archiveMs, Number.POSITIVE_INFINITY);
    const end = Date.parse(`${day}T00:00:00Z`) + DAY;
    if (end > wallMs - keepMs && end - DAY <= wallMs)
      violation(
        "retention",
        `the archive of ${day} goes at ${new Date(wallMs).toISOString()}, and ${keepMs} ms are kept`,
      );
    for (const [what, log] of this.#begun)
      if (log <= lastLog)
        violation("retention", `logs up to ${lastLog} go, and ${what}, which has not ended, begins at ${log}`);
  }
}
