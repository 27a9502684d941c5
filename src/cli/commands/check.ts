/**
 * Owns `nerve check`: it finds everything that could go wrong later. It reads the config, loads each module and migrates each
 * sense, in a worker.
 */

import { dirname } from "node:path";
import { counted } from "../../base/counted.ts";
import { formatDuration } from "../../base/duration.ts";
import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import { DEFAULT_CONCURRENCY } from "../../config/defaults.ts";
import { loadAsFarAsReadable, loadWithStandIns } from "../../config/load.ts";
import { watchWords } from "../../config/watches.ts";
import { type NerveConfig, type ReflexConfig, targetOf, type WorkflowConfig } from "../../model/config.ts";
import type { Problem } from "../../model/problem.ts";
import { channelProblems } from "../../scratch/channels.ts";
import { expectationsOf, unsatisfied } from "../../scratch/expectations.ts";
import { ScratchFolder } from "../../scratch/folder.ts";
import {
  type Checked,
  type CheckedSense,
  type CheckedWorkflow,
  checkSenses,
  checkWorkflows,
  problemsOf,
} from "../../scratch/modules.ts";
import { rehearseStore } from "../../scratch/store.ts";
import { fleetProblems } from "../fleet/files.ts";
import { defineCommand, flag, text } from "../frame/command.ts";
import { EXIT, fail, usageError } from "../frame/outcome.ts";
import { staleness } from "../kit/nerve-folder.ts";
import { checkTypes, lacksTypes } from "../kit/types.ts";
import { configFile, explainAbsence } from "../place/place.ts";
import { printWarnings, remark, warn } from "../screen/failure.ts";
import { SECRETS } from "../screen/secrets.ts";
import { type Column, renderTable } from "../screen/table.ts";
import { print, renderLine, span, stdoutScreen } from "../screen/terminal.ts";
import { absences, exists } from "../unit/absent.ts";
import { askedIn } from "../unit/asked.ts";
import { type HostFindings, lookAtHost } from "../unit/host.ts";
import { placesOf } from "../unit/places.ts";

export const command = defineCommand({
  details:
    "Each is loaded in a worker of its own, a sense's database copied into a scratch folder first; nothing of yours is\nchanged, and the daemon need not run. A `when` or `clear` is held against the `payload` its senses export. Where\n`nerve init` has put `.nerve/` beside the config, their types are checked too. Exit code 78: the config is bad (what\ncan be read of it is looked at all the same); 1: it is fine, and something does not load or can never match. With\n--host it also says what this machine or the installed unit lacks for the config, each with the remedy (exit code 1);\nvariables and credentials that only the daemon gets need not be there then.",
  arguments: [{ name: "config", required: false }],
  options: {
    "no-types": flag("leave out the types of your senses and workflows"),
    host: flag("and what this machine or the installed unit lacks for this config"),
    unit: text("NAME", "with --host: the installed unit, or its file (default nerve)"),
  },
  examples: [
    ["nerve check", "before a reload"],
    ["nerve check --host", "whether every sense and workflow can work under the installed unit"],
    ["nerve check -c /etc/nerve/nerve.yaml --json", "in a pipeline"],
  ],
  async run({ arguments: [named], options, config: option, json }) {
    if (named !== undefined && option !== null) return usageError("two configs are named", "give one of them");
    const given = named ?? option;
    if (options.unit !== null && !options.host) return usageError("`--unit` has no meaning without `--host`");
    const { read, missing } = options.host
      ? loadWithStandIns(configFile(given), process.env, true)
      : { read: loadAsFarAsReadable(configFile(given), process.env), missing: [] };
    const { config, problems, parts } = read;
    const found = explainAbsence(problems, given);
    if (config !== null) SECRETS.learn(config.secrets);
    if (config === null) return fail(EXIT.badConfig, ...found);
    const stale = options["no-types"] ? null : staleness(dirname(config.file));
    const warnings = stale === null ? read.warnings : [...read.warnings, stale];
    const folder = new ScratchFolder("check");
    try {
      const expectations = expectationsOf(config, parts);
      // The checker is a process of its own, and runs at the same time as the workers.
      const types = options["no-types"] ? [] : checkTypes(config.file, folder.folder("types"));
      const senses = await checkSenses(folder, config, expectations);
      const workflows = await checkWorkflows(folder, config, config.workflows.values());
      const payloads = new Map(
        senses.map(({ config: { name }, result }) => [name, result.ok ? result.value.patterns : []]),
      );
      const store = rehearseStore(folder, config.data);
      const asked = askedIn(config, missing);
      const host = options.host ? lookAtHost(asked, parts, placesOf(config), options.unit ?? "nerve") : null;
      const warned = host === null ? [...warnings, ...absences(asked, parts)] : warnings;
      const others = [
        ...problemsOf("sense", senses, parts),
        ...problemsOf("workflow", workflows, parts),
        ...channelProblems(config, parts),
        ...(await fleetProblems(config, exists)),
        ...(store.ok ? [] : [store.error]),
        ...unsatisfied(expectations, payloads),
        ...(host?.lacks ?? []),
        ...(await types),
      ];
      if (!json) printWarnings(warned);
      if (!(json || options["no-types"]) && lacksTypes(config.file)) {
        remark("types are not checked: `nerve init` puts what that needs beside the config");
      }
      for (const note of host?.notes ?? []) warn(note, json);
      if (found.length > 0) return fail(EXIT.badConfig, ...found, ...others);
      const owed = store.ok ? store.value : [];
      if (json) print(safeJson(asJson(config, senses, workflows, owed, warned, host, others.length === 0)));
      else if (others.length === 0) tellPeople(config, senses, workflows, owed);
      return others.length === 0 ? ok(EXIT.done) : fail(EXIT.finding, ...others);
    } finally {
      folder.remove();
    }
  },
});

