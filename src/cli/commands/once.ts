/** `nerve once`: one compute of one sense on a scratch copy of its data, to see what it does. */
import { join } from "node:path";
import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import type { Json } from "../../base/json.ts";
import { ok } from "../../base/result.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { readChanges, type TableChanges, watchChanges } from "../../scratch/changes.ts";
import { linkBlobs, ScratchFolder } from "../../scratch/folder.ts";
import { type ComputeEnd, type ScratchLog, ScratchWorker } from "../../scratch/sense.ts";
import { locateSenses } from "../../spawn/modules-on-disk.ts";
import { defineCommand, flag } from "../frame/command.ts";
import { EXIT, fail, type Outcome } from "../frame/outcome.ts";
import { unknownSense } from "../place/known-names.ts";
import { loadConfig } from "../place/place.ts";
import { authorFrames } from "../screen/author-frames.ts";
import { payloadSpans } from "../screen/payload.ts";
import { LEVEL_STYLES } from "../screen/rows.ts";
import { SECRETS } from "../screen/secrets.ts";
import { print, printLine, type Span, span, stdoutScreen } from "../screen/terminal.ts";
import { duration } from "../screen/times.ts";

interface Report {
  readonly sense: string;
  /** The user's folder, or null for a built-in. */
  readonly module: string | null;
  readonly end: ComputeEnd;
  readonly applied: readonly string[];
  readonly rows: readonly TableChanges[];
  readonly logs: readonly ScratchLog[];
  /** The scratch folder, when it is kept. */
  readonly scratch: string | null;
}

export const command = defineCommand({
  details:
    "The sense runs in a worker as the daemon would run it, on a copy of its database; its peers are the real ones. Nothing\nit writes is kept, no signal is emitted, and the daemon need not run. A compute that fails or passes its timeout\nends with exit code 1.",
  arguments: [{ name: "sense", required: true }],
  options: { keep: flag("keep the scratch folder, and print its path") },
  examples: [
    ["nerve once cpu-usage", "what it would emit now"],
    ["nerve once cpu-usage --json | jq .payload", "the payload alone"],
    ["nerve once cpu-usage --keep", "and look into its database afterwards"],
  ],
  async run({ arguments: [name = ""], options, config: given, json }) {
    const config = loadConfig(given);
    if (!config.ok) return config;
    const sense = config.value.senses.get(name);
    if (sense === undefined) return fail(EXIT.usage, unknownSense(config.value, name));
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
      const end = await worker.compute();
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

/** The payload is the author's own; what is said of a failure holds nothing that was filled into the config. */
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
  payload: end.kind === "signal" ? end.payload : null,
  duration_ms: end.durationMs,
  rows,
  migrations: applied,
  logs,
  error: "message" in end ? { kind: end.kind, message: end.message, stack: "stack" in end ? end.stack : null } : null,
  scratch,
});

const labelled = (label: string, ...rest: Span[]): void => printLine([span(label.padEnd(11), "dim"), ...rest]);

function tellPeople({ sense, end, applied, rows, logs, scratch }: Report): void {
  if (end.kind === "signal") print(safeJson(end.payload, 2));
  else if (end.kind === "no-signal") print(`${sense}: no signal`);
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
