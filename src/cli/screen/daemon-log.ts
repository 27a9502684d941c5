/**
 * Owns the daemon's log on stderr: a line for each log, and on request for each signal, as text for people or as JSON. No
 * reader delays the daemon, even a reader that does not read.
 */

import { safeJson } from "../../base/escape.ts";
import { LineWriter } from "../../base/line-writer.ts";
import { localTime } from "../../base/local-time.ts";
import { formatJson, formatPretty, type Logger, type LogLine } from "../../base/logger.ts";
import { fullNameOf } from "../../model/full-name.ts";
import { signalJson } from "../../model/shown-rows.ts";
import type { Signal } from "../../model/signal.ts";
import { signalSpans } from "./rows.ts";
import { renderLine, span, stderrScreen } from "./terminal.ts";

export interface DaemonLog extends Logger {
  signal(signal: Signal): void;
  /** Runs before the process ends: the reader has this long to take the waiting lines. */
  flush(patienceMs: number): void;
}

const STDERR = 2;

interface Format {
  line(line: LogLine): string;
  signal(signal: Signal): string;
}

const json: Format = {
  line: formatJson,
  signal(signal) {
    const time = new Date(signal.at).toISOString();
    const source = `sense:${fullNameOf(signal)}`;
    return safeJson({ time, level: "info", source, event: "signal", message: "", signal: signalJson(signal) });
  },
};

/** The width is read for each line: a person may resize the window while a daemon runs in it. */
const pretty: Format = {
  line: (line) => formatPretty(line, stderrScreen().colours),
  signal(signal) {
    const screen = stderrScreen();
    return renderLine([span(`${localTime(signal.at)}  `, "dim"), ...signalSpans(signal, screen)], screen);
  },
};

const lostLines = (lines: number): LogLine => ({
  at: Date.now(),
  level: "warn",
  source: "kernel",
  event: "stderr.lost",
  message: `${lines} lines were not written here, because nobody read them: \`nerve logs\` has them`,
  data: { lines },
});

export function daemonLog(readable: boolean): DaemonLog {
  const format = readable ? pretty : json;
  const lines = new LineWriter(STDERR, (count) => format.line(lostLines(count)));
  return {
    write: (line) => lines.write(format.line(line)),
    signal: (signal) => lines.write(format.signal(signal)),
    flush: (patienceMs) => lines.flush(patienceMs),
  };
}
