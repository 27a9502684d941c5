/**
 * What must be of signals of other hosts (G16): each that the stream has is stored once, as it was sent and in the order of its
 * host; what is known of a host only grows; and a host is said to be silent or to have returned in turn, and never while it is heard.
 */
import type { Origin } from "../../../src/model/origin.ts";
import type { NewRemoteSignal } from "../../../src/store/signals.ts";
import type { FarHosts } from "../far-hosts.ts";
import { SILENT_AFTER_MS } from "../far-hosts.ts";
import type { Fields } from "../words.ts";
import { violation } from "./report.ts";

interface Known {
  /** How many of its signals are stored: they are numbered from 1 on. */
  stored: number;
  isSilent: boolean;
  heardAt: number;
  /** For how long somebody could hear the hosts then, and how often that was cut off. */
  listenedMs: number;
  cuts: number;
}

/** The kernel hears of a cut so much later at most. */
const CUT_MS = 4_000;

export class RemoteOracle {
  readonly #known = new Map<string, Known>();
  readonly #origins = new Map<string, Origin>();
  far: FarHosts | null = null;

  #of(host: string): Known {
    const known = this.#known.get(host) ?? { stored: 0, isSilent: false, heardAt: 0, listenedMs: 0, cuts: 0 };
    this.#known.set(host, known);
    return known;
  }

  signal({ origin, origin_id, origin_at, sense, payload, trace }: NewRemoteSignal, realMs: number): void {
    if (origin_id === null) return this.#presence(origin, sense, payload, realMs);
    const known = this.#of(origin);
    const { n } = JSON.parse(payload) as Fields;
    if (n !== known.stored + 1) violation("remote-order", `signal ${n} of ${origin} comes after ${known.stored}`);
    known.stored = n;
    const sent = this.far?.sent(origin, n);
    const isSame =
      sent !== undefined &&
      sent.id === origin_id &&
      sent.at === origin_at &&
      sent.sense === sense &&
      sent.payload === payload &&
      sent.trace === trace;
    if (!isSame) violation("remote-as-sent", `signal ${n} of ${origin} is not what was sent: ${payload}`);
  }

  #presence(host: string, sense: string, payload: string, realMs: number): void {
    const { state } = JSON.parse(payload) as { readonly state: string };
    const known = this.#of(host);
    const isSilent = state === "silent";
    if (sense !== "presence" || known.isSilent === isSilent)
      violation("presence", `${host} is said to be ${state} twice, or by another name`);
    known.isSilent = isSilent;
    if (isSilent && realMs - known.heardAt < SILENT_AFTER_MS)
      violation("presence", `${host} is said to be silent ${realMs - known.heardAt} ms after it was heard`);
    const { listenedMs, cuts } = this.far ?? { listenedMs: 0, cuts: 0 };
    const couldHearMs = listenedMs - known.listenedMs + CUT_MS * (1 + cuts - known.cuts);
    if (isSilent && couldHearMs < SILENT_AFTER_MS)
      violation("presence", `${host} is said to be silent, and could be heard for ${couldHearMs} ms since`);
  }

  origin(row: Origin, realMs: number): void {
    const before = this.#origins.get(row.host);
    this.#origins.set(row.host, row);
    const known = this.#of(row.host);
    if (row.state === "up") {
      known.heardAt = realMs;
      known.listenedMs = this.far?.listenedMs ?? 0;
      known.cuts = this.far?.cuts ?? 0;
    }
    if (before?.epoch === row.epoch && row.upto < before.upto)
      violation("origins", `${row.host} goes back from ${before.upto} to ${row.upto}`);
    if (row.signals !== known.stored)
      violation("origins", `${row.signals} signals of ${row.host} are counted, and ${known.stored} are there`);
  }

  /** Everything is well, and has had the time it needs: what was sent `patienceMs` ago is here. */
  rested(wallMs: number, patienceMs: number): void {
    for (const { host, signals } of this.far?.stream ?? []) {
      for (const { at, payload } of signals) {
        const { n } = JSON.parse(payload) as Fields;
        if (Math.abs(wallMs - at) < patienceMs || n <= this.#of(host).stored) continue;
        violation("remote-all", `signal ${n} of ${host} was never stored`);
      }
    }
    for (const [host, { isSilent }] of this.#known)
      if (isSilent) violation("presence", `${host} is heard again, and is still silent`);
  }
}
