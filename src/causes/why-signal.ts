/** Owns what followed from a signal, reflex by reflex, and why nothing did where nothing did. */
import { ok, type Result } from "../base/result.ts";
import { shownScalar } from "../base/shown-scalar.ts";
import type { NerveConfig, ReflexConfig } from "../model/config.ts";
import type { Problem } from "../model/problem.ts";
import type { Signal } from "../model/signal.ts";
import { type Account, accountOf, BACK } from "../replays/account.ts";
import { because, followed, keyWords, laterWords, outcomeOf } from "../replays/explain-words.ts";
import { isKeyed } from "../rules/key.ts";
import { readFields } from "./fields.ts";
import { aboutId, type NotDone, notDone, type Scene, type Why } from "./scene.ts";
import { moment, short } from "./words.ts";

/** Each is a replay of what came before the signal. */
const MAX_REFLEXES = 8;
const MAX_ELEMENTS = 3;
const MAX_FIELDS = 5;

type Seen = Account["seen"][number];

export function whySignal(scene: Scene, config: NerveConfig, signal: Signal): Result<Why, Problem> {
  const { now } = scene;
  const { id, sense, at, cause, payload } = signal;
  const listeners = config.reflexes.filter(({ on }) => on.includes(sense));
  const done: string[] = [];
  const left: NotDone[] = [];
  for (const reflex of listeners.slice(0, MAX_REFLEXES)) {
    const account = lookOf(scene, config, reflex, id);
    if (!account.ok) return account;
    if (account.value.seen.length === 0) left.push(nothingSeen(reflex));
    for (const seen of account.value.seen.slice(0, MAX_ELEMENTS)) tell(reflex, seen, done, left);
  }
  if (listeners.length === 0) {
    left.push(notDone("nobody-listens", `Nothing followed, for no reflex listens to ${sense}.`));
  }
  return ok({
    about: aboutId("signal", id),
    isWrong: false,
    since: at,
    signal: id,
    what: [`Signal #${id} of ${sense} came at ${moment(at, now)}${seenIn(payload)}.`],
    cause: cause === null ? [] : [`It followed from signal #${cause}.`],
    done,
    notDone: left,
    coming: listeners.length > MAX_REFLEXES ? [`${listeners.length - MAX_REFLEXES} more reflexes looked at it.`] : [],
    next: [
      { command: `nerve show signal:${id}`, does: "all that its trace led to" },
      ...listeners.slice(0, 1).map(({ name }) => ({
        command: `nerve explain ${name} --signal ${id}`,
        does: "how far it came, field by field",
      })),
    ],
  });
}

/** The first fields of the payload that are no lists and no objects. */
function seenIn(payload: string): string {
  const fields = Object.entries(readFields(payload)).flatMap(([name, value]) =>
    value === undefined || (typeof value === "object" && value !== null)
      ? []
      : [`${short(name)} ${shownScalar(value)}`],
  );
  return fields.length === 0 ? "" : `: ${fields.slice(0, MAX_FIELDS).join(", ")}`;
}

const nothingSeen = ({ name, each }: ReflexConfig): NotDone =>
  notDone(
    "no-match",
    each === null
      ? `Reflex ${name} did not look at it.`
      : `Reflex ${name} found no element at \`each: ${each}\` in it.`,
  );

function lookOf(scene: Scene, loaded: NerveConfig, config: ReflexConfig, id: number): Result<Account, Problem> {
  const { store, axis, now } = scene;
  return accountOf({
    store,
    loaded,
    config,
    question: { kind: "signal", id },
    key: null,
    axis,
    now,
    back: BACK,
    since: now,
  });
}

const HAPPENED: ReadonlySet<string> = new Set(["fired", "opened", "resolved", "ending", "again", "open"]);

function tell(config: ReflexConfig, seen: Seen, done: string[], left: NotDone[]): void {
  const key = isKeyed(config.key) && seen.evaluation !== null ? ` (key ${keyWords(seen.evaluation.match.key)})` : "";
  const then = laterWords(seen);
  const effect = seen.followed === null ? "" : `: ${followed(seen.followed, config)}`;
  const later = then === null ? "" : `, then ${then}`;
  const text = `Reflex ${config.name}${key}: ${because(seen, config)}${later}${effect}.`;
  if (HAPPENED.has(outcomeOf(seen)) && seen.followed?.silenced == null) done.push(text);
  else left.push(notDone(seen.followed?.silenced ? "silence" : "no-match", text));
}
