/** G9: two kernels never run on one data directory; whoever comes second says who holds it, and a dead holder holds nothing. */

import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { CrashSite, type Kernel } from "../helpers/crash.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const CONFIG = `
data: DATA
senses: { plain: {} }
reflexes: [{ sense: plain, interval: 20ms }]
`;
const ROUNDS = process.env.NERVE_CRASH === "full" ? 100 : 20;
const IN_USE = 75;

const kernelStarts = (site: CrashSite): number =>
  site.ask(
    0,
    (db) => db.query<{ n: number }, []>("SELECT count(*) AS n FROM logs WHERE event = 'kernel.started'").get()?.n ?? 0,
  );

test("of kernels started at once exactly one runs, the others exit 75 and name it; a killed holder is followed", async () => {
  await using site = new CrashSite(["plain"], CONFIG);
  const takeovers: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // The first round makes the data directory; in the others a dead kernel's pid is lying about.
    const contenders = Array.from({ length: round % 5 === 4 ? 4 : 2 }, () => site.start());
    const standing = (): Kernel[] => contenders.filter(({ ended }) => ended === null);
    await until("all but one have ended", () => standing().length <= 1);
    const [holder] = standing();
    if (holder === undefined) throw new Error(`nobody runs: ${contenders.map((kernel) => kernel.stderr()).join("\n")}`);
    const ms = await holder.answers();
    if (round > 0) takeovers.push(ms);
    for (const loser of contenders) {
      if (loser === holder) continue;
      expect([loser.ended, loser.stderr()]).toEqual([IN_USE, expect.stringMatching(new RegExp(`\\b${holder.pid}\\b`))]);
    }
    const late = site.start();
    expect(await late.exited).toBe(IN_USE);
    expect(late.stderr()).toContain(String(holder.pid));
    expect(kernelStarts(site)).toBe(round + 1);
    await holder.kill();
  }
  const worst = Math.round(Math.max(...takeovers));
  console.log(JSON.stringify({ test: "one-kernel", trials: ROUNDS, violations: 0, takeover_max_ms: worst }));
});

test("a data directory is held whatever its path is called through", async () => {
  await using site = new CrashSite(["plain"], CONFIG);
  const holder = site.start();
  await holder.answers();
  site.write("again.yaml", CONFIG.replace("DATA", join(site.folder, "senses", "..", "data")));
  const second = site.start("again.yaml");
  expect(await second.exited).toBe(IN_USE);
  expect(second.stderr()).toContain(String(holder.pid));
});

test("a database somebody else reads does not keep the next kernel from starting", async () => {
  await using site = new CrashSite(["plain"], CONFIG);
  const first = site.start();
  await first.up();
  await until("there are signals", () => site.countSignals("plain") > 2);
  using reader = new Database(join(site.data, "logs.db"), { readonly: true });
  const rows = reader.prepare("SELECT id FROM signals").iterate();
  rows.next();
  await first.kill();
  const second = site.start();
  await second.up();
  const before = site.countSignals("plain");
  await until("it goes on", () => site.countSignals("plain") > before);
  rows.return?.();
});
