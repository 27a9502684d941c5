/**
 * `nerve upgrade` and its way back, killed at every step under load: one whole executable is in place, and the next command
 * goes on or goes back. No signal that somebody saw committed is lost, no run ends twice, one version runs.
 * NERVE_CRASH=full kills at every rename and link and every third of the other calls, else at two of them.
 */
import { Database } from "bun:sqlite";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { VERSION } from "../../src/version.ts";
import { CrashSite } from "../helpers/crash.ts";
import { COMPILED } from "../helpers/nerve.ts";
import { killedAtStep, whyNoStrace } from "../helpers/strace.ts";
import { until } from "../helpers/until.ts";
import { release, sha256, UpgradeSite } from "../helpers/upgrade.ts";
import { VARIANT_VERSION, variant } from "../helpers/variant.ts";
import { findViolations } from "./checker.ts";
import { busyConfig, expectations, prepare, QUIET, SENSES } from "./workload.ts";

setDefaultTimeout(7_200_000);

const FULL = process.env.NERVE_CRASH === "full";
const MOST_STEPS = 1_000;
const every = (stride: number): number[] =>
  Array.from({ length: Math.ceil(MOST_STEPS / stride) }, (_, nth) => 1 + nth * stride);

/** Calls by which something gets a name, loses it, or becomes durable, and which of each kind are the last ones. */
const CALLS: Readonly<Record<string, readonly number[]>> = FULL
  ? { rename: every(1), link: every(1), unlink: every(3), fsync: every(3) }
  : { rename: [4], fsync: [12] };

const RUNS = `  - { name: q, workflow: quick, on: [plain], throttle: 100ms }
workflows: { quick: { use: exec, with: { command: ["true"] } } }
`;

const whyNot = COMPILED === null ? "the executable is not built" : whyNoStrace();
if (whyNot !== null) console.warn(`skipped: kills of upgrades, since ${whyNot}`);

const ENDINGS = "('run.completed', 'run.failed', 'run.cancelled', 'run.timed-out', 'run.dropped')";

/** Runs with two endings, and what `rebuild --check` says. */
async function faultsOfRuns(site: UpgradeSite): Promise<string[]> {
  const db = new Database(join(site.data, "logs.db"), { readonly: true });
  const twice = db
    .query<{ run: number }, []>(`SELECT run FROM logs WHERE event IN ${ENDINGS} GROUP BY run HAVING count(*) > 1`)
    .all();
  db.close(true);
  const rebuilt = await site.run(["rebuild", "--check"]);
  return [
    ...twice.map(({ run }) => `run ${run} has ended twice`),
    ...(rebuilt.code === 0 ? [] : [`rebuild --check: ${rebuilt.stderr}`]),
  ];
}

class Trial {
  readonly violations: string[] = [];
  readonly kills: Record<string, number> = {};
  readonly site: UpgradeSite;
  readonly next: string;
  readonly #sums: readonly string[];

  constructor(folder: string) {
    this.site = new UpgradeSite(folder);
    this.next = release(variant(), join(folder, "release"));
    this.#sums = [sha256(this.site.executable), sha256(this.next)];
  }

  /** `command` killed at each of the calls in turn, until it comes to its end unharmed; `after` has the old version run again. */
  async killAtEachStep(
    before: () => Promise<void>,
    command: readonly string[],
    after: (where: string, nth: number) => Promise<void>,
  ): Promise<void> {
    let nth = 0;
    for (const [call, steps] of Object.entries(CALLS)) {
      for (const k of steps) {
        if (this.violations.length > 0) return;
        const where = `${call} ${k}`;
        await before();
        const { code, stderr } = await this.site.run(command, killedAtStep({ k, call, paths: [], children: false }));
        if (!this.#sums.includes(sha256(this.site.executable))) this.violations.push(`${where}: half an executable`);
        if (code !== 0 && code !== "SIGKILL" && code !== 137)
          this.violations.push(`${where}: ended with ${code}: ${stderr}`);
        await after(where, nth++);
        const version = await this.site.version();
        if (version !== VERSION) this.violations.push(`${where}: at the end ${version} runs`);
        this.violations.push(...(await faultsOfRuns(this.site)).map((fault) => `${where}: ${fault}`));
        if (code === 0) break;
        this.kills[call] = (this.kills[call] ?? 0) + 1;
      }
    }
  }

  /** Says what is wrong unless the command ends with one of `codes`. */
  async expects(where: string, command: readonly string[], ...codes: number[]): Promise<void> {
    const { code, stdout, stderr } = await this.site.run(command);
    if (!codes.includes(Number(code)))
      this.violations.push(`${where}: ${command[1]} ended with ${code}: ${stdout}${stderr}`);
  }
}

/** Runs `act` on a nerve under load that somebody watches, and looks at what is left of it. */
async function underLoad(name: string, act: (trial: Trial) => Promise<void>): Promise<void> {
  await using crash = new CrashSite(SENSES, busyConfig);
  prepare(crash);
  crash.write("nerve.yaml", `${busyConfig}${RUNS}`);
  const trial = new Trial(crash.folder);
  await trial.site.start();
  const stopObserving = crash.observe();
  await until("every listener has answered", () => crash.countSignals("chain-c") > 0);
  await act(trial);
  await trial.site.stop();
  await stopObserving();
  const quiet = crash.start(QUIET);
  await quiet.up();
  await until("nothing is owed any more", () => crash.isAtRest());
  expect(await quiet.stop()).toBe(0);
  trial.violations.push(...findViolations(crash.data, expectations([], crash.history)));
  console.log(JSON.stringify({ test: name, kills: trial.kills, violations: trial.violations.length }));
  if (trial.violations.length > 0) crash.keep();
  expect(trial.violations).toEqual([]);
  expect(trial.kills.rename).toBeGreaterThan(0);
}

describe.skipIf(whyNot !== null)("killed at each step,", () => {
  test("an upgrade goes on, or back, with the next command", () =>
    underLoad("upgrade-kills", (trial) =>
      trial.killAtEachStep(
        async () => {},
        ["upgrade", trial.next],
        async (where, nth) => {
          if (nth % 2 === 0) {
            await trial.expects(where, ["upgrade", trial.next], 0);
            const version = await trial.site.version();
            if (version !== VARIANT_VERSION) trial.violations.push(`${where}: after going on ${version} runs`);
          }
          // 2: nothing was begun.
          await trial.expects(where, ["upgrade", "--rollback"], 0, 2);
        },
      ),
    ));

  test("the way back is gone to its end", () =>
    underLoad("rollback-kills", (trial) =>
      trial.killAtEachStep(
        () => trial.expects("before", ["upgrade", trial.next], 0),
        ["upgrade", "--rollback"],
        // 2: it had come to its end.
        (where) => trial.expects(where, ["upgrade", "--rollback"], 0, 2),
      ),
    ));
});
