/** `nerve check`: everything that could be wrong before it is: the config, and each sense loaded and migrated in a worker. */
import { availableParallelism } from "node:os";
import { counted } from "../../base/counted.ts";
import { formatDuration } from "../../base/duration.ts";
import { escapeForTerminal } from "../../base/escape.ts";
import { ok, type Result } from "../../base/result.ts";
import { locateSenses } from "../../kernel/modules-on-disk.ts";
import type { NerveConfig, ReflexConfig, SenseConfig } from "../../model/config.ts";
import type { Problem } from "../../model/problem.ts";
import { defineCommand } from "../command.ts";
import { EXIT, fail, type Outcome } from "../outcome.ts";
import { loadConfig } from "../place.ts";
import { ScratchFolder } from "../scratch-folder.ts";
import { ScratchWorker } from "../scratch-worker.ts";
import { type Column, renderTable } from "../table.ts";
import { print, renderLine, span, stdoutScreen } from "../terminal.ts";

interface Checked {
  readonly sense: SenseConfig;
  /** Folder of the module, or null for a built-in one. */
  readonly module: string | null;
  /** Migrations that were applied to the copy, or what is wrong. */
  readonly result: Result<readonly string[], Problem>;
}

export const command = defineCommand({
  summary: "validate the config, load every sense and rehearse its pending migrations: every problem at once",
  details:
    "Each sense is loaded in a worker of its own, its database copied into a scratch folder first; nothing of yours is\nchanged, and the daemon need not run. Exit code 78: the config is bad; 1: it is fine, and a sense does not load.",
  arguments: [],
  options: {},
  examples: [
    ["nerve check", "before a reload"],
    ["nerve check -c /etc/nerve/nerve.yaml --json", "in a pipeline"],
  ],
  async run({ config: given, json }) {
    const loaded = loadConfig(given);
    if (!loaded.ok) return loaded;
    const config = loaded.value;
    const folder = new ScratchFolder("check");
    try {
      const checked = await checkSenses(config, folder);
      return tell(config, checked, json);
    } finally {
      folder.remove();
    }
  },
});

async function checkSenses(config: NerveConfig, folder: ScratchFolder): Promise<Checked[]> {
  const locations = locateSenses(config);
  const waiting = [...config.senses.values()].entries();
  const checked: Checked[] = [];
  const work = async (): Promise<void> => {
    for (const [index, sense] of waiting) {
      const location = locations.get(sense.name);
      if (location === undefined) throw new Error(`sense ${sense.name} was not looked for`);
      const module = location.ok ? location.value.folder : null;
      checked[index] = {
        sense,
        module,
        result: location.ok ? await checkSense(config, sense, module, folder) : location,
      };
    }
  };
  // Most of a worker's start is its own time; a module that hangs must not hold up the others.
  await Promise.all(Array.from({ length: Math.max(4, availableParallelism()) }, work));
  return checked;
}

async function checkSense(
  config: NerveConfig,
  sense: SenseConfig,
  module: string | null,
  folder: ScratchFolder,
): Promise<Result<readonly string[], Problem>> {
  const started = ScratchWorker.start(folder, { config, sense, module, blobs: folder.folder("blobs") });
  if (!started.ok) return started;
  const worker = started.value;
  const ready = await worker.ready;
  worker.kill();
  return ready;
}

/** Each problem says which sense it is about. */
const named = ({ sense }: Checked, found: Problem): Problem =>
  found.message.includes(sense.name) ? found : { ...found, message: `sense \`${sense.name}\`: ${found.message}` };

function tell(config: NerveConfig, checked: readonly Checked[], json: boolean): Outcome {
  const problems = checked.flatMap((one) => (one.result.ok ? [] : [named(one, one.result.error)]));
  if (json) print(JSON.stringify(asJson(config, checked)));
  else if (problems.length === 0) tellPeople(config, checked);
  return problems.length === 0 ? ok(EXIT.done) : fail(EXIT.finding, ...problems);
}

const pending = ({ result }: Checked): readonly string[] => (result.ok ? result.value : []);

const asJson = (config: NerveConfig, checked: readonly Checked[]) => ({
  ok: checked.every(({ result }) => result.ok),
  file: config.file,
  data: config.data,
  groups: [...config.groups.keys()],
  senses: checked.map((one) => ({
    name: one.sense.name,
    group: one.sense.group,
    use: one.sense.use,
    module: one.module,
    ok: one.result.ok,
    pending: pending(one),
  })),
  reflexes: config.reflexes.map((reflex) => ({ name: reflex.name, target: target(reflex), trigger: trigger(reflex) })),
});

const target = (reflex: ReflexConfig): string =>
  reflex.kind === "sense" ? `sense:${reflex.sense}` : `workflow:${reflex.workflow}`;

function trigger(reflex: ReflexConfig): string {
  const ways = reflex.on.length === 0 ? [] : [`on ${reflex.on.join(", ")}`];
  if (reflex.kind === "sense") {
    if (reflex.onStart === true) ways.unshift("at start");
    if (reflex.cron !== null) ways.unshift(`cron ${reflex.cron}`);
    if (reflex.intervalMs !== null) ways.unshift(`every ${formatDuration(reflex.intervalMs)}`);
  }
  return ways.join(", ");
}

const left = <Row>(title: string, rank: number, of: (row: Row) => string): Column<Row> => ({
  title,
  align: "left",
  rank,
  cell: (row) => span(escapeForTerminal(of(row))),
});

function tellPeople(config: NerveConfig, checked: readonly Checked[]): void {
  const screen = stdoutScreen();
  const groups = new Set(checked.map(({ sense }) => sense.group));
  const counts = [
    counted(checked.length, "sense"),
    counted(groups.size, "group"),
    counted(config.reflexes.length, "reflex", "reflexes"),
  ].join(", ");
  print(
    renderLine([span("ok", "green"), span(`  ${escapeForTerminal(config.file)}: ${counts}`)], {
      ...screen,
      width: null,
    }),
  );
  const senses = renderTable<Checked>(
    [
      left("SENSE", 0, ({ sense }) => sense.name),
      left("GROUP", 1, ({ sense }) => sense.group),
      left("MODULE", 3, ({ sense, module }) => module ?? `built in: ${sense.use}`),
      left("PENDING MIGRATIONS", 2, (one) => pending(one).join(", ") || "–"),
    ],
    checked,
    screen,
  );
  const reflexes = renderTable<ReflexConfig>(
    [left("REFLEX", 0, ({ name }) => name), left("TARGET", 1, target), left("WHEN", 0, trigger)],
    config.reflexes,
    screen,
  );
  if (checked.length > 0) print(["", ...senses].join("\n"));
  if (config.reflexes.length > 0) print(["", ...reflexes].join("\n"));
}
