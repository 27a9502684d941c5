/** Owns `nerve logs`: events as senses and the kernel recorded them. */

import { meantOr } from "../../base/nearest.ts";
import { ok } from "../../base/result.ts";
import { LOG_LEVELS, type Log, type LogLevel } from "../../model/log.ts";
import { logJson } from "../../model/shown-rows.ts";
import { defineCommand, text, texts } from "../frame/command.ts";
import { EXIT, usageError } from "../frame/outcome.ts";
import { beginning, LIST_OPTIONS, list, parseRange, rowPrinter } from "../lists/listing.ts";
import { knownSources } from "../place/known-names.ts";
import { findPlace } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { remark } from "../screen/failure.ts";
import { logSpans } from "../screen/rows.ts";

const isLevel = (word: string): word is LogLevel => (LOG_LEVELS as readonly string[]).includes(word);

const IS_SOURCE = /^(?:kernel$|sense:|reflex:|workflow:)/;

/** A name without a kind is the name of a sense. */
const sourceOf = (name: string): string => (IS_SOURCE.test(name) ? name : `sense:${name}`);

export const command = defineCommand({
  details: "Reads the data directory itself: it works whether or not the daemon runs.",
  arguments: [{ name: "sense…", required: false }],
  options: {
    ...LIST_OPTIONS,
    source: texts("SOURCE", "only of this source: kernel, sense:NAME, reflex:NAME, workflow:NAME"),
    level: text("LEVEL", "this level and graver ones: debug, info, warn, error"),
  },
  examples: [
    ["nerve logs --level warn --since 1d", "what went wrong since yesterday"],
    ["nerve logs -f --sense cpu-usage", "one sense's output and errors as they come"],
    ["nerve logs --source kernel --json", "the daemon's own records for another program"],
  ],
  async run({ arguments: named, options, config: given, json }) {
    const range = parseRange(options, Date.now());
    if (!range.ok) return range;
    const { level } = options;
    if (level !== null && !isLevel(level)) {
      const hint = meantOr(level, LOG_LEVELS, `one of ${LOG_LEVELS.join(", ")}`);
      return usageError(`there is no level \`${level}\``, hint);
    }
    const strange = options.source.find((source) => !IS_SOURCE.test(source));
    if (strange !== undefined) {
      return usageError(`there is no source \`${strange}\``, "one of kernel, sense:NAME, reflex:NAME, workflow:NAME");
    }
    const place = findPlace(given);
    if (!place.ok) return place;
    const opened = readStore(place.value);
    if (!opened.ok) return opened;
    const { logs, history, version } = opened.value;
    const { since, until, trace } = range.value;
    const sources = [...options.source, ...[...named, ...options.sense].map(sourceOf)];
    const source = {
      version,
      lastId: logs.lastId,
      begin: () => beginning(range.value, (at) => history.firstIdSince(at)),
      page: (after: number, limit: number, newest: boolean) =>
        history.readable({ after, before: null, sources, since, until, trace, level, limit, newest }),
    };
    const show = rowPrinter<Log>({ json, wide: options.wide }, "wrapped", logJson, logSpans);
    const printed = await list({ source, show, json }, range.value);
    if (printed > 0) return ok(EXIT.done);
    const known = knownSources(place.value.config, sources);
    if (!known.ok) return known;
    remark("no logs");
    return ok(EXIT.done);
  },
});
