/** Owns `nerve once`: one compute of one sense on a scratch copy of its data, so that a person sees the result. */
import { join } from "node:path";
import { counted } from "../../base/counted.ts";
import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import type { Json } from "../../base/json.ts";
import { ok } from "../../base/result.ts";
import { duration } from "../../base/times.ts";
import type { NerveConfig } from "../../model/config.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { readChanges, type TableChanges, watchChanges } from "../../scratch/changes.ts";
import { linkBlobs, ScratchFolder } from "../../scratch/folder.ts";
import { type ComputeEnd, type ScratchLog, ScratchWorker } from "../../scratch/sense.ts";
import { locateSenses, locateWorkflows } from "../../spawn/modules-on-disk.ts";
import { defineCommand, flag, text } from "../frame/command.ts";
import { EXIT, fail, type Outcome, usageError } from "../frame/outcome.ts";
import { readItems } from "../place/items.ts";
import { knownWorkflows, unknownSense } from "../place/known-names.ts";
import { loadConfig } from "../place/place.ts";
import { readInput } from "../place/run-input.ts";
import { authorFrames } from "../screen/author-frames.ts";
import { payloadSpans } from "../screen/payload.ts";
import { LEVEL_STYLES } from "../screen/rows.ts";
import { SECRETS } from "../screen/secrets.ts";
import { print, printLine, type Span, span, stdoutScreen } from "../screen/terminal.ts";

interface Report {
  readonly sense: string;
  /** The user's folder; null for a built-in. */
  readonly module: string | null;
  readonly end: ComputeEnd;
  readonly applied: readonly string[];
  readonly rows: readonly TableChanges[];
  readonly logs: readonly ScratchLog[];
  /** The scratch folder where it is kept, else null. */
  readonly scratch: string | null;
}

export const command = defineCommand({
  details:
    "A bare name is the workflow if there is one, else the sense; `workflow:NAME` and `sense:NAME` leave no doubt. Nothing that\nnerve keeps is changed, and the daemon need not run. What fails or passes its timeout ends with exit code 1.\n\nA sense runs in a worker as the daemon would run it, on a copy of its database; its peers are the real ones. No signal is\nemitted. A workflow runs once, whatever its `retry` says, on copies of the senses' databases, and each step is told as it\nends. What its steps do to the world they do: a webhook is sent.",
  arguments: [
    { name: "name", required: true },
    { name: "input", required: false },
  ],
  options: {
    input: text("JSON", "the workflow's input: JSON, @FILE or - for stdin (default null)"),
    inbox: text("FILE", "items for the sense, a JSON value on each line, or - for stdin"),
    keep: flag("keep the scratch folder, and print its path"),
  },
  examples: [
    ["nerve once cpu-usage", "what it would emit now"],
    ["nerve once cpu-usage --json | jq .payload", "the payload alone"],
    ["nerve once deploys --inbox items.jsonl", "with items, as if they had been pushed"],
    ["nerve once cpu-usage --keep", "and look into its database afterwards"],
    [`nerve once page '{"host":"db1"}'`, "one run of the workflow, step by step"],
  ],
  async run({ arguments: [reference = "", named = null], options, config: given, json }) {
    if (named !== null && options.input !== null) return usageError("two inputs are given", "give one of them");
    const written = named ?? options.input;
    const config = loadConfig(given);
    if (!config.ok) return config;
    const [, kind = null, name = reference] = /^(sense|workflow):(.*)$/.exec(reference) ?? [];
    if (kind !== "sense" && config.value.workflows.has(name)) {
      if (options.inbox !== null) return usageError(`\`${name}\` is a workflow, and a workflow takes no items`);
      return onceWorkflow(config.value, name, { written, keep: options.keep, json });
    }
    if (kind === "workflow") return knownWorkflow(config.value, name);
    const sense = config.value.senses.get(name);
    if (sense === undefined) return fail(EXIT.usage, unknownSense(config.value, name));
    if (written !== null)
      return usageError(`\`${name}\` is a sense, and a sense takes no input`, "leave the input out");
    if (options.inbox !== null && sense.inbox === null) {
      return usageError(`\`${name}\` has no inbox`, `write \`inbox: {}\` under \`senses.${name}\``);
    }
    const items = readItems(options.inbox);
    if (!items.ok) return items;
    const location = locateSenses(config.value).get(name);
    if (!location?.ok) return fail(EXIT.finding, location?.error ?? unknownSense(config.value, name));
    const folder = new ScratchFolder("once");
    try {
      const blobs = folder.folder("blobs");
      linkBlobs(join(config.value.data, "blobs"), blobs);
      const about = { config: config.value, sense, module: location.value.folder, blobs, patterns: [] };
      const started = ScratchWorker.start(folder, about);
      if (!started.ok) return notRun(name, started.error);
      const worker = started.value;
      const ready = await worker.ready;
      if (!ready.ok) return notRun(name, ready.error);
      const watched = watchChanges(worker.database);
      const end = await worker.compute(items.value);
      await worker.leave();
      const rows = readChanges(worker.database, watched);
      if (options.keep) folder.keep();
      const scratch = options.keep ? folder.path : null;
      const logs = SECRETS.json(worker.logs);
      return tell(
        { sense: name, module: about.module, end: shownEnd(end), applied: ready.value.applied, rows, logs, scratch },
        json,
      );
    } finally {
      folder.remove();
    }
  },
});

