/**
 * One worker after another, from spawn to reaped, by a script: limits, blame, backoff, memory, silence, generations, leaving,
 * and a process that SIGKILL does not end (G4, G5).
 */
import { describe, expect, test } from "bun:test";
import { err, ok } from "../../../src/base/result.ts";
import type { Crew, Death } from "../../../src/kernel/workers/crew.ts";
import { WorkerLife } from "../../../src/kernel/workers/life.ts";
import type { Activity } from "../../../src/kernel/workers/limits.ts";
import { KernelBench, type Message } from "../../helpers/kernel-bench.ts";

type Up = Message & { readonly generation: number };

class TestCrew implements Crew<Message, Up, string> {
  readonly title = 'group "test"';
  readonly about = { group: "test" };
  readonly noun = "compute";
  memoryBytes: number | null = null;
  isWorkThere = true;
  /** Who is quarantined for a death that it caused alone. */
  readonly heldBack = new Set<string>();
  readonly told = new Set<string>();
  owes = false;
  readonly places = 0;
  readonly late: string[] = [];
  readonly unsettled: string[][] = [];
  readonly deaths: Death<string>[] = [];
  readonly heard: Up[] = [];

  command = () => ({ command: ["test"], env: {}, cwd: "/" });
  isWanted = (): boolean => this.isWorkThere;
  parse = (raw: unknown) =>
    typeof (raw as Up)?.generation === "number" ? ok(raw as Up) : err({ what: "nonsense" } as never);
  init = (generation: number): Message => ({ type: "init", generation });
  receive = (message: Up): void => void this.heard.push(message);
  output = (): void => {};
  nameOf = (task: string): string => task;
  speakOf = (task: string): string => `sense "${task}"`;
  describeLimit = (): string => "it had not settled at its hard limit";
  wasTold = (task: string): boolean => this.told.has(task);
  noted = (): void => {};
  soonestLimitMs = (): number => Number.POSITIVE_INFINITY;
  isLate = (task: string): void => void this.late.push(task);
  awaits = (): boolean => this.owes;
  dispatch = (): void => {};
  unsettle = (running: readonly Activity<string>[]): void => void this.unsettled.push(running.map(({ task }) => task));
  died = (death: Death<string>): boolean => {
    this.deaths.push(death);
    return death.culprit !== null && this.heldBack.has(death.culprit.task);
  };
}

class LifeBench extends KernelBench {
  readonly crew = new TestCrew();
  readonly life = new WorkerLife<Message, Up, string>(this.crew, this.host);

  /** Starts a worker that is up at once. */
  up(): this {
    if (this.life.pid === null) this.life.start();
    this.hear("ready");
    this.life.isReady();
    return this;
  }

  /** The newest worker says something of its own generation. */
  hear(type: string): void {
    this.child.says({ type, generation: this.life.generation });
  }

  begins(task: string, softMs: number, hardMs: number): void {
    this.hear("started");
    this.life.tasks.begins(task, softMs, hardMs);
  }
}

describe("limits", () => {
  test("a task past its hard limit has its worker killed, and is named with the limit when it was alone", async () => {
    using bench = new LifeBench().up();
    bench.begins("slow", 1_000, 2_000);
    await bench.pass(1_999);
    expect([bench.child.kills, bench.crew.late]).toEqual([0, ["slow"]]);
    await bench.pass(1);
    expect(bench.said("worker.exited")).toEqual([
      'the worker of group "test" died: sense "slow": it had not settled at its hard limit',
    ]);
    const [death] = bench.crew.deaths;
    expect([death?.culprit?.task, death?.overdue, death?.suspects.length]).toEqual(["slow", true, 1]);
  });

  test("several under way at a death are suspects, and none is named as the culprit", async () => {
    using bench = new LifeBench().up();
    bench.begins("a", 1_000, 2_000);
    bench.begins("b", 1_000, 9_000);
    await bench.pass(2_000);
    expect(bench.said("worker.exited")).toEqual([
      'the worker of group "test" died: a compute passed its hard limit; under way were a, b, which are run again one at a time',
    ]);
    expect(bench.crew.deaths[0]?.culprit).toBeNull();
    expect(bench.crew.unsettled).toEqual([["a", "b"]]);
  });

  test("who had heard of its end answers for its limit, whoever is beside it", async () => {
    using bench = new LifeBench().up();
    bench.crew.told.add("deaf");
    bench.begins("innocent", 1_000, 9_000);
    bench.begins("deaf", 1_000, 2_000);
    await bench.pass(2_000);
    expect(bench.crew.deaths[0]?.culprit?.task).toBe("deaf");
    expect(bench.crew.deaths[0]?.suspects.map(({ task }) => task)).toEqual(["deaf"]);
  });

  test("a module that loops while it is loaded is killed after 15 s and named", async () => {
    using bench = new LifeBench();
    bench.life.start();
    bench.hear("started");
    bench.life.loads("looping");
    await bench.pass(14_999);
    expect(bench.child.kills).toBe(0);
    await bench.pass(1);
    expect(bench.said("worker.exited")).toEqual([
      'the worker of group "test" died: sense "looping": loading it took longer than 15s',
    ]);
    expect(bench.crew.deaths[0]).toMatchObject({ overdue: false, culprit: { task: "looping", loading: true } });
  });

  test("a pause of everything kills nobody, and blames nobody after it", async () => {
    using bench = new LifeBench().up();
    bench.begins("slow", 1_000, 1_500);
    await bench.pass(900);
    bench.clock.freeze(30_000);
    await bench.pass(0);
    bench.life.tasks.ends("slow");
    await bench.pass(20_000);
    expect([bench.child.kills, bench.crew.late, bench.lines]).toEqual([0, [], []]);
  });
});

