/** The axis of elapsed time, on a clock that is set, slewed, suspended and rebooted by hand. */
import { describe, expect, test } from "bun:test";
import { Lifetime, type LifetimeStore } from "../../../src/kernel/time/lifetime.ts";
import { HandClock } from "../../helpers/hand-clock.ts";
import { randomFrom } from "../../helpers/runs.ts";

const SECOND = 1_000;
const DAY = 86_400 * SECOND;
const YEAR = 365 * DAY;
/** The most that is slewing, not a step. */
const STEP = 100;

function bench() {
  const values = new Map<string, string>();
  const store: LifetimeStore = {
    get: (key) => values.get(key) ?? null,
    set: (key, value) => void values.set(key, value),
    damaged: (key, value) => new Error(`${key} is ${value}`),
  };
  const clock = new HandClock();
  return { clock, start: () => new Lifetime(clock, store) };
}

type Happening = readonly [
  what: "pass" | "step" | "suspend" | "slew" | "keep" | "look" | "restart" | "reboot",
  ms?: number,
];

/** Where the axis stands when all of it has happened. */
function after(...happenings: readonly Happening[]): number {
  const { clock, start } = bench();
  let lifetime = start();
  lifetime.keep();
  for (const [what, ms = 0] of happenings) {
    if (what === "pass") clock.pass(ms);
    else if (what === "suspend") clock.suspend(ms);
    else if (what === "reboot") clock.reboot(ms);
    else if (what === "keep") lifetime.keep();
    else if (what === "look") lifetime.now();
    else if (what === "restart") lifetime = start();
    else clock.step(ms);
  }
  return lifetime.now();
}

