/** The host's state in a word (ok, warning or critical) and why, judged by the samples of other senses. */
import { hostname } from "node:os";
import type { Compute } from "nerve";
import { declaration } from "nerve/payload";
import { assess, fingerprint, overall, reason } from "./assess.ts";
import { CHECKS, type HealthOptions, options } from "./options.ts";
import { readPeers } from "./peers.ts";
import { verdicts } from "./schema.ts";

export { options };

const STATUS = "'ok' | 'warning' | 'critical'";

export const payload = declaration({
  host: "string",
  status: STATUS,
  reasons: "string[]",
  checks: [
    {
      sense: "string",
      check: CHECKS.map((check) => `'${check}'`).join(" | "),
      value: "number",
      status: STATUS,
      warning: "number",
      critical: "number",
    },
    "[]",
  ],
  skipped: [{ sense: "string", why: "'not configured' | 'not ready' | 'stale'" }, "[]"],
});

export const compute: Compute<HealthOptions> = (db, peers, { options: given, now }) => {
  const { readings, skipped } = readPeers(peers, given, now);
  // There are no samples yet. If that does not change, the sense `nerve` reports it.
  if (readings.length === 0) return null;

  const checks = assess(readings, given);
  const status = overall(checks);
  if (given.changes_only) {
    const verdict = fingerprint(checks);
    const previous = db.select().from(verdicts).get();
    if (previous?.verdict === verdict) return null;
    if (previous) db.update(verdicts).set({ verdict }).run();
    else db.insert(verdicts).values({ verdict }).run();
  }
  return {
    host: hostname(),
    status,
    reasons: checks.filter((check) => check.status !== "ok").map(reason),
    checks,
    skipped,
  };
};
