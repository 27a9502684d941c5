/**
 * Owns the removal of blobs, a day after the last signal, log, archived log or run that refers to them has gone.
 * Invariants:
 * - Two looks: the first stores the moment at which nothing refers to a blob, and a second look a day later removes it. A
 * reference in between begins that day anew.
 * - A young file is never removed, and `put` makes a file young (see base/content-store.ts), so its reference has a day to
 * come. A put that meets a removal makes the file young before the judgement, or finds no file and writes it.
 * - Right before a file goes, every committed row has been read.
 * A clock that was set recently is not trusted, as in retention.ts. Everything goes by small slices.
 */
import { dirname, join } from "node:path";
import { elapsedSince, momentOf } from "../../base/clock.ts";
import { counted } from "../../base/counted.ts";
import { formatSize } from "../../base/size.ts";
import { damagedByGap } from "../../store/archive-damage.ts";
import { archiveFolder } from "../../store/archive-names.ts";
import type { Store } from "../../store/open.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Handle, Ticker } from "../time/ticker.ts";
import { TrustedClock } from "../time/trusted-clock.ts";
import type { World } from "../world.ts";
import { type BlobFile, BlobFiles, type Swept } from "./blob-files.ts";
import type { Chore } from "./chore.ts";

export interface BlobSweepParts {
  readonly world: Pick<World, "clock" | "files">;
  readonly ticker: Ticker;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly journal: Journal;
  /** `data/blobs`. */
  readonly folder: string;
}

export interface BlobSweepTimes {
  readonly everyMs: number;
  /** Nothing must have referred to a blob for this long. */
  readonly unreferencedMs: number;
  /** A file is young for this long. */
  readonly youngMs: number;
  /** Wall clock and boot clock must have agreed for this long. */
  readonly trustedAfterMs: number;
}

const HOUR_MS = 3_600_000;

export const BLOB_SWEEP_TIMES: BlobSweepTimes = {
  everyMs: HOUR_MS,
  unreferencedMs: 24 * HOUR_MS,
  youngMs: 24 * HOUR_MS,
  trustedAfterMs: HOUR_MS,
};

const LOOK_EVERY_MS = 60_000;
const BETWEEN_SLICES_MS = 20;
/** A slice that took longer is followed by a smaller slice. */
const SLICE_MS = 8;
const LEAST_ROWS = 16;
const MOST_ROWS = 8_192;
const FILES_A_SLICE = 256;
interface Oldest {
  readonly signal: number;
  readonly log: number;
}

export class BlobSweep implements Chore {
  readonly #parts: BlobSweepParts;
  readonly #times: BlobSweepTimes;
  readonly #files: BlobFiles;
  readonly #believed: TrustedClock;
  #rows = LEAST_ROWS;
  #next: Handle | null = null;
  #stopped = false;

  constructor(parts: BlobSweepParts, times: BlobSweepTimes) {
    this.#parts = parts;
    this.#times = times;
    this.#files = new BlobFiles(join(parts.folder, "sha256"), parts.world, times.youngMs);
    this.#believed = new TrustedClock(parts.world.clock, times.trustedAfterMs);
  }

  start(): void {
    this.#lookAgain(LOOK_EVERY_MS);
  }

  clockStepped(): void {
    this.#believed.stepped();
  }

  stop(): void {
    this.#stopped = true;
    this.#next?.cancel();
  }

  #lookAgain(afterMs: number): void {
    if (!this.#stopped) this.#next = this.#parts.ticker.after(afterMs, () => this.#look());
  }

  #look(): void {
    if (!this.#believed.isTrusted || this.#parts.ledger.troubled) return this.#lookAgain(LOOK_EVERY_MS);
    const swept: Swept = { blobs: 0, unfinished: 0, bytes: 0 };
    void this.#sweep(swept)
      .catch((error: Error) => this.#sayNot(error.message))
      .then(() => {
        if (swept.blobs + swept.unfinished > 0) this.#report(swept);
        this.#lookAgain(this.#times.everyMs);
      });
  }

  #report({ blobs, unfinished, bytes }: Swept): void {
    const rest = unfinished === 0 ? "" : ` and ${counted(unfinished, "unfinished file")}`;
    const message = `removed ${counted(blobs, "blob")} to which nothing refers${rest}, ${formatSize(bytes)}`;
    this.#parts.journal.of("kernel").info("blobs.swept", message, { blobs, unfinished, bytes });
  }

