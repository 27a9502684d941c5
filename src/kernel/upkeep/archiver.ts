/**
 * Owns the move of old logs from the table to the archive, in the one order that loses no log and shows none twice (G8): a
 * temporary file, fsync, rename, fsync of the folder; a transaction with the file's row and the watermark; only then the
 * rows are deleted. Work goes in small slices, so that signals flow meanwhile. A start finishes what an earlier kernel
 * left.
 */
import { join } from "node:path";
import { counted } from "../../base/counted.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { passing } from "../../base/timer.ts";
import type { Log } from "../../model/log.ts";
import { formatProblem, type Problem, problem } from "../../model/problem.ts";
import { ArchiveDamaged, type ArchiveGap, damagedByGap } from "../../store/archive-damage.ts";
import type { ArchiveFile } from "../../store/archive-names.ts";
import { checking, glance, namesIn } from "../../store/archive-reader.ts";
import { strayOf } from "../../store/archive-strays.ts";
import { misplacedLogs } from "../../store/misplaced.ts";
import type { Store } from "../../store/open.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Voice } from "../commits/voice.ts";
import type { World } from "../world.ts";
import { type Done, type Limits, type Moved, pastTheirTime, writeNext } from "./archive-file.ts";

export type ArchiverWorld = Pick<World, "clock" | "alarm" | "turns" | "files">;

export interface ArchiverParts {
  readonly world: ArchiverWorld;
  readonly store: Store;
  readonly ledger: Ledger;
  /** `data/archive`. */
  readonly folder: string;
  readonly journal: Journal;
}

/** A commit that deletes should take about this long, because other entries wait for it. */
const BATCH_MS = 6;
const BATCH_ROWS = { first: 200, least: 20, most: 1_000 };
const BETWEEN_BATCHES_MS = 4;
/** The pause between pieces of files that are compared only to find damage. */
const LEISURE_MS = 10;

const about = ({ file, first_id, last_id }: ArchiveFile) => ({ file, first_id, last_id });
const STOPPING = problem("stopping", "nerve is stopping: the rest is archived later");

export class Archiver {
  readonly #parts: ArchiverParts;
  #working: Promise<unknown> = Promise.resolve();
  #stopped = false;
  /** Rows up to this id may leave the table: this process has written or compared their files. */
  #wholeUpTo = 0;
  #batchRows = BATCH_ROWS.first;
  readonly #reported = new Set<string>();

  constructor(parts: ArchiverParts) {
    this.#parts = parts;
  }

