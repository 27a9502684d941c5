/**
 * Owns the past of a run on its way to the worker. The kernel writes a frame out in memory as a whole, and Bun keeps what
 * the worker has not read. So a long past leaves in pieces, and the next piece leaves once the worker has taken the one
 * before. A short past has no piece: it leaves within `run`.
 */
import type { Json } from "../../base/json.ts";
import type { WorkflowParentMessageOf } from "../../ipc/workflow-definitions.ts";
import { type Replay, replayOf } from "./replay.ts";
import type { RunHistory } from "./run-history.ts";

type PastSteps = WorkflowParentMessageOf<"past">["steps"];

/** Characters of results in one frame. One result may be longer. */
const PIECE_LENGTH = 1_048_576;
/** The approximate further cost of a step or a value. */
const OVERHEAD = 16;

export class PastPieces {
  readonly #history: RunHistory;
  readonly #pieces: Iterator<PastSteps>;
  /** The number of completed steps that left in pieces. */
  #sent = 0;

  constructor(history: RunHistory) {
    this.#history = history;
    // A completed step does not depend on the time.
    this.#pieces = piecesOf(replayOf(history, 0).steps.filter(isCompleted));
  }

  /** The next piece. Null where the rest is short enough for `run`. */
  next(): PastSteps | null {
    const next = this.#pieces.next();
    if (next.done) return null;
    this.#sent += next.value.length;
    return next.value;
  }

  /** The rest of the past. `now` is on the axis of elapsed time. */
  rest(now: number): Replay {
    const replay = replayOf(this.#history, now);
    let completed = 0;
    const steps = replay.steps.filter((step) => !isCompleted(step) || completed++ >= this.#sent);
    return { ...replay, steps };
  }
}

const isCompleted = ({ state }: PastSteps[number]): boolean => state === "completed";

/** All pieces except the last steps, which fit into `run`. */
function* piecesOf(steps: PastSteps): Generator<PastSteps, undefined> {
  let piece: PastSteps = [];
  let length = 0;
  for (const step of steps) {
    piece.push(step);
    length += OVERHEAD + lengthOf(step.result as Json);
    if (length < PIECE_LENGTH) continue;
    yield piece;
    piece = [];
    length = 0;
  }
}

function lengthOf(value: Json): number {
  if (typeof value === "string") return OVERHEAD + value.length;
  if (typeof value !== "object" || value === null) return OVERHEAD;
  let length = OVERHEAD;
  for (const [key, inner] of Object.entries(value)) length += key.length + lengthOf(inner);
  return length;
}
