/**
 * Owns `nerve --ssh HOST COMMAND…`: the command runs there, with the `nerve` of that host and as the user that ssh signs in. Streams,
 * signals and exit code are its own. nerve has no port, key or protocol of its own for that.
 */
import { isatty } from "node:tty";
import { problem } from "../../model/problem.ts";
import { runBehind } from "../frame/behind.ts";
import { EXIT, fail, type Outcome, usageError } from "../frame/outcome.ts";
import { shellWord } from "../screen/shell-word.ts";

const USAGE = "nerve --ssh [USER@]HOST command…, as in `nerve --ssh ops@web1 status`";
/** ssh ends with it when ssh itself has failed. A command of nerve never does. */
const SSH_FAILED = 255;
/** What a shell over there runs. The service's config is the usual one: the folder of a sign-in seldom has a `nerve.yaml`. */
const THERE = `command -v nerve >/dev/null || {
  echo "nerve: there is no nerve on the PATH of this host; copy the executable to /usr/local/bin" >&2
  exit ${EXIT.unreachable}
}
NERVE_CONFIG=\${NERVE_CONFIG:-/etc/nerve/nerve.yaml} exec nerve "$@"`;

/** The program and its first arguments, as `$GIT_SSH_COMMAND` has them for git. */
const sshCommand = (): string[] => (process.env.NERVE_SSH || "ssh").trim().split(/\s+/);

/** `argv` begins with `--ssh`. Null: `argv` is something else. */
export function overSsh(argv: readonly string[]): { readonly host: string; readonly words: readonly string[] } | null {
  const [first = "", second = "", ...rest] = argv;
  if (first === "--ssh") return { host: second, words: rest };
  return first.startsWith("--ssh=") ? { host: first.slice("--ssh=".length), words: argv.slice(1) } : null;
}

export async function runOverSsh(host: string, words: readonly string[]): Promise<Outcome> {
  // ssh would take such a host for an option of its own.
  if (host === "" || host.startsWith("-")) return usageError("`--ssh` needs a host", USAGE);
  if (words.length === 0) return usageError(`which command on ${host}?`, USAGE);
  const [program = "", ...first] = sshCommand();
  if (Bun.which(program) === null) {
    const hint = "install an ssh client, or name one in $NERVE_SSH";
    return fail(EXIT.unreachable, problem("unreachable", `there is no program \`${program}\` here`, hint));
  }
  const terminal = [0, 1, 2].every((descriptor) => isatty(descriptor)) ? ["-t"] : [];
  const command = ["sh", "-c", THERE, "nerve", ...words].map(shellWord).join(" ");
  const code = await runBehind([program, ...first, ...terminal, "--", host, command]);
  if (code === SSH_FAILED) {
    const hint = `\`ssh ${host}\` has to work first; what ssh said stands above`;
    return fail(EXIT.unreachable, problem("unreachable", `ssh did not get to ${host}`, hint));
  }
  process.exit(code);
}
