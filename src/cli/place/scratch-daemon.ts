/**
 * Owns a whole nerve on scratch copies in this process, for the trial of a run: the daemon's own rules for steps, sleeps and
 * limits apply. No reflex is loaded, so nothing starts by itself. Peers are copies of the real databases.
 */
import { join } from "node:path";
import { ok, type Result } from "../../base/result.ts";
import { startDaemonOn } from "../../kernel/daemon/boot.ts";
import type { NerveConfig } from "../../model/config.ts";
import { copyDatabase, linkBlobs, type ScratchFolder } from "../../scratch/folder.ts";
import { senseDatabase } from "../../spawn/peer-files.ts";
import { EXIT, type Failure, fail } from "../frame/outcome.ts";
import { SECRETS } from "../screen/secrets.ts";
import type { Place } from "./place.ts";

export interface ScratchDaemon {
  readonly place: Place;
  stop(): Promise<void>;
}

/** Starts the daemon with only the workflow `workflow`, whose runs get one attempt. */
export function startScratchDaemon(
  folder: ScratchFolder,
  config: NerveConfig,
  workflow: string,
): Result<ScratchDaemon, Failure> {
  const scratch = scratchConfig(config, workflow, folder.folder("data"));
  folder.folder("data/senses");
  for (const sense of config.senses.keys()) {
    const copied = copyDatabase(senseDatabase(config.data, sense), senseDatabase(scratch.data, sense));
    if (!copied.ok) return fail(EXIT.finding, copied.error);
  }
  linkBlobs(join(config.data, "blobs"), join(folder.folder("data/blobs")));
  // The supervisor of this command is not the supervisor of a daemon.
  const { NOTIFY_SOCKET: _, WATCHDOG_USEC: __, ...environment } = process.env;
  const started = startDaemonOn(scratch, {
    configFile: config.file,
    environment,
    logger: { write: () => {} },
    secrets: SECRETS,
    onSignal: null,
    onLost: () => {},
  });
  if (!started.ok) return fail(started.error.code, ...started.error.problems);
  const place = { file: config.file, data: scratch.data, config: scratch, problems: [] };
  return ok({ place, stop: () => started.value.stop("tried out") });
}

function scratchConfig(config: NerveConfig, name: string, data: string): NerveConfig {
  const workflow = config.workflows.get(name);
  const workflows = workflow === undefined ? [] : [[name, { ...workflow, retry: null }] as const];
  return { ...config, data, durability: "normal", reflexes: [], workflows: new Map(workflows) };
}
