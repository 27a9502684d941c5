/**
 * What others do of the same: durable runs of three steps on OpenWorkflow, durable jobs on bunqueue, each with SQLite, beside
 * nerve's runs and pairs in `durability: full`. Their packages are no dependency: they are installed for this suite, which runs
 * only where its name is given.
 */
import { cpSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Figure, medianOf } from "../figures.ts";
import type { Setting } from "../setting.ts";
import { pairsOfNerve } from "./react.ts";
import { runsOfNerve } from "./workflows.ts";

const PACKAGES = ["openworkflow@0.10.1", "bunqueue@2.9.5"];
const PROGRAMS = join(import.meta.dir, "..", "peers");
const SLOTS = 64;
/** Far more runs than OpenWorkflow ends in a second. */
const QUEUED_A_SECOND = 1_000;

interface Ended {
  readonly done: number;
  readonly tookMs: number;
  /** What had not ended yet. */
  readonly left: number;
}

async function install(folder: string): Promise<void> {
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  cpSync(PROGRAMS, folder, { recursive: true });
  const child = Bun.spawn([process.execPath, "add", "--exact", ...PACKAGES], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said = await child.stderr.text();
  if ((await child.exited) !== 0) throw new Error(`the peers cannot be installed: ${said.trim()}`);
}

/** How many a second end in the window of the program `name`. */
async function rateOf(folder: string, name: string, setting: Setting, more: readonly number[]): Promise<number> {
  const data = mkdtempSync(join(folder, "data-"));
  const { warmMs, windowMs } = setting.spans;
  const words = [join(data, "store.db"), SLOTS, warmMs, windowMs, ...more].map(String);
  const child = Bun.spawn([process.execPath, join(folder, `${name}.mjs`), ...words], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, said] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const last = out.trim().split("\n").at(-1) ?? "";
  if ((await child.exited) !== 0 || !last.startsWith("{")) throw new Error(`${name} failed: ${said.trim() || out}`);
  const { done, tookMs, left } = JSON.parse(last) as Ended;
  if (done === 0 || left <= 0) throw new Error(`${name} ended ${done}, and ${left} were left`);
  return (done * 1_000) / tookMs;
}

interface Round {
  readonly runs: number;
  readonly openworkflow: number;
  readonly pairs: number;
  readonly bunqueue: number;
}

async function round(folder: string, setting: Setting): Promise<Round> {
  const { warmMs, windowMs } = setting.spans;
  const queued = Math.ceil(((warmMs + windowMs) / 1_000) * QUEUED_A_SECOND);
  const runs = (await runsOfNerve(setting, "FULL", SLOTS)).rate;
  const openworkflow = await rateOf(folder, "openworkflow", setting, [queued]);
  const pairs = (await pairsOfNerve(setting, "full")).rate;
  return { runs, openworkflow, pairs, bunqueue: await rateOf(folder, "bunqueue", setting, []) };
}

export async function peers(setting: Setting): Promise<Figure[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "nerve-bench-peers-")));
  try {
    await install(folder);
    const rounds: Round[] = [];
    for (let turn = 0; turn < setting.rounds; turn++) rounds.push(await round(folder, setting));
    const figure = (name: string, unit: string, ours: keyof Round, theirs: keyof Round, detail: string): Figure => ({
      suite: "peers",
      name,
      unit,
      floor: medianOf(rounds, (each) => each[theirs]),
      nerve: medianOf(rounds, (each) => each[ours]),
      ratio: medianOf(rounds, (each) => each[ours] / each[theirs]),
      target: null,
      detail,
    });
    return [
      figure(
        "runs of three steps, 64 at once, FULL, beside OpenWorkflow on SQLite",
        "runs/s",
        "runs",
        "openworkflow",
        PACKAGES[0] ?? "",
      ),
      figure("pairs, FULL, beside durable jobs of bunqueue", "a second", "pairs", "bunqueue", PACKAGES[1] ?? ""),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
