/** One seed from its first start to its last stop: load and faults, then a time of rest, then everything is held against the model. */

import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pick } from "../rules/random.ts";
import { Faults } from "./faults.ts";
import type { Oracle } from "./oracle/oracle.ts";
import { Violation } from "./oracle/report.ts";
import { Site } from "./site.ts";
import { DELIVERED } from "./source-plan.ts";
import { Crash } from "./store.ts";
import { HOUR, MINUTE, SECOND, type Size } from "./words.ts";

export interface Outcome {
  readonly seed: number;
  /** What is wrong; null: nothing. */
  readonly found: Error | null;
  readonly rule: string | null;
  readonly digest: string;
  readonly lines: readonly string[];
  readonly signals: number;
  readonly logs: number;
  readonly commits: number;
  readonly runs: number;
  readonly starts: number;
  readonly decisions: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly moves: ReadonlyMap<string, number>;
  /** How far it came. */
  readonly reachedMs: number;
}

/** Where hosts lie that a test makes beside others in this process. */
export const HOSTS = join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), `nerve-sim-${process.pid}`);
/** The same path in every process, and another folder, for a process that is at {@link HOSTS}. */
export const HERE = "/proc/self/cwd";
/** Long enough for whatever waits: a throttle, a sleep, the next cron time. */
const REST_MS = 40 * MINUTE;
const COMMITS_A_LOOK = 1_000;
/** How long a host is looked at once logs.db was put back. */
const AFTERMATH_MS = 20 * MINUTE;

/** Call it in a turn of its own: it drains microtasks itself. */
function simulate(seed: number, size: Size, isTraced: boolean, hosts: string): Outcome {
  using site = new Site(seed, size, join(hosts, `${seed}`), isTraced);
  const faults = new Faults(site);
  const { oracle } = site;
  try {
    site.start();
    faults.begin();
    drive(site, size.lengthMs / 2);
    if (hasLines(site)) site.copies();
    drive(site, size.lengthMs);
    rest(site);
    if (site.found === null && site.hasCopy) putsBack(site);
  } catch (error) {
    site.notice(error);
  }
  return outcomeOf(seed, site, oracle, faults);
}

function drive(site: Site, untilMs: number): void {
  const { machine, oracle, files } = site;
  let nextLook = COMMITS_A_LOOK;
  let nextWholeLook = 8 * COMMITS_A_LOOK;
  while (site.found === null && machine.now < untilMs) {
    machine.run(untilMs, () => site.isOver || oracle.commits >= nextLook);
    if (site.hasCrashed || site.isToStop) site.startAgain();
    if (oracle.commits < nextLook) continue;
    nextLook = oracle.commits + COMMITS_A_LOOK;
    if (site.kernel === null || site.found !== null) continue;
    if (oracle.commits < nextWholeLook) files.news();
    else {
      // What is new is held against its logs at each look: all of it is once more, less often the more there is.
      nextWholeLook = 8 * oracle.commits;
      site.looksAtAll();
    }
  }
}

function rest(site: Site): void {
  const { machine, oracle } = site;
  if (site.found !== null) return;
  site.heal();
  site.calm();
  const wellSince = machine.realMs;
  drive(site, machine.now + REST_MS);
  if (site.found !== null) return;
  oracle.rested(wellSince, 5 * MINUTE);
  site.stop();
  if (site.found !== null) return;
  oracle.reflexes.ends(oracle.axis.now);
  site.looksAtAll();
}

/** Signals are delivered to some sense. */
const hasLines = ({ plan, found }: Site): boolean =>
  found === null && plan.config.reflexes.some((reflex) => reflex.kind === "sense" && reflex.deliver === true);

/** A copy of logs.db is put back; then the machine goes down once more, so that what is lost has other bounds. */
function putsBack(site: Site): void {
  const { machine, plan } = site;
  site.putsBack(pick(machine.chance, ["all", "logs", "power"]));
  for (const lastMs of [AFTERMATH_MS, AFTERMATH_MS / 4, 0]) {
    site.senseTroubles = plan.senseTroubles;
    site.start();
    drive(site, machine.now + lastMs / 2);
    // What comes from here on waits until after the next start.
    for (const name of DELIVERED)
      if (lastMs > 0 && machine.chance(2) === 0) void site.kernel?.acts?.disable(`sense:${name}`);
    drive(site, machine.now + lastMs / 2);
    if (lastMs > 0 && site.kernel !== null) site.crash();
    if (lastMs > 0) machine.reboot(1_000);
  }
  site.heal();
  site.calm();
  const wellSince = machine.realMs;
  drive(site, machine.now + AFTERMATH_MS);
  if (site.found !== null) return;
  site.oracle.sources.deliveries.rested(wellSince, () => false);
  site.stop();
}

function outcomeOf(seed: number, site: Site, oracle: Oracle, faults: Faults): Outcome {
  const { found, trace, machine } = site;
  return {
    seed,
    found,
    rule: found instanceof Violation ? found.rule : found === null ? null : "kernel-error",
    digest: trace.digest,
    lines: trace.lines,
    signals: oracle.signals,
    logs: oracle.lastLog,
    commits: oracle.commits,
    runs: oracle.runs.runs.size,
    starts: site.starts,
    decisions: oracle.reflexes.compared,
    faults: faults.counts,
    moves: oracle.moves.counts,
    reachedMs: machine.now,
  };
}

/** Promises of kernels that have crashed may be rejected for ever after. */
process.on("unhandledRejection", (error) => {
  if (!(error instanceof Crash)) throw error;
});

/** Runs one seed in a turn of its own. Its host lies in the folder `hosts`: kernels say so, and that is part of the digest. */
export const simulated = (seed: number, size: Size, isTraced = false, hosts = HOSTS): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    setTimeout(() => {
      try {
        resolve(simulate(seed, size, isTraced, hosts));
      } catch (error) {
        reject(error);
      }
    }, 0);
  });

export { HOUR, SECOND };
