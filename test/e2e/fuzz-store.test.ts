/** The small tier of `scripts/fuzz-store.ts`: one damage at a time to what the real daemon has recorded. */
import { expect, test } from "bun:test";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { damage } from "../../scripts/fuzz/damage.ts";
import { type Answers, answersOf, violations } from "../../scripts/fuzz/judge.ts";
import { record } from "../../scripts/fuzz/record.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import { NERVE } from "../helpers/nerve.ts";

const SEED = Number(process.env.NERVE_SEED ?? 1);
const DAMAGES = 60;

test("after any single damage readers name it or answer whole, no id is given twice, and rebuild changes nothing", async () => {
  using folder = temporaryFolder();
  const recorded = join(folder.path, "recorded");
  await record(NERVE, recorded);
  const work = join(folder.path, "work");
  const copy = (): string => {
    rmSync(work, { recursive: true, force: true });
    cpSync(recorded, work, { recursive: true });
    return join(work, "data");
  };
  const whole: Answers = await answersOf(copy());
  expect([...whole.byVerb].filter(([, { kind }]) => kind !== "answer")).toEqual([]);
  const found: string[] = [];
  for (let seed = SEED; seed < SEED + DAMAGES; seed++) {
    const data = copy();
    const dealt = damage(data, seed);
    for (const violation of violations(await answersOf(data), whole, dealt)) {
      found.push(`seed ${seed}, ${dealt.what}: ${violation}`);
    }
  }
  expect(found).toEqual([]);
}, 120_000);
