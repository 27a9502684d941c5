/** Owns `nerve run`: starts a workflow by hand, or one compute of a sense. With `--wait` it waits for the result. */
import { meantOr } from "../../base/nearest.ts";
import { ok, type Result } from "../../base/result.ts";
import type { RunAnswer, RunRequest, Status } from "../../control/contract.ts";
import { problem } from "../../model/problem.ts";
import { defineCommand, flag, text } from "../frame/command.ts";
import { EXIT, type Failure, fail, type Outcome, usageError } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { findPlace } from "../place/place.ts";
import { readInput } from "../place/run-input.ts";
import { orderCompute } from "../waits/order-compute.ts";
import { type Ordered, tellOrder } from "../waits/wait-for-run.ts";

type Kind = "workflow" | "sense";

/** `first` is the kind of a bare name that a workflow and a sense share. */
export const runCommand = (first: Kind) =>
  defineCommand({
    details:
      "A bare name is the workflow if there is one, else the sense; `workflow:NAME` and `sense:NAME` leave no doubt. The order\nis durable when the command returns: it is carried out even if the daemon dies meanwhile.\n\nA workflow finds the input as its `thread.trigger.payload`. With --wait its logs follow on stderr, then its output on\nstdout. A sense takes no input. A compute that is under way does not count, and a throttle is kept. With --wait the\nsignal is printed. A run that does not complete and a compute that fails end with exit code 1.",
    arguments: [
      { name: "name", required: true },
      { name: "input", required: false },
    ],
    options: {
      input: text("JSON", "the workflow's input: JSON, @FILE or - for stdin (default null)"),
      wait: flag("wait until it is over, and print what came of it"),
    },
    examples: [
      [`nerve run page '{"host":"db1"}'`, "start the workflow, and see how to watch it"],
      ["nerve run report --wait | jq .total", "and use what it returns"],
      ["nerve run import --input @rows.json", "input from a file"],
      ["nerve run disk-usage --wait", "have the sense look again at once"],
      ["nerve run sense:report --wait --json | jq .signal.payload", "the sense, where a workflow has its name too"],
    ],
    async run({ arguments: [name = "", named = null], options, config: given, json }) {
      if (named !== null && options.input !== null) return usageError("two inputs are given", "give one of them");
      const written = named ?? options.input;
      const input = readInput(written);
      if (!input.ok) return input;
      const place = findPlace(given);
      if (!place.ok) return place;
      const status = await ask<Status>(place.value, "/status", null);
      if (!status.ok) return status;
      const target = targetOf(status.value, name, first);
      if (!target.ok) return target;
      const about = { place: place.value, given, json };
      if (target.value.kind === "workflow") {
        return startRun({ workflow: target.value.name, input: input.value }, options.wait, about);
      }
      if (written === null) return orderCompute(target.value.sense, options.wait, about);
      return usageError(`\`${target.value.sense.name}\` is a sense, and a sense takes no input`, "leave the input out");
    },
  });

export const command = runCommand("workflow");

type Target =
  | { readonly kind: "workflow"; readonly name: string }
  | { readonly kind: "sense"; readonly sense: Status["senses"][number] };

function targetOf({ senses, workflows }: Status, reference: string, first: Kind): Result<Target, Failure> {
  const [, prefix = null, name = reference] = /^(sense|workflow):(.*)$/.exec(reference) ?? [];
  const find = (kind: Kind): Target | null => {
    if (prefix !== null && prefix !== kind) return null;
    if (kind === "workflow") return workflows.some((one) => one.name === name) ? { kind, name } : null;
    const sense = senses.find((one) => one.name === name);
    return sense === undefined ? null : { kind, sense };
  };
  const order: readonly Kind[] = first === "sense" ? ["sense", "workflow"] : ["workflow", "sense"];
  for (const kind of order) {
    const found = find(kind);
    if (found !== null) return ok(found);
  }
  const candidates = order
    .filter((kind) => prefix === null || prefix === kind)
    .flatMap((kind) => (kind === "sense" ? senses : workflows).map((one) => one.name));
  const there =
    candidates.length === 0 ? "`nerve status` shows what is configured" : `there are: ${candidates.join(", ")}`;
  const what = prefix ?? order.join(" or ");
  const said = `there is no ${what} \`${name}\``;
  return fail(EXIT.usage, problem(`unknown-${prefix ?? first}`, said, meantOr(name, candidates, there)));
}

async function startRun(order: RunRequest, wait: boolean, about: Ordered): Promise<Outcome> {
  const answer = await ask<RunAnswer>(about.place, "/run", order);
  return answer.ok ? tellOrder(answer.value, wait, about) : answer;
}
