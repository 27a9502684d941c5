/**
 * Owns the step from what another host sent to signals of this one, in one transaction with the decisions of the reflexes
 * (G1, G16). What is not what a host sends costs that signal alone.
 */
import type { Clock } from "../../base/clock.ts";
import { exceedsBytes, type Json, readJson } from "../../base/json.ts";
import { TRACE_PATTERN } from "../../base/trace-id.ts";
import { PRESENCE } from "../../model/fleet.ts";
import { fullNameOf } from "../../model/full-name.ts";
import { isName } from "../../model/name.ts";
import type { Signal } from "../../model/signal.ts";
import { MAX_VALUE_BYTES } from "../../model/value.ts";
import type { Store } from "../../store/open.ts";
import type { NewRemoteSignal } from "../../store/signals.ts";
import type { Draft } from "../commits/draft.ts";
import type { Heard, Reflexes } from "../reflexes/reflexes.ts";
import type { Frame } from "./origins.ts";

export interface RemoteSignalsParts {
  readonly clock: Clock;
  readonly reflexes: Reflexes;
  readonly table: Store["signals"];
  /** Called with each signal after its commit. */
  readonly onSignal: (signal: Signal) => void;
}

/** A signal as it came, and who listens. */
export interface Arrived {
  readonly signal: NewRemoteSignal & { readonly origin_id: number };
  /** Null: nobody listens, or the signal is too old. */
  readonly heard: Heard | null;
}

/** What one host sent at a time. */
export interface ArrivedFrame {
  readonly frame: Frame;
  readonly signals: readonly Arrived[];
  /** How many of its signals are none. */
  readonly refused: number;
  /** How far the furthest of its signals is ahead of this host's clock; null: none is by more than `fresh`. */
  readonly aheadMs: number | null;
}

type Sent = Frame["signals"][number];

const LATEST_MS = 8_640_000_000_000_000;

/** The payload of what is a signal. Undefined for what is none. `above`: the id before. */
function payloadIn({ id, sense, at, trace, payload }: Sent, above: number, upto: number): Json | undefined {
  if (id <= above || id > upto || at > LATEST_MS || !isName(sense) || sense === PRESENCE) return undefined;
  if (!TRACE_PATTERN.test(trace) || exceedsBytes(payload, MAX_VALUE_BYTES)) return undefined;
  return readJson(payload) ?? undefined;
}

export class RemoteSignals {
  readonly #clock: Clock;
  readonly #reflexes: Reflexes;
  readonly #table: Store["signals"];
  readonly #onSignal: (signal: Signal) => void;

  constructor({ clock, reflexes, table, onSignal }: RemoteSignalsParts) {
    this.#clock = clock;
    this.#reflexes = reflexes;
    this.#table = table;
    this.#onSignal = onSignal;
  }

  /** Must be called when the frame is received. */
  hear(frame: Frame, freshMs: number): ArrivedFrame {
    const at = this.#clock.wallMs();
    const signals: Arrived[] = [];
    let above = frame.from;
    let furthest = 0;
    for (const sent of frame.signals) {
      const value = payloadIn(sent, above, frame.to);
      if (value === undefined) continue;
      above = sent.id;
      const { sense, trace, payload } = sent;
      furthest = Math.max(furthest, sent.at - at);
      const late = at - sent.at > freshMs ? 1 : null;
      const signal = { sense, at, payload, trace, origin: frame.host, origin_id: sent.id, origin_at: sent.at, late };
      const heard = late === null ? this.#reflexes.hearRemote(fullNameOf(signal), value, at) : null;
      signals.push({ signal, heard });
    }
    const aheadMs = furthest > freshMs ? furthest : null;
    return { frame, signals, refused: frame.signals.length - signals.length, aheadMs };
  }

  /** Within the transaction. */
  take(draft: Draft, { signal, heard }: { readonly signal: NewRemoteSignal; readonly heard: Heard | null }): void {
    const id = this.#table.appendRemote(signal);
    const { at, trace } = signal;
    if (heard !== null) this.#reflexes.decide(draft, heard, { id, sense: fullNameOf(signal), at, trace });
    draft.afterwards(() => this.#onSignal({ id, cause: null, ...signal }));
  }

  /** What this host says of another one. Within the transaction. */
  say(draft: Draft, host: string, sense: string, payload: Json, trace: string): void {
    const at = this.#clock.wallMs();
    const text = JSON.stringify(payload);
    const signal = { sense, at, payload: text, trace, origin: host, origin_id: null, origin_at: null, late: null };
    this.take(draft, { signal, heard: this.#reflexes.hearRemote(fullNameOf(signal), payload, at) });
  }
}
