/** Owns which notes of a worker count. */
import type { Notes } from "../../ipc/notes.ts";
import type { Sense } from "../memory/sense.ts";

/** A compute that was sent, has not settled, and has begun, though its worker has not said so. */
export interface NotedStart {
  readonly sense: Sense;
  /** Awake milliseconds of the moment at which it was sent. */
  readonly sentAt: number;
  /** How long ago it began, 0 where the note says nothing that can be. */
  readonly forMs: number;
}

/** `places`: the senses of the worker at their places for notes. `areOver`: those that are noted as over. */
export function notedStarts(places: readonly Sense[], notes: Notes, areOver: boolean): NotedStart[] {
  return places.flatMap((sense, place) => {
    const { flight } = sense;
    if (flight === null || flight.sentAt === null || flight.start !== "unknown" || flight.settling) return [];
    const note = notes.at(place);
    if (note === null || note.id !== flight.id || note.isOver !== areOver) return [];
    const forMs = Number.isFinite(note.forMs) ? Math.max(0, note.forMs) : 0;
    return [{ sense, sentAt: flight.sentAt, forMs }];
  });
}
