/** What the process of every worker does beside its messages: it ends with its kernel, and is not ended by strangers. */
import { describeThrown } from "../base/thrown.ts";
import { hideChannel } from "./channel.ts";
import { holdLifeLine } from "./life-line.ts";

/**
 * Once the channel is open. `stray` is told of errors nobody waited for, which are survived. Signals meant for the daemon
 * (a terminal's Ctrl-C reaches the group) are not ours to obey.
 */
export function enterWorker(kernelPid: number, stray: (message: string, stack: string | null) => void): void {
  holdLifeLine(kernelPid);
  hideChannel();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
  const tell = (error: unknown): void => {
    const { message, stack } = describeThrown(error);
    stray(`an error nobody waited for: ${message}`, stack);
  };
  process.on("uncaughtException", tell);
  process.on("unhandledRejection", tell);
}