  /** At a start: removes unfinished files, goes on with finished ones, and checks whether every file is whole. */
  recover(): void {
    const { store } = this.#parts;
    try {
      this.#tidy();
    } catch (error) {
      this.#failed(error);
    }
    this.#look();
    const putRight = this.#inTurn(async () => {
      const forgotten = store.archive.forgotten();
      if (forgotten !== null) await this.#unlink(forgotten);
      return this.#clearTable();
    });
    void putRight.then(() => this.#compareAll()).catch((error) => this.#failed(error));
  }

  /** A quick check: what is lost, and which files are damaged. */
  #look(): void {
    const { store, folder } = this.#parts;
    try {
      for (const gap of store.archive.gaps()) this.#gap(gap);
      for (const file of store.archive.all()) {
        const damage = glance(folder, file);
        if (damage !== null) this.#damaged(file.file, damage);
      }
    } catch (error) {
      if (!(error instanceof ArchiveDamaged)) throw error;
      this.#voice.error("archive.damaged", formatProblem(error.problem), {});
    }
  }

  /** Archives up to the first row that is too young, and removes files past their time. Calls run one at a time. */
  run(limits: Limits): Promise<Result<Done, Problem>> {
    return this.#inTurn(async () => {
      // Before the move, which needs room, and after it, because moved logs may be that old.
      const before = await this.#removeFiles(limits);
      const cleared = await this.#clearTable();
      const moved = cleared.ok ? await this.#moveOld(limits) : cleared;
      const removedFiles = before + (await this.#removeFiles(limits));
      if (this.#stopped) return err(STOPPING);
      return moved.ok ? ok({ ...moved.value, removedFiles }) : moved;
    });
  }

  /** Ends at the next step. The store is not touched any longer. */
  stop(): void {
    this.#stopped = true;
  }

  /** Runs the calls one after the other. Each gets its own problem. */
  #inTurn<T>(work: () => Promise<Result<T, Problem>>): Promise<Result<T, Problem>> {
    const attempt = async (): Promise<Result<T, Problem>> => {
      if (this.#stopped) return err(STOPPING);
      try {
        return await work();
      } catch (error) {
        return err(this.#stopped ? STOPPING : this.#failed(error));
      }
    };
    const result = this.#working.then(attempt);
    this.#working = result;
    return result;
  }

  #pass(ms: number): Promise<void> {
    return passing(this.#parts.world.alarm, ms);
  }

  /** Lets others have their turn. */
  #turn = (): Promise<void> => new Promise((resolve) => void this.#parts.world.turns.next(resolve));

  get #voice(): Voice {
    return this.#parts.journal.of("kernel");
  }

  #failed(error: unknown): Problem {
    const message = `logs cannot be archived: ${(error as Error).message}`;
    this.#parts.journal.folding("kernel").error("archive.failed", message, null);
    return problem("archive-failed", message);
  }

  #damaged(file: string, why: string): Problem {
    const path = join(this.#parts.folder, file);
    const message = `the archive file ${path} ${why}`;
    if (!this.#reported.has(file)) this.#voice.error("archive.damaged", message, { file });
    this.#reported.add(file);
    return problem("archive-damaged", message, "put back an untouched copy", path);
  }

  #gap(gap: ArchiveGap): Problem {
    const { problem: found } = damagedByGap(this.#parts.folder, gap);
    const known = `${gap.after}`;
    const data = { after: gap.after, up_to: gap.upTo };
    if (!this.#reported.has(known)) this.#voice.error("archive.damaged", found.message, data);
    this.#reported.add(known);
    return found;
  }

  // ── what an earlier kernel left ──────────────────────────────────────

  #tidy(): void {
    const { store, folder, world } = this.#parts;
    const forgotten = store.archive.forgotten();
    for (const name of namesIn(folder)) {
      if (name === forgotten || store.archive.byName(name) !== null) continue;
      const stray = strayOf(store.archive, folder, name);
      if (stray.kind === "unfinished") world.files.remove(join(folder, name));
      else {
        const message = `${join(folder, name)} ${stray.why}; ${stray.remedy}`;
        this.#voice.warn("archive.stray", message, { file: name });
      }
    }
  }

  async #compareAll(): Promise<void> {
    const { store } = this.#parts;
    for (const file of this.#stopped ? [] : store.archive.all()) {
      if (this.#reported.has(file.file)) continue;
      const damage = await this.#compare(file, () => this.#pass(LEISURE_MS));
      if (this.#stopped) return;
      // The file may have been removed since.
      if (damage !== null && store.archive.byName(file.file) !== null) this.#damaged(file.file, damage);
    }
  }

  async #compare(file: ArchiveFile, pause: () => Promise<void>): Promise<string | null> {
    const checked = checking(this.#parts.folder, file);
    for (let step = checked.next(); ; step = checked.next()) {
      if (step.done) return step.value;
      await pause();
      if (!this.#stopped) continue;
      checked.return(null);
      return null;
    }
  }

  // ── from the table to files ──────────────────────────────────────────

  async #moveOld({ logsBefore, now }: Limits): Promise<Result<Moved, Problem>> {
    const { store } = this.#parts;
    const until = store.logs.lastId();
    const isOld = ({ id, at }: Log): boolean => id <= until && !(at >= logsBefore && at <= now);
    let files = 0;
    let rows = 0;
    for (;;) {
      const written = await writeNext(this.#parts, isOld, () => this.#stopped);
      if (written === null || this.#stopped) return ok({ files, rows });
      await this.#parts.ledger.commit(() => store.archive.add(written));
      store.sync();
      files++;
      rows += written.rows;
      const message = `${counted(written.rows, "log")} of ${written.day} moved to ${written.file}`;
      this.#voice.info("archive.written", message, about(written));
      this.#wholeUpTo = written.last_id;
      await this.#deleteUpTo(written.last_id);
    }
  }

  /** Deletes from the table what the archive has. Logs of a damaged file stay, because they are nowhere else. */
  async #clearTable(): Promise<Result<void, Problem>> {
    const { store, folder } = this.#parts;
    const { archive } = store;
    const first = archive.firstLogId();
    const watermark = archive.upTo();
    const above = archive.gap(null, watermark);
    if (above !== null) return err(this.#gap(above));
    if (first === null || first > watermark) return ok(undefined);
    const [misplaced] = misplacedLogs(archive, store.file, folder);
    if (misplaced !== undefined) return err(this.#failed(misplaced));
    let last = Math.max(this.#wholeUpTo, first - 1);
    for (;;) {
      const file = archive.next(last);
      const gap = archive.gap(file, last);
      if (gap !== null) {
        await this.#deleteUpTo(gap.after);
        return err(this.#gap(gap));
      }
      if (file === null) break;
      const damage = await this.#compare(file, this.#turn);
      if (this.#stopped) return err(STOPPING);
      if (damage !== null) {
        await this.#deleteUpTo(Math.max(last, file.first_id - 1));
        return err(this.#damaged(file.file, damage));
      }
      last = file.last_id;
    }
    this.#wholeUpTo = watermark;
    await this.#deleteUpTo(watermark);
    return ok(undefined);
  }

  async #deleteUpTo(last: number): Promise<void> {
    const { world, store } = this.#parts;
    const isThere = (): boolean => (store.archive.firstLogId() ?? Number.POSITIVE_INFINITY) <= last;
    while (!this.#stopped && isThere()) {
      let begun = 0;
      await this.#parts.ledger.commit(() => {
        begun = world.clock.monotonicMs();
        store.archive.removeLogs(last, this.#batchRows);
      });
      const tookMs = world.clock.monotonicMs() - begun;
      const fitting = Math.floor(this.#batchRows * Math.min(2, BATCH_MS / Math.max(1, tookMs)));
      this.#batchRows = Math.min(BATCH_ROWS.most, Math.max(BATCH_ROWS.least, fitting));
      await this.#pass(BETWEEN_BATCHES_MS);
    }
  }

  // ── the end of files ─────────────────────────────────────────────────

  /** Returns the number of removed files. */
  async #removeFiles({ archiveBefore, now }: Limits): Promise<number> {
    if (archiveBefore === null) return 0;
    const { store } = this.#parts;
    const files = store.archive.all();
    let removed = 0;
    for (const file of files.slice(0, pastTheirTime(files, archiveBefore, now))) {
      if (this.#stopped) break;
      let isNeeded = false;
      await this.#parts.ledger.commit(() => {
        const from = store.archive.neededFrom();
        isNeeded = from !== null && from <= file.last_id;
        if (!isNeeded) store.archive.forget(file);
      });
      if (isNeeded || this.#stopped) break;
      await this.#unlink(file.file);
      this.#voice.info("archive.removed", `${file.file} is past its retention`, about(file));
      removed++;
    }
    return removed;
  }

  /** Removes a forgotten file. After a kill the next start does it again. */
  async #unlink(name: string): Promise<void> {
    const { store, folder, world, ledger } = this.#parts;
    await world.files.removeAside(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    await world.files.syncFolder(folder);
    if (!this.#stopped) await ledger.commit(() => store.archive.unlinked());
  }
}
