/** Owns the entry of the command line: the verb, its input, and its exit code. Loads only the command that was asked for. */

import { letSignals } from "../base/early-signals.ts";
import { compileEagerly } from "../base/jit.ts";
import { meantOr } from "../base/nearest.ts";
import { ok } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import { FOUND_DAMAGE } from "./frame/found-damage.ts";
import { EXIT, fail, type Outcome, usageError } from "./frame/outcome.ts";
import { NOT_YET, verbNamed } from "./verb-named.ts";
import { VERBS } from "./verbs.ts";

/** Runs the command in argv (without the executable) and ends the process with its exit code. */
export async function runCommand(argv: string[]): Promise<void> {
  const outcome = withDamage(await attempt(argv));
  if (outcome.ok) process.exit(outcome.value);
  const [{ printProblems }, { explainDenials }] = await Promise.all([
    import("./screen/failure.ts"),
    import("./place/denied.ts"),
  ]);
  printProblems(explainDenials(outcome.error.problems), asksForJson(argv));
  process.exit(outcome.error.code);
}

/** An answer without the damaged rows is a finding. An unknown name is a finding too: a damaged row may have this name. */
function withDamage(outcome: Outcome): Outcome {
  if (FOUND_DAMAGE.isEmpty) return outcome;
  const found = FOUND_DAMAGE.take();
  if (outcome.ok) return fail(EXIT.finding, ...found);
  const { code, problems } = outcome.error;
  return fail(code === EXIT.usage ? EXIT.finding : code, ...found, ...problems);
}

/** The kind of the errors that `store/damage.ts` throws. */
const DAMAGED = "store-damaged";

async function attempt(argv: readonly string[]): Promise<Outcome> {
  try {
    return await dispatch(argv);
  } catch (error) {
    // The problem came up in the middle of the work: a damaged archive file, or no space where stdout leads to.
    const { problem: found } = error as { problem?: Problem };
    if (found !== undefined && found.kind !== DAMAGED) {
      return { ok: false, error: { code: EXIT.finding, problems: [found] } };
    }
    const { failureInStore } = await import("./place/store.ts");
    const failure = failureInStore(error);
    if (failure !== null) return failure;
    const { code, path, message: said } = error as NodeJS.ErrnoException;
    if (code === "EACCES" && path !== undefined) return fail(EXIT.finding, problem("permission", said, null, path));
    const message = `this is a bug in nerve: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    return { ok: false, error: { code: EXIT.bug, problems: [problem("internal", message)] } };
  }
}

const asksForJson = (argv: readonly string[]): boolean => {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? argv.length : end).includes("--json");
};

/** `-c FILE` and `--json` may stand before the verb. This function moves them behind it. */
function verbFirst(argv: readonly string[]): readonly string[] {
  let at = 0;
  for (let word = argv[at]; word !== undefined; word = argv[at]) {
    if (word === "-c" || word === "--config") at += 2;
    else if (word === "--json" || word.startsWith("--config=") || /^-c./.test(word)) at += 1;
    else break;
  }
  const verb = argv[at];
  return verb === undefined ? [] : [verb, ...argv.slice(0, at), ...argv.slice(at + 1)];
}

async function dispatch(argv: readonly string[]): Promise<Outcome> {
  if (argv[0] === COMPLETE) return showCandidates(argv.slice(1));
  if (argv[0]?.startsWith("--ssh")) {
    const { overSsh, runOverSsh } = await import("./ssh/over-ssh.ts");
    const remote = overSsh(argv);
    if (remote !== null) return runOverSsh(remote.host, remote.words);
  }
  const [first, ...rest] = verbFirst(argv);
  if (first === undefined && argv.length > 0) return usageError("which command?", commandless(argv));
  if (first === undefined) return showOverview("stderr", false);
  if (first === "help" || first === "--help" || first === "-h") {
    const topic = rest.find((word) => !word.startsWith("-"));
    return topic === undefined ? showOverview("stdout", rest.includes("--all")) : runVerb(topic, ["--help"]);
  }
  if (first === "--version" || first === "-V") return runVerb("version", rest);
  return runVerb(first, rest);
}

/** The verb that the scripts of `nerve completion` call. A person never types it. */
const COMPLETE = "__complete";

async function showCandidates(words: readonly string[]): Promise<Outcome> {
  const [{ complete }, { print }] = await Promise.all([
    import("./completion/complete.ts"),
    import("./screen/terminal.ts"),
  ]);
  const lines = await complete(words, { all: VERBS, named: verbNamed });
  if (lines.length > 0) print(lines.join("\n"));
  return ok(EXIT.done);
}

/** `nerve -c FILE`: the person most likely means the daemon. */
const commandless = (argv: readonly string[]): string => {
  const namesConfig = argv.some((word) => /^(?:-c|--config)/.test(word));
  return namesConfig
    ? "`nerve start -c FILE` runs the daemon; `nerve --help` lists the others"
    : "`nerve --help` lists them";
};

async function showOverview(where: "stdout" | "stderr", all: boolean): Promise<Outcome> {
  const [{ overview }, { print, printError, stderrScreen, stdoutScreen }] = await Promise.all([
    import("./help.ts"),
    import("./screen/terminal.ts"),
  ]);
  if (where === "stdout") print(overview(stdoutScreen(), all));
  else printError(overview(stderrScreen(), all));
  return ok(where === "stdout" ? EXIT.done : EXIT.usage);
}

async function runVerb(word: string, rest: readonly string[]): Promise<Outcome> {
  const verb = verbNamed(word);
  if (verb === null) {
    const refusal = whyNoVerb(word);
    // A config goes to the daemon: `nerve nerve.yaml` means `nerve start nerve.yaml`.
    return refusal ?? runVerb("start", [word, ...rest]);
  }
  if (verb.name !== "start") {
    letSignals();
    // A verb may read a million rows, and ends.
    compileEagerly();
  }
  const [{ command }, { parseArguments }] = await Promise.all([verb.load(), import("./frame/arguments.ts")]);
  const parsed = parseArguments(word, command, rest);
  if (!parsed.ok) return parsed;
  if (parsed.value.kind === "run") return command.run(parsed.value.input);
  const [{ commandHelp }, { print, stdoutScreen }] = await Promise.all([
    import("./help.ts"),
    import("./screen/terminal.ts"),
  ]);
  print(commandHelp(verb, command, stdoutScreen()));
  return ok(EXIT.done);
}

/** Null when `word` is a config. */
function whyNoVerb(word: string): Outcome | null {
  if (word.startsWith("-")) {
    return usageError(
      `unknown option \`${word}\``,
      meantOr(word, ["--help", "--version", "--ssh", "-h", "-V"], "see `nerve --help`"),
    );
  }
  if (/\.ya?ml$/.test(word) || word.includes("/")) return null;
  if (NOT_YET.includes(word)) {
    const hint = "`nerve help --all` lists the commands of this build";
    return {
      ok: false,
      error: { code: EXIT.usage, problems: [problem("not-yet", `the command \`${word}\` is not yet supported`, hint)] },
    };
  }
  const words = [...VERBS.map(({ name }) => name), ...NOT_YET, "help"];
  const otherwise = "`nerve --help` lists the commands; the name of a config ends in .yaml or .yml, or holds a /";
  return usageError(`there is no command \`${word}\``, meantOr(word, words, otherwise));
}
