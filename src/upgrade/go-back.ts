/** The way back: the data, then the old executable, then the daemon, which is watched like a new one. */
import { existsSync } from "node:fs";
import { ok, type Result } from "../base/result.ts";
import type { Problem } from "../model/problem.ts";
import { sha256Of } from "../release/sums.ts";
import { asideOf, backupOf, firstRung, nextRung, putBack } from "./data-back.ts";
import { type End, refused } from "./end.ts";
import type { Home, Journal, Rung } from "./home.ts";
import { type Running, start } from "./service.ts";
import { holdPlace } from "./stopped.ts";
import { lastLog, type Patience, WITHIN_MS, watch } from "./watch.ts";

export interface WayBack {
  readonly home: Home;
  readonly was: Running | null;
  /** Where nothing else helps, the old executable may go on with the backup, without what was committed since. */
  readonly mayDiscard: boolean;
  readonly patience: Patience;
  tell(line: string): void;
}

export async function goBack(begun: Journal, reason: string, way: WayBack): Promise<Result<End, readonly Problem[]>> {
  const { home, tell } = way;
  const { from, to, data } = begun;
  const isKept = existsSync(home.previous) && (await sha256Of(home.previous)) === from.sha256;
  if (!isKept) return refused("no-previous", `${home.previous} is not nerve ${from.version}, so there is no way back`);
  tell(`going back to nerve ${from.version}: ${reason}`);
  const isBegun = begun.step === "going-back" || begun.step === "stuck";
  const mayDiscard = way.mayDiscard || (isBegun && begun.mayDiscard);
  let journal: Journal = { ...begun, step: "going-back", reason, mayDiscard };
  if (!isBegun) {
    const held = await holdPlace(begun.manager, data);
    try {
      const rung = existsSync(backupOf(data)) ? firstRung(data) : ok<Rung>("as-it-is");
      if (!rung.ok) return { ok: false, error: [rung.error] };
      journal = { ...journal, rung: rung.value };
      home.write(journal);
    } finally {
      held?.release();
    }
  }
  for (;;) {
    const fault = await stand(journal, way);
    if (fault === null) break;
    if (typeof fault !== "string") return { ok: false, error: [fault] };
    const rung = nextRung(journal.rung);
    if (rung === null || (rung === "backup" && !mayDiscard)) {
      home.write({ ...journal, step: "stuck" });
      return stuck(journal, fault);
    }
    tell(
      `nerve ${from.version} does not go on with the data (${fault}); trying the ${rung === "backup" ? "backup" : "rows in its own tables"}`,
    );
    journal = { ...journal, rung };
    home.write(journal);
  }
  home.write({ ...journal, step: "gone-back" });
  return ok({ kind: "gone-back", from, to, reason, rung: journal.rung });
}

/** Puts the old executable on its feet with the data of the journal's rung. What is wrong with that, or null. */
async function stand(journal: Journal, { home, was, patience, tell }: WayBack): Promise<string | Problem | null> {
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
  return watch(home.executable, data, await start(manager, home.executable, data, was), after, longer);
}

function stuck({ from, data, rung }: Journal, fault: string): Result<End, readonly Problem[]> {
  const hint =
    rung === "backup"
      ? `the data of before the upgrade lies in ${backupOf(data)}, that of after in ${asideOf(data)}`
      : "`nerve upgrade --rollback --discard` goes on with the backup of before the upgrade, without what was committed since";
  return refused("no-way-back", `nerve ${from.version} is in place and does not commit: ${fault}`, hint);
}
