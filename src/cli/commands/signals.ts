/** Owns `nerve signals`: the signals of senses. */

import { ok, type Result } from "../../base/result.ts";
import { isRemote, isRemotePattern } from "../../model/full-name.ts";
import { signalJson } from "../../model/shown-rows.ts";
import type { Signal } from "../../model/signal.ts";
import { EVERY_OWN } from "../../store/signals.ts";
import { defineCommand, texts } from "../frame/command.ts";
import { EXIT, type Failure, usageError } from "../frame/outcome.ts";
import { beginning, LIST_OPTIONS, list, parseRange, rowPrinter, whole } from "../lists/listing.ts";
import { bareName, knownSenses } from "../place/known-names.ts";
import { findPlace } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { remark } from "../screen/failure.ts";
import { signalSpans } from "../screen/rows.ts";

/** The names of `wanted`, of each of `hosts`. `here`: the name of this host, or null where the config says nothing. */
function ofHosts(
  wanted: readonly string[],
  hosts: readonly string[],
  here: string | null,
): Result<readonly string[], Failure> {
  if (hosts.length === 0) return ok(wanted);
  const twice = wanted.find(isRemote);
  if (twice !== undefined) return usageError(`\`${twice}\` names its host`, "leave `--host` out");
  const bad = hosts.find((host) => !isRemotePattern(`${host}/*`));
  if (bad !== undefined) return usageError(`\`${bad}\` is no name of a host`, "a name such as web1, or '*'");
  return ok(
    hosts.flatMap((host) => {
      if (host === here) return wanted.length === 0 ? [EVERY_OWN] : wanted;
      return wanted.length === 0 ? [`${host}/*`] : wanted.map((sense) => `${host}/${sense}`);
    }),
  );
}

export const command = defineCommand({
  details: "Reads the data directory itself: it works whether or not the daemon runs.",
  arguments: [{ name: "sense…", required: false }],
  options: { ...LIST_OPTIONS, host: texts("HOST", "only of this host; the same as HOST/SENSE as the name of a sense") },
  examples: [
    ["nerve signals cpu-usage -f", "the newest of one sense, and what comes"],
    ["nerve signals -n 5 --until '2026-11-22 10:30' --wide", "the last five before a moment, whole"],
    ["nerve signals --since 1h --json | jq .payload", "an hour of payloads for another program"],
    ["nerve signals --after 4200 --json", "what is new since id 4200"],
    ["nerve signals '*/disk-root' --since 1h", "one sense of every other host"],
    ["nerve signals --host web1", "all that came from one host"],
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
    const wanted = [...named, ...options.sense].map((name) => bareName("sense", name));
    const senses = ofHosts(wanted, options.host, place.value.config?.host ?? null);
    if (!senses.ok) return senses;
    const names = senses.value.filter((name) => name !== EVERY_OWN);
    const source = {
      version,
      lastId: signals.lastId,
      begin: () => beginning(range.value, signals.firstIdSince),
      page: (after: number, limit: number, newest: boolean) =>
        whole(signals.list({ after, before: null, senses: senses.value, since, until, trace, limit, newest })),
    };
    const show = rowPrinter<Signal>({ json, wide: options.wide }, "cut", signalJson, signalSpans);
    if (follow && !json) {
      const known = knownSenses(place.value.config, names);
      if (!known.ok) remark(`${known.error.problems[0]?.message} in the config; waiting for one`);
    }
    const printed = await list({ source, show, json }, range.value);
    if (printed > 0) return ok(EXIT.done);
    const known = knownSenses(place.value.config, names);
    if (!known.ok) return known;
    remark("no signals");
    return ok(EXIT.done);
  },
});