/** The migrations that the check applied to the copy. */
const pending = ({ result }: CheckedSense): readonly string[] => (result.ok ? result.value.applied : []);

const asJson = (
  config: NerveConfig,
  senses: readonly CheckedSense[],
  workflows: readonly CheckedWorkflow[],
  store: readonly string[],
  warnings: readonly Problem[],
  host: HostFindings | null,
  isOk: boolean,
) => ({
  ok: isOk,
  file: config.file,
  data: config.data,
  store: { pending: store },
  groups: [...config.groups.keys()],
  senses: senses.map((one) => ({
    name: one.config.name,
    group: one.config.group,
    use: one.config.use,
    module: one.module,
    ok: one.result.ok,
    pending: pending(one),
  })),
  workflows: workflows.map(({ config: { name, use }, module, result }) => ({ name, use, module, ok: result.ok })),
  reflexes: config.reflexes.map((reflex) => ({
    name: reflex.name,
    target: target(reflex),
    trigger: trigger(reflex),
  })),
  warnings: SECRETS.json(warnings),
  host: SECRETS.json(host),
});

const target = (reflex: ReflexConfig): string => `${reflex.kind}:${targetOf(reflex)}`;

function trigger(reflex: ReflexConfig): string {
  const delivered = reflex.kind === "sense" && reflex.deliver === true ? ", delivered" : "";
  const ways = reflex.on.length === 0 ? [] : [`on ${reflex.on.join(", ")}${delivered}`];
  if (reflex.kind === "sense") ways.unshift(...watchWords(reflex.watch));
  if (reflex.onStart === true) ways.unshift("at start");
  if (reflex.cron !== null) ways.unshift(`cron ${reflex.cron}`);
  if (reflex.intervalMs !== null) ways.unshift(`every ${formatDuration(reflex.intervalMs)}`);
  return ways.join(", ");
}

const left = <Row>(title: string, rank: number, of: (row: Row) => string): Column<Row> => ({
  title,
  align: "left",
  rank,
  cell: (row) => span(escapeForTerminal(of(row))),
});

const moduleOf = ({ config, module }: Checked<{ readonly use: string }, unknown>): string =>
  module ?? `built in: ${config.use}`;

const limitsOf = ({ concurrency, overflow }: WorkflowConfig): string =>
  `${concurrency ?? DEFAULT_CONCURRENCY} at once, then ${overflow}`;

function tellPeople(
  config: NerveConfig,
  senses: readonly CheckedSense[],
  workflows: readonly CheckedWorkflow[],
  store: readonly string[],
): void {
  const screen = stdoutScreen();
  const groups = new Set(senses.map(({ config: { group } }) => group));
  const counts = [
    counted(senses.length, "sense"),
    counted(groups.size, "group"),
    counted(config.reflexes.length, "reflex", "reflexes"),
    ...(workflows.length === 0 ? [] : [counted(workflows.length, "workflow")]),
  ].join(", ");
  print(
    renderLine([span("ok", "green"), span(`  ${escapeForTerminal(config.file)}: ${counts}`)], {
      ...screen,
      width: null,
    }),
  );
  if (store.length > 0) print(`\nthe next start applies to logs.db: ${store.join(", ")}`);
  const table = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void => {
    if (rows.length > 0) print(["", ...renderTable(columns, rows, screen)].join("\n"));
  };
  table<CheckedSense>(
    [
      left("SENSE", 0, ({ config: { name } }) => name),
      left("GROUP", 1, ({ config: { group } }) => group),
      left("MODULE", 3, moduleOf),
      left("PENDING MIGRATIONS", 2, (one) => pending(one).join(", ") || "–"),
    ],
    senses,
  );
  table<ReflexConfig>(
    [left("REFLEX", 0, ({ name }) => name), left("TARGET", 1, target), left("TRIGGER", 0, trigger)],
    config.reflexes,
  );
  table<CheckedWorkflow>(
    [
      left("WORKFLOW", 0, ({ config: { name } }) => name),
      left("MODULE", 2, moduleOf),
      left("RUNS", 1, (one) => limitsOf(one.config)),
    ],
    workflows,
  );
}
