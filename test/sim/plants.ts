/**
 * Faults planted in a copy of the kernel's source, one at a time: the simulator has to find each. `bun test/sim/plants.ts`
 * tries all, `--only NAME` one; `--seeds N` how many worlds each may take, `--from SEED` the first. `--texts` tries none, and
 * names those whose text the source has no longer: they are to follow whoever changes the kernel.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const ROOT = dirname(dirname(import.meta.dir));

interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Plant {
  readonly name: string;
  readonly edits: readonly Edit[];
}

const edit = (file: string, from: string, to: string): Edit => ({ file: `src/${file}`, from, to });

export const PLANTS: readonly Plant[] = [
  {
    name: "a throttle kept only in memory",
    edits: [edit("kernel/commits/draft.ts", "this.#store.senses.setStarted(sense.name, moment);", "")],
  },
  {
    name: "a settle before the commit",
    edits: [
      edit(
        "kernel/senses/computes.ts",
        "this.#ledger.add({ write, kept: () => settled(flown, landed) }, flown.flight.batch);",
        "this.#ledger.add({ write, kept: () => {} }, flown.flight.batch);\n    settled(flown, landed);",
      ),
    ],
  },
  {
    name: "a strike for a neighbour",
    edits: [
      edit(
        "kernel/workers/blame.ts",
        "strike: running.length === 1 ? (running[0] ?? null) : null",
        "strike: running.at(-1) ?? null",
      ),
    ],
  },
  {
    name: "a due time run twice after a step back",
    edits: [edit("kernel/time/ticker.ts", "} else if (step < -SET_BACK_MS) {", "} else if (step < 0) {")],
  },
  {
    name: "a queue that is not first in, first out",
    edits: [
      edit("kernel/runs/line.ts", "?? this.#older.shift();", "?? this.#second();"),
      edit(
        "kernel/runs/line.ts",
        "  enters(run: LiveRun): void {",
        "  #second(): LiveRun | null {\n    const line = this.#older;\n    const first = line.shift();\n    const second = line.shift();\n    if (first !== null && second !== null) line.add(first);\n    return second ?? first;\n  }\n\n  enters(run: LiveRun): void {",
      ),
    ],
  },
  {
    name: "an outbox row taken twice",
    edits: [
      edit("kernel/commits/draft.ts", "if (row <= (this.#taken.get(sense) ?? sense.outbox)) return false;", ""),
      edit("kernel/memory/sense.ts", "if (row <= this.#outbox) bug(", "if (row < 0) bug("),
    ],
  },
  {
    name: "an owed compute lost at a reload",
    edits: [edit("kernel/memory/sense.ts", "this.#owed = before.#owed;", "")],
  },
  {
    name: "a run resumed twice",
    edits: [
      edit(
        "kernel/runs/workflow.ts",
        "for (const run of this.#line.next(this.entrance.free)) this.#begin(run);",
        "for (const run of this.#line.next(this.entrance.free)) {\n      this.#begin(run);\n      if (run.reason === 'worker-died') this.#begin(run);\n    }",
      ),
      edit(
        "kernel/memory/run.ts",
        "if (!allowed.includes(phase)) throw",
        "if (!allowed.includes(phase) && phase !== this.#phase && phase !== 'handed') throw",
      ),
    ],
  },
  {
    name: "a deadline in wall time",
    edits: [edit("kernel/time/lifetime.ts", "if (Math.abs(step) > STEP_MS) this.#skewMs += Math.round(step);", "")],
  },
  {
    name: "an archive watermark before its file",
    edits: [
      edit(
        "store/archive-writer.ts",
        "export interface ArchiveWriter {",
        "export const later: (() => Promise<void>)[] = [];\n\nexport interface ArchiveWriter {",
      ),
      edit(
        "store/archive-writer.ts",
        "await files.renameAside(aside, path);",
        "later.push(() => files.renameAside(aside, path));",
      ),
      edit(
        "kernel/upkeep/archiver.ts",
        "import { strayOf }",
        'import { later } from "../../store/archive-writer.ts";\nimport { strayOf }',
      ),
      edit(
        "kernel/upkeep/archiver.ts",
        "await this.#parts.ledger.commit(() => store.archive.add(written));",
        "await this.#parts.ledger.commit(() => store.archive.add(written));\n      for (const rename of later.splice(0)) await rename();",
      ),
    ],
  },
  {
    name: "a person is reminded of an acknowledged incident",
    edits: [
      edit("rules/incident-deadlines.ts", "if (isAcked || openingReported === null", "if (openingReported === null"),
    ],
  },
  {
    name: "the end of an incident is not reported",
    edits: [edit("rules/incident-rule.ts", "of workflows.entries()) {", "of workflows.slice(1).entries()) {")],
  },
  {
    name: "an incident that was resolved by hand opens again while its key matches",
    edits: [edit("rules/incident-rule.ts", "    if (spent !== null) {", "    if (spent !== null && !is) {")],
  },
  {
    name: "quiet hours hold nothing back",
    edits: [edit("kernel/reflexes/suppressions.ts", "if (quiet !== null) {", "if (quiet !== null && quiet < 0) {")],
  },
  {
    name: "a silence is forgotten with the kernel",
    edits: [
      edit("kernel/reflexes/silences.ts", "for (const silence of parts.store.silences.all()) this.#hold(silence);", ""),
    ],
  },
  {
    name: "the due time of a run is not noted",
    edits: [edit("kernel/reflexes/timed-runs.ts", 'if (kind === "due") draft.reflex(clockRow(reflex, due));', "")],
  },
  {
    name: "the first of a batch leaves one of its group behind",
    edits: [
      edit(
        "kernel/runs/taking.ts",
        "...[...line.beside(first)].filter(isQueued)]",
        "...[...line.beside(first)].slice(1)]",
      ),
    ],
  },
  {
    name: "a batch waits for nobody",
    edits: [edit("kernel/runs/batches.ts", "(first.batch?.due ?? 0) - lifetime.now()", "0 * (first.batch?.due ?? 0)")],
  },
  {
    name: "a batch begins only after a crash",
    edits: [edit("kernel/runs/batches.ts", "    gathered(first);\n", "")],
  },
  {
    name: "the signals of one compute in another order",
    edits: [edit("kernel/senses/computes.ts", "of [first, ...more]) {", "of [...more, first]) {")],
  },
  {
    name: "a compute settles with its first signals",
    edits: [edit("kernel/senses/computes.ts", "const isLast = next >= arrivals.length;", "const isLast = from === 0;")],
  },
  {
    name: "a blob is removed to which a signal refers",
    edits: [
      edit(
        "kernel/upkeep/blob-sweep.ts",
        "(state.signal >= oldest.signal || state.log >= oldest.log)",
        "state.log >= oldest.log",
      ),
    ],
  },
  {
    name: "retention believes a clock that was just set",
    edits: [
      edit(
        "kernel/time/trusted-clock.ts",
        "return this.#clock.bootMs() - this.#agreedSinceBootMs >= this.#afterMs;",
        "return this.#clock.bootMs() - this.#agreedSinceBootMs >= 0 * this.#afterMs;",
      ),
    ],
  },
  {
    name: "the archive of a run that has not ended is removed",
    edits: [
      edit("kernel/upkeep/archiver.ts", "isNeeded = from !== null && from <= file.last_id;", "isNeeded = from === -1;"),
    ],
  },
  {
    name: "runs of a removed workflow are not cancelled",
    edits: [edit("kernel/runs/workflows.ts", "for (const run of runs) void workflow.cancel(run, REMOVED);", "")],
  },
  {
    name: "a removed sense is still owed",
    edits: [
      edit(
        "kernel/senses/seating.ts",
        "filter(({ sense, owed }) => owed && !byName.has(sense))",
        "filter(() => false)",
      ),
    ],
  },
  {
    name: "a look shows a disabled sense as well",
    edits: [edit("kernel/memory/sense.ts", 'if (!this.#isEnabled) return "disabled";', "")],
  },
  {
    name: "an item is handed over again that was taken when the worker died",
    edits: [
      edit(
        "kernel/inbox/takings.ts",
        "const taken = found.flatMap(",
        "const taken = found.slice(found.length).flatMap(",
      ),
    ],
  },
  {
    name: "items are taken in another order",
    edits: [edit("store/inbox.ts", "ORDER BY id LIMIT ?`);", "ORDER BY id DESC LIMIT ?`);")],
  },
  {
    name: "a change is forgotten while its sense cannot compute",
    edits: [
      edit(
        "kernel/watches.ts",
        "    if (!canCompute(reflex) || now",
        "    this.#changed.delete(name);\n    if (!canCompute(reflex) || now",
      ),
    ],
  },
  {
    name: "two changes within a second wake a sense twice",
    edits: [edit("kernel/watches.ts", "? REST_MS : 0);", "? 0 : 0);")],
  },
  {
    name: "a disabled watch rings",
    edits: [
      edit("kernel/watches.ts", "if (reflex === undefined || !reflex.enabled) {", "if (reflex === undefined) {"),
      edit(
        "kernel/reflexes/clocks.ts",
        "if (!reflex.enabled || reflex.sense === null) return;",
        "if (reflex.sense === null) return;",
      ),
    ],
  },
  {
    name: "nothing finds a change that nobody reported",
    edits: [edit("kernel/watches.ts", ">= NET_MS;", ">= 60 * NET_MS;")],
  },
  {
    name: "what was taken before logs.db was put back counts",
    edits: [
      edit(
        "kernel/senses/deliveries.ts",
        'Math.min(Math.max(0, ...earlier), meta.count("epoch_from") ?? 0)',
        "Math.max(0, ...taken.map(({ upTo }) => upTo))",
      ),
    ],
  },
  {
    name: "what was taken two epochs ago counts",
    edits: [edit("store/epochs.ts", "Math.min(upTo, ...since.map(({ from }) => from))", "since.length < 0 ? 0 : upTo")],
  },
  {
    name: "signals of the time in which a reflex was disabled are delivered",
    edits: [
      edit(
        "kernel/senses/deliveries.ts",
        "const isOutside = bounds.gaps.some(",
        "const isOutside = bounds.gaps.slice(1).some(",
      ),
    ],
  },
  {
    name: "a compute that fails has had its signals",
    edits: [
      edit("kernel/senses/deliveries.ts", "if (signals.length === 0) line.cursor = upTo;", "line.cursor = upTo;"),
    ],
  },
  {
    name: "what is stale is said anew by each kernel",
    edits: [edit("kernel/expectations.ts", "{ since, stale: isStale }", "{ since, stale: isStale && false }")],
  },
  {
    name: "a sense is stale though something has come",
    edits: [edit("kernel/expectations.ts", "if (seen === expected.seen && isOff", "if (isOff")],
  },
  {
    name: "a sense is stale as soon as a kernel starts",
    edits: [edit("kernel/expectations.ts", "now - lifetime.began.elapsedMs < graceMs", "graceMs < 0")],
  },
  {
    name: "a disabled sense grows stale",
    edits: [edit("kernel/expectations.ts", "if (expected.isOff || expected.isStale", "if (expected.isStale")],
  },
  {
    name: "what came just before a crash is not found",
    edits: [
      edit(
        "kernel/expectations.ts",
        "const came = this.#cameAfterNote(expected);",
        "const came = null as number | null;",
      ),
    ],
  },
  {
    name: "a signal of another host stored twice",
    edits: [
      edit(
        "kernel/fleet/arrivals.ts",
        "arrived.signals.filter(({ signal }) => signal.origin_id > news.above)",
        "arrived.signals.filter(() => true)",
      ),
    ],
  },
  {
    name: "what a host makes is passed over when its ids begin anew",
    edits: [
      edit(
        "kernel/fleet/origins.ts",
        'const above = epoch === "anew" ? Math.min(before, frame.from) : before;',
        "const above = before;",
      ),
    ],
  },
  {
    name: "an epoch that comes again is taken for another one",
    edits: [
      edit(
        "kernel/fleet/origins.ts",
        "const formerUpto = former.get(frame.epoch) ?? null;",
        "const formerUpto = null;",
      ),
    ],
  },
  {
    name: "a host is silent while nobody could hear it",
    edits: [
      edit(
        "kernel/fleet/fleet.ts",
        "const isHearing = (): boolean => this.#isHearing();",
        "const isHearing = (): boolean => this.#isHearing() || true;",
      ),
    ],
  },
  {
    name: "no reflex decides on signals of other hosts",
    edits: [
      edit(
        "kernel/fleet/remote-signals.ts",
        "if (heard !== null) this.#reflexes.decide(",
        "if (heard === undefined) this.#reflexes.decide(",
      ),
    ],
  },
  {
    name: "a cursor of OTLP before the answer",
    edits: [
      edit(
        "otlp/course.ts",
        "await send(parcel.body);",
        "await (this.#host.step({ upto: parcel.upto, sent: parcel.items, refused: 0, lost: parcel.lost, why: null }), send(parcel.body));",
      ),
    ],
  },
  {
    name: "what a receiver of OTLP refuses is not counted",
    edits: [edit("kernel/otlp/otlp.ts", "refused: before.refused + refused,", "refused: before.refused,")],
  },
];

/** Copies what the simulator is made of. */
export function copyOf(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of [
    "src",
    "senses",
    "migrations",
    "test/sim",
    "test/helpers",
    "test/rules",
    "package.json",
    "tsconfig.json",
    "bunfig.toml",
  ]) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
}

