/** Owns `nerve start`, and `nerve <config>`: the daemon in the foreground, its signals and its last log lines. */
import { obeySignals, type StraySignal } from "../../base/early-signals.ts";
import type { LogLine } from "../../base/logger.ts";
import { ok } from "../../base/result.ts";
import { shrinkSoon } from "../../base/shrink.ts";
import { isTerminal } from "../../base/terminal.ts";
import { ignoreUnnamedSignals } from "../../base/unnamed-signals.ts";
import { startDaemon } from "../../kernel/daemon/boot.ts";
import type { Daemon } from "../../kernel/daemon/daemon.ts";
import type { EventName } from "../../model/events.ts";
import { formatProblem, type Problem } from "../../model/problem.ts";
import type { Signal } from "../../model/signal.ts";
import { PASSING, storeFile, storeProblem } from "../../store/tables.ts";
import { defineCommand, flag } from "../frame/command.ts";
import { EXIT, fail, type Outcome, usageError } from "../frame/outcome.ts";
import { configFile, explainAbsence } from "../place/place.ts";
import { daemonLog } from "../screen/daemon-log.ts";
import { SECRETS } from "../screen/secrets.ts";
import { shellWord } from "../screen/shell-word.ts";

const STDERR = 2;

interface StartOptions {
  readonly given: string | null;
  readonly pretty: boolean;
  readonly showSignals: boolean;
}

export const command = defineCommand({
  details:
    "Logs go to stderr: readable on a terminal, JSON lines otherwise. On a terminal each signal is shown too.\nSIGTERM and Ctrl-C stop it (a second one at once), SIGHUP re-reads the config.\n`nerve FILE` is the same as `nerve start FILE`.",
  arguments: [{ name: "config", required: false }],
  options: {
    pretty: flag("readable logs, also where stderr is no terminal"),
    "show-signals": flag("show each signal, also where stderr is no terminal"),
  },
  examples: [
    ["nerve nerve.yaml", "try it out, seeing what it sees"],
    ["nerve start -c /etc/nerve/nerve.yaml", "what a service manager runs; `nerve unit` writes one for systemd"],
  ],
  async run({ arguments: [named], options, config, json }) {
    if (named !== undefined && config !== null) return usageError("two configs are named", "give one of them");
    if (json && options.pretty) return usageError("--json and --pretty exclude each other");
    const terminal = isTerminal(STDERR);
    return runDaemon({
      given: named ?? config,
      pretty: options.pretty || (terminal && !json),
      showSignals: options["show-signals"] || terminal,
    });
  },
});

/** After the daemon has ended, the reader of stderr has this long to take the waiting lines. */
const LAST_WORDS_MS = 500;

/** Resolves when the daemon has stopped. */
async function runDaemon({ given, pretty, showSignals }: StartOptions): Promise<Outcome> {
  const file = configFile(given);
  // This comes first: a daemon that dies of an uncaught error then logs the error, and its supervisor restarts it.
  const log = daemonLog(pretty);
  let store = "logs.db";
  const crash = (error: unknown): never => {
    const found = storeProblem(store, error);
    log.write(found === null ? lastWords(error) : lastWordsOfStore(found));
    log.flush(LAST_WORDS_MS);
    process.exit(found === null ? EXIT.bug : PASSING.has(found.kind) ? EXIT.inUse : EXIT.badConfig);
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
  const onSignal = showSignals ? (signal: Signal): void => log.signal(signal) : null;
  // Signals are caught before the start, which nothing interrupts. A signal during the start is obeyed right after it.
  const { promise: running, resolve: runs } = Promise.withResolvers<Daemon>();
  const { promise: ended, resolve: ends } = Promise.withResolvers<Outcome>();
  const stop = (why: string, outcome: Outcome): void =>
    void running.then((daemon) => daemon.stop(why)).then(() => ends(outcome), crash);
  obeySignals(
    (signal) => {
      if (signal === "SIGHUP") void running.then((daemon) => daemon.reload()).catch(crash);
      else stop(`received ${signal}`, ok(EXIT.done));
    },
    (signal) => log.write(strayed(signal)),
  );
  ignoreUnnamedSignals();
  const started = startDaemon({
    configFile: file,
    environment: process.env,
    logger: log,
    secrets: SECRETS,
    onSignal,
    onLost: (problem) => stop("its data is lost", fail(EXIT.inUse, problem)),
  });
  if (!started.ok) return fail(started.error.code, ...explainAbsence(started.error.problems, given));
  if (pretty) log.write(howToLook(file, started.value.data));
  store = storeFile(started.value.data);
  runs(started.value);
  shrinkSoon();
  const outcome = await ended;
  log.flush(LAST_WORDS_MS);
  return outcome;
}

const line = (level: LogLine["level"], event: EventName, message: string, data: LogLine["data"]): LogLine => ({
  at: Date.now(),
  level,
  source: "kernel",
  event,
  message: SECRETS.text(message),
  data: SECRETS.json(data),
});

function lastWords(error: unknown): LogLine {
  const { message, stack = null } = error instanceof Error ? error : { message: String(error) };
  return line("error", "kernel.crashed", `this is a bug in nerve: ${message}`, stack === null ? null : { stack });
}

const strayed = (signal: StraySignal): LogLine => {
  const message = `${signal} means nothing to nerve, which ignores it: SIGTERM stops nerve, SIGHUP re-reads the config`;
  return line("warn", "kernel.signal", message, null);
};

/** An empty result means every state. */
const lastWordsOfStore = (found: Problem): LogLine =>
  line("error", PASSING.has(found.kind) ? "store.failed" : "store.damaged", formatProblem(found), null);

const howToLook = (file: string, data: string): LogLine =>
  line("info", "kernel.ready", `keeps its data in ${data}; look with: nerve status -c ${shellWord(file)}`, null);
