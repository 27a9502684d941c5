/**
 * SIGKILL at the k-th write of logs.db while a store of an earlier build is migrated: each row of `sense_state` is there, in the
 * old table or in the new one, and what was owed is computed. NERVE_CRASH=full kills at every write, the default at some.
 */
import { Database } from "bun:sqlite";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../../src/store/open.ts";
import { CrashSite } from "../helpers/crash.ts";
import { withoutSenseKeys } from "../helpers/older-store.ts";
import { killedAtStep, whyNoStrace } from "../helpers/strace.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(600_000);

const CONFIG = `
data: DATA
senses: { writer: {} }
reflexes: []
`;
const TRACE = "0199d0c0ffee00112233445566778899";
const OWED = { reason: "manual" as const, at: 1, cause: null, trace: TRACE };
const STRIDE = process.env.NERVE_CRASH === "full" ? 1 : 5;
const MOST_WRITES = 400;
const ROWS = "SELECT sense, outbox, owed, strikes FROM sense_state ORDER BY sense";

const missing = whyNoStrace();
if (missing !== null) console.warn(`skipped: kills of a migration, since ${missing}`);

/** A data directory as an earlier build left it. */
function older(data: string): void {
  mkdirSync(data, { mode: 0o700 });
  const opened = openStore(data, "full", "b", Date.now());
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  store.commit(() => {
    store.senses.setOwed([{ sense: "writer", owed: OWED, unanswered: [] }]);
    store.senses.setStrikes("writer", 1);
    store.senses.setOutbox([{ sense: "gone", outbox: 7 }]);
  });
  store.close();
  const db = new Database(join(data, "logs.db"));
  withoutSenseKeys(db);
  db.close(true);
}

describe.skipIf(missing !== null)("a store of an earlier build whose start is killed at a write", () => {
  test("loses no row of the senses, and computes what was owed", async () => {
    await using site = new CrashSite(["writer"], CONFIG);
    const template = join(site.folder, "older");
    older(template);
    const rows = (): unknown => site.ask(null, (db) => db.query(ROWS).all());
    const computed = (): number =>
      site.ask(0, (db) => db.query("SELECT 1 FROM signals WHERE trace = ?").all(TRACE).length);
    cpSync(template, site.data, { recursive: true });
    const before = rows();
    expect(before).toEqual([
      { sense: "gone", outbox: 7, owed: null, strikes: 0 },
      { sense: "writer", outbox: 0, owed: JSON.stringify(OWED), strikes: 1 },
    ]);
    const paths = ["logs.db", "logs.db-wal"].map((file) => join(site.data, file));
    let kills = 0;
    for (let k = 1; k < MOST_WRITES; k += STRIDE) {
      rmSync(site.data, { recursive: true, force: true });
      cpSync(template, site.data, { recursive: true });
      const killed = site.start("nerve.yaml", killedAtStep({ k, call: "pwrite64", paths, children: false }));
      await until("the kernel is killed, or has computed", () => killed.ended !== null || computed() > 0);
      if (killed.ended !== null && computed() === 0) expect(rows()).toEqual(before);
      const isThrough = killed.ended === null;
      if (isThrough) await killed.kill();
      else kills++;
      const again = site.start();
      await again.up();
      await until("what was owed is computed", () => computed() > 0 && site.isAtRest());
      expect(await again.stop()).toBe(0);
      // A worker that had computed before the kernel was killed computes again, and both signals count.
      expect(computed()).toBeGreaterThan(0);
      expect(rows()).toEqual([
        { sense: "gone", outbox: 7, owed: null, strikes: 0 },
        { sense: "writer", outbox: computed(), owed: null, strikes: 0 },
      ]);
      if (isThrough) break;
    }
    expect(kills).toBeGreaterThan(2);
  });
});
