/** Owns `nerve signals`: the signals of senses. */

import { ok } from "../../base/result.ts";
import { signalJson } from "../../model/shown-rows.ts";
import type { Signal } from "../../model/signal.ts";
import { defineCommand } from "../frame/command.ts";
import { EXIT } from "../frame/outcome.ts";
import { beginning, LIST_OPTIONS, list, parseRange, rowPrinter, whole } from "../lists/listing.ts";
import { bareName, knownSenses } from "../place/known-names.ts";
import { findPlace } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { remark } from "../screen/failure.ts";
import { signalSpans } from "../screen/rows.ts";

export const command = defineCommand({
  details: "Reads the data directory itself: it works whether or not the daemon runs.",
  arguments: [{ name: "sense…", required: false }],
  options: LIST_OPTIONS,
  examples: [
    ["nerve signals cpu-usage -f", "the newest of one sense, and what comes"],
    ["nerve signals -n 5 --until '2026-11-22 10:30' --wide", "the last five before a moment, whole"],
    ["nerve signals --since 1h --json | jq .payload", "an hour of payloads for another program"],
    ["nerve signals --after 4200 --json", "what is new since id 4200"],
  ],
  async run({ arguments: named, options, config: given, json }) {
    const range = parseRange(options, Date.now());
    if (!range.ok) return range;
    const place = findPlace(given);
    if (!place.ok) return place;
    const opened = readStore(place.value);
    if (!opened.ok) return opened;
    const { signals, version } = opened.value;
    const { since, until, trace, follow } = range.value;
    const senses = [...named, ...options.sense].map((name) => bareName("sense", name));
    const source = {
      version,
      lastId: signals.lastId,
      begin: () => beginning(range.value, signals.firstIdSince),
      page: (after: number, limit: number, newest: boolean) =>
        whole(signals.list({ after, before: null, senses, since, until, trace, limit, newest })),
    };
    const show = rowPrinter<Signal>({ json, wide: options.wide }, "cut", signalJson, signalSpans);
    if (follow && !json) {
      const known = knownSenses(place.value.config, senses);
      if (!known.ok) remark(`${known.error.problems[0]?.message} in the config; waiting for one`);
    }
    const printed = await list({ source, show, json }, range.value);
    if (printed > 0) return ok(EXIT.done);
    const known = knownSenses(place.value.config, senses);
    if (!known.ok) return known;
    remark("no signals");
    return ok(EXIT.done);
  },
});
