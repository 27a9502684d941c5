/**
 * Random workflows whose worker is cut at any point, against the same that are never cut: real executions, the real fold
 * of the log, a scripted kernel between them, time by hand. A failure prints its seed and the smallest program.
 * `NERVE_FUZZ_SEED=N` repeats a run, `NERVE_FUZZ=N` tries more programs.
 */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import type { RunEvent } from "../../src/model/run.ts";
import { ReplayKernel } from "../helpers/replay/kernel.ts";
import type { Program } from "../helpers/replay/program.ts";
import {
  anyEdit,
  anyProgram,
  dependsOnTime,
  edited,
  mapNodes,
  unshared,
  withoutOwnAwaits,
} from "../helpers/replay/random-workflow.ts";
import type { Cut, Life, Script, Story } from "../helpers/replay/story.ts";
import { SEED, trials } from "../rules/random.ts";

const UNCUT = { cuts: [], retries: 0, byHand: 0, rounds: null } as const;

const told = (script: Script): Promise<Story> => new ReplayKernel(script).run();

const cutsOf = (...hows: readonly Cut[]) =>
  fc.array(fc.record({ after: fc.nat({ max: 25 }), how: fc.constantFrom(...hows) }), { maxLength: 6 });
/** Rounds of the event loop after which the worker is cut: between two turns of one acknowledgement, too. */
const rounds = fc.option(fc.nat({ max: 6 }), { nil: null });
const scripts = fc.record({
  seed: fc.integer(),
  cuts: cutsOf("kill", "kill", "kill", "release"),
  retries: fc.nat({ max: 2 }),
  byHand: fc.constant(0),
  rounds,
});

/** How a run ended, in words that can be compared. */
const endIn = ({ event, data }: RunEvent): unknown =>
  event === "run.completed" ? data.output : [event, (data as { error: unknown }).error];
const endOf = ({ end }: Story): unknown => endIn(end);

/** The program, with no step that fails and no throw. */
const sound = (program: Program): Program =>
  mapNodes(program, (one) => (one.kind === "throw" ? [] : [one.kind === "step" ? { ...one, fails: 0 } : one]));

/** What `thread.log` left in the log. */
const loggedIn = ({ rows }: Story): string[] =>
  rows.flatMap(({ event, message }) => (event === "log" ? message : [])).sort();

const linesOf = (life: Life): string[] => life.sights.map(({ what, where, value }) => `${where} ${what} ${value}`);

const isSameTry = (a: Life, b: Life): boolean => a.run === b.run && a.attempt === b.attempt && a.program === b.program;

/** Lives of one attempt of a run, and one program, see the same, as far as they come. */
function differences({ lives }: Story): string[] {
  const found: string[] = [];
  let longest: { readonly life: Life; readonly lines: string[] } | null = null;
  for (const life of lives) {
    const lines = linesOf(life);
    if (longest === null || !isSameTry(longest.life, life)) {
      longest = { life, lines };
      continue;
    }
    const { lines: before } = longest;
    const common = Math.min(before.length, lines.length);
    const differs = lines.slice(0, common).findIndex((line, index) => line !== before[index]);
    if (differs >= 0) found.push(`saw ${lines[differs]} where it had seen ${before[differs]}`);
    if (lines.length > before.length) longest = { life, lines };
  }
  return found;
}

// So many programs take as long as the machine is busy.
setDefaultTimeout(4 * 3_600_000);

const tried = (usual: number) => ({ numRuns: trials(usual), seed: SEED });

describe(`a run that is cut anywhere (seed ${SEED})`, () => {
  test("sees what it had seen, in the order in which it had, and does nothing again that was committed", async () => {
    await fc.assert(
      fc.asyncProperty(anyProgram, scripts, async (any, script) => {
        // What followed from a failure is not waited for in the next attempt: awaits of one's own change its order.
        const program = script.retries === 0 ? any : withoutOwnAwaits(any);
        const story = await told({ ...script, programs: [program] });
        expect([...story.violations, ...differences(story)]).toEqual([]);
      }),
      tried(800),
    );
  });

  test("ends as it does without a cut, where the clock decides nothing, and logs each line once", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyProgram.filter((program) => !dependsOnTime(program)),
        scripts,
        async (program, script) => {
          const whole = await told({ ...UNCUT, retries: script.retries, seed: 1, programs: [program] });
          const story = await told({ ...script, programs: [program] });
          expect([...story.violations, endOf(story)]).toEqual([endOf(whole)]);
          if (script.retries === 0) expect(loggedIn(story)).toEqual(loggedIn(whole));
        },
      ),
      tried(500),
    );
  });

  test("is the same whichever point it is cut at", async () => {
    for (const program of fc.sample(anyProgram, { numRuns: 10, seed: SEED })) {
      const whole = await told({ ...UNCUT, seed: 7, programs: [program] });
      const [{ points } = { points: 0 }] = whole.lives;
      for (let after = 0; after < points; after++) {
        for (const rounds of [null, 0, 1, 2, 3]) {
          const cuts = [{ after, how: "kill" as const }];
          const story = await told({ seed: 7, cuts, retries: 0, byHand: 0, rounds, programs: [program] });
          expect({ seed: SEED, program, after, found: [...story.violations, ...differences(story)] }).toMatchObject({
            found: [],
          });
        }
      }
    }
  });

  test("does nothing again that finished within the grace period of an attempt that was told to end", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyProgram,
        fc.record({
          seed: fc.integer(),
          cuts: cutsOf("time out"),
          retries: fc.nat({ max: 3 }),
          byHand: fc.constant(0),
          rounds,
        }),
        async (program, script) => {
          const story = await told({ ...script, programs: [program] });
          const twice = [...story.returned].filter(([, times]) => times > 1);
          expect([...story.violations, ...twice]).toEqual([]);
        },
      ),
      tried(500),
    );
  });
});

