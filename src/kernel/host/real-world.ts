/** Owns the real world: this host, its clocks and processes, and the daemon's own files. */
import { SYSTEM_CHANCE } from "../../base/chance.ts";
import { systemClock } from "../../base/clock.ts";
import { SYSTEM_FILES } from "../../base/files.ts";
import { heldBytes } from "../../base/processes.ts";
import { SYSTEM_ALARM } from "../../base/timer.ts";
import { SYSTEM_TURNS } from "../../base/turns.ts";
import { loadNerveConfig } from "../../config/load.ts";
import { routesOf } from "../../control/routes.ts";
import { serveControl } from "../../control/server.ts";
import { socketPath } from "../../control/socket-path.ts";
import { locateSenses, locateWorkflow, locateWorkflows } from "../../spawn/modules-on-disk.ts";
import { type Spawn, spawnWorker } from "../../spawn/worker-process.ts";
import type { DaemonWorld, World } from "../world.ts";
import { describeWriter } from "./data-directory.ts";
import { DataWatch } from "./data-watch.ts";
import { InotifyPathWatch } from "./path-watch.ts";
import { sdNotify } from "./sd-notify.ts";

export const realWorld = (): World => ({
  clock: systemClock(),
  alarm: SYSTEM_ALARM,
  turns: SYSTEM_TURNS,
  chance: SYSTEM_CHANCE,
  files: SYSTEM_FILES,
  modules: { senses: locateSenses, workflows: locateWorkflows, workflow: locateWorkflow },
  spawn: spawnWorker,
  watchPaths: (data) => new InotifyPathWatch(data),
  heldBytes,
});

export const realDaemonWorld = (
  configFile: string,
  environment: Readonly<Record<string, string | undefined>>,
  spawn: Spawn,
): DaemonWorld => ({
  ...realWorld(),
  spawn,
  pid: process.pid,
  readConfig: () => loadNerveConfig(configFile, environment),
  listen: (data, looks, acts, secrets) => serveControl(data, socketPath(data), routesOf(looks, acts), secrets),
  watch: (data) => new DataWatch(data),
  describeWriter,
  notify: sdNotify(environment),
});