describe("elapsed time", () => {
  test.each<[string, number, readonly Happening[]]>([
    ["passes as time does", 5 * SECOND, [["pass", 5 * SECOND]]],
    [
      "counts suspend",
      DAY + SECOND,
      [
        ["pass", SECOND],
        ["suspend", DAY],
      ],
    ],
    [
      "leaves out a clock set ahead",
      2 * SECOND,
      [
        ["pass", SECOND],
        ["step", DAY],
        ["pass", SECOND],
      ],
    ],
    [
      "leaves out a clock set back",
      2 * SECOND,
      [
        ["pass", SECOND],
        ["step", -DAY],
        ["pass", SECOND],
      ],
    ],
    [
      "leaves out years in both directions",
      3 * SECOND,
      [
        ["pass", SECOND],
        ["step", 10 * YEAR],
        ["look"],
        ["pass", SECOND],
        ["step", -11 * YEAR],
        ["look"],
        ["pass", SECOND],
      ],
    ],
    [
      "leaves out a step that was never looked at before it was undone",
      2 * SECOND,
      [
        ["step", DAY],
        ["pass", 2 * SECOND],
        ["step", -DAY],
      ],
    ],
    [
      "follows slewing, which is no step",
      SECOND + STEP,
      [
        ["pass", SECOND],
        ["step", STEP],
      ],
    ],
    [
      "stands still while the wall clock is slewed back behind it",
      SECOND,
      [["pass", SECOND], ["look"], ["step", -STEP], ["pass", STEP]],
    ],
    ["tells a step and a suspend of the same length apart", DAY, [["suspend", DAY], ["look"], ["step", -DAY]]],
    ["goes on after a restart", 7 * SECOND, [["pass", 5 * SECOND], ["keep"], ["restart"], ["pass", 2 * SECOND]]],
    ["counts downtime", DAY, [["keep"], ["pass", DAY], ["restart"]]],
    ["counts what passed since it was last kept, after a kill", 50 * SECOND, [["pass", 50 * SECOND], ["restart"]]],
    [
      "goes by the boot clock when the wall clock was set ahead while it was down",
      3 * SECOND,
      [["keep"], ["pass", 3 * SECOND], ["step", DAY], ["restart"]],
    ],
    [
      "goes by the boot clock when the wall clock was set back while it was down",
      3 * SECOND,
      [["keep"], ["pass", 3 * SECOND], ["step", -DAY], ["restart"]],
    ],
    [
      "goes by the boot clock when it was set, noticed, and killed before that was kept",
      4 * SECOND,
      [["pass", 2 * SECOND], ["step", DAY], ["look"], ["pass", 2 * SECOND], ["restart"]],
    ],
    [
      "leaves out a step that was kept, after a restart as well",
      4 * SECOND,
      [["pass", 2 * SECOND], ["step", DAY], ["keep"], ["restart"], ["pass", 2 * SECOND]],
    ],
    ["counts suspend while it is down", DAY, [["keep"], ["suspend", DAY], ["restart"]]],
    ["goes by the wall clock across boots", DAY, [["keep"], ["reboot", DAY], ["restart"]]],
    [
      "stands still across boots when the wall clock went back",
      SECOND,
      [["pass", SECOND], ["keep"], ["reboot", -DAY], ["restart"]],
    ],
    [
      "goes on from there when the wall clock is put right after the boot",
      4 * SECOND,
      [
        ["pass", SECOND],
        ["keep"],
        ["reboot", -DAY],
        ["restart"],
        ["pass", SECOND],
        ["step", DAY],
        ["look"],
        ["pass", 2 * SECOND],
      ],
    ],
  ])("%s", (_, expected, happenings) => {
    expect(after(...happenings)).toBe(expected);
  });

  test("is moved by no pause of this process, whichever look at a clock the pause follows", () => {
    for (let looks = 0; looks < 30; looks++) {
      const { clock, start } = bench();
      const began = clock.wallMs();
      clock.holdUp(looks, SECOND);
      let lifetime = start();
      const { wallMs, elapsedMs } = lifetime.began;
      const ahead = wallMs - elapsedMs;
      for (let round = 0; round < 3; round++) {
        lifetime.keep();
        clock.pass(SECOND);
        lifetime.now();
        lifetime = start();
      }
      expect([looks, lifetime.aheadMs, lifetime.now()]).toEqual([looks, ahead, clock.wallMs() - ahead]);
      expect(clock.wallMs() - began).toBe(4 * SECOND);
    }
  });

  test("begins at nothing, whatever the clock shows", () => {
    expect(bench().start().now()).toBe(0);
  });

  test("says when something will be by the wall clock as it is now", () => {
    const { clock, start } = bench();
    const lifetime = start();
    const due = lifetime.now() + 60 * SECOND;
    expect(lifetime.wallAt(due)).toBe(clock.wallMs() + 60 * SECOND);
    clock.pass(20 * SECOND);
    clock.step(-DAY);
    lifetime.now();
    expect(lifetime.wallAt(due)).toBe(clock.wallMs() + 40 * SECOND);
  });

  test("never goes back, and is never off by more than slewing and restarts explain, whatever is done to the clock", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = randomFrom(seed);
      const below = (n: number): number => Math.floor(random() * n);
      const { clock, start } = bench();
      const begin = (): Lifetime => {
        const begun = start();
        begun.keep();
        return begun;
      };
      let lifetime = begin();
      let real = 0;
      let allowed = 0;
      let newest = 0;
      for (let step = 0; step < 200; step++) {
        const ms = below(5_000);
        const kind = below(8);
        if (kind <= 2) clock.pass(ms);
        if (kind === 3) clock.suspend(ms);
        if (kind <= 3) real += ms;
        if (kind === 4) {
          clock.step(below(2) === 0 ? DAY + ms : -DAY - ms);
          // The kernel keeps it when it notices a step.
          lifetime.keep();
        }
        if (kind === 5) {
          const slew = below(2 * STEP) - STEP;
          clock.step(slew);
          allowed += Math.abs(slew);
        }
        if (kind === 6) lifetime.keep();
        if (kind === 7) lifetime = begin();
        const now = lifetime.now();
        const problem = `seed ${seed}, step ${step}`;
        if (now < newest && kind !== 7) throw new Error(`${problem}: it went back from ${newest} to ${now}`);
        // A kill forgets at most what was slewed since it was last kept.
        if (kind === 7 && now < newest - allowed) throw new Error(`${problem}: a restart lost ${newest - now} ms`);
        if (Math.abs(now - real) > allowed) throw new Error(`${problem}: ${now} after ${real} ms`);
        newest = now;
      }
      expect(Math.abs(newest - real)).toBeLessThanOrEqual(allowed);
    }
  });
});
