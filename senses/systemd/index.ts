/** Which units of systemd have failed, which were started again, which timers are late, and how the units are that you name. */
import { existsSync } from "node:fs";
import { notBetween } from "drizzle-orm";
import type { Compute, Series } from "nerve";
import { isChosen } from "nerve/glob";
import { duration, type Infer, record, where, words } from "nerve/options";
import { declaration } from "nerve/payload";
import { lacking } from "nerve/sources";
import { judge } from "./judge.ts";
import { samples } from "./schema.ts";
import { fullName, show } from "./systemctl.ts";

const isName = (name: string): boolean => /^[\w:.\\@*-]+$/.test(name);
const names = (fallback: readonly string[]) =>
  where(words(fallback), (list) => list.every(isName), "be names of units, such as nginx.service or *.mount");

export const options = record({
  // Units that are described whatever their state is.
  units: names([]),
  // Units that are not looked at.
  except: names([]),
  // How long a timer may be behind its time.
  late_after: duration("5m", { min: "10s", max: "7d" }),
  keep: duration("7d", { min: "1m", max: "90d" }),
});

type Options = Infer<typeof options>;

const COUNT = "number.integer >= 0";
const TIME = "number.integer | null";

export const payload = declaration<Options>(({ units }) => ({
  failed: [{ unit: "string", result: "string", exit_status: "number.integer | null", since: TIME }, "[]"],
  failed_count: COUNT,
  restarted: [{ unit: "string", restarts: COUNT, total: COUNT }, "[]"],
  restarted_count: COUNT,
  late: [{ unit: "string", triggers: "string", late_seconds: COUNT, last: TIME }, "[]"],
  late_count: COUNT,
  ...(units.length === 0 ? {} : { units: [UNIT, "[]"] }),
}));

const UNIT = {
  unit: "string",
  loaded: "boolean",
  state: "string",
  sub: "string",
  result: "string",
  restarts: `${COUNT} | null`,
  since: TIME,
  memory_bytes: `${COUNT} | null`,
  cpu_seconds: "number >= 0 | null",
};

export const series: Series = {
  table: "samples",
  at: "at",
  numbers: { failed_count: null, restarted_count: null, late_count: null },
};

export const compute: Compute<Options> = async (db, _peers, { options: given, signal, now, log }) => {
  // The test of sd_booted(3).
  if (!existsSync("/run/systemd/system")) {
    return lacking(
      db,
      log,
      "systemd is not the init system here (/run/systemd/system is missing): there is nothing to see",
    );
  }
  const named = given.units.map(fullName);
  const except = given.except.map(fullName);
  const units = (await show(named, signal)).filter(({ unit }) => !isChosen(unit, except, []));
  const found = judge(db, units, { named, lateAfterMs: given.late_after, now: Date.now() });

  const { failed_count, restarted_count, late_count } = found;
  const sample = { at: now, failed_count, restarted_count, late_count };
  const { id } = db.insert(samples).values(sample).returning({ id: samples.id }).get();
  const outdated = notBetween(samples.at, now - given.keep, now + given.keep);
  if (id % 100 === 0) db.delete(samples).where(outdated).run();

  return found;
};