  #sayNot(why: string): void {
    this.#parts.journal.folding("kernel").warn("blobs.not-swept", `blobs were not swept: ${why}`, null);
  }

  // ── slices ───────────────────────────────────────────────────────────

  /** Lets others have their turn. Never resolves once the sweep is stopped. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#stopped) this.#next = this.#parts.ticker.after(BETWEEN_SLICES_MS, resolve);
    });
  }

  /** Never resolves once the sweep is stopped. */
  async #commit(write: () => void): Promise<void> {
    if (!this.#stopped) await this.#parts.ledger.commit(write);
    if (this.#stopped) await new Promise(() => {});
  }

  /** Runs `slice` with as many rows as fitted the time of the last slice. */
  #measured<T>(slice: (rows: number) => T): T {
    const { clock } = this.#parts.world;
    const startedAt = clock.monotonicMs();
    const result = slice(this.#rows);
    const tookMs = clock.monotonicMs() - startedAt;
    if (tookMs > SLICE_MS) this.#rows = Math.max(LEAST_ROWS, Math.floor(this.#rows / 2));
    else if (tookMs < SLICE_MS / 4) this.#rows = Math.min(MOST_ROWS, this.#rows * 2);
    return result;
  }

  // ── what refers ──────────────────────────────────────────────────────

  /** Reads every signal and log that was not read yet. */
  async #readRows(): Promise<void> {
    const { blobs } = this.#parts.store;
    await this.#readArchive();
    for (const kind of ["signal", "log"] as const) {
      for (;;) {
        let done = false;
        await this.#commit(() => {
          done = this.#measured((rows) => blobs.read(kind, rows));
        });
        if (done) break;
        await this.#pause();
      }
    }
  }

  /**
   * Reads logs that were archived before they were read. A damaged file is reported elsewhere. With a damaged file no blob
   * goes.
   */
  async #readArchive(): Promise<void> {
    const { blobs, history } = this.#parts.store;
    const { clock } = this.#parts.world;
    for (let unread = blobs.unreadArchive(); unread !== null; unread = blobs.unreadArchive()) {
      const { after, upTo } = unread;
      const startedAt = clock.monotonicMs();
      const mentions: { id: number; text: string }[] = [];
      let read = upTo;
      for (const { id, data } of history.scan(after)) {
        if (id > upTo) break;
        if (data?.includes("$blob")) mentions.push({ id, text: data });
        if (clock.monotonicMs() - startedAt < SLICE_MS) continue;
        read = id;
        break;
      }
      await this.#commit(() => blobs.noteArchived(mentions, read));
      await this.#pause();
    }
  }

  async #digestsInRuns(): Promise<Set<string>> {
    const found = new Set<string>();
    for (let after: number | null = 0; after !== null; ) {
      const from: number = after;
      const page = this.#measured((rows) => this.#parts.store.blobs.inRuns(from, rows));
      for (const digest of page.digests) found.add(digest);
      after = page.next;
      if (after !== null) await this.#pause();
    }
    return found;
  }

  #isReferred(digest: string, oldest: Oldest): boolean {
    const state = this.#parts.store.blobs.state(digest);
    return state !== null && (state.signal >= oldest.signal || state.log >= oldest.log);
  }

  // ── files ────────────────────────────────────────────────────────────

  async #sweep(swept: Swept): Promise<void> {
    const prefixes = this.#files.prefixes();
    if (prefixes.length === 0) return;
    const { archive, file } = this.#parts.store;
    const [gap] = archive.gaps();
    // The present logs are not known, and so neither are their references.
    if (gap !== undefined) throw damagedByGap(archiveFolder(dirname(file)), gap);
    await this.#readRows();
    const inRuns = await this.#digestsInRuns();
    for (const prefix of prefixes) {
      await this.#pause();
      const files = this.#files.filesOf(prefix);
      for (let from = 0; from < files.length; from += FILES_A_SLICE) {
        if (from > 0) await this.#pause();
        await this.#judge(files.slice(from, from + FILES_A_SLICE), inRuns, swept);
      }
    }
    await this.#forgetAbsent();
  }

  async #judge(files: readonly BlobFile[], inRuns: ReadonlySet<string>, swept: Swept): Promise<void> {
    const { store, world } = this.#parts;
    const { clock } = world;
    const oldest = store.blobs.oldest();
    const noticed: string[] = [];
    const referred: string[] = [];
    const due: string[] = [];
    for (const file of files) {
      if (file.kind === "leaving") this.#files.bringBack(file.path);
      else if (file.kind === "unfinished") this.#files.removeUnfinished(file.path, swept);
      else {
        const { digest } = file;
        const since = store.blobs.state(digest)?.unreferenced ?? null;
        if (inRuns.has(digest) || this.#isReferred(digest, oldest)) {
          if (since !== null) referred.push(digest);
        } else if (since === null) noticed.push(digest);
        else if (elapsedSince(since, clock) >= this.#times.unreferencedMs) due.push(digest);
      }
    }
    if (noticed.length + referred.length > 0) {
      const now = momentOf(clock);
      await this.#commit(() => {
        for (const digest of noticed) store.blobs.setUnreferenced(digest, now);
        for (const digest of referred) store.blobs.setUnreferenced(digest, null);
      });
    }
    if (due.length > 0) await this.#removeDue(due, swept);
  }

  async #removeDue(due: readonly string[], swept: Swept): Promise<void> {
    const { store, ledger } = this.#parts;
    await this.#readRows();
    // From here on to the last unlink is one turn: nothing is committed in between. A run that is newer than the runs that
    // were read has its input and output in its logs.
    if (!this.#believed.isTrusted || ledger.troubled) return;
    const oldest = store.blobs.oldest();
    const unread = store.blobs.unread();
    const gone = due.filter((digest) => {
      const state = store.blobs.state(digest);
      if (state === null || state.unreferenced === null || this.#isReferred(digest, oldest) || unread.has(digest))
        return false;
      return this.#files.remove(digest, swept);
    });
    if (gone.length > 0) {
      await this.#commit(() => {
        for (const digest of gone) store.blobs.forget(digest);
      });
    }
  }

  /** Forgets blobs that rows referred to and that do not exist. */
  async #forgetAbsent(): Promise<void> {
    const { blobs } = this.#parts.store;
    for (let after = ""; ; ) {
      const page = blobs.after(after, FILES_A_SLICE);
      const last = page.at(-1);
      if (last === undefined) return;
      after = last;
      const oldest = blobs.oldest();
      const absent = page.filter((digest) => !this.#isReferred(digest, oldest) && !this.#files.has(digest));
      if (absent.length > 0) {
        await this.#commit(() => {
          for (const digest of absent) blobs.forget(digest);
        });
      }
      await this.#pause();
    }
  }
}
