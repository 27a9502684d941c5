/** Owns the notifications that something holds back. */
import type { Notification } from "../model/incident.ts";
import type { IncidentWorld, Suppression } from "./incident-moves.ts";
import type { Held, OwedResolution } from "./incident-state.ts";

/** The same notification, with what holds it back now. */
export const stillHeld = (held: Held, { by, until }: Suppression, at: number): Held => ({
  ...held,
  by: [...new Set([...held.by, ...by])],
  until: until === null ? null : Math.max(until, at + 1),
});

/** A notification of `workflow` that is held back from now on. It takes the place of `before`. */
export function heldFrom(
  notification: Notification,
  workflow: string,
  at: number,
  suppression: Suppression,
  before: Held | null,
): Held {
  const fresh = { workflow, notification, since: at, by: [], until: null };
  return { ...stillHeld(before ?? fresh, suppression, at), notification };
}

/** Looks at held-back resolutions again: `free` are those that nothing holds back now, `still` are the others. */
export function lookedAt(
  owed: readonly OwedResolution[],
  isDue: (held: Held) => boolean,
  at: number,
  world: IncidentWorld,
): { readonly free: OwedResolution[]; readonly still: OwedResolution[] } {
  const free: OwedResolution[] = [];
  const still: OwedResolution[] = [];
  for (const one of owed) {
    const { id, held } = one;
    const { workflow, notification } = held;
    if (!isDue(held)) {
      still.push(one);
      continue;
    }
    const suppression = world.suppression({ id, notification, workflow, elapsed: at });
    if (suppression === null) free.push(one);
    else still.push({ ...one, held: stillHeld(held, suppression, at) });
  }
  return { free, still };
}
