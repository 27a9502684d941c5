/**
 * What the readers of a data directory answer, and whether an answer may follow from one damage: no crash, no rows left
 * out in silence, no id given twice, no change by `rebuild` that the logs do not say.
 */
import { Database } from "bun:sqlite";
import { lstatSync } from "node:fs";
import { join } from "node:path";
import type { Problem } from "../../src/model/problem.ts";
import { ArchiveDamaged, damagedByGap } from "../../src/store/archive-damage.ts";
import { StoreDamaged } from "../../src/store/damage.ts";
import { ALL_LOGS } from "../../src/store/logs.ts";
import { openStore } from "../../src/store/open.ts";
import { openStoreReader, type StoreReader } from "../../src/store/open-reader.ts";
import { checkStore, rebuildStore } from "../../src/store/rebuild-store.ts";
import { logsOfRun } from "../../src/store/run-logs.ts";
import { ALL_RUNS } from "../../src/store/runs.ts";
import { ALL_SIGNALS } from "../../src/store/signals.ts";
import { storeProblem } from "../../src/store/tables.ts";
import { verifyArchive } from "../../src/store/verify-archive.ts";
import type { Damage } from "./damage.ts";

/** `told`: the damage was named. `answer`: what was asked for. `crash`: neither. */
export type Answer =
  | { readonly kind: "told"; readonly problem: Problem }
  | { readonly kind: "answer"; readonly ids: readonly number[] }
  | { readonly kind: "crash"; readonly error: string };

export interface Answers {
  readonly byVerb: ReadonlyMap<string, Answer>;
  /** Rows of `workflow_runs` before and after a rebuild; null: they could not be read. */
  readonly runsBefore: string | null;
  readonly runsAfter: string | null;
  readonly ms: number;
}

type Verb = (
  store: StoreReader,
  data: string,
) => readonly { readonly id: number }[] | Promise<readonly { readonly id: number }[]>;

const numbered = (count: number): { id: number }[] => Array.from({ length: count }, (_, index) => ({ id: index + 1 }));

const VERBS: Readonly<Record<string, Verb>> = {
  signals: ({ signals }) => signals.list(ALL_SIGNALS),
  "signals newest": ({ signals }) => signals.list({ ...ALL_SIGNALS, newest: true, limit: 100 }),
  "signals of a sense": ({ signals }) => signals.list({ ...ALL_SIGNALS, senses: ["counter"] }),
  logs: ({ history }) => history.page(ALL_LOGS),
  "logs newest": ({ history }) => history.page({ ...ALL_LOGS, newest: true, limit: 200 }),
  "logs of a level": ({ history }) => history.page({ ...ALL_LOGS, level: "warn" }),
  "logs scanned": ({ history }) => [...history.scan(0)],
  runs: ({ runs }) => runs.list(ALL_RUNS),
  "logs of runs": ({ runs, history }) => runs.list(ALL_RUNS).flatMap((run) => logsOfRun(history, run)),
  "runs that live": ({ runs }) => runs.active(),
  silences: ({ silences }) => numbered(silences.all().length),
  switches: ({ switches }) => numbered(switches.disabled().length),
  reflexes: ({ loadedReflexes, reflexes }) => numbered(loadedReflexes.all().length + reflexes.all().length),
  "archive ls": ({ archive }, data) => {
    const [gap] = archive.gaps();
    if (gap !== undefined) throw damagedByGap(join(data, "archive"), gap);
    return archive.all().map(({ first_id }) => ({ id: first_id }));
  },
};

async function answer(act: () => Promise<readonly number[]> | readonly number[], file: string): Promise<Answer> {
  try {
    return { kind: "answer", ids: await act() };
  } catch (error) {
    return caught(error, file);
  }
}

function caught(error: unknown, file: string): Answer {
  if (error instanceof ArchiveDamaged || error instanceof StoreDamaged) return { kind: "told", problem: error.problem };
  const found = storeProblem(file, error);
  return found === null
    ? { kind: "crash", error: (error as Error).stack ?? String(error) }
    : { kind: "told", problem: found };
}

function runsIn(data: string): string | null {
  const file = join(data, "logs.db");
  // A named pipe would be waited for.
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) return null;
  try {
    const db = new Database(file, { readonly: true });
    try {
      return JSON.stringify(db.query("SELECT * FROM workflow_runs ORDER BY id").all());
    } finally {
      db.close(true);
    }
  } catch {
    return null;
  }
}

/** Highest ids that a start would go on above. */
function startOn(data: string): readonly number[] {
  const store = openStore(data, "full", "boot", Date.now());
  if (!store.ok) throw Object.assign(new Error(store.error.message), { problem: store.error });
  try {
    const { signals, logs, runs, senses, reflexes } = store.value;
    senses.all();
    reflexes.all();
    return [signals.lastId(), logs.lastId(), runs.lastId()];
  } finally {
    store.value.close();
  }
}

const toldOr = (found: Answer, error: unknown): Answer => {
  const { problem } = error as { problem?: Problem };
  return problem === undefined ? found : { kind: "told", problem };
};