function knownWorkflow(config: NerveConfig, name: string): Outcome {
  const known = knownWorkflows(config, [name]);
  return known.ok ? ok(EXIT.done) : known;
}

interface OnceRun {
  readonly written: string | null;
  readonly keep: boolean;
  readonly json: boolean;
}

async function onceWorkflow(config: NerveConfig, workflow: string, { written, keep, json }: OnceRun): Promise<Outcome> {
  const input = readInput(written);
  if (!input.ok) return input;
  const location = locateWorkflows(config).get(workflow);
  if (!location?.ok) return fail(EXIT.finding, ...(location === undefined ? [] : [location.error]));
  const [{ startScratchDaemon }, { tryRun }] = await Promise.all([
    import("../place/scratch-daemon.ts"),
    import("../waits/try-run.ts"),
  ]);
  const folder = new ScratchFolder("once");
  try {
    const daemon = startScratchDaemon(folder, config, workflow);
    if (!daemon.ok) return daemon;
    try {
      return await tryRun(daemon.value.place, { workflow, input: input.value, module: location.value.folder, json });
    } finally {
      await daemon.value.stop();
      if (keep) folder.keep();
      if (keep && !json) labelled("scratch", span(folder.path));
    }
  } finally {
    folder.remove();
  }
}

/** The payload is the author's own. The words on a failure hold no value of a variable or credential of the config. */
const shownEnd = (end: ComputeEnd): ComputeEnd =>
  end.kind === "signal" || end.kind === "no-signal" ? end : SECRETS.json(end);

const notRun = (sense: string, found: Problem): Outcome => {
  const message = found.message.includes(sense) ? found.message : `sense \`${sense}\`: ${found.message}`;
  return fail(EXIT.finding, { ...found, message });
};

function tell(report: Report, json: boolean): Outcome {
  if (json) print(safeJson(asJson(report)));
  else tellPeople(report);
  const { sense, module, end } = report;
  if (end.kind === "signal" || end.kind === "no-signal") return ok(EXIT.done);
  const found = problem(`compute.${end.kind}`, `sense \`${sense}\`: ${end.message}`);
  const stack = end.kind === "failed" ? end.stack : null;
  const [first, ...outer] = authorFrames(stack).filter(({ file }) => module !== null && file.startsWith(module));
  if (first === undefined) return fail(EXIT.finding, found);
  const place = { file: first.file, line: first.line, column: first.column };
  const called = outer.map(({ file, line, column }) => `\ncalled at ${file}:${line}:${column}`).join("");
  return fail(EXIT.finding, { ...found, ...place, message: json ? found.message : found.message + called });
}

const asJson = ({ sense, end, applied, rows, logs, scratch }: Report) => ({
  sense,
  outcome: end.kind,
  payload: end.kind === "signal" && end.payloads.length === 1 ? end.payloads[0] : null,
  payloads: end.kind === "signal" ? end.payloads : [],
  duration_ms: end.durationMs,
  rows,
  migrations: applied,
  logs,
  error: "message" in end ? { kind: end.kind, message: end.message, stack: "stack" in end ? end.stack : null } : null,
  scratch,
});

const labelled = (label: string, ...rest: Span[]): void => printLine([span(label.padEnd(11), "dim"), ...rest]);

function tellPeople({ sense, end, applied, rows, logs, scratch }: Report): void {
  if (end.kind === "signal") {
    if (end.payloads.length > 1) labelled("signals", span(counted(end.payloads.length, "signal")));
    for (const payload of end.payloads) print(safeJson(payload, end.payloads.length > 1 ? 0 : 2));
  } else if (end.kind === "no-signal") print(`${sense}: no signal`);
  labelled("took", span(duration(end.durationMs)));
  if (applied.length > 0) labelled("migrated", span(applied.map(escapeForTerminal).join(", ")));
  const signs = ({ inserted, updated, deleted }: TableChanges): string =>
    [inserted && `+${inserted}`, updated && `~${updated}`, deleted && `-${deleted}`].filter(Boolean).join(" ");
  const changes = rows.map((row) => `${escapeForTerminal(row.table)} ${signs(row)}`);
  labelled("rows", span(changes.length === 0 ? "none changed" : changes.join(", ")));
  for (const { level, event, message, data } of logs) {
    const about =
      data === null || data === undefined ? [] : [span("  "), ...payloadSpans(data as Json, stdoutScreen())];
    const graver = event === "log" && level !== "info" ? [span(`${level} `, LEVEL_STYLES[level])] : [];
    labelled(event === "log" ? "logged" : "printed", ...graver, span(escapeForTerminal(message)), ...about);
  }
  if (scratch !== null) labelled("scratch", span(scratch));
}