describe("silence", () => {
  test("a worker that owes an answer for 10 s is killed", async () => {
    using bench = new LifeBench().up();
    bench.crew.owes = true;
    bench.life.expects();
    await bench.pass(9_999);
    expect(bench.child.kills).toBe(0);
    await bench.pass(1);
    expect(bench.said("worker.exited")).toEqual(['the worker of group "test" died: it did not answer for 10s']);
    expect(bench.crew.deaths[0]).toMatchObject({ overdue: false, culprit: null, suspects: [] });
  });

  test("a worker that never gets ready is killed, too", async () => {
    using bench = new LifeBench();
    bench.life.start();
    await bench.pass(10_000);
    expect(bench.children[0]?.kills).toBe(1);
  });
});

describe("restarts", () => {
  test("the first is at once, then they come later and later, and a healthy minute begins anew", async () => {
    using bench = new LifeBench().up();
    const waits: number[] = [];
    for (let death = 0; death < 5; death++) {
      const before = bench.children.length;
      const diedAt = bench.clock.monotonicMs();
      bench.child.exits(1);
      while (bench.children.length === before) await bench.pass(100);
      waits.push(bench.clock.monotonicMs() - diedAt);
      bench.up();
    }
    expect(waits[0]).toBe(0);
    for (const [at, seconds] of [1, 2, 4, 8].entries()) {
      expect(waits[at + 1]).toBeGreaterThanOrEqual(seconds * 800);
      expect(waits[at + 1]).toBeLessThanOrEqual(seconds * 1_200 + 100);
    }
    expect(bench.life.restarts).toBe(5);
    await bench.pass(60_001);
    bench.child.exits(1);
    expect(bench.children).toHaveLength(7);
  });

  test("whoever is held back for a death does not slow down the others", async () => {
    using bench = new LifeBench().up();
    for (let death = 0; death < 3; death++) {
      bench.crew.heldBack.add("bad");
      bench.begins("bad", 1_000, 2_000);
      bench.child.exits(1);
      expect(bench.children).toHaveLength(death + 2);
      bench.up();
    }
  });

  test("a worker that cannot be started is a death like another", async () => {
    using bench = new LifeBench();
    bench.canSpawn = false;
    bench.life.start();
    bench.canSpawn = true;
    expect(bench.said("worker.exited")[0]).toBe(
      'the worker of group "test" died: the worker could not be started: no process to be had',
    );
    await bench.pass(2_000);
    expect(bench.children).toHaveLength(1);
  });

  test("nothing is started while there is nothing to do", () => {
    using bench = new LifeBench();
    bench.crew.isWorkThere = false;
    bench.life.start();
    expect(bench.children).toHaveLength(0);
  });
});

