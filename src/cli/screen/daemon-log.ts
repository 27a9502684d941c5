/** The daemon's log on stderr, and in it, where that is asked for, each signal: as a line to enjoy, or as a JSON line. */
import { safeJson } from "../../base/escape.ts";
import { localTime } from "../../base/local-time.ts";
import { formatPretty, type Logger, type LogLine, stderrLogger } from "../../base/logger.ts";
import type { Signal } from "../../model/signal.ts";
import { signalJson, signalSpans } from "./rows.ts";
import { printError, renderLine, span, stderrScreen } from "./terminal.ts";

export interface DaemonLog extends Logger {
  signal(signal: Signal): void;
}

const json: DaemonLog = {
  write: (line) => stderrLogger(false).write(line),
  signal(signal) {
    const time = new Date(signal.at).toISOString();
    const source = `sense:${signal.sense}`;
    printError(safeJson({ time, level: "info", source, event: "signal", message: "", signal: signalJson(signal) }));
  },
};

/** The width is asked each time: a window is resized while a daemon runs in it. */
const pretty: DaemonLog = {
  write: (line: LogLine) => printError(formatPretty(line, stderrScreen().colours)),
  signal: (signal) =>
    printError(renderLine([span(`${localTime(signal.at)}  `, "dim"), ...signalSpans(signal)], stderrScreen())),
};

export const signalLogger = (readable: boolean): DaemonLog => (readable ? pretty : json);
