/** Owns `nerve run` of a sense: one compute now, and on request the result of this compute. */

import { safeJson } from "../../base/escape.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Status } from "../../control/contract.ts";
import { problem } from "../../model/problem.ts";
import { logJson, signalJson } from "../../model/shown-rows.ts";
import { EXIT, type Failure, fail, type Outcome } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { configOption, type Place } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { signalSpans } from "../screen/rows.ts";
import { print, printLine, span, stdoutScreen } from "../screen/terminal.ts";
import type { Ordered } from "./wait-for-run.ts";
import { type Settled, type Triggered, waitForTrace } from "./wait-for-trace.ts";

type Sense = Status["senses"][number];

/** `before` is the state of the sense when its name was looked up. */
export async function orderCompute(before: Sense, wait: boolean, about: Ordered): Promise<Outcome> {
  const { place, json } = about;
  const answer = await ask<Triggered>(place, "/trigger", { name: before.name });
  if (!answer.ok) return answer;
  if (!wait) return tellTriggered(answer.value, about);
  const settled = await settle(place, answer.value, before);
  if (!settled.ok) return settled;
  const { outcome, log } = settled.value;
  if (json) print(safeJson(asJson(answer.value, settled.value)));
  else tellPeople(before.name, settled.value);
  if (outcome !== "failed") return ok(EXIT.done);
  const message = log?.message ?? "the compute failed as it did before; the log counts repeats of one error";
  const remedy = `see \`nerve logs --sense ${before.name}\``;
  return fail(EXIT.finding, problem(log?.event ?? "compute.failed", `${before.name}: ${message}`, remedy));
}

function tellTriggered({ sense, trace }: Triggered, { place, given, json }: Ordered): Outcome {
  const look = `nerve show ${trace}${configOption(place.file, given)}`;
  print(json ? safeJson({ sense, trace }) : `triggered ${sense}\nsee what came of it: ${look}`);
  return ok(EXIT.done);
}

async function settle(place: Place, triggered: Triggered, before: Sense): Promise<Result<Settled, Failure>> {
  const store = readStore(place);
  return store.ok ? waitForTrace(place, store.value, triggered, before) : store;
}

const asJson = ({ sense, trace }: Triggered, { outcome, signals, log }: Settled) => ({
  sense,
  trace,
  outcome,
  signal: signals.length === 1 && signals[0] !== undefined ? signalJson(signals[0]) : null,
  signals: signals.map(signalJson),
  log: log === null ? null : logJson(log),
});

function tellPeople(sense: string, { outcome, signals }: Settled): void {
  for (const signal of signals) printLine([span("✓ ", "green"), ...signalSpans(signal, stdoutScreen())]);
  if (outcome === "no-signal") print(`${sense} computed: no signal`);
}
