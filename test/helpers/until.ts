/** Waiting for a condition: the only way in which a test lets time pass. */

/** So long a condition may take on a machine that is busy with other things. Only a test that hangs comes to it. */
const PATIENCE_MS = 60_000;
const SHORTEST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;

/**
 * Resolves with what `condition` answers once that is neither false nor null. `what` says in a failure what was awaited.
 * The pauses grow with the time waited, so that a quick answer is seen at once and a slow one costs the others little.
 */
export async function until<T>(
  what: string,
  condition: () => T | null | false | Promise<T | null | false>,
): Promise<T> {
  const startedAt = performance.now();
  for (;;) {
    const answer = await condition();
    if (answer !== null && answer !== false) return answer;
    const elapsedMs = performance.now() - startedAt;
    if (elapsedMs > PATIENCE_MS) throw new Error(`${PATIENCE_MS / 1_000} s passed in vain until ${what}`);
    await Bun.sleep(Math.min(SHORTEST_PAUSE_MS + elapsedMs / 20, LONGEST_PAUSE_MS));
  }
}
