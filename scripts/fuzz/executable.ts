/** The same through the executable: every verb that reads, `rebuild --check`, `rebuild`, and a start of the daemon. */
import { join } from "node:path";
import type { Damage } from "./damage.ts";

export interface Ended {
  readonly verb: string;
  /** Null: it had to be killed. */
  readonly code: number | null;
  /** Lines of stdout: rows with `--json`. */
  readonly lines: number;
  readonly stderr: string;
}

const VERBS: readonly (readonly string[])[] = [
  ["signals", "--after", "0", "--json"],
  ["logs", "--after", "0", "--json"],
  ["runs", "--after", "0", "--json"],
  ["show", "signal:5", "--json"],
  ["show", "run:1", "--json"],
  ["explain", "some-steps", "--json"],
  ["backtest", "--json"],
  ["silence", "--json"],
  ["archive", "ls", "--json"],
  ["archive", "verify", "--json"],
  ["rebuild", "--check", "--json"],
];

const PATIENCE_MS = 60_000;

async function ended(verb: string, child: Bun.Subprocess<"ignore", "pipe", "pipe">): Promise<Ended> {
  let isKilled = false;
  const patience = setTimeout(() => {
    isKilled = true;
    child.kill("SIGKILL");
  }, PATIENCE_MS);
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const code = await child.exited;
  clearTimeout(patience);
  return { verb, code: isKilled ? null : code, lines: stdout.split("\n").length - 1, stderr };
}

const spawn = (nerve: string, folder: string, args: readonly string[]): Bun.Subprocess<"ignore", "pipe", "pipe"> =>
  Bun.spawn([nerve, ...args, "-c", join(folder, "nerve.yaml")], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });

/** The daemon runs until it says that it has started, or ends by itself. */
async function started(nerve: string, folder: string): Promise<Ended> {
  const child = spawn(nerve, folder, ["start"]);
  const stop = setTimeout(() => child.kill("SIGTERM"), 700);
  const result = await ended("start", child);
  clearTimeout(stop);
  return result;
}

export async function executableAnswers(nerve: string, folder: string): Promise<readonly Ended[]> {
  const answers: Ended[] = [];
  for (const args of VERBS) answers.push(await ended(args.join(" "), spawn(nerve, folder, args)));
  answers.push(await started(nerve, folder));
  return answers;
}

/** Exit codes that a damage may lead to; 2 is a signal or run that the damage has taken away. */
const CODES: ReadonlySet<number | null> = new Set([0, 1, 2, 75, 78]);

function violationOf(is: Ended, was: Ended | undefined, damage: Damage): string | null {
  if (is.code === null) return `${is.verb} hung`;
  if (!CODES.has(is.code)) {
    return `${is.verb} ended with ${is.code}: ${is.stderr.slice(0, 600)}`;
  }
  if (is.verb === "start" || is.code !== 0 || was === undefined || was.code !== 0) return null;
  if (is.lines >= was.lines - (damage.file === "logs.db" ? 4 : 0) || damage.what.includes("DELETE FROM")) return null;
  return `${is.verb} has ${is.lines} lines instead of ${was.lines}, with 0`;
}

export const executableViolations = (is: readonly Ended[], was: readonly Ended[], damage: Damage): string[] =>
  is.flatMap((answer, index) => violationOf(answer, was[index], damage) ?? []);
