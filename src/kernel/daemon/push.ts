/** What the push process brings to the kernel, and the tokens by which it knows who sent it. */
import { formatProblem } from "../../model/problem.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import { senseToken, tokenOf } from "../../tokens/token-files.ts";
import type { Journal } from "../commits/journal.ts";
import type { Engine } from "../engine.ts";
import { PushWorker } from "../push/push-worker.ts";
import type { Ticker } from "../time/ticker.ts";
import type { World } from "../world.ts";

export interface PushParts {
  readonly world: World;
  readonly ticker: Ticker;
  readonly journal: Journal;
  readonly engine: Engine;
  readonly data: string;
  readonly command: () => WorkerCommand;
}

export function pushOf({ world, ticker, journal, engine, data, command }: PushParts): PushWorker {
  let generation = 0;
  return new PushWorker({
    world,
    ticker,
    journal,
    nextGeneration: () => ++generation,
    data,
    command,
    makeTokens: (senses) => makeTokens(data, senses, journal),
    offer: (sense, given) => engine.inboxes.offer(sense, given),
  });
}

/** The tokens that are not there yet. One that cannot be used is named: it opens nothing. */
function makeTokens(data: string, senses: readonly string[], journal: Journal): void {
  for (const sense of senses) {
    const made = tokenOf(data, senseToken(sense));
    if (!made.ok) journal.folding("kernel").error("push.failed", formatProblem(made.error), null);
  }
}
