/** `nerve trigger`: one compute now, and on demand what came of it. */

import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import { problem } from "../../model/problem.ts";
import { defineCommand, flag } from "../frame/command.ts";
import { EXIT, fail } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { configOption, findPlace } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { logJson, signalJson, signalSpans } from "../screen/rows.ts";
import { print, printLine, span } from "../screen/terminal.ts";
import { senseNow, type Triggered, waitForTrace } from "../waits/wait-for-trace.ts";

export const command = defineCommand({
  details:
    "The decision is durable when the command returns: it is answered even if the daemon dies meanwhile. A compute that\nis under way does not count; a throttle is kept. With --wait a compute that fails ends with exit code 1.",
  arguments: [{ name: "sense", required: true }],
  options: { wait: flag("wait for the signal or the failure, and print it") },
  examples: [
    ["nerve trigger disk-usage", "look again at once"],
    ["nerve trigger disk-usage --wait --json | jq .signal.payload", "and use what it saw"],
  ],
  async run({ arguments: [name = ""], options, config: given, json }) {
    const place = findPlace(given);
    if (!place.ok) return place;
    const before = options.wait ? await senseNow(place.value, name) : ok(null);
    if (!before.ok) return before;
    const answer = await ask<Triggered>(place.value, "/trigger", { name });
    if (!answer.ok) return answer;
    const { sense, trace } = answer.value;
    if (before.value === null) {
      const look = `nerve show ${trace}${configOption(place.value.file, given)}`;
      print(json ? safeJson({ sense, trace }) : `triggered ${sense}\nsee what came of it: ${look}`);
      return ok(EXIT.done);
    }
    const store = readStore(place.value);
    if (!store.ok) return store;
    const settled = await waitForTrace(place.value, store.value, answer.value, before.value);
    if (!settled.ok) return settled;
    const { outcome, signal, log } = settled.value;
    if (json) {
      print(
        safeJson({
          sense,
          trace,
          outcome,
          signal: signal === null ? null : signalJson(signal),
          log: log === null ? null : logJson(log),
        }),
      );
    } else if (signal !== null) printLine([span("✓ ", "green"), ...signalSpans(signal)]);
    else if (outcome === "no-signal") print(`${sense} computed: no signal`);
    if (outcome !== "failed") return ok(EXIT.done);
    const message = log?.message ?? "the compute failed as it did before; the log counts repeats of one error";
    return fail(
      EXIT.finding,
      problem(log?.event ?? "compute.failed", `${sense}: ${message}`, `see \`nerve logs --sense ${sense}\``),
    );
  },
});
