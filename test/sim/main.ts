/**
 * Years in minutes: `bun run sim` runs the kernel in simulated worlds, one a seed. `--seeds N` how many, `--from SEED` the
 * first, `--days D` or `--hours H` how long each, `--dense` a hundred senses of a second. A seed that finds something is cut
 * down, and its command and its last moments are printed: `--seed N --trace` shows them again.
 */

import { mkdirSync, rmSync } from "node:fs";
import { HOSTS, type Outcome, simulated as simulatedIn } from "./simulate.ts";
import { DAY, FAULTS, type FaultKind, HOUR, type Size, sizeOf } from "./words.ts";

/** The same path in every process, and another folder. */
const HERE = "/proc/self/cwd";
const simulated = (seed: number, size: Size, isTraced = false): Promise<Outcome> =>
  simulatedIn(seed, size, isTraced, HERE);

const flag = (name: string): boolean => process.argv.includes(`--${name}`);
const given = (name: string): string | null => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? null : (process.argv[at + 1] ?? null);
};
const number = (name: string, usual: number): number => Number(given(name) ?? usual);

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
async function cutDown(seed: number, size: Size, { rule, reachedMs }: Outcome): Promise<Size> {
  let smallest = { ...size, lengthMs: Math.min(size.lengthMs, Math.ceil(reachedMs / HOUR + 1) * HOUR) };
  const tryOut = async (smaller: Size): Promise<void> => {
    const outcome = await simulated(seed, smaller);
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

async function failed(seed: number, size: Size, outcome: Outcome): Promise<void> {
  console.log(`seed ${seed}: ${outcome.found?.stack ?? outcome.found?.message}`);
  const smallest = flag("quick") ? size : await cutDown(seed, size, outcome);
  console.log(`again: ${commandOf(seed, smallest)}`);
}

/** Answers with how many seeds have found something. */
async function main(): Promise<number> {
  const size = sizeAsked();
  const one = given("seed");
  if (one !== null) {
    const outcome = await simulated(Number(one), size, flag("trace"));
    for (const line of outcome.lines) console.log(line);
    console.log(outcome.found === null ? `seed ${one}: nothing is wrong` : `seed ${one}: ${outcome.found.stack}`);
    console.log(
      `digest ${outcome.digest}, ${outcome.signals} signals, ${outcome.logs} logs, ${outcome.commits} commits, ${outcome.runs} runs, ${outcome.starts} starts, ${outcome.decisions} decisions`,
    );
    console.log(JSON.stringify(outcome.faults));
    return outcome.found === null ? 0 : 1;
  }
  return many(number("from", 1), number("seeds", 10), size);
}

async function many(from: number, count: number, size: Size): Promise<number> {
  const began = performance.now();
  const cpu = process.cpuUsage();
  const sums = { signals: 0, logs: 0, commits: 0, runs: 0, starts: 0, decisions: 0 };
  const moves = new Map<string, number>();
  let bad = 0;
  let digest = 0;
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await simulated(seed, size);
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += outcome[key];
    for (const [move, times] of outcome.moves) moves.set(move, (moves.get(move) ?? 0) + times);
    digest = Bun.hash.crc32(outcome.digest, digest);
    if (outcome.found !== null) {
      bad++;
      await failed(seed, size, outcome);
      if (flag("first")) return bad;
    }
    if (flag("verbose") || (seed - from) % 50 === 49) {
      const { user, system } = process.cpuUsage(cpu);
      console.log(
        `${seed - from + 1} seeds, ${bad} bad, ${((user + system) / 1e6).toFixed(0)} s of CPU, ${((performance.now() - began) / 1e3).toFixed(0)} s; ${JSON.stringify(sums)}`,
      );
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (user + system) / 1e6;
  const days = (count * size.lengthMs) / DAY;
  console.log(
    `${count} seeds from ${from}, ${days.toFixed(1)} days in ${seconds.toFixed(1)} s of CPU (${(days / seconds).toFixed(2)} days a second): ${bad} found something; digest ${digest.toString(16)}`,
  );
  console.log(JSON.stringify(sums));
  if (flag("moves"))
    for (const [move, times] of [...moves].sort()) console.log(`${String(times).padStart(9)}  ${move}`);
  return bad;
}

mkdirSync(HOSTS, { recursive: true });
process.chdir(HOSTS);
try {
  process.exitCode = (await main()) === 0 ? 0 : 1;
} finally {
  rmSync(HOSTS, { recursive: true, force: true });
}
