/**
 * What takes in what is sent by OTLP. It outlives every process that sends, and for hours at a time it takes all, a part or nothing,
 * answers that somebody should come later, loses its answers, or is away.
 */
import type { OtlpKind } from "../../src/model/otlp.ts";
import type { Outcome } from "../../src/otlp/post.ts";
import { type Below, pick } from "../rules/random.ts";
import type { Machine } from "./machine.ts";
import { HOUR, MINUTE } from "./words.ts";

const MOODS = ["takes", "takes", "refuses", "part", "away", "lost", "later", "small", "tiny"] as const;
const FEW = 3;

const AWAY: Outcome = { kind: "wait", state: "offline", status: null, why: "nobody answers", afterMs: null };
const TAKEN: Outcome = { kind: "taken", refused: 0, why: null };

export class OtlpReceiver {
  isWell = false;
  readonly #machine: Machine;
  readonly #below: Below;
  /** Of a row that a request holds. */
  readonly #answered: (kind: OtlpKind, id: number, isTaken: boolean) => void;
  #mood: (typeof MOODS)[number] = "takes";
  #until = 0;

  constructor(machine: Machine, below: Below, answered: (kind: OtlpKind, id: number, isTaken: boolean) => void) {
    this.#machine = machine;
    this.#below = below;
    this.#answered = answered;
  }

  answer(kind: OtlpKind, ids: readonly number[]): Outcome {
    const { now } = this.#machine;
    if (now >= this.#until) {
      this.#mood = pick(this.#below, MOODS);
      this.#until = now + this.#below(3 * HOUR);
    }
    return this.#inMood(this.isWell ? "takes" : this.#mood, kind, ids);
  }

  #inMood(mood: (typeof MOODS)[number], kind: OtlpKind, ids: readonly number[]): Outcome {
    switch (mood) {
      case "takes":
        this.#all(kind, ids, true);
        return TAKEN;
      case "refuses":
        this.#all(kind, ids, false);
        return { kind: "refused", status: 400, why: "it answered 400" };
      case "part": {
        const refused = this.#below(ids.length + 1);
        this.#all(kind, ids.slice(0, refused), false);
        this.#all(kind, ids.slice(refused), true);
        return { kind: "taken", refused, why: refused === 0 ? null : `it refused ${refused}` };
      }
      case "away":
        return AWAY;
      case "lost":
        this.#all(kind, ids, true);
        return AWAY;
      case "later":
        return { kind: "wait", state: "blocked", status: 429, why: "later", afterMs: this.#below(10 * MINUTE) };
      case "small":
      case "tiny": {
        if (mood === "small" && ids.length <= FEW) return this.#inMood("takes", kind, ids);
        if (ids.length === 1) this.#all(kind, ids, false);
        return { kind: "too-large", status: 413, why: "it answered 413" };
      }
    }
  }

  #all(kind: OtlpKind, ids: readonly number[], isTaken: boolean): void {
    for (const id of ids) this.#answered(kind, id, isTaken);
  }
}
