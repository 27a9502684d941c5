/** The handle that a run's code holds: reads what the author hands over, and passes it on. */
import type { Log, Thread, Trigger } from "../sdk/index.ts";
import { readSleepCall, readStepCall, type SleepCall, type StepCall } from "./arguments.ts";
import { author } from "./author.ts";

/** The execution whose thread it is. */
export interface ThreadHost {
  /** A call of the thread between steps: settles as `work` does, while the run goes on. `of`: null for a sleep. */
  call<T>(work: () => Promise<T>, of: StepCall | null): Promise<T>;
  perform(call: StepCall): Promise<unknown>;
  sleep(call: SleepCall): Promise<void>;
  readonly log: Log;
}

/** However deep the value is: in 64 KiB there is room for more arrays in arrays than calls on a stack. */
function deepFreeze<T>(value: T): T {
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== "object" || next === null) continue;
    Object.freeze(next);
    for (const field of Object.values(next)) left.push(field);
  }
  return value;
}

/** Refuses a call from inside a step's function. `what`: the call in words. */
function betweenSteps<T>(what: () => string, call: () => Promise<T>): Promise<T> {
  const inside = author.getStore()?.step ?? null;
  if (inside === null) return call();
  const within = `inside the step ${JSON.stringify(inside)}`;
  return Promise.reject(new Error(`${what()} is called ${within}: call it between steps`));
}

export function threadOf(trigger: Trigger, trace: string, host: ThreadHost): Thread {
  const step = (name: unknown, act: unknown, options?: unknown): Promise<unknown> => {
    const call = readStepCall(name, act, options);
    if (!call.ok) return Promise.reject(new TypeError(call.error));
    const { value } = call;
    return betweenSteps(
      () => `thread.step(${JSON.stringify(value.name)})`,
      () => host.call(() => host.perform(value), value),
    );
  };
  const sleep = (duration: unknown, name?: unknown): Promise<void> => {
    const call = readSleepCall(duration, name);
    if (!call.ok) return Promise.reject(new TypeError(call.error));
    return betweenSteps(
      () => "thread.sleep",
      () => host.call(() => host.sleep(call.value), null),
    );
  };
  return Object.freeze({ trigger: deepFreeze(trigger), trace, step: step as Thread["step"], sleep, log: host.log });
}
