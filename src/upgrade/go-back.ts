/** Owns the way back: the data, then the old executable, then the daemon, which is watched like a new daemon. */
import { existsSync } from "node:fs";
import { ok, type Result } from "../base/result.ts";
import type { Problem } from "../model/problem.ts";
import { sha256Of } from "../release/sums.ts";
import { type Blame, blameFor, type Fault } from "./blame.ts";
import { asideOf, backupOf, firstRung, isHalfPlaced, nextRung, putBack } from "./data-back.ts";
import { type End, refused } from "./end.ts";
import type { Home, Journal, Rung } from "./home.ts";
import { BY_OTHERS, type Running, start } from "./service.ts";
import { holdPlace } from "./stopped.ts";
import { lastLog, type Patience, WITHIN_MS, watch } from "./watch.ts";

/** When the old executable may go on with the backup, without later rows. */
export type Discard =
  | "never"
  /**
   * When it says that it cannot read the data. Only for the process that began the upgrade, whose backup is seconds old.
   */
  | "if-unreadable"
  /** When a person asked for it, and nothing else helps. */
  | "asked";

export interface WayBack {
  readonly home: Home;
  readonly was: Running | null;
  readonly discard: Discard;
  readonly patience: Patience;
  tell(line: string): void;
}

export async function goBack(begun: Journal, reason: string, way: WayBack): Promise<Result<End, readonly Problem[]>> {
  const { home, tell, discard } = way;
  const { from, to } = begun;
  const isBegun = begun.step === "going-back" || begun.step === "stuck";
  if (isBegun && (await isProven(begun, way))) {
    tell(`nerve ${from.version} runs and commits: the way back is finished with the data as they are`);
    home.write({ ...begun, step: "gone-back", rung: "as-it-is" });
    return ok({ kind: "gone-back", from, to, reason, rung: "as-it-is" });
  }
  const isKept = existsSync(home.previous) && (await sha256Of(home.previous)) === from.sha256;
  if (!isKept) return refused("no-previous", `${home.previous} is not nerve ${from.version}, so there is no way back`);
  tell(`going back to nerve ${from.version}: ${reason}`);
  const rung = await rungFor(begun);
  if (!rung.ok) return { ok: false, error: [rung.error] };
  let journal: Journal = { ...begun, step: "going-back", reason, rung: rung.value };
  home.write(journal);
  for (;;) {
    const fault = await stand(journal, way);
    if (fault === null) break;
    if (!("blame" in fault)) return { ok: false, error: [fault] };
    const next = nextRung(journal.rung);
    const justified = fault.blame === "data" || (fault.blame === "unknown" && discard === "asked");
    if (!justified || next === null || (next === "backup" && discard === "never")) {
      home.write({ ...journal, step: "stuck" });
      return stuck(journal, fault);
    }
    tell(
      `nerve ${from.version} does not go on with the data (${fault.words}); trying the ${next === "backup" ? "backup" : "rows in its own tables"}`,
    );
    journal = { ...journal, rung: next };
    home.write(journal);
  }
  home.write({ ...journal, step: "gone-back" });
  return ok({ kind: "gone-back", from, to, reason, rung: journal.rung });
}

/** A running daemon is found within this time. */
const SEEN_MS = 10_000;

/** True when the old executable runs and has committed since the upgrade began: then nothing is left to do. */
async function isProven({ from, data, lastLog: since }: Journal, { home, was, patience }: WayBack): Promise<boolean> {
  if (was === null || (await home.inPlace()) !== from.sha256) return false;
  const seen = { ...patience, withinMs: SEEN_MS };
  return (await watch(home.executable, data, BY_OTHERS, since, seen)) === null;
}

/** The first data of the way back: half-placed data of a killed one, or else the present data. Stops the daemon. */
async function rungFor({ manager, data, rung }: Journal): Promise<Result<Rung, Problem>> {
  const held = await holdPlace(manager, data);
  try {
    if (isHalfPlaced(data)) return ok(rung);
    return existsSync(backupOf(data)) ? firstRung(data) : ok("as-it-is");
  } finally {
    held?.release();
  }
}

/** Starts the old executable with the data of the journal's rung. Returns its fault, or null. */
async function stand(journal: Journal, { home, was, patience, tell }: WayBack): Promise<Fault | Problem | null> {
  const { data, manager, from, rung } = journal;
  const held = await holdPlace(manager, data);
  try {
    const left = putBack(data, rung);
    if (!left.ok) return left.error;
    for (const one of left.value) tell(`the newest rows are not in force, but lie in ${asideOf(data)}: ${one}`);
    if ((await home.inPlace()) !== from.sha256) home.putPreviousInPlace();
  } finally {
    held?.release();
  }
  if (manager === null) return null;
  const after = lastLog(data) ?? 0;
  const longer = { ...patience, withinMs: Math.max(patience.withinMs, WITHIN_MS) };
  const started = await start(manager, home.executable, data, was);
  const words = await watch(home.executable, data, started, after, longer);
  return words === null ? null : blameFor(words, started.code(), home.executable, journal, was);
}

function stuck({ from, data, rung }: Journal, { words, blame }: Fault): Result<End, readonly Problem[]> {
  return refused(
    "no-way-back",
    `nerve ${from.version} is in place and does not commit: ${words}`,
    hintFor(rung, blame, data),
  );
}

function hintFor(rung: Rung, blame: Blame, data: string): string {
  if (rung === "backup") {
    return `the data of before the upgrade lies in ${backupOf(data)}, that of after in ${asideOf(data)}`;
  }
  const again = "`nerve upgrade --rollback` goes on";
  if (blame === "host")
    return `the data stay as they are: mend that (disk, config, or who holds ${data}), then ${again}`;
  const discards =
    "`nerve upgrade --rollback --discard` goes on with the backup of before the upgrade, without what was committed since";
  return blame === "data" ? discards : `mend that, then ${again}; ${discards}`;
}