test(`a run whose code is edited between its lives does nothing again, sleeps no less, and ends as the new code does (seed ${SEED})`, async () => {
  const edits = fc.array(anyEdit, { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(anyProgram, edits, scripts, async (first, changes, script) => {
      // A place that vanished is waited for once: with edits and awaits of one's own together no order is promised.
      const programs: Program[] = [withoutOwnAwaits(unshared(first))];
      for (const [index, change] of changes.entries()) {
        programs.push(withoutOwnAwaits(edited(programs.at(-1) ?? [], change, `e${index}-`)));
      }
      const story = await told({ ...script, retries: 0, programs });
      expect([...story.violations, ...differences(story)]).toEqual([]);
      const last = story.lives.at(-1)?.program ?? [];
      if (dependsOnTime(last)) return;
      expect(endOf(story)).toEqual(endOf(await told({ ...UNCUT, seed: 1, programs: [last] })));
    }),
    tried(800),
  );
});

describe(`a run that is retried by hand, as often as anybody likes (seed ${SEED})`, () => {
  const byHand = fc.integer({ min: 1, max: 4 });

  test("does nothing again that was committed, wherever each of its runs ended, restarts in between included", async () => {
    const ended = fc.record({
      seed: fc.integer(),
      cuts: cutsOf("cancel", "cancel", "time out", "kill", "release"),
      retries: fc.nat({ max: 1 }),
      byHand,
      rounds,
    });
    await fc.assert(
      fc.asyncProperty(anyProgram, ended, async (any, script) => {
        // What followed from a failure is not waited for in the next run: awaits of one's own change its order.
        const story = await told({ ...script, programs: [withoutOwnAwaits(any)] });
        expect([...story.violations, ...differences(story)]).toEqual([]);
        expect(story.ends).toHaveLength(1 + script.byHand);
        // What has completed completes again, and the same, unless it is cut.
        const first = story.ends.findIndex(({ event }) => event === "run.completed");
        const later = first < 0 ? [] : story.ends.slice(first);
        expect(later.filter(({ event }) => event === "run.failed")).toEqual([]);
        const outputs = later.flatMap((end) => (end.event === "run.completed" ? [end.data.output] : []));
        expect(outputs).toEqual(outputs.map(() => outputs[0] ?? null));
      }),
      tried(500),
    );
  });

  test("ends as it does without a cut, run by run, where the clock decides nothing", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyProgram.filter((program) => !dependsOnTime(program)),
        scripts,
        byHand,
        async (program, script, byHand) => {
          const whole = await told({ ...UNCUT, retries: script.retries, byHand, seed: 1, programs: [program] });
          const story = await told({ ...script, byHand, programs: [program] });
          expect([...story.violations, ...story.ends.map(endIn)]).toEqual(whole.ends.map(endIn));
        },
      ),
      tried(300),
    );
  });

  test("ends as it does without a cut where no step fails, once it is left alone", async () => {
    const cut = fc.record({ seed: fc.integer(), cuts: cutsOf("cancel", "kill"), retries: fc.constant(0), rounds });
    await fc.assert(
      fc.asyncProperty(
        anyProgram.map(sound).filter((program) => !dependsOnTime(program)),
        cut,
        async (program, script) => {
          const whole = await told({ ...UNCUT, seed: 1, programs: [program] });
          const story = await told({ ...script, byHand: script.cuts.length, programs: [program] });
          expect([...story.violations, endOf(story)]).toEqual([endOf(whole)]);
        },
      ),
      tried(300),
    );
  });
});
