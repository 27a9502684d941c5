/** Signals that the runtime has no name for, and so no handler: SIGSTKFLT and the real-time signals. Source: signal(7). */
import { loadLibc } from "./libc.ts";

const UNNAMED = [16, ...Array.from({ length: 31 }, (_, index) => 34 + index)];

/** Source: the C library's signal.h. */
const SIG_IGN = 1;

/** From here on none of them ends this process. A child begins with the defaults again. */
export function ignoreUnnamedSignals(): void {
  const libc = loadLibc();
  for (const signal of UNNAMED) libc?.signal(signal, SIG_IGN);
}
