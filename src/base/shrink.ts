/**
 * Owns the end of a start: what was read, and the code that read it, is of no use afterwards, and stays in memory until
 * something gives it up. Code that runs again is read from the executable again.
 */
import { CHANNELS } from "./jit.ts";

/** Everything that follows a start has run by then. */
const AFTER_MS = 3_000;

/** Once, in a while. A process that is busy by then keeps its compiled code. */
export function shrinkSoon(): void {
  const shrink = (): void => {
    if (!CHANNELS.isBusy) Bun.shrink();
  };
  setTimeout(shrink, AFTER_MS).unref();
}
