/** Owns the notifications that something holds back. */
import type { Notification } from "../model/incident.ts";
import type { IncidentWorld, Suppression } from "./incident-moves.ts";
import type { Held, OwedResolution } from "./incident-state.ts";

/** The same notification, with what holds it back now. The same object where nothing has changed: nothing is stored then. */
export function stillHeld(held: Held, suppression: Suppression, at: number): Held {
  const by = [...new Set([...held.by, ...suppression.by])];
  const until = suppression.until === null ? null : Math.max(suppression.until, at + 1);
  return by.length === held.by.length && until === held.until ? held : { ...held, by, until };
}

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
  owed: OwedResolution[],
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
    else {
      const next = stillHeld(held, suppression, at);
      still.push(next === held ? one : { ...one, held: next });
    }
  }
  const isSame = free.length === 0 && still.every((one, place) => one === owed[place]);
  return { free, still: isSame ? owed : still };
}