export function plantIn(folder: string, { edits }: Plant): void {
  for (const { file, from, to } of edits) {
    const path = join(folder, file);
    const text = readFileSync(path, "utf8");
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
  }
}

/** The texts of a planted fault that the source does not have. */
const missingIn = (root: string, { edits }: Plant): string[] =>
  edits.flatMap(({ file, from }) => (readFileSync(join(root, file), "utf8").includes(from) ? [] : `${file}: ${from}`));

function textsMissing(): number {
  const missing = PLANTS.flatMap((plant) => missingIn(ROOT, plant).map((text) => `${plant.name}: ${text}`));
  for (const line of missing) console.log(line);
  return missing.length;
}

async function main(): Promise<number> {
  const given = (flag: string, usual: string): string => {
    const at = process.argv.indexOf(`--${flag}`);
    return at < 0 ? usual : (process.argv[at + 1] ?? usual);
  };
  const only = given("only", "");
  if (process.argv.includes("--texts")) return textsMissing();
  const folder = join(tmpdir(), `nerve-plants-${process.pid}`);
  let missed = 0;
  for (const plant of PLANTS.filter(({ name }) => name.includes(only))) {
    copyOf(folder);
    const missing = missingIn(folder, plant);
    if (missing.length > 0) {
      missed++;
      console.log(`${plant.name}: NOT PLANTED, the source has no longer ${JSON.stringify(missing)}`);
      continue;
    }
    plantIn(folder, plant);
    const args = [
      "--seeds",
      given("seeds", "200"),
      "--from",
      given("from", "1"),
      "--hours",
      given("hours", "24"),
      "--first",
      "--quick",
    ];
    const ran = Bun.spawnSync([process.execPath, "test/sim/main.ts", ...args], { cwd: folder, stderr: "inherit" });
    const told = ran.stdout.toString();
    const seconds = (Number(ran.resourceUsage.cpuTime.total) / 1e6).toFixed(1);
    const found = /^seed (\d+): (.*)$/m.exec(told);
    if (found === null) missed++;
    console.log(
      found === null
        ? `${plant.name}: NOT FOUND\n${told}`
        : `${plant.name}: seed ${found[1]} after ${seconds} s of CPU: ${found[2]}`,
    );
  }
  rmSync(folder, { recursive: true, force: true });
  return missed;
}

if (import.meta.main) process.exitCode = (await main()) === 0 ? 0 : 1;
