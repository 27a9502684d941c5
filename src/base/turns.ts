/** Turns of the event loop, injected: what is put off until the end of this turn, and until after what has arrived. */
export interface Turns {
  /** Calls `act` once the present turn is over. */
  atEnd(act: () => void): void;
  /** Calls `act` in a turn of its own, behind what has arrived by now, unless what it answers with is called before. */
  next(act: () => void): () => void;
}

/** What calls `act` at its first call in a turn, and does nothing for the rest of the turn. */
export function oncePerTurn(turns: Turns, act: () => void): () => void {
  let isDone = false;
  const anew = (): void => {
    isDone = false;
  };
  return () => {
    if (isDone) return;
    isDone = true;
    turns.atEnd(anew);
    act();
  };
}

export const SYSTEM_TURNS: Turns = {
  atEnd: queueMicrotask,
  next(act) {
    const immediate = setImmediate(act);
    return () => clearImmediate(immediate);
  },
};
