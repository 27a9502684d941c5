/** Owns `nerve upgrade`: puts another executable in the place of this one, and goes back. */
import { resolve } from "node:path";
import { formatDuration, parseDuration } from "../../base/duration.ts";
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import { type Problem, problem } from "../../model/problem.ts";
import type { End } from "../../upgrade/end.ts";
import { Upgrade } from "../../upgrade/upgrade.ts";
import { WITHIN_MS } from "../../upgrade/watch.ts";
import { COMMIT, VERSION } from "../../version.ts";
import { defineCommand, flag, text } from "../frame/command.ts";
import { ENDED_BY, EXIT, type ExitCode, fail, type Outcome, usageError } from "../frame/outcome.ts";
import { findPlace } from "../place/place.ts";
import { printProblems } from "../screen/failure.ts";
import { print, printError } from "../screen/terminal.ts";

/** A daemon must stay up for this long after its first commit. */
const CALM_MS = 3_000;

const CODES: Readonly<Record<string, ExitCode>> = {
  "in-use": EXIT.inUse,
  "no-upgrade": EXIT.usage,
  "no-file": EXIT.usage,
};

const codeOf = (problems: readonly Problem[]): ExitCode =>
  problems.map(({ kind }) => CODES[kind]).find((code) => code !== undefined) ?? EXIT.finding;

export const command = defineCommand({
  details:
    "FILE is the executable of another nerve, with the SHA256SUMS of its release beside it. Before anything is changed its\nsum is compared, and the new executable checks this config and applies its migrations to copies of the databases. Then\nthe daemon is stopped, everything is backed up to `before-upgrade` in the data directory, the executable is swapped by\na rename, and the daemon is started: by systemd where a unit runs it, else with the arguments it had. Unless it\ncommits and goes on, the old executable and its data come back by themselves (exit code 1). A kill at any moment\nleaves one whole executable in place; the same command then goes on, and --rollback goes back. Also later --rollback\nkeeps what the new version has committed: rows are carried over into the tables of the old one. With --check nothing\nis changed.",
  arguments: [{ name: "file", required: false }],
  options: {
    check: flag("compare the sum, and try config and migrations on copies"),
    rollback: flag("go back to the executable before, with the data of now"),
    within: text(
      "DURATION",
      `how long the new daemon may take until it commits (default ${formatDuration(WITHIN_MS)})`,
    ),
    discard: flag("with --rollback: if those rows cannot be kept, with the data of before"),
  },
  examples: [
    ["nerve upgrade ./nerve-linux-x64 --check", "what would happen: nothing is changed"],
    ["sudo nerve upgrade -c /etc/nerve/nerve.yaml ./nerve-linux-x64", "do it"],
    ["sudo nerve upgrade -c /etc/nerve/nerve.yaml --rollback", "go back"],
  ],
  async run({ arguments: [file = null], options, config, json }) {
    const { check, rollback, discard } = options;
    const wrong = whyWrong(file, { check, rollback, discard });
    if (wrong !== null) return usageError(wrong, "see `nerve upgrade --help`");
    const withinMs = options.within === null ? WITHIN_MS : parseDuration(options.within);
    if (withinMs === null || withinMs === 0) return usageError("`--within` takes a duration such as 90s or 10m");
    const place = findPlace(config);
    if (!place.ok) return place;
    const obstacle = whyNotHere();
    if (obstacle !== null) return fail(EXIT.finding, obstacle);
    process.umask(0o077);
    const upgrade = new Upgrade({
      executable: process.execPath,
      own: { version: VERSION, commit: COMMIT },
      config: place.value.file,
      data: place.value.data,
      patience: { withinMs, calmMs: CALM_MS },
      tell: (line) => (json ? undefined : print(line)),
    });
    const endedBy = stopBySignals(upgrade);
    const ended = await (file === null ? upgrade.back(discard) : upgrade.to(resolve(file), check));
    if (ended.ok) return tell(ended.value, rollback, json);
    const [first] = ended.error;
    if (first?.kind !== "interrupted") return fail(codeOf(ended.error), ...ended.error);
    printProblems(ended.error, json);
    process.exit(endedBy());
  },
});

/**
 * Lets a signal end an upgrade that has changed nothing yet; any other upgrade goes on. Returns the exit code after a
 * signal.
 */
function stopBySignals(upgrade: Upgrade): () => number {
  let last: number = EXIT.finding;
  for (const [signal, code] of Object.entries(ENDED_BY)) {
    process.on(signal as keyof typeof ENDED_BY, () => {
      last = code;
      if (!upgrade.stop()) printError("the upgrade is under way and ends by itself: it cannot be stopped half-way");
    });
  }
  return () => last;
}

interface Flags {
  readonly check: boolean;
  readonly rollback: boolean;
  readonly discard: boolean;
}

function whyWrong(file: string | null, { check, rollback, discard }: Flags): string | null {
  if (rollback && (file !== null || check)) return "`--rollback` takes no file, and no `--check`";
  if (!rollback && file === null) return "`nerve upgrade` needs <file>";
  return discard && !rollback ? "`--discard` has no meaning without `--rollback`" : null;
}

function whyNotHere(): Problem | null {
  const { execPath } = process;
  if (!Bun.isStandaloneExecutable)
    return problem("from-source", "nerve runs from source here: there is no executable to replace");
  if (Bun.which("dpkg-query") === null) return null;
  const { exitCode, stdout } = Bun.spawnSync(["dpkg-query", "--search", execPath], { stderr: "ignore" });
  if (exitCode !== 0) return null;
  const owner = stdout.toString().split(":")[0] ?? "a package";
  const hint = "install its next version: the package manager would undo what is done here";
  return problem("packaged", `${execPath} belongs to the package ${owner}`, hint, execPath);
}

function tell(end: End, isAskedFor: boolean, json: boolean): Outcome {
  if (json) print(safeJson(end));
  else print(sentence(end));
  if (end.kind !== "gone-back" || isAskedFor) return ok(EXIT.done);
  const message = `nerve ${end.to.version} did not stay: ${end.reason}`;
  return fail(EXIT.finding, problem("gone-back", message, `nerve ${end.from.version} is in place, as before`));
}

const KEPT = {
  "as-it-is": "with the data as it is",
  "carried-over": "with every row that was committed since, in its own tables",
  backup: "with the data of before the upgrade; what was committed since lies in `after-upgrade` of the data directory",
} as const;

function sentence(end: End): string {
  switch (end.kind) {
    case "same":
      return `nerve ${end.build.version} is in place already`;
    case "rehearsed":
      return `nerve ${end.to.version} can be upgraded to; nothing was changed`;
    case "upgraded":
      return end.isWatched
        ? `upgraded from nerve ${end.from.version} to ${end.to.version}`
        : `nerve ${end.to.version} is in place of ${end.from.version}; no daemon ran, so none was started`;
    case "gone-back":
      return `nerve ${end.from.version} is in place again, ${KEPT[end.rung]}`;
  }
}
