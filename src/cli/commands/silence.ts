/** Owns `nerve silence`: keeps reflexes from starting workflows for a while, lists the silences, and lifts a silence. */
import { formatDuration, parseDuration } from "../../base/duration.ts";
import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import { localMoment } from "../../base/local-time.ts";
import { ok, type Result } from "../../base/result.ts";
import { until } from "../../base/times.ts";
import type { SilenceAnswer, SilenceRequest } from "../../control/contract.ts";
import { silencedBy } from "../../model/silence.ts";
import { defineCommand, flag, hiddenFlag, text } from "../frame/command.ts";
import { EXIT, type Failure, type Outcome, usageError } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { lifetimeOf } from "../place/elapsed.ts";
import { findPlace, type Place } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { remark } from "../screen/failure.ts";
import { type Column, renderTable } from "../screen/table.ts";
import { print, span, stdoutScreen } from "../screen/terminal.ts";

const LONGEST_MS = 3_650 * 86_400_000;
const LONGEST_PATTERN = 200;
const LONGEST_WHY = 1_000;

export const command = defineCommand({
  details:
    "What a silenced reflex decides is logged (reflex.fired, with `silenced`) and counts for its throttle, but no run\nstarts. Kept across restarts; a clock that is set neither shortens nor lengthens it. Given again, a pattern is\nsilenced anew from now on. Without a reflex it lists what is silenced, also while no daemon runs.",
  arguments: [{ name: "reflex or glob", required: false }],
  options: {
    for: text("DURATION", "for how long: 30m, 2h, 7d"),
    why: text("TEXT", "the reason, for whoever finds it silenced"),
    end: flag("end the silence of this very pattern"),
    // The former name of the option.
    clear: hiddenFlag(),
  },
  examples: [
    ["nerve silence page-on-critical --for 2h --why 'disk is being replaced'", "nobody is paged for two hours"],
    ["nerve silence 'page-*' --for 30m --why deploy", "every reflex whose name begins so, in quotes for the shell"],
    ["nerve silence", "what is silenced, for how long yet, and why"],
    ["nerve silence 'page-*' --end", "its reflexes start workflows again"],
  ],
  async run({ arguments: [named = null], options, config, json }) {
    const request = requestOf(named, options);
    if (!request.ok) return request;
    const place = findPlace(config);
    if (!place.ok) return place;
    if (request.value.kind === "list") return listSilences(place.value, json);
    const { kind, body } = request.value;
    const answer = await ask<SilenceAnswer>(place.value, `/${kind}`, body);
    if (!answer.ok) return answer;
    if (json) print(safeJson(answer.value));
    else if (kind === "unsilence") print(`${escapeForTerminal(answer.value.pattern)} is no longer silenced`);
    else print(sentence(answer.value, options.for ?? ""));
    return ok(EXIT.done);
  },
});

type Request =
  | { readonly kind: "list" }
  | { readonly kind: "silence"; readonly body: SilenceRequest }
  | { readonly kind: "unsilence"; readonly body: Pick<SilenceRequest, "pattern"> };

interface Given {
  readonly for: string | null;
  readonly why: string | null;
  readonly end: boolean;
  readonly clear: boolean;
}

function requestOf(named: string | null, given: Given): Result<Request, Failure> {
  const end = given.clear ? "`--clear`" : "`--end`";
  const example = "as in `nerve silence page-on-critical --for 2h --why 'disk is being replaced'`";
  if (named === null) {
    if (given.clear || given.end)
      return usageError(`${end} needs the pattern whose silence ends`, "`nerve silence` lists what is silenced");
    if (given.for !== null || given.why !== null) return usageError("which reflex is to be silenced?", example);
    return ok({ kind: "list" });
  }
  const pattern = named.replace(/^reflex:/, "");
  if (pattern === "" || pattern.length > LONGEST_PATTERN) {
    return usageError(`a reflex's name or a glob has 1 to ${LONGEST_PATTERN} characters`, example);
  }
  if (given.clear || given.end) {
    if (given.for !== null || given.why !== null) return usageError(`${end} takes neither \`--for\` nor \`--why\``);
    return ok({ kind: "unsilence", body: { pattern } });
  }
  if (given.for === null) return usageError("`--for` is missing: for how long?", example);
  const forMs = parseDuration(given.for);
  if (forMs === null || forMs === 0 || forMs > LONGEST_MS) {
    return usageError(`\`--for\` takes a duration up to ${formatDuration(LONGEST_MS)}, not \`${given.for}\``, example);
  }
  const why = given.why?.trim() ?? "";
  if (why === "") return usageError("`--why` is missing: whoever finds it silenced wants to know", example);
  if (why.length > LONGEST_WHY) return usageError(`\`--why\` takes at most ${LONGEST_WHY} characters`);
  return ok({ kind: "silence", body: { pattern, for_ms: forMs, why } });
}

const sentence = ({ pattern, until: end, reflexes }: SilenceAnswer, duration: string): string =>
  [
    `${escapeForTerminal(pattern)} is silenced for ${duration}, until ${localMoment(end)}`,
    ...(reflexes.length === 1 && reflexes[0] === pattern ? [] : [`reflexes: ${reflexes.join(", ")}`]),
  ].join("\n");

async function listSilences(place: Place, json: boolean): Promise<Outcome> {
  const now = Date.now();
  const answer = await ask<readonly SilenceAnswer[]>(place, "/silences", null);
  const found = answer.ok || answer.error.code !== EXIT.unreachable ? answer : stored(place);
  if (!found.ok) return found;
  if (json) for (const silence of found.value) print(safeJson(silence));
  else if (found.value.length > 0) print(renderTable(columns(now), found.value, stdoutScreen()).join("\n"));
  else remark("nothing is silenced");
  return ok(EXIT.done);
}

/** The silences in the store, for when no daemon answers. */
function stored(place: Place): Result<readonly SilenceAnswer[], Failure> {
  const opened = readStore(place);
  if (!opened.ok) return opened;
  const reflexes = place.config?.reflexes.filter(({ kind }) => kind === "workflow").map(({ name }) => name) ?? [];
  const { silences } = opened.value;
  const lifetime = lifetimeOf(opened.value);
  const now = lifetime.now();
  const current = silences.exists() ? silences.all().filter(({ due }) => due > now) : [];
  opened.value.close();
  return ok(
    current.map(({ pattern, why, at, due }) => ({
      pattern,
      why,
      at,
      until: lifetime.wallAt(due),
      reflexes: reflexes.filter(silencedBy(pattern)),
    })),
  );
}

const cell = (title: string, rank: number, of: (silence: SilenceAnswer) => string): Column<SilenceAnswer> => ({
  title,
  align: "left",
  rank,
  cell: (silence) => span(escapeForTerminal(of(silence))),
});

const columns = (now: number): readonly Column<SilenceAnswer>[] => [
  cell("SILENCED", 0, ({ pattern }) => pattern),
  cell("ENDS", 0, ({ until: end }) => until(end, now)),
  cell("REFLEXES", 1, ({ reflexes }) => reflexes.join(", ") || "–"),
  cell("SINCE", 2, ({ at }) => localMoment(at)),
  cell("WHY", 0, ({ why }) => why),
];
