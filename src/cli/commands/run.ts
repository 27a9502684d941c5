/** `nerve run`: starts a workflow by hand, and on demand waits for what comes of it. */
import { readFileSync } from "node:fs";
import type { Json } from "../../base/json.ts";
import { ok, type Result } from "../../base/result.ts";
import type { RunAnswer, RunRequest } from "../../control/contract.ts";
import { faultOfInput } from "../../control/run-input.ts";
import { defineCommand, flag, text } from "../frame/command.ts";
import { type Failure, usageError } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { findPlace } from "../place/place.ts";
import { tellOrder } from "../waits/wait-for-run.ts";

export const command = defineCommand({
  details:
    "The run is durable when the command returns: it goes on even if the daemon dies meanwhile. Its `thread.trigger.payload`\nis the input. With --wait its logs follow on stderr, then its output on stdout; a run that ends otherwise than\ncompleted is exit code 1.",
  arguments: [
    { name: "workflow", required: true },
    { name: "input", required: false },
  ],
  options: {
    input: text("JSON", "its input: JSON, @FILE or - for stdin (default null)"),
    wait: flag("wait until it is over, and print its output"),
  },
  examples: [
    [`nerve run page '{"host":"db1"}'`, "start it, and see how to watch it"],
    ["nerve run report --wait | jq .total", "and use what it returns"],
    ["nerve run import --input @rows.json", "input from a file"],
  ],
  async run({ arguments: [workflow = "", named = null], options, config: given, json }) {
    if (named !== null && options.input !== null) return usageError("two inputs are given", "give one of them");
    const input = readInput(named ?? options.input);
    if (!input.ok) return input;
    const place = findPlace(given);
    if (!place.ok) return place;
    const order: RunRequest = { workflow, input: input.value };
    const answer = await ask<RunAnswer>(place.value, "/run", order);
    if (!answer.ok) return answer;
    return tellOrder(answer.value, options.wait, { place: place.value, given, json });
  },
});

function readInput(given: string | null): Result<Json, Failure> {
  if (given === null) return ok(null);
  let written = given;
  const file = given === "-" ? "/dev/stdin" : given.startsWith("@") ? given.slice(1) : null;
  try {
    if (file !== null) written = readFileSync(file, "utf8");
  } catch (error) {
    return usageError(`\`--input\` cannot be read: ${(error as Error).message}`);
  }
  let input: unknown;
  try {
    input = JSON.parse(written);
  } catch (error) {
    const hint = 'as in --input \'{"host":"db1"}\', --input @FILE, or --input - for stdin; a text needs its quotes';
    return usageError(`\`--input\` is not JSON: ${(error as Error).message}`, hint);
  }
  const fault = faultOfInput(input);
  return fault === null ? ok(input as Json) : usageError(`\`--input\` ${fault}`);
}
