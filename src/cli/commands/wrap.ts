/** Owns `nerve wrap`: runs a command, and hands its start and its end to the inbox of a sense. */
import { escapeForTerminal } from "../../base/escape.ts";
import type { PingBody } from "../../inbox/pings.ts";
import { ownCommand } from "../../spawn/own-image.ts";
import { runBehind } from "../frame/behind.ts";
import { defineCommand, hiddenFlag } from "../frame/command.ts";
import { usageError } from "../frame/outcome.ts";
import { findPlace } from "../place/place.ts";
import { printError } from "../screen/terminal.ts";
import { type Destination, handOver } from "../wrap/hand-over.ts";
import { runThrough } from "../wrap/run.ts";

const NOTHING: PingBody = { exit_code: null, duration_ms: null, output: null };

function destinationOf(sense: string, config: string | null): Destination {
  const place = findPlace(config);
  return { sense, data: place.ok ? place.value.data : null, pingUrl: process.env.NERVE_PUSH || null };
}

const say = (sense: string, what: string, why: string): void =>
  printError(escapeForTerminal(`nerve wrap: ${what} was not handed over to the sense ${sense}: ${why}`));

async function wrap(destination: Destination, command: readonly string[]): Promise<number> {
  const { sense } = destination;
  const started = handOver(destination, "start", NOTHING, false);
  const { exitCode, durationMs, output, problem } = await runThrough(command);
  if (problem !== null) printError(escapeForTerminal(`nerve wrap: ${command[0]} cannot be run: ${problem}`));
  const startProblem = await started;
  const type = exitCode === 0 ? "success" : "fail";
  const body = { exit_code: exitCode, duration_ms: durationMs, output };
  const endProblem = await handOver(destination, type, body, true);
  if (endProblem !== null) say(sense, `the end (exit code ${exitCode})`, endProblem);
  else if (startProblem !== null) say(sense, "the start", startProblem);
  return exitCode;
}

export const command = defineCommand({
  details:
    "The command always runs: its streams, signals and exit code are its own, whatever becomes of nerve. Start, exit code,\nduration and the end of its output go to the inbox of the sense by the control socket, or, where that cannot be\nreached, to the ping URL in $NERVE_PUSH. What could not be handed over is one line on stderr.",
  arguments: [
    { name: "sense", required: true },
    { name: "command…", required: true },
  ],
  options: { inner: hiddenFlag() },
  examples: [
    ["nerve wrap backup -- restic backup /home", "in a crontab: start, end and output of a backup"],
    ["NERVE_PUSH=http://127.0.0.1:4281/ping/TOKEN nerve wrap backup -- ./backup.sh", "as another user"],
  ],
  async run({ arguments: [sense = "", ...words], options, config }) {
    if (words.length === 0) return usageError("`nerve wrap` needs a command", "nerve wrap SENSE -- command…");
    if (options.inner) process.exit(await wrap(destinationOf(sense, config), words));
    const [executable = "", ...entry] = ownCommand("wrap").slice(0, -1);
    const given = config === null ? [] : ["--config", config];
    process.exit(await runBehind([executable, ...entry, "--inner", ...given, "--", sense, ...words]));
  },
});
