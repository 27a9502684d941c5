/** Who simulates seeds: this process, or processes beside it, each one seed at a time. */
import { join } from "node:path";
import { HERE, simulated } from "./simulate.ts";
import { diedAt, type Task, type Told, toldOf } from "./told.ts";

export interface Hand {
  simulate(task: Task): Promise<Told>;
  end(): void;
}

export const ownHand: Hand = {
  async simulate({ seed, size }) {
    const cpu = process.cpuUsage();
    const outcome = await simulated(seed, size, false, HERE);
    const { user, system } = process.cpuUsage(cpu);
    return toldOf(outcome, (user + system) / 1_000);
  },
  end() {},
};

/** A process of its own. Another one takes the place of a process that dies. */
export function processHand(): Hand {
  let waits: ((told: Told) => void) | null = null;
  let seed = 0;
  const settle = (told: Told): void => {
    waits?.(told);
    waits = null;
  };
  const start = () =>
    Bun.spawn([process.execPath, join(import.meta.dir, "seed-process.ts")], {
      stdio: ["ignore", "inherit", "inherit"],
      ipc: (told: Told) => settle(told),
      onExit(_, code, signal) {
        child = null;
        settle(diedAt(seed, `the process that simulated seed ${seed} ended with ${signal ?? code}`));
      },
    });
  let child: ReturnType<typeof start> | null = null;
  return {
    simulate(task) {
      seed = task.seed;
      child ??= start();
      const { promise, resolve } = Promise.withResolvers<Told>();
      waits = resolve;
      child.send(task);
      return promise;
    },
    end() {
      child?.kill();
    },
  };
}
