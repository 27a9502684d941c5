/** Owns the account of a reflex as text, for people. */
import { counted } from "../../base/counted.ts";
import { escapeForTerminal } from "../../base/escape.ts";
import { localMoment } from "../../base/local-time.ts";
import { clocksOf } from "../../config/graph.ts";
import type { ReflexConfig } from "../../model/config.ts";
import type { Account } from "../../replays/account.ts";
import { hasClock } from "../../replays/due-times.ts";
import {
  because,
  type Followed,
  followed,
  keyWords,
  laterWords,
  outcomeOf,
  stateWords,
} from "../../replays/explain-words.ts";
import type { Finding } from "../../replays/explanation.ts";
import { goneWords, unreadableWords } from "../../replays/gaps.ts";
import { beganAfter, standingWords } from "../../replays/standing.ts";
import { isKeyed } from "../../rules/key.ts";
import { print, printLine, span } from "../screen/terminal.ts";

/** A signal has several findings only with `each`. */
const MAX_FINDINGS_TOLD = 50;
const MAX_KEYS_TOLD = 20;
const MAX_UNREADABLE_TOLD = 5;

export function printAccount(account: Account): void {
  const { config, seen, pending, wallAt, replayed } = account;
  for (const line of headOf(account)) print(line);
  printDueTimes(account);
  if (account.notHeard !== null) {
    print(`  ${account.notHeard}`);
    return;
  }
  if (config.on.length > 0 && seen.length === 0) print("  no such signal is kept");
  for (const one of seen.slice(0, MAX_FINDINGS_TOLD)) {
    const { signal, evaluation } = one;
    const key = !isKeyed(config.key) || evaluation === null ? "" : `, key ${keyWords(evaluation.match.key)}`;
    const sense = escapeForTerminal(signal.sense);
    printLine([span(`${localMoment(signal.at)}  `, "dim"), span(`${sense} #${signal.id}${key}`, "cyan")]);
    print(`  ${linesOf(one, config, one.followed).join("\n  ")}`);
  }
  const left = seen.length - MAX_FINDINGS_TOLD;
  if (left > 0) print(`(and ${counted(left, "more element")}: \`--key\` asks about one)`);
  if (!replayed.isWhole) print(`(${goneWords({ id: replayed.from, isOldest: replayed.isOldest })})`);
  const untold = replayed.unreadable.filter((id) => !seen.some(({ signal }) => signal.id === id));
  for (const id of untold.slice(0, MAX_UNREADABLE_TOLD)) print(`(not replayed: ${unreadableWords(id)})`);
  const now = Date.now();
  const waiting = pending.flatMap(({ key, state }) => {
    const words = stateWords(state, config, wallAt, now);
    const of = isKeyed(config.key) ? `key ${keyWords(key)}: ` : "";
    return words.length === 0 ? [] : [`  ${of}${words.join("; ")}`];
  });
  if (waiting.length === 0) return;
  print("now:");
  for (const line of waiting.slice(0, MAX_KEYS_TOLD)) print(line);
  if (waiting.length > MAX_KEYS_TOLD) print(`  and ${counted(waiting.length - MAX_KEYS_TOLD, "more key")}`);
}

/** `is due every 10s, at start`. */
const clockWords = (config: ReflexConfig): string => `is due ${clocksOf(config).join(", ")}`;

function printDueTimes({ config, dueTimes, nextDue }: Account): void {
  for (const { at, run, message } of dueTimes) {
    const now = run === null ? "" : `; run #${run.id} ${run.state}${run.error === null ? "" : `: ${run.error}`}`;
    printLine([span(`${localMoment(at)}  `, "dim"), span(escapeForTerminal(`${message}${now}`))]);
  }
  if (dueTimes.length === 0 && hasClock(config) && config.kind === "workflow") print("  no due time is recorded");
  if (nextDue !== null) print(`next: ${localMoment(nextDue)}`);
}

function headOf({ config, isEnabled, disabledSince, silence, standing }: Account): string[] {
  const looksAt = config.on.length === 0 ? clockWords(config) : `looks at signals of ${config.on.join(", ")}`;
  const starts = config.kind === "sense" ? `runs sense ${config.sense}` : `starts workflow ${config.workflow}`;
  const lines = [`${escapeForTerminal(config.name)} ${looksAt} and ${starts}`];
  const words = standingWords(standing);
  if (words !== null) lines.push(`  ${words}`);
  if (beganAfter(standing) !== null && standing.kind === "loaded") {
    lines.push(`  loaded with these rules at ${localMoment(standing.at)}: it begins after signal #${standing.since}`);
  }
  if (!isEnabled) {
    const since = disabledSince === null ? "" : ` since ${localMoment(disabledSince)}`;
    lines.push(
      `  disabled${since}: it looks at nothing until \`nerve enable reflex:${escapeForTerminal(config.name)}\``,
    );
  }
  if (silence !== null) {
    const by = `"${escapeForTerminal(silence.pattern)}" (${escapeForTerminal(silence.why)})`;
    lines.push(`  silenced until ${localMoment(silence.until)} by ${by}: it decides, and starts nothing`);
  }
  return lines;
}

function linesOf(seen: Finding, config: ReflexConfig, what: Followed | null): string[] {
  const first = because(seen, config);
  const effect = what === null ? "" : `: ${followed(what, config)}`;
  if (outcomeOf(seen) === "not-loaded") {
    return [what === null ? first : `${first}; by those it had then it fired${effect}`];
  }
  if (outcomeOf(seen) === "fired") return [`${first}${effect}`];
  const later = laterWords(seen);
  return later === null ? [first] : [first, `then ${later}${effect}`];
}
