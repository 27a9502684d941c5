/** How this program starts itself again in another role. */
export const SENSE_WORKER_ROLE = "__sense-worker";
export const WORKFLOW_WORKER_ROLE = "__workflow-worker";
export const WATCHDOG_ROLE = "__watchdog";
/** The process of one query of `nerve sql`. */
export const SQL_ROLE = "__sql";
export const WEB_ROLE = "__web";
export const PUSH_ROLE = "__push";
export const FLEET_ROLE = "__fleet";
export const OTLP_ROLE = "__otlp";

/**
 * argv of a worker. The compiled program runs its own image, also after the file on disk was replaced; from source it is
 * Bun with the entry file.
 */
export function ownCommand(role: string): string[] {
  const start = Bun.isStandaloneExecutable
    ? ["/proc/self/exe"]
    : [process.execPath, Bun.fileURLToPath(new URL("../main.ts", import.meta.url))];
  return [...start, role, String(process.pid)];
}
