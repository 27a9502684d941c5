/**
 * The executable's one entry: what argv says decides which process this becomes, and only that part is loaded.
 * The hidden roles are how the kernel starts its workers, and `nerve sql` its query; everything else is a command.
 */
import { holdSignals } from "./base/early-signals.ts";
import {
  FLEET_ROLE,
  OTLP_ROLE,
  PUSH_ROLE,
  SENSE_WORKER_ROLE,
  SQL_ROLE,
  WATCHDOG_ROLE,
  WEB_ROLE,
  WORKFLOW_WORKER_ROLE,
} from "./spawn/own-image.ts";

const VERSION_WORDS = ["--version", "-V", "version"];

const [word, ...rest] = process.argv.slice(2);
/** Only nerve itself starts a role with a channel. */
const role = process.send === undefined ? null : word;

if (role === SENSE_WORKER_ROLE) {
  const { runSenseWorker } = await import("./sense-worker/main.ts");
  runSenseWorker(Number(rest[0]));
} else if (role === WORKFLOW_WORKER_ROLE) {
  const { runWorkflowWorker } = await import("./workflow-worker/main.ts");
  runWorkflowWorker(Number(rest[0]));
} else if (role === WATCHDOG_ROLE) {
  const { runWatchdog } = await import("./watchdog/main.ts");
  runWatchdog(Number(rest[0]));
} else if (role === SQL_ROLE) {
  const { runSql } = await import("./sql/main.ts");
  runSql(Number(rest[0]));
} else if (role === WEB_ROLE) {
  const { runWeb } = await import("./web/main.ts");
  runWeb(Number(rest[0]));
} else if (role === PUSH_ROLE) {
  const { runPush } = await import("./push/main.ts");
  runPush(Number(rest[0]));
} else if (role === FLEET_ROLE) {
  const { runFleet } = await import("./fleet/main.ts");
  runFleet(Number(rest[0]));
} else if (role === OTLP_ROLE) {
  const { runOtlp } = await import("./otlp/main.ts");
  runOtlp(Number(rest[0]));
} else if (rest.length > 0 || !VERSION_WORDS.includes(word ?? "") || !(await showsVersion())) {
  holdSignals();
  const { runCommand } = await import("./cli/main.ts");
  await runCommand(process.argv.slice(2));
}

/** False where stdout does not take the text. */
async function showsVersion(): Promise<boolean> {
  const { showAbout } = await import("./cli/about.ts");
  return showAbout();
}
