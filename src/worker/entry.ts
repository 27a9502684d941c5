/** What the process of every worker does beside its messages: it ends with its kernel, and is not ended by strangers. */
import { ignoreSignals } from "../base/early-signals.ts";
import { OUTPUT_ROWS_PER_SECOND, rowLimiter } from "../base/row-limiter.ts";
import { describeThrown, type Thrown } from "../base/thrown.ts";
import { ignoreUnnamedSignals } from "../base/unnamed-signals.ts";
import { hideChannel } from "./channel.ts";
import { holdLifeLine } from "./life-line.ts";

/** Reports an error nobody waited for. */
type Report = (message: string, stack: string | null) => void;

/**
 * Once the channel is open. Errors nobody waited for go to `stray` and are survived: so many a second as lines of output, the
 * rest as a count that blames nobody. What is dropped is not even described, so that a flood does not take the turns of
 * the computes beside it. Signals meant for the daemon (a terminal's Ctrl-C reaches the group) are not ours to obey.
 */
export function enterWorker(kernelPid: number, stray: Report): void {
  holdLifeLine(kernelPid);
  hideChannel();
  ignoreSignals();
  ignoreUnnamedSignals();
  const errors = limitStrays(stray);
  process.on("uncaughtException", errors);
  process.on("unhandledRejection", errors);
}

export function limitStrays(stray: Report): (error: unknown) => void {
  const rows = rowLimiter<Thrown>({
    perSecond: OUTPUT_ROWS_PER_SECOND,
    credit: Number.POSITIVE_INFINITY,
    post: ({ message, stack }) => stray(message, stack),
    dropped: (count) => ({
      message: `${count} more errors nobody waited for were dropped: at most ${OUTPUT_ROWS_PER_SECOND} a second are kept`,
      stack: null,
    }),
  });
  return (error) => {
    if (rows.skip(1)) return;
    const { message, stack } = describeThrown(error);
    rows.offer({ message: `an error nobody waited for: ${message}`, stack });
  };
}
