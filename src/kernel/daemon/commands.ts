/** Owns how the kernel starts each of its processes: argv, environment, folder. */
import { dirname } from "node:path";
import { socketPath } from "../../control/socket-path.ts";
import type { NerveConfig } from "../../model/config.ts";
import { workerEnvironment } from "../../spawn/environment.ts";
import { ownCommand } from "../../spawn/own-image.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";

/** The command of a role. `data`: the data directory, with every link above it resolved. */
export type Commands = (role: string) => WorkerCommand;

export function commandsOf(
  config: NerveConfig,
  environment: Readonly<Record<string, string | undefined>>,
  data: string,
): Commands {
  const env = workerEnvironment(environment, data, socketPath(data));
  const cwd = dirname(config.file);
  return (role) => ({ command: ownCommand(role), env, cwd });
}
