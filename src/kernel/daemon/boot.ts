/**
 * The order in which a kernel comes up: environment → config → data directory and its lock → what an earlier kernel left →
 * a first worker, which loads meanwhile → store → daemon. Each step that fails ends the start with a code and what to do;
 * nothing is left held.
 */
import { err, ok, type Result } from "../../base/result.ts";
import { loadNerveConfig } from "../../config/load.ts";
import type { NerveConfig } from "../../model/config.ts";
import type { Problem } from "../../model/problem.ts";
import { builtInSenses } from "../../spawn/modules-on-disk.ts";
import { SENSE_WORKER_ROLE } from "../../spawn/own-image.ts";
import { SpareWorker } from "../../spawn/spare-worker.ts";
import { spawnWorker } from "../../spawn/worker-process.ts";
import { openStore } from "../../store/open.ts";
import { PASSING } from "../../store/tables.ts";
import { maskedStore } from "../commits/masked.ts";
import { openDataDirectory } from "../host/data-directory.ts";
import { sweepLeftovers } from "../host/leftovers.ts";
import { realDaemonWorld } from "../host/real-world.ts";
import { refusedEnvironment } from "../host/runtime-environment.ts";
import { commandsOf } from "./commands.ts";
import { Daemon, type DaemonOptions } from "./daemon.ts";

/** Why the daemon did not start, as the exit code to end with and what to say. */
export interface StartFailure {
  readonly code: 75 | 78;
  readonly problems: readonly Problem[];
}

const failure = (code: 75 | 78, ...problems: Problem[]): { ok: false; error: StartFailure } => err({ code, problems });

/** Starts the daemon and answers once it is ready. */
export function startDaemon(options: DaemonOptions): Result<Daemon, StartFailure> {
  process.umask(0o077);
  const refused = refusedEnvironment(options.environment);
  if (refused !== null) return failure(78, refused);
  const config = loadNerveConfig(options.configFile, options.environment);
  if (!config.ok) return failure(78, ...config.error);
  options.secrets.learn(config.value.secrets);
  return startDaemonOn(config.value, options);
}

/** The same, with a configuration that is read already. */
export function startDaemonOn(config: NerveConfig, options: DaemonOptions): Result<Daemon, StartFailure> {
  const data = openDataDirectory(config.data);
  if (!data.ok) return failure(data.error.kind === "unusable" ? 78 : 75, data.error.problem);
  const swept = sweepLeftovers(data.value.path);
  const spare = spareWorker(config, options, data.value.path);
  const world = realDaemonWorld(options.configFile, options.environment, spare?.spawn ?? spawnWorker);
  const { clock } = world;
  const store = openStore(data.value.path, config.durability, clock.bootId, clock.wallMs());
  if (!store.ok) {
    spare?.end();
    data.value.lock.release();
    // After 75 a service manager tries again.
    return failure(PASSING.has(store.error.kind) ? 75 : 78, store.error);
  }
  const daemon = new Daemon(options, config, data.value, maskedStore(store.value, options.secrets), world);
  daemon.begin(swept);
  spare?.end();
  return ok(daemon);
}

/** For the group of the first sense. Null: there is no sense, or a worker cannot be started now. */
function spareWorker(config: NerveConfig, { environment }: DaemonOptions, data: string): SpareWorker | null {
  const [first] = config.senses.values();
  if (first === undefined) return null;
  const seats = [...config.senses.values()].filter(({ group }) => group === first.group);
  try {
    const spare = new SpareWorker(commandsOf(config, environment, data)(SENSE_WORKER_ROLE), seats.length);
    spare.prepare(builtInSenses(config, seats));
    return spare;
  } catch {
    // The group says why when it tries for itself.
    return null;
  }
}
