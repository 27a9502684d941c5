/** What keeps the store from growing for ever: the archive, the retention of rows, the sweep of blobs. */
import { join } from "node:path";
import { retentionsOf } from "../../config/defaults.ts";
import type { NerveConfig } from "../../model/config.ts";
import { archiveFolder } from "../../store/archive-names.ts";
import type { Store } from "../../store/open.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Ticker } from "../time/ticker.ts";
import type { World } from "../world.ts";
import { Archiver } from "./archiver.ts";
import { BLOB_SWEEP_TIMES, BlobSweep } from "./blob-sweep.ts";
import type { Chore } from "./chore.ts";
import { Retention } from "./retention.ts";

export interface UpkeepParts {
  readonly world: World;
  readonly ticker: Ticker;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly journal: Journal;
  /** The data directory. */
  readonly data: string;
}

export class Upkeep {
  readonly retention: Retention;
  readonly #archiver: Archiver;
  readonly #chores: readonly Chore[];

  /** `further`: chores of others. */
  constructor(
    { world, ticker, store, ledger, journal, data }: UpkeepParts,
    config: NerveConfig,
    further: readonly Chore[],
  ) {
    const { clock, alarm } = world;
    this.#archiver = new Archiver({ world, store, ledger, folder: archiveFolder(data), journal });
    const archiver = this.#archiver;
    this.retention = new Retention({ clock, ticker, alarm, store, ledger, archiver }, retentionsOf(config));
    const folder = join(data, "blobs");
    const blobs = new BlobSweep({ world, ticker, store, ledger, journal, folder }, BLOB_SWEEP_TIMES);
    this.#chores = [this.retention, blobs, ...further];
  }

  start(): void {
    this.#archiver.recover();
    for (const chore of this.#chores) chore.start();
  }

  stop(): void {
    for (const chore of this.#chores) chore.stop();
  }

  /** The wall clock was set: what is old is not known for a while. */
  clockStepped(): void {
    for (const chore of this.#chores) chore.clockStepped();
  }
}
