/** How cost grows, measured as a ratio within one run: a machine that is busy with other things slows both sides. */

const FEWEST_ROUNDS = 2;
const MOST_ROUNDS = 25;

/** Below this the cost of ten times as much is that of ten, give or take the noise; its square would be 10. */
export const LINEAR = 4;

export function elapsedMs(work: () => void): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}

/**
 * How many times longer `large` takes than `small` done `times` times. Both are measured by turns and the quickest of each
 * counts: another process can only add time. It is measured again while the answer is not below `enough`.
 */
export function timesSlower(large: () => void, small: () => void, times: number, enough = LINEAR): number {
  const smallOnes = (): void => {
    for (let time = 0; time < times; time++) small();
  };
  let [largeMs, smallMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    smallMs = Math.min(smallMs, elapsedMs(smallOnes));
    largeMs = Math.min(largeMs, elapsedMs(large));
    if (round >= FEWEST_ROUNDS && largeMs / smallMs < enough) break;
  }
  return largeMs / smallMs;
}

/** What `work` costs on `text` beside ten times what it costs on the first tenth of it: 1 where it only reads on. */
export function costGrowth(text: string, work: (text: string) => void): number {
  const tenth = text.slice(0, text.length / 10);
  return timesSlower(
    () => work(text),
    () => work(tenth),
    10,
  );
}