/** Everything the readers say of `data`. */
export async function answersOf(data: string): Promise<Answers> {
  const startedAt = performance.now();
  const file = join(data, "logs.db");
  const byVerb = new Map<string, Answer>();
  // A damaged row is named, and the others are shown: `allowance` holds how many may be missing.
  const named: Problem[] = [];
  const reader = openStoreReader(data, ({ problem }) => void named.push(problem));
  for (const [name, verb] of Object.entries(VERBS)) {
    const told: Answer | null = reader.ok ? null : { kind: "told", problem: reader.error };
    named.length = 0;
    const given =
      told ??
      (await answer(
        async () => (await verb((reader as { value: StoreReader }).value, data)).map(({ id }) => id),
        file,
      ));
    const [problem] = named;
    // With the row of a run its logs are out of reach.
    byVerb.set(name, name === "logs of runs" && problem !== undefined ? { kind: "told", problem } : given);
  }
  if (reader.ok) {
    byVerb.set(
      "archive verify",
      await answer(async () => ((await verifyArchive(reader.value, data)).problems.length === 0 ? [1] : []), file),
    );
    reader.value.close();
  }
  byVerb.set("rebuild --check", await answer(() => resultIds(checkStore(data)), file));
  const runsBefore = runsIn(data);
  byVerb.set("rebuild", await answer(() => resultIds(rebuildStore(data, "full", Date.now())), file));
  const runsAfter = runsIn(data);
  try {
    byVerb.set("start", { kind: "answer", ids: startOn(data) });
  } catch (error) {
    byVerb.set("start", toldOr(caught(error, file), error));
  }
  return { byVerb, runsBefore, runsAfter, ms: performance.now() - startedAt };
}

function resultIds(result: ReturnType<typeof checkStore>): readonly number[] {
  if (!result.ok) throw Object.assign(new StoreDamaged("", result.error.message, ""), { problem: result.error });
  return [result.value.runs];
}

// ── judging ────────────────────────────────────────────────────────────

/** Verbs whose ids are counts or sums: another number is no row left out. */
const NOT_ROWS: ReadonlySet<string> = new Set(["archive verify", "rebuild --check", "rebuild", "start"]);

const TABLES: Readonly<Record<string, readonly string[]>> = {
  signals: ["signals", "signals newest", "signals of a sense"],
  logs: ["logs", "logs newest", "logs of a level", "logs scanned", "logs of runs"],
  workflow_runs: ["runs", "runs that live", "logs of runs"],
  silences: ["silences"],
  switches: ["switches"],
  reflexes: ["reflexes"],
  reflex_state: ["reflexes"],
};

/** How many rows of a verb's answer the damage itself may have taken or made another. */
function allowance(verb: string, { kind, table, what, file }: Damage): number {
  if (kind === "byte" && file === "logs.db") return 1 + Math.floor(Number(/(\d+) bytes/.exec(what)?.[1] ?? 1) / 40);
  const isOurs = table !== null && TABLES[table]?.includes(verb) === true;
  if (!isOurs) return 0;
  if (kind === "table") return what.includes("DELETE FROM") ? Number.POSITIVE_INFINITY : 0;
  // All logs of the run whose row is gone or another.
  return verb === "logs of runs" ? Number.POSITIVE_INFINITY : 1;
}

function violationOf(verb: string, is: Answer, was: Answer | undefined, damage: Damage): string | null {
  if (is.kind === "crash") return `${verb} crashed: ${is.error}`;
  if (is.kind === "told" || was?.kind !== "answer") return null;
  // What the archive does not prove is lost with logs.db.
  if (verb === "start" && /^logs\.db: (gone|empty)$/.test(damage.what)) return null;
  if (verb === "start") {
    const lower = is.ids.findIndex((id, index) => id < (was.ids[index] ?? 0));
    return lower < 0 ? null : `a start gives ids again: ${is.ids} after ${was.ids}`;
  }
  if (NOT_ROWS.has(verb)) return null;
  const there = new Set(is.ids);
  const missing = was.ids.filter((id) => !there.has(id));
  if (missing.length <= allowance(verb, damage)) return null;
  return `${verb} leaves out ${missing.length} rows without a word: ${missing.slice(0, 5)} …`;
}

/** A row that a damaged log leads to is what the logs say. */
const followsLogs = ({ table, kind, file, what }: Damage): boolean =>
  (kind === "byte" && file === "logs.db") ||
  (table === "logs" && (kind === "number" || kind === "type")) ||
  (table === "logs" && what.includes("DELETE FROM logs WHERE"));

function rebuildViolation(is: Answers, was: Answers, damage: Damage): string | null {
  if (is.runsBefore === null || is.runsBefore === is.runsAfter || is.runsAfter === was.runsAfter) return null;
  const before = JSON.parse(is.runsBefore) as { id: number }[];
  const after = JSON.parse(is.runsAfter ?? "[]") as { id: number }[];
  if (after.length < before.length && damage.table !== "workflow_runs" && damage.kind !== "byte")
    return `rebuild removed ${before.length - after.length} runs`;
  const changed = before.filter(
    (row) =>
      !Bun.deepEquals(
        row,
        after.find(({ id }) => id === row.id),
      ),
  );
  if (changed.length <= 1 && followsLogs(damage)) return null;
  return `rebuild changed runs ${changed.map(({ id }) => id).slice(0, 5)}`;
}

/** What is wrong with the answers after one damage; nothing when all is well. */
export function violations(is: Answers, was: Answers, damage: Damage): string[] {
  const found: string[] = [];
  for (const [verb, given] of is.byVerb) {
    const violation = violationOf(verb, given, was.byVerb.get(verb), damage);
    if (violation !== null) found.push(violation);
  }
  const rebuilt = rebuildViolation(is, was, damage);
  if (rebuilt !== null) found.push(rebuilt);
  if (is.ms > 10_000) found.push(`took ${Math.round(is.ms)} ms`);
  return found;
}
