/** Owns why a reflex did what it did with the newest signals, or did not, in the words of `nerve explain`. */
import { formatDuration } from "../base/duration.ts";
import { ok, type Result } from "../base/result.ts";
import { keepsIncidents, type NerveConfig, type ReflexConfig, targetOf } from "../model/config.ts";
import type { Problem } from "../model/problem.ts";
import { type Account, accountOf, BACK } from "../replays/account.ts";
import { hasClock } from "../replays/due-times.ts";
import { because, followed, keyWords, laterWords, outcomeOf, stateWords } from "../replays/explain-words.ts";
import { standingWords } from "../replays/standing.ts";
import { isKeyed } from "../rules/key.ts";
import { healthOf } from "./health.ts";
import { aboutName, type NextCommand, type NotDone, notDone, type Reason, type Scene, type Why } from "./scene.ts";
import { moment, short } from "./words.ts";

type Seen = Account["seen"][number];

/** Outcomes of a look, the ones that say most first. */
const WEIGHT: readonly ReturnType<typeof outcomeOf>[] = [
  "fired",
  "opened",
  "limited",
  "over-key-limit",
  "holding",
  "debouncing",
  "throttled",
  "spent",
  "broken-off",
  "ending",
  "resolved",
  "again",
  "open",
  "counting",
  "no-edge",
];

const REASONS: Readonly<Record<ReturnType<typeof outcomeOf>, Reason | null>> = {
  disabled: "disabled",
  "not-loaded": "not-loaded",
  unreadable: "failed",
  "over-key-limit": "waiting",
  "no-match": "no-match",
  "no-edge": "no-match",
  "broken-off": "no-match",
  holding: "pending",
  counting: "pending",
  debouncing: "pending",
  throttled: "throttled",
  fired: null,
  ending: null,
  opened: null,
  open: null,
  again: null,
  resolved: null,
  spent: "resolved",
  limited: "waiting",
};

const weightOf = (seen: Seen): number => {
  const at = WEIGHT.indexOf(outcomeOf(seen));
  return at < 0 ? WEIGHT.length : at;
};

export function whyReflex(scene: Scene, loaded: NerveConfig, config: ReflexConfig): Result<Why, Problem> {
  const { store, axis, now } = scene;
  const question = { kind: "latest", limit: 1, most: Number.POSITIVE_INFINITY, before: null } as const;
  const told = accountOf({ store, loaded, config, question, key: null, axis, now, back: BACK, since: now });
  if (!told.ok) return told;
  const account = told.value;
  const [seen = null] = account.seen.toSorted((a, b) => weightOf(a) - weightOf(b));
  return ok({
    about: aboutName("reflex", config.name),
    isWrong: false,
    since: seen?.signal.at ?? null,
    signal: seen?.signal.id ?? null,
    what: [leadOf(scene, account, seen)],
    cause: [...asked(account)],
    done: [...clockWords(scene, account), ...(seen === null ? [] : followedWords(account, seen))],
    notDone: [
      ...heldBack(scene, account),
      ...unwell(scene, config, account.isEnabled),
      ...(seen === null ? [] : notFired(account, seen)),
    ],
    coming: comingOf(scene, account, seen),
    next: commandsOf(config, account),
  });
}

const doesOf = (config: ReflexConfig): string =>
  config.kind === "sense" ? `runs sense ${config.sense}` : `starts ${config.workflow}`;

function leadOf(scene: Scene, { config, isEnabled, disabledSince }: Account, seen: Seen | null): string {
  const { now } = scene;
  const name = `Reflex ${config.name}`;
  if (!isEnabled) {
    const since = disabledSince === null ? "" : ` since ${moment(disabledSince, now)}`;
    return `${name} has been disabled${since}: the reflex looks at nothing.`;
  }
  if (config.on.length === 0) return `${name} ${doesOf(config)} by the clock alone.`;
  const [deaf] = unwellOf(scene, config);
  if (deaf !== undefined) return `${name} has nothing to look at: ${deaf.words}.`;
  if (seen === null) return `${name} has not fired: no signal of ${config.on.join(" or ")} is there.`;
  const { sense, id, at } = seen.signal;
  const key = isKeyed(config.key) && seen.evaluation !== null ? ` (key ${keyWords(seen.evaluation.match.key)})` : "";
  const of = `#${id} of ${sense}${key}, at ${moment(at, now)}`;
  const outcome = outcomeOf(seen);
  if (outcome === "fired") return `${name} fired for its newest signal, ${of}.`;
  if (outcome === "holding" && seen.evaluation?.stage?.kind === "holding") {
    const { signal, at: began } = seen.matchingSince ?? { signal: id, at };
    const due = moment(seen.evaluation.stage.until, now);
    return `${name} waits${key}: it has matched since signal #${signal} of ${sense}, at ${moment(began, now)}, and \`for: ${formatDuration(config.forMs ?? 0)}\` ends at ${due}.`;
  }
  if (outcome === "opened") return `${name} opened an incident at its newest signal, ${of}.`;
  const why = outcome === "throttled" ? throttledWords(scene, config, seen) : because(seen, config);
  return `${name} did not fire for its newest signal, ${of}: ${why}.`;
}

