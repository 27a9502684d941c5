/** Repeatable chance for the property tests: `NERVE_FUZZ_SEED=N` repeats a run, `NERVE_FUZZ=N` sets how much is tried. */
export const SEED = Number(process.env.NERVE_FUZZ_SEED ?? Date.now() % 1_000_000_000);

export const trials = (usual: number): number => Number(process.env.NERVE_FUZZ ?? usual);

export type Below = (limit: number) => number;

/** mulberry32: small, good enough to spread trials, and the same everywhere. */
export function randomOf(seed: number): Below {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

export const pick = <T>(below: Below, choices: readonly T[]): T => choices[below(choices.length)] as T;
