/** Owns `nerve archive run` where no daemon runs: the same work in this process, under the lock of the data directory. */

import { ok, type Result } from "../../base/result.ts";
import { retentionsOf } from "../../config/defaults.ts";
import type { Archived } from "../../control/contract.ts";
import { Journal } from "../../kernel/commits/journal.ts";
import { Ledger } from "../../kernel/commits/ledger.ts";
import { openDataDirectory } from "../../kernel/host/data-directory.ts";
import { realWorld } from "../../kernel/host/real-world.ts";
import { Ticker } from "../../kernel/time/ticker.ts";
import { Archiver } from "../../kernel/upkeep/archiver.ts";
import { Retention } from "../../kernel/upkeep/retention.ts";
import type { World } from "../../kernel/world.ts";
import type { NerveConfig } from "../../model/config.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { archiveFolder } from "../../store/archive-names.ts";
import { openStore, type Store } from "../../store/open.ts";
import { PASSING } from "../../store/tables.ts";
import { EXIT, type Failure, fail } from "../frame/outcome.ts";

export async function archiveHere(config: NerveConfig): Promise<Result<Archived, Failure>> {
  process.umask(0o077);
  const data = openDataDirectory(config.data);
  if (!data.ok) return fail(data.error.kind === "unusable" ? EXIT.badConfig : EXIT.inUse, data.error.problem);
  try {
    const world = realWorld();
    const store = openStore(data.value.path, config.durability, world.clock.bootId, world.clock.wallMs());
    if (!store.ok) return fail(PASSING.has(store.error.kind) ? EXIT.inUse : EXIT.badConfig, store.error);
    try {
      const archived = await archive(config, store.value, data.value.path, world);
      return archived.ok ? ok(archived.value) : fail(EXIT.finding, archived.error);
    } finally {
      store.value.close();
    }
  } finally {
    data.value.lock.release();
  }
}

async function archive(
  config: NerveConfig,
  store: Store,
  data: string,
  world: World,
): Promise<Result<Archived, Problem>> {
  const { clock, alarm } = world;
  const refused = Promise.withResolvers<Result<Archived, Problem>>();
  const ledger = new Ledger(store, world, {
    trouble: (message) =>
      refused.resolve({ ok: false, error: problem("store-failed", `${store.file} cannot be written: ${message}`) }),
  });
  // The journal's lines are rows of the log already, and the command prints the outcome.
  const journal = new Journal(ledger, { write: () => {} }, () => clock.wallMs());
  const archiver = new Archiver({ world, store, ledger, folder: archiveFolder(data), journal });
  const ticker = new Ticker(clock, () => {}, alarm);
  const retention = new Retention({ clock, ticker, alarm, store, ledger, archiver }, retentionsOf(config));
  archiver.recover();
  const archived = await Promise.race([retention.now(), refused.promise]);
  retention.stop();
  ledger.flush();
  return archived;
}
