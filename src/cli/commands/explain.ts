/** Owns `nerve explain`: why a reflex fired or did not fire, and what the reflex waits for. */
import { safeJson } from "../../base/escape.ts";
import { ok, type Result } from "../../base/result.ts";
import { parseSince } from "../../base/times.ts";
import { accountOf, BACK } from "../../replays/account.ts";
import { ALL_KEYS, accountJson } from "../../replays/account-json.ts";
import type { Question } from "../../replays/explanation.ts";
import { defineCommand, text } from "../frame/command.ts";
import { EXIT, type Failure, fail, usageError } from "../frame/outcome.ts";
import { lifetimeOf } from "../place/elapsed.ts";
import { knownReflex } from "../place/known-names.ts";
import { findPlace } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { printAccount } from "../replays/account-text.ts";
import { print } from "../screen/terminal.ts";

const LATEST = 5;

export const command = defineCommand({
  details:
    "Replays the signals that are kept through its rules as they are now, and tells how far each came: which field did not\nmatch, since when it matches already, what `for` or `debounce` waits for, what throttles it, which run it started. It\nbegins with the first signal after it was loaded with these rules. Without --at or --signal: its latest signals. Needs no daemon.",
  arguments: [{ name: "reflex", required: true }],
  options: {
    at: text("WHEN", "the last signal up to then: 10m (ago), 2026-11-22 or '2026-11-22 10:30'"),
    signal: text("ID", "this signal"),
    key: text("KEY", "only of this value of its `key`"),
  },
  examples: [
    ["nerve explain page-on-critical", "what it made of its latest signals"],
    ["nerve explain page-on-critical --signal 4217", "of this one"],
    ["nerve explain page-on-critical --at '2026-11-22 03:10' --key web-1", "why it was quiet that night"],
  ],
  async run({ arguments: [name = ""], options, config, json }) {
    const place = findPlace(config);
    if (!place.ok) return place;
    const loaded = place.value.config;
    if (loaded === null) return fail(EXIT.badConfig, ...place.value.problems);
    const known = knownReflex([loaded], name);
    if (!known.ok) return known;
    const now = Date.now();
    const question = questionOf(options, now);
    if (!question.ok) return question;
    const opened = readStore(place.value);
    if (!opened.ok) return opened;
    const reflex = loaded.reflexes.find((one) => one.name === known.value);
    if (reflex === undefined) throw new Error(`reflex ${known.value} was there a moment ago`);
    const store = opened.value;
    const about = { loaded, config: reflex, question: question.value, key: options.key };
    const account = accountOf({ store, ...about, axis: lifetimeOf(store), back: BACK, since: 0, now });
    if (!account.ok) return fail(EXIT.usage, account.error);
    if (json) print(safeJson(accountJson(account.value, ALL_KEYS)));
    else printAccount(account.value);
    return ok(EXIT.done);
  },
});

function questionOf(
  { at, signal }: { readonly at: string | null; readonly signal: string | null },
  now: number,
): Result<Question, Failure> {
  if (at !== null && signal !== null) return usageError("`--at` and `--signal` are two questions", "ask one of them");
  if (signal !== null) {
    const id = Number(signal.replace(/^#/, ""));
    if (!Number.isSafeInteger(id) || id < 1) return usageError(`\`--signal\` takes an id, not \`${signal}\``);
    return ok({ kind: "signal", id });
  }
  if (at === null) return ok({ kind: "latest", limit: LATEST, most: Number.POSITIVE_INFINITY, before: null });
  const time = parseSince(at, now);
  if (time !== null) return ok({ kind: "at", at: time });
  return usageError(`\`--at\` takes a time, not \`${at}\``, "as in 10m, 2026-11-22 or '2026-11-22 10:30'");
}
