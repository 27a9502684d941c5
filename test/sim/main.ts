/**
 * Years in minutes: `bun run sim` runs the kernel in simulated worlds, one a seed. `--seeds N` how many, `--from SEED` the
 * first, `--days D` or `--hours H` how long each, `--dense` a hundred senses of a second. A seed that finds something is cut
 * down, and its command and its last moments are printed: `--seed N --trace` shows them again. `--jobs N` simulates so many
 * at once. `--all` is every set that a release has to pass, or those of `--sets day,dense,month`: what is done is noted in
 * `--done FILE`, and the same command goes on from there; after `--bad N` seeds that found something it ends. `--lines` prints
 * which lines of the kernel are reached.
 */

import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Hand, ownHand, processHand } from "./hands.ts";
import { linesReached } from "./lines.ts";
import { commitOf, DoneFile, type SeedSet, sourceOf, tasksOf, WHOLE } from "./sets.ts";
import { HERE, HOSTS, type Outcome, simulated } from "./simulate.ts";
import { Sums } from "./sums.ts";
import type { Task, Told } from "./told.ts";
import { DAY, FAULTS, type FaultKind, HOUR, type Size, sizeOf } from "./words.ts";

const flag = (name: string): boolean => process.argv.includes(`--${name}`);
const given = (name: string): string | null => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? null : (process.argv[at + 1] ?? null);
};
const number = (name: string, usual: number): number => Number(given(name) ?? usual);

/** Before this process moves to its hosts. */
const STARTED_IN = process.cwd();
const ROOT = resolve(import.meta.dir, "../..");
const SHOWN_EVERY_MS = 60_000;

function sizeAsked(): Size {
  const isDense = flag("dense");
  const days = given("days");
  const lengthMs = days === null ? number("hours", isDense ? 1 : 24) * HOUR : Number(days) * DAY;
  const without = (given("without") ?? "")
    .split(",")
    .filter((kind): kind is FaultKind => FAULTS.includes(kind as FaultKind));
  return sizeOf({
    senses: number("senses", isDense ? 100 : 20),
    reflexes: number("reflexes", 26),
    lengthMs,
    without,
    isDense,
  });
}

const commandOf = (seed: number, { senses, reflexes, lengthMs, without, isDense }: Size): string =>
  [
    `bun run sim --seed ${seed} --senses ${senses} --reflexes ${reflexes} --hours ${lengthMs / HOUR}`,
    ...(without.length === 0 ? [] : [`--without ${without.join(",")}`]),
    ...(isDense ? ["--dense"] : []),
    "--trace",
  ].join(" ");

/** Smaller worlds in which the same rule is broken: fewer kinds of faults, fewer senses and reflexes, a shorter time. */
async function cutDown({ seed, size }: Task, { rule, reachedMs }: Told): Promise<Size> {
  let smallest = { ...size, lengthMs: Math.min(size.lengthMs, Math.ceil(reachedMs / HOUR + 1) * HOUR) };
  const tryOut = async (smaller: Size): Promise<void> => {
    const outcome = await simulated(seed, smaller, false, HERE);
    if (outcome.rule === rule) smallest = smaller;
  };
  for (const kind of FAULTS)
    if (!smallest.without.includes(kind)) await tryOut({ ...smallest, without: [...smallest.without, kind] });
  for (const senses of [10, 5, 3]) if (senses < smallest.senses) await tryOut({ ...smallest, senses });
  for (const reflexes of [8, 3, 0]) if (reflexes < smallest.reflexes) await tryOut({ ...smallest, reflexes });
  for (const hours of [1, 3, 6])
    if (hours * HOUR < smallest.lengthMs) await tryOut({ ...smallest, lengthMs: hours * HOUR });
  return smallest;
}

/** `isCut`: a smaller world is looked for. */
async function failed(task: Task, told: Told, isCut: boolean): Promise<void> {
  console.log(`seed ${task.seed}: ${told.found}`);
  console.log(`again: ${commandOf(task.seed, isCut ? await cutDown(task, told) : task.size)}`);
}