describe("a killed worker that is not gone", () => {
  const stuck = async (): Promise<LifeBench> => {
    const bench = new LifeBench().up();
    bench.child.isMortal = false;
    bench.begins("dead", 2_000, 3_000);
    await bench.pass(3_000);
    return bench;
  };

  test("is said to be stuck after 5 s, with who is to blame, and nothing is started in its place", async () => {
    using bench = await stuck();
    expect(bench.crew.late).toEqual(["dead"]);
    await bench.pass(4_999);
    expect(bench.life.state).toBe("up");
    await bench.pass(1);
    expect(bench.life.state).toBe("stuck");
    expect(bench.life.stuckFor).toBe('sense "dead": it had not settled at its hard limit');
    expect(bench.said("worker.exited")).toEqual([
      'worker 1000 of group "test" was killed and is not gone after 5s: sense "dead": it had not settled at its hard limit; nothing is started in its place until it is gone',
    ]);
    expect(bench.lines.at(-1)?.data).toMatchObject({ state: "stuck", suspects: ["dead"] });
    bench.life.start();
    await bench.pass(3_600_000);
    expect(bench.children).toHaveLength(1);
  });

  test("names all that were under way where it cannot be one", async () => {
    using bench = new LifeBench().up();
    bench.child.isMortal = false;
    bench.begins("a", 2_000, 3_000);
    bench.begins("b", 2_000, 9_000);
    await bench.pass(8_000);
    expect(bench.life.stuckFor).toBe("a compute passed its hard limit; under way: a, b");
  });

  test("is followed by the next worker once it is gone, and its task answers for it", async () => {
    using bench = await stuck();
    await bench.pass(5_000);
    bench.child.exits(null, "SIGKILL");
    expect([bench.children.length, bench.life.state, bench.life.stuckFor]).toEqual([2, "starting", null]);
    expect(bench.crew.deaths[0]?.culprit?.task).toBe("dead");
  });

  for (const how of ["retire", "stop"] as const) {
    test(`is not waited for by who wants it to ${how}, and what was under way is given back`, async () => {
      using bench = await stuck();
      await bench.pass(5_000);
      let isGone = false;
      void bench.life.leave(how, true).then(() => {
        isGone = true;
      });
      await bench.settle();
      expect([isGone, bench.life.tasks.count, bench.crew.unsettled]).toEqual([true, 0, [["dead"]]]);
      bench.child.exits(null, "SIGKILL");
      await bench.pass(5_000);
      expect(bench.children).toHaveLength(how === "retire" ? 2 : 1);
    });
  }

  test("that was leaving already lets go whoever waits, once it is stuck", async () => {
    using bench = new LifeBench().up();
    bench.child.isMortal = false;
    bench.begins("dead", 60_000, 90_000);
    let isGone = false;
    void bench.life.leave("stop", true).then(() => {
      isGone = true;
    });
    await bench.pass(10_000);
    expect([bench.child.kills, isGone]).toEqual([1, false]);
    await bench.pass(5_000);
    expect([bench.life.state, isGone]).toEqual(["stuck", true]);
  });

  test("is not called stuck for a pause of everything", async () => {
    using bench = await stuck();
    await bench.pass(1_000);
    bench.clock.freeze(60_000);
    await bench.pass(0);
    expect(bench.life.state).toBe("up");
  });
});

describe("messages", () => {
  test("of another generation, and what is no message, change nothing and are said", async () => {
    using bench = new LifeBench().up();
    const heard = bench.crew.heard.length;
    bench.child.says({ type: "signal", generation: 99 }, { type: "nonsense" });
    expect(bench.crew.heard).toHaveLength(heard);
    expect(bench.said("worker.malformed")).toEqual([
      'the worker of group "test" sent "signal" of generation 99; it is ignored',
      'the worker of group "test" sent nonsense; it is ignored',
    ]);
  });

  test("a thousand malformed ones are the end of the worker", () => {
    using bench = new LifeBench().up();
    for (let count = 0; count <= 1_000; count++) bench.child.says({ type: "nonsense" });
    expect(bench.children[0]?.kills).toBe(1);
    expect(bench.said("worker.exited")[0]).toContain("it sent nothing but malformed messages");
  });

  test("of a worker that is gone reach nobody", async () => {
    using bench = new LifeBench().up();
    const first = bench.child;
    first.exits(1);
    bench.up();
    const heard = bench.crew.heard.length;
    first.says({ type: "signal", generation: 1 });
    expect(bench.crew.heard).toHaveLength(heard);
  });

  test("posted in one turn leave in one frame", async () => {
    using bench = new LifeBench().up();
    bench.life.post({ type: "a" });
    bench.life.post({ type: "b" });
    await bench.settle();
    expect(bench.child.frames.map((frame) => frame.map(({ type }) => type))).toEqual([["init"], ["a", "b"]]);
  });
});

describe("leaving", () => {
  test("a worker that says bye is followed by none once it is to stop", async () => {
    using bench = new LifeBench().up();
    let isGone = false;
    void bench.life.leave("stop", false).then(() => {
      isGone = true;
    });
    await bench.settle();
    expect(bench.child.sent.at(-1)).toEqual({ type: "shutdown", generation: 1 });
    bench.hear("bye");
    bench.child.exits(0);
    await bench.settle();
    expect([isGone, bench.lines]).toEqual([true, []]);
    bench.life.start();
    expect(bench.children).toHaveLength(1);
  });

  test("a worker that does not leave is killed after 10 s of running, however long a pause is", async () => {
    using bench = new LifeBench().up();
    void bench.life.leave("retire", false);
    await bench.pass(1_000);
    bench.clock.freeze(60_000);
    await bench.pass(8_000);
    expect(bench.child.kills).toBe(0);
    await bench.pass(2_000);
    expect(bench.child.kills).toBe(1);
  });

  test("a busy worker that retires is let finish", async () => {
    using bench = new LifeBench().up();
    bench.begins("slow", 60_000, 90_000);
    void bench.life.leave("retire", true);
    await bench.pass(30_000);
    expect(bench.child.of("shutdown")).toEqual([]);
    expect(bench.life.isOpen).toBe(false);
  });
});
