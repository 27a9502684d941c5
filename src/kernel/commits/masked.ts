/**
 * Owns the one way into the store and out to stderr. A value that was filled into the config is replaced by the text of the
 * file. Signals, inputs and outputs of runs and results of steps stay as they are: they are the author's data, and a replay
 * reads them again.
 */
import type { JsonObject } from "../../base/json.ts";
import type { Logger } from "../../base/logger.ts";
import type { Secrets } from "../../base/secrets.ts";
import type { NewLog } from "../../model/log.ts";
import type { Store } from "../../store/open.ts";

/** The events of a run. Only these keys of their `data` hold words about a fault. */
const RUN_EVENT = /^(?:run|step|sleep)\./;
const WORDS: ReadonlySet<string> = new Set(["error", "stack", "message", "thrown", "cause", "errors"]);

export function maskedStore(store: Store, secrets: Secrets): Store {
  const maskRun = <T extends { readonly error: string | null }>(run: T): T =>
    run.error === null ? run : { ...run, error: secrets.text(run.error) };
  return {
    ...store,
    logs: { ...store.logs, append: (log) => store.logs.append(isPlain(log, secrets) ? log : maskLog(log, secrets)) },
    runs: {
      ...store.runs,
      insert: (...runs) => store.runs.insert(...runs.map(maskRun)),
      update: (...runs) => store.runs.update(...runs.map(maskRun)),
    },
  };
}

const isPlain = ({ message, data }: NewLog, secrets: Secrets): boolean =>
  !secrets.isIn(message) && (data === null || !secrets.isIn(data));

function maskLog(log: NewLog, secrets: Secrets): NewLog {
  const data = RUN_EVENT.test(log.event) ? maskWords(log.data, secrets) : secrets.jsonText(log.data);
  return { ...log, message: secrets.text(log.message), data };
}

/** Returns the text itself where there is nothing to mask, so that a large result is not read. */
function maskWords(text: string | null, secrets: Secrets): string | null {
  if (text === null || !secrets.isIn(text)) return text;
  const entries = Object.entries(JSON.parse(text) as JsonObject);
  return JSON.stringify(
    Object.fromEntries(entries.map(([key, value]) => [key, WORDS.has(key) ? secrets.json(value) : value])),
  );
}

/** Signals are printed by another logger. */
export const maskedLogger = (logger: Logger, secrets: Secrets): Logger => ({
  write(line) {
    const message = secrets.text(line.message);
    const data = secrets.json(line.data);
    logger.write(message === line.message && data === line.data ? line : { ...line, message, data });
  },
});
