/** What causes are read from, of a kernel on a bench. */
import type { Scene } from "../../src/causes/scene.ts";
import { statusOf } from "../../src/kernel/daemon/status.ts";
import type { Engine } from "../../src/kernel/engine.ts";
import { Lifetime } from "../../src/kernel/time/lifetime.ts";
import type { NerveConfig } from "../../src/model/config.ts";
import { openStoreReader } from "../../src/store/open-reader.ts";
import type { KernelBench } from "./kernel-bench.ts";

interface Stage extends Pick<KernelBench, "clock" | "folder"> {
  readonly engine: Engine;
  readonly config: NerveConfig;
}

export function sceneOf(
  { clock, folder, engine, config }: Stage,
  startedAt: number,
  isRunning: boolean,
): Scene & Disposable {
  const opened = openStoreReader(folder.path, ({ problem }) => {
    throw new Error(problem.message);
  });
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  const status = statusOf({
    ...{ engine, startedAt, data: folder.path, pid: 1 },
    listeners: { listening: [] },
    trouble: () => null,
  });
  return {
    ...{ store, config, isRunning, now: clock.wallMs() },
    status: isRunning ? status : null,
    axis: new Lifetime(clock, store.meta),
    [Symbol.dispose]: () => store.close(),
  };
}