async function one(seed: number): Promise<number> {
  const outcome: Outcome = await simulated(seed, sizeAsked(), flag("trace"), HERE);
  const { found, digest, signals, logs, commits, runs, starts, decisions, faults } = outcome;
  for (const line of outcome.lines) console.log(line);
  console.log(found === null ? `seed ${seed}: nothing is wrong` : `seed ${seed}: ${found.stack}`);
  console.log(
    `digest ${digest}, ${signals} signals, ${logs} logs, ${commits} commits, ${runs} runs, ${starts} starts, ${decisions} decisions`,
  );
  console.log(JSON.stringify(faults));
  return found === null ? 0 : 1;
}

function setsAsked(): readonly SeedSet[] {
  if (!flag("all")) {
    const name = flag("dense") ? "dense" : "worlds";
    return [{ name, from: number("from", 1), count: number("seeds", 10), size: sizeAsked() }];
  }
  const asked = given("sets")?.split(",") ?? WHOLE.map(({ name }) => name);
  const most = number("seeds", Number.POSITIVE_INFINITY);
  return asked.flatMap((name) =>
    WHOLE.flatMap((set) => (set.name === name ? { ...set, count: Math.min(set.count, most) } : [])),
  );
}

/** Answers with how many seeds have found something. */
async function many(sets: readonly SeedSet[]): Promise<number> {
  const began = performance.now();
  const isAll = flag("all");
  const jobs = number("jobs", isAll ? 2 : 1);
  const most = flag("first") ? 1 : number("bad", isAll ? 3 : Number.POSITIVE_INFINITY);
  const path = resolve(STARTED_IN, given("done") ?? join(ROOT, "build/sim-done.jsonl"));
  const file = isAll ? new DoneFile(path, sourceOf(), commitOf()) : null;
  const sums = new Sums();
  let tasks = tasksOf(sets);
  const total = tasks.length;
  const add = async (task: Task, told: Told, isCut: boolean): Promise<void> => {
    sums.add(task.set, told);
    if (told.rule !== null) await failed(task, told, isCut);
  };
  const done = new Map(file?.read().map((known) => [`${known.set} ${known.seed}`, known]));
  for (const task of tasks) {
    const known = done.get(`${task.set} ${task.seed}`);
    if (known !== undefined) await add(task, known, false);
  }
  tasks = tasks.filter(({ set, seed }) => !done.has(`${set} ${seed}`));
  const seconds = (): string => ((performance.now() - began) / 1e3).toFixed(0);
  const show = (): void => console.log(`${sums.seeds} of ${total} seeds, ${sums.bad} bad, ${seconds()} s`);
  if (done.size > 0) show();
  const timer = flag("verbose") || isAll ? setInterval(show, SHOWN_EVERY_MS) : null;
  const hands: Hand[] = jobs === 1 ? [ownHand] : Array.from({ length: jobs }, processHand);
  const work = async (hand: Hand): Promise<void> => {
    for (;;) {
      const task = sums.bad >= most ? undefined : tasks.shift();
      if (task === undefined) return hand.end();
      const told = await hand.simulate(task);
      file?.add(task.set, told);
      await add(task, told, !isAll && !flag("quick"));
    }
  };
  await Promise.all(hands.map(work));
  if (timer !== null) clearInterval(timer);
  for (const line of [...sums.lines(), ...sums.reached()]) console.log(line);
  if (flag("moves")) for (const line of sums.moves()) console.log(line);
  console.log(`${sums.seeds} of ${total} seeds in ${seconds()} s of time, ${sums.bad} bad`);
  return sums.bad;
}

mkdirSync(HOSTS, { recursive: true });
process.chdir(HOSTS);
try {
  const seed = given("seed");
  const bad = flag("lines") ? linesReached() : seed === null ? await many(setsAsked()) : await one(Number(seed));
  process.exitCode = bad === 0 ? 0 : 1;
} finally {
  rmSync(HOSTS, { recursive: true, force: true });
}
