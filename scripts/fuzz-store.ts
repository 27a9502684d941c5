/**
 * Damages a recorded data directory in one place at a time, and asks every reader: `bun scripts/fuzz-store.ts [--count N]
 * [--from SEED] [--nerve FILE] [--keep FOLDER] [--executable]`. With `--executable` the verbs of the command line and a
 * start of the daemon are asked instead of the readers. Ends with 1 when anything crashed, hung, left rows out in silence
 * or was changed by `rebuild`.
 */
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { damage } from "./fuzz/damage.ts";
import { executableAnswers, executableViolations } from "./fuzz/executable.ts";
import { answersOf, violations } from "./fuzz/judge.ts";
import { record } from "./fuzz/record.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    nerve: { type: "string", default: "./nerve" },
    keep: { type: "string" },
    executable: { type: "boolean", default: false },
  },
});

const folder = values.keep ?? mkdtempSync(join(tmpdir(), "nerve-fuzz-"));
const recorded = join(folder, "recorded");
if (!existsSync(recorded)) await record([values.nerve], recorded);

/** A copy of what was recorded, for one damage. */
function copy(name: string): string {
  const work = join(folder, name);
  rmSync(work, { recursive: true, force: true });
  cpSync(recorded, work, { recursive: true, verbatimSymlinks: true });
  return work;
}

/** One line of statistics. */
interface Count {
  cases: number;
  told: number;
  found: number;
}

let done = 0;
const counts = new Map<string, Count>();
function countOf(kind: string): Count {
  const count = counts.get(kind) ?? { cases: 0, told: 0, found: 0 };
  counts.set(kind, count);
  return count;
}

async function throughReaders(): Promise<void> {
  const name = `work-${process.pid}`;
  const was = await answersOf(join(copy(name), "data"));
  for (const [verb, answer] of was.byVerb)
    if (answer.kind !== "answer") throw new Error(`${verb} of what is whole: ${JSON.stringify(answer)}`);
  for (let seed = Number(values.from); seed < Number(values.from) + Number(values.count); seed++) {
    const data = join(copy(name), "data");
    const dealt = damage(data, seed);
    const is = await answersOf(data);
    report(
      seed,
      dealt.kind,
      dealt.what,
      violations(is, was, dealt),
      [...is.byVerb.values()].some(({ kind }) => kind === "told"),
    );
  }
  rmSync(join(folder, name), { recursive: true, force: true });
}

async function throughExecutable(): Promise<void> {
  const name = `work-${process.pid}`;
  const was = await executableAnswers(values.nerve, copy(name));
  for (let seed = Number(values.from); seed < Number(values.from) + Number(values.count); seed++) {
    const work = copy(name);
    const dealt = damage(join(work, "data"), seed);
    const is = await executableAnswers(values.nerve, work);
    report(
      seed,
      dealt.kind,
      dealt.what,
      executableViolations(is, was, dealt),
      is.some(({ code }) => code === 78 || code === 1),
    );
  }
  rmSync(join(folder, name), { recursive: true, force: true });
}

function report(seed: number, kind: string, what: string, found: readonly string[], isTold: boolean): void {
  const count = countOf(kind);
  count.cases++;
  if (isTold) count.told++;
  done++;
  if (done % 100 === 0) console.log(`${done} damages`);
  if (found.length === 0) return;
  count.found++;
  console.log(`seed ${seed} (${kind}) ${what}`);
  for (const violation of found) console.log(`  ${violation}`);
}

await (values.executable ? throughExecutable() : throughReaders());
let found = 0;
for (const [kind, count] of counts) {
  console.log(`${kind}: ${count.cases} damages, ${count.told} told, ${count.found} with violations`);
  found += count.found;
}
if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
process.exitCode = found > 0 ? 1 : 0;
