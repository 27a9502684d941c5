/**
 * One decision of a reflex is one run (G1): on a real store, whatever is decided again, retried by hand, decided in one
 * transaction or in several, and whatever the wall clock is set to meanwhile.
 */

import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Json } from "../../../src/base/json.ts";
import { Ledger } from "../../../src/kernel/commits/ledger.ts";
import { LiveRun } from "../../../src/kernel/memory/run.ts";
import { type RunDecision, spellDecision } from "../../../src/model/run-decision.ts";
import { openStore } from "../../../src/store/open.ts";
import { checkStore } from "../../../src/store/rebuild-store.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { worldShowing } from "../../helpers/world.ts";

interface Asked {
  readonly reflex: string | null;
  readonly decision: RunDecision;
  /** Milliseconds by which the wall clock is set before it. */
  readonly setBy: number;
  /** Committed with the one before it. */
  readonly together: boolean;
}

const key = fc.constantFrom(null, '"a"', "5", '"5"', "null", '""');
const asked: fc.Arbitrary<Asked> = fc.record({
  reflex: fc.constantFrom("r", "s", null),
  decision: fc.oneof(
    fc.record({ kind: fc.constant("signal" as const), signal: fc.integer({ min: 1, max: 4 }), key }),
    fc.record({ kind: fc.constant("due" as const), elapsedMs: fc.integer({ min: 0, max: 3 }) }),
  ),
  setBy: fc.constantFrom(0, 1, -86_400_000, 86_400_000),
  together: fc.boolean(),
});

const shown = (decision: RunDecision): Json =>
  decision.kind === "signal" && decision.key !== null ? (JSON.parse(decision.key) as Json) : null;

test("whatever is decided twice is one run, and rebuild proves the table equal", () => {
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 40 }), (all) => {
      using folder = temporaryFolder();
      const opened = openStore(folder.path, "normal", "boot", 0);
      if (!opened.ok) throw new Error(opened.error.message);
      const store = opened.value;
      let wall = 1_700_000_000_000;
      const ledger = new Ledger(
        store,
        worldShowing(() => wall),
        { trouble: () => {} },
      );
      let last = 0;
      for (const { reflex, decision: decided, setBy, together } of all) {
        wall += setBy;
        if (!together) ledger.flush();
        const decision = spellDecision(decided);
        ledger.write((draft) => {
          if (reflex !== null && draft.runDecided(reflex, decision) !== null) return;
          const run = new LiveRun(++last, "flow", "0".repeat(32), null);
          const id = decided.kind === "signal" ? decided.signal : null;
          const trigger = {
            id,
            sense: null,
            at: wall,
            reflex,
            key: shown(decided),
            isElement: false,
            due: null,
            incident: null,
          };
          const data = { input: null, trigger, retry_of: null, from_step: null, batch: null };
          draft.run(run, { event: "run.queued", data: { ...data, decision: reflex === null ? null : decision } });
        });
      }
      ledger.flush();
      const rows = store.runs.active();
      const wanted = new Set(
        all.flatMap(({ reflex, decision }) => (reflex ? [`${reflex} ${spellDecision(decision)}`] : [])),
      );
      const byReflex = rows.filter((row) => row.reflex !== null);
      expect(byReflex.map(({ reflex, decision }) => `${reflex} ${decision}`).toSorted()).toEqual(
        [...wanted].toSorted(),
      );
      expect(rows.length - byReflex.length).toBe(all.filter(({ reflex }) => reflex === null).length);
      store.close();
      expect(checkStore(folder.path)).toMatchObject({
        ok: true,
        value: { differing: 0, faulty: 0, runs: rows.length },
      });
    }),
    { numRuns: 40 },
  );
});
