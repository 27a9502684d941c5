/** What the code of a run sees and does, held against what is committed at that moment. */
import { stepId } from "../../../src/workflow-worker/step-id.ts";
import { type HandTimers, immediate } from "./hand-timers.ts";
import type { StepNode, Watcher } from "./program.ts";
import { type RunLog, TRACE } from "./run-log.ts";
import type { Life } from "./story.ts";

/** A run, and its retries by hand. */
const MOST_RUNS = 8;

export class Witness {
  /** Grows whenever something goes on. */
  activity = 0;
  /** Of steps, how often their functions returned. */
  readonly returned = new Map<string, number>();
  readonly violations: string[] = [];
  readonly #log: RunLog;
  readonly #timers: HandTimers;
  readonly #firstSlept = new Map<string, number>();
  readonly #keys = new Map<string, string>();

  constructor(log: RunLog, timers: HandTimers) {
    this.#log = log;
    this.#timers = timers;
  }

  of(life: Life): Watcher {
    const seen = new Map<string, number>();
    const calls = new Map<string, number>();
    return {
      settled: (what: string, where: string, value: unknown): void => {
        if (life.isDead) return;
        this.activity++;
        life.sights.push({ what, where, value: JSON.stringify(value) });
        const count = (seen.get(what) ?? 0) + 1;
        seen.set(what, count);
        const committed = this.#log.settled.get(what) ?? 0;
        if (count > committed) this.violations.push(`${what} settled ${count} times with ${committed} commits`);
      },
      slept: (key: string, ms: number, isOver: boolean): void => {
        if (life.isDead) return;
        const kind = `${key} ${isOver}`;
        const nth = calls.get(kind) ?? 0;
        calls.set(kind, nth + 1);
        const call = `${key} ${nth}`;
        const now = this.#timers.time;
        if (!isOver) return void (this.#firstSlept.has(call) || this.#firstSlept.set(call, now));
        const began = this.#firstSlept.get(call) ?? now;
        if (now - began < ms) this.violations.push(`${call} was over after ${now - began} ms`);
      },
      act: (node: StepNode, id: string, attempt: number): Promise<unknown> => {
        this.activity++;
        return life.isDead ? new Promise(() => {}) : this.#act(node, id, attempt);
      },
      own: async (): Promise<void> => {
        this.activity++;
        await immediate();
        this.activity++;
      },
    };
  }

  /** The function of a step. */
  #act({ name, ms, fails }: StepNode, id: string, attempt: number): Promise<unknown> {
    const key = this.#keyOf(name, id);
    if (this.#log.completed.has(key)) this.violations.push(`step ${key} ran after it had completed`);
    const failed = this.#log.failed.get(key) ?? 0;
    if (attempt > failed + 1) this.violations.push(`step ${key}: try ${attempt} after ${failed} failures`);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const error = Object.assign(new Error(`${name} failed`), { name: "Odd" });
    const settle = (): void => {
      if (failed < fails) return reject(error);
      this.returned.set(key, (this.returned.get(key) ?? 0) + 1);
      resolve(null);
    };
    if (ms === 0) settle();
    else
      this.#timers.start(ms, () => {
        this.activity++;
        settle();
      });
    return promise;
  }

  /** `name nth`, of the step with this id: found by trying. */
  #keyOf(name: string, id: string): string {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    for (let nth = 0; nth < 1_000; nth++) {
      for (let run = 1; run <= MOST_RUNS; run++) {
        if (stepId(TRACE, run, name, nth) !== id) continue;
        this.#keys.set(id, `${name} ${nth}`);
        return `${name} ${nth}`;
      }
    }
    throw new Error(`no step ${name} has the id ${id}`);
  }
}
