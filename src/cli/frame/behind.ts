/** Owns another program in the place of this one: its streams, its signals and its exit code. */
import { constants } from "node:os";
import { isatty } from "node:tty";

const PASSED_ON = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;
/** A terminal sends these to every process before it, so the other program has them already. */
const OF_TERMINAL = ["SIGINT", "SIGQUIT"] as const;

/** Passes on the signals that this process gets. */
export function passSignals(to: (signal: NodeJS.Signals) => void): void {
  const hasTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  for (const signal of PASSED_ON) process.on(signal, () => to(signal));
  for (const signal of OF_TERMINAL)
    process.on(signal, () => {
      if (!hasTerminal) to(signal);
    });
}

/** The exit code of a process as a shell has it: 128 and the number of the signal that ended the process. */
export const exitCodeOf = ({ exitCode, signalCode }: Pick<Bun.Subprocess, "exitCode" | "signalCode">): number =>
  signalCode === null ? (exitCode ?? 0) : 128 + constants.signals[signalCode as NodeJS.Signals];

/**
 * Runs `argv`, and resolves with its exit code. A SIGKILL of this process leaves the other one running. Throws where there is no
 * such program.
 */
export async function runBehind(argv: readonly string[]): Promise<number> {
  const streams = { stdin: "inherit", stdout: "inherit", stderr: "inherit" } as const;
  const child = Bun.spawn([...argv], streams);
  passSignals((signal) => child.kill(signal));
  await child.exited;
  return exitCodeOf(child);
}
