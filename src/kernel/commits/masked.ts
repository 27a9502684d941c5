/**
 * The one way into the store and out to stderr: what was filled into the config is replaced there by what stands in the
 * file. Signals, inputs and outputs of runs and results of steps are kept as they are: they are the author's data, and a
 * replay takes them up again.
 */
import type { JsonObject } from "../../base/json.ts";
import type { Logger } from "../../base/logger.ts";
import type { Secrets } from "../../base/secrets.ts";
import type { NewLog } from "../../model/log.ts";
import type { Store } from "../../store/open.ts";

/** Events of which a run is made. Of their `data` only these keys hold words about what went wrong. */
const RUN_EVENT = /^(?:run|step|sleep)\./;
const WORDS: ReadonlySet<string> = new Set(["error", "stack", "message", "thrown", "cause", "errors"]);

export function maskedStore(store: Store, secrets: Secrets): Store {
  const maskRun = <T extends { readonly error: string | null }>(run: T): T =>
    run.error === null ? run : { ...run, error: secrets.text(run.error) };
  return {
    ...store,
    logs: { ...store.logs, append: (log) => store.logs.append(maskLog(log, secrets)) },
    runs: {
      ...store.runs,
      insert: (run) => store.runs.insert(maskRun(run)),
      update: (run) => store.runs.update(maskRun(run)),
    },
  };
}

function maskLog(log: NewLog, secrets: Secrets): NewLog {
  const data = RUN_EVENT.test(log.event) ? maskWords(log.data, secrets) : secrets.jsonText(log.data);
  return { ...log, message: secrets.text(log.message), data };
}

/** The text itself where there is nothing to mask, so that a large result is not read. */
function maskWords(text: string | null, secrets: Secrets): string | null {
  if (text === null || !secrets.isIn(text)) return text;
  const entries = Object.entries(JSON.parse(text) as JsonObject);
  return JSON.stringify(
    Object.fromEntries(entries.map(([key, value]) => [key, WORDS.has(key) ? secrets.json(value) : value])),
  );
}

/** Signals are shown by another way. */
export const maskedLogger = (logger: Logger, secrets: Secrets): Logger => ({
  write: (line) => logger.write({ ...line, message: secrets.text(line.message), data: secrets.json(line.data) }),
});
