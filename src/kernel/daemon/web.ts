/** What the web process is shown of the kernel, and the tokens that open the page. */
import type { Looks } from "../../control/looks.ts";
import type { WebLook } from "../../control/web-look.ts";
import { formatProblem } from "../../model/problem.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { Store } from "../../store/open.ts";
import { TOKEN_NAMES, tokenOf } from "../../tokens/token-files.ts";
import { VERSION } from "../../version.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Engine } from "../engine.ts";
import type { Ticker } from "../time/ticker.ts";
import { WebWorker } from "../web/web-worker.ts";
import type { World } from "../world.ts";

export interface WebParts {
  readonly world: World;
  readonly ticker: Ticker;
  readonly journal: Journal;
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly store: Store;
  readonly data: string;
  readonly command: () => WorkerCommand;
  readonly looks: () => Looks;
}

export function webOf({ world, ticker, journal, engine, ledger, store, data, command, looks }: WebParts): WebWorker {
  let generation = 0;
  return new WebWorker({
    world,
    ticker,
    journal,
    nextGeneration: () => ++generation,
    data,
    version: VERSION,
    command,
    look: (): WebLook => lookOf(engine, ledger, looks()),
    makeTokens: () => makeTokens(data, journal),
    watermarks: () => ({ signals: store.signals.lastId(), logs: store.logs.lastId() }),
  });
}

function lookOf(engine: Engine, ledger: Ledger, looks: Looks): WebLook {
  const senses = [...engine.senses.values()];
  return {
    at: engine.clock.wallMs(),
    status: looks.status(),
    metrics: looks.metrics(),
    silences: looks.silences(),
    last_signals: Object.fromEntries(
      senses.flatMap(({ name, stats }) => (stats.newestSignal === null ? [] : [[name, stats.newestSignal.id]])),
    ),
    series: Object.fromEntries(
      senses.flatMap(({ name, exported: { series } }) => (series === null ? [] : [[name, series]])),
    ),
    slowest_commit_ms: ledger.slowestCommitMs,
  };
}

/** The tokens that are not there yet. One that cannot be used is named: it opens nothing. */
function makeTokens(data: string, journal: Journal): void {
  for (const name of TOKEN_NAMES) {
    const made = tokenOf(data, name);
    if (!made.ok) journal.folding("kernel").error("http.failed", formatProblem(made.error), null);
  }
}