function throttledWords({ now }: Scene, { throttleMs }: ReflexConfig, { decided, firedBefore }: Seen): string {
  const until = decided?.until == null ? "" : ` until ${moment(decided.until, now)}`;
  const fired =
    firedBefore === null
      ? ""
      : `, because it fired at ${moment(firedBefore.at, now)} for signal #${firedBefore.signal}`;
  return `\`throttle: ${formatDuration(throttleMs ?? 0)}\` holds the reflex back${until}${fired}`;
}

/** Why nobody asks the reflex as it stands in the file. */
const asked = ({ standing }: Account): string[] => {
  const words = standingWords(standing);
  return words === null ? [] : [`${capital(words)}.`];
};

const capital = (text: string): string => `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}`;

function followedWords({ config }: Account, seen: Seen): string[] {
  const later = laterWords(seen);
  const then = later === null ? [] : [`It ${later}.`];
  return [...(seen.followed === null ? [] : [`What followed: ${followed(seen.followed, config)}.`]), ...then];
}

function clockWords({ now }: Scene, { dueTimes }: Account): string[] {
  const last = dueTimes.at(-1);
  if (last === undefined) return [];
  const run = last.run === null ? "" : `: run ${last.run.id} ${last.run.state}`;
  const error = last.run?.error ? `, ${short(last.run.error)}` : "";
  return last.due === null
    ? [`${capital(short(last.message))}.`]
    : [`Its newest due time was ${moment(last.at, now)}${run}${error}.`];
}

function heldBack({ now }: Scene, { config, silence, isEnabled }: Account): NotDone[] {
  const rows: NotDone[] = [];
  if (!isEnabled) rows.push(notDone("disabled", "The reflex decides nothing until a person enables it."));
  if (silence !== null) {
    const text = `The reflex starts no workflow, because ${silence.pattern} is silenced until ${moment(silence.until, now)}: ${short(silence.why)}.`;
    rows.push(notDone("silence", text, silence.until));
  }
  if (config.on.length === 0 && !hasClock(config)) rows.push(notDone("nobody-listens", "Nothing makes it due."));
  return rows;
}

/** Senses from which the reflex hears nothing. */
function unwellOf(scene: Scene, { on }: ReflexConfig): { readonly reason: Reason; readonly words: string }[] {
  return on.flatMap((sense) => {
    const { state, since } = healthOf(scene, sense);
    if (state === "ok") return [];
    const reason = state === "quarantined" || state === "disabled" ? state : "unwell";
    const at = since === null ? "" : ` since ${moment(since, scene.now)}`;
    return [{ reason, words: `its sense ${sense} has been ${state === "failed" ? "unable to load" : state}${at}` }];
  });
}

/** All of them; of one the answer tells. */
function unwell(scene: Scene, config: ReflexConfig, isEnabled: boolean): NotDone[] {
  const senses = unwellOf(scene, config);
  const told = isEnabled ? senses.slice(0, 1) : [];
  return senses.map((one) =>
    notDone(
      one.reason,
      told.includes(one)
        ? "Until that sense emits, the reflex can neither fire nor resolve."
        : `Besides, ${one.words}.`,
    ),
  );
}

/** The answer has the words: here is the reason for programs. */
function notFired({ config }: Account, seen: Seen): NotDone[] {
  const reason = REASONS[outcomeOf(seen)];
  if (reason === null) return [];
  const stage = seen.evaluation?.stage ?? null;
  const until = stage !== null && "until" in stage ? stage.until : null;
  if (keepsIncidents(config)) return [notDone(reason, "So no incident opened, and nobody was told.", until)];
  const target = targetOf(config);
  return [
    notDone(
      reason,
      config.kind === "sense" ? `So ${target} did not compute.` : `So no run of ${target} started.`,
      until,
    ),
  ];
}

/** Outcomes of which the answer says what the key waits for. */
const SAID: ReadonlySet<string> = new Set(["holding", "throttled"]);

/** Keys that wait for something. */
const MAX_KEYS = 3;

function comingOf(scene: Scene, { config, pending, wallAt, nextDue }: Account, seen: Seen | null): string[] {
  // The answer has the words of the key that it is about.
  const told = seen !== null && SAID.has(outcomeOf(seen)) ? seen.evaluation?.match.key : undefined;
  const waiting = pending
    .filter(({ key }) => key !== told)
    .flatMap(({ key, state }) => {
      const words = stateWords(state, config, wallAt, scene.now);
      const of = isKeyed(config.key) ? `key ${keyWords(key)}` : "it";
      return words.length === 0 ? [] : [`Now ${of} ${words.join("; ")}.`];
    });
  const more = waiting.length - MAX_KEYS;
  return [
    ...waiting.slice(0, MAX_KEYS),
    ...(more > 0 ? [`${more} more keys wait for something.`] : []),
    ...(nextDue === null || !scene.isRunning ? [] : [`The reflex is due again at ${moment(nextDue, scene.now)}.`]),
  ];
}

function commandsOf({ name, kind }: ReflexConfig, { isEnabled, silence }: Account): NextCommand[] {
  const explain = { command: `nerve explain ${name}`, does: "what it made of its latest signals" };
  const test = { command: `nerve backtest ${name}`, does: "how often it would have fired" };
  if (!isEnabled) return [{ command: `nerve enable reflex:${name}`, does: "has it look again" }];
  if (silence !== null)
    return [{ command: `nerve silence "${silence.pattern}" --end`, does: "ends the silence" }, explain];
  return kind === "workflow" ? [explain, test] : [explain];
}
