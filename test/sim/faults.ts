/** What goes wrong, and what people do, and when: by chance, each kind at its own pace. */
import { pick } from "../rules/random.ts";
import { editOf, editOfSense, withoutSense, withoutWorkflow } from "./edits.ts";
import type { Machine, Party } from "./machine.ts";
import { People } from "./people.ts";
import type { Site } from "./site.ts";
import { DELIVERED } from "./source-plan.ts";
import { DAY, FAULTS, type FaultKind, HOUR, MINUTE, SECOND } from "./words.ts";

/** Mean milliseconds between two faults of a kind, in a day of senses of ten seconds to an hour. */
const PACES: Readonly<Record<FaultKind, number>> = {
  crash: 100 * MINUTE,
  reload: 150 * MINUTE,
  clock: 6 * HOUR,
  disk: 5 * HOUR,
  people: 30 * MINUTE,
  workers: 4 * HOUR,
  pauses: 5 * HOUR,
};

const CODES = ["SQLITE_FULL", "SQLITE_BUSY", "SQLITE_IOERR_WRITE"] as const;

export class Faults {
  readonly counts: Record<string, number> = {};
  readonly #people: People;
  readonly #site: Site;
  readonly #machine: Machine;
  readonly #world: Party = { isOver: false, isKernel: false };

  constructor(site: Site) {
    this.#site = site;
    this.#machine = site.machine;
    this.#people = new People(site, (what) => this.#count(what));
  }

  #below(limit: number): number {
    return this.#machine.chance(limit);
  }

  begin(): void {
    const { without, isDense } = this.#site.plan.size;
    for (const kind of FAULTS) if (!without.includes(kind)) this.#again(kind, isDense ? 8 : 1);
  }

  #again(kind: FaultKind, often: number): void {
    const meanMs = PACES[kind] / often;
    this.#machine.after(1 + this.#below(2 * meanMs), this.#world, () => {
      if (this.#machine.now < this.#site.plan.size.lengthMs) {
        this.#happens(kind);
        this.#again(kind, often);
      }
    });
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
    this.#site.trace.add(() => `fault: ${what}`);
  }

  /** Once nothing else is to happen at this very moment: else it would not be known what came before it. */
  #quietly(act: () => void): void {
    const next = this.#machine.peek();
    if (next === null || next.at > this.#machine.now) return act();
    this.#machine.after(1, this.#world, () => this.#quietly(act));
  }

  #happens(kind: FaultKind): void {
    switch (kind) {
      case "crash":
        return this.#crashes();
      case "reload":
        return this.#reloads();
      case "clock":
        return this.#clock();
      case "disk":
        return this.#disk();
      case "people":
        return this.#people.ask();
      case "workers":
        return this.#workers();
      case "pauses":
        return this.#pauses();
    }
  }

  // ── ends and starts ──────────────────────────────────────────────────

  #crashes(): void {
    const site = this.#site;
    if (site.kernel === null) return;
    if (this.#below(6) === 0) site.diesAtRemoval = true;
    switch (this.#below(4)) {
      case 0:
        this.#count("crash between commits");
        return this.#quietly(() => {
          site.hasCrashed = true;
        });
      case 1:
      case 2: {
        const how = this.#below(2) === 0 ? "crash-before" : "crash-after";
        this.#count(`${how} a commit`);
        // What moves logs to files has an order of its own.
        if (this.#below(3) === 0) this.#people.archives();
        site.fates = [...Array(this.#below(8)).fill("kept"), how];
        return;
      }
      default:
        this.#count("stop");
        return this.#quietly(() => {
          site.isToStop = true;
        });
    }
  }

  // ── the config ───────────────────────────────────────────────────────

  #reloads(): void {
    const site = this.#site;
    if (this.#below(3) === 0) return this.#reloadsOwed(0);
    if (this.#below(3) === 0) return this.#reloadsRunning();
    const before = site.config ?? site.plan.config;
    const isBroken = this.#below(8) === 0;
    this.#count(isBroken ? "reload of a broken config" : "reload");
    site.edit(isBroken ? null : editOf(before, site.plan.config, this.#machine.chance));
    this.#people.asks("reload", () => site.kernel?.acts?.reload() ?? null);
    if (isBroken) this.#machine.after(MINUTE, this.#world, () => site.edit(before));
  }

  /** While a run has not ended, of a workflow that is no longer there then. */
  #reloadsRunning(): void {
    const site = this.#site;
    const [run] = site.oracle.runs.active.values();
    if (run === undefined || site.kernel === null || site.config === null) return;
    this.#count("reload while a run has not ended");
    site.edit(withoutWorkflow(site.config, run.workflow));
    this.#people.asks("reload", () => site.kernel?.acts?.reload() ?? null);
  }

  /** While a sense is owed a compute, which has another throttle then, or is gone. */
  #reloadsOwed(tries: number): void {
    const site = this.#site;
    const isOwed = (name: string): boolean => site.oracle.senses.of(name).causes.size > 0;
    // The others are never removed.
    const owed = [...DELIVERED, "s0", "s1"].find(isOwed);
    if (owed === undefined || site.kernel === null || site.config === null) {
      if (tries < 400) this.#machine.after(1_700, this.#world, () => this.#reloadsOwed(tries + 1));
      return;
    }
    this.#count("reload while a compute is owed");
    const isToGo = DELIVERED.some((name) => name === owed) && this.#below(2) === 0;
    site.edit(isToGo ? withoutSense(site.config, owed) : editOfSense(site.config, owed, this.#machine.chance));
    this.#people.asks("reload", () => site.kernel?.acts?.reload() ?? null);
  }

  // ── time ─────────────────────────────────────────────────────────────

  #clock(): void {
    const site = this.#site;
    if (this.#below(3) === 0) {
      this.#count("slew");
      return this.#machine.slew(1 + (this.#below(800) - 400) / 1_000_000);
    }
    const sizes = [SECOND, 10 * SECOND, 5 * MINUTE, HOUR, 4 * HOUR, 2 * DAY];
    const byMs = (this.#below(2) === 0 ? -1 : 1) * (pick(this.#machine.chance, sizes) + this.#below(900));
    this.#count(byMs > 0 ? "clock set ahead" : "clock set back");
    site.setClock(byMs);
    if (site.kernel !== null) site.oracle.axis.stepped(byMs);
  }

  #pauses(): void {
    if (this.#site.kernel === null) return;
    if (this.#below(2) === 0) {
      const ms = pick(this.#machine.chance, [500, 2_000, 20_000]) + this.#below(500);
      return this.#quietly(() => {
        this.#count("kernel stopped for a while");
        const { axis, reflexes, sources } = this.#site.oracle;
        reflexes.goesBlind(axis.now, false);
        sources.pauses(true);
        this.#machine.freeze(ms);
        this.#machine.after(ms, this.#world, () => {
          reflexes.sees(axis.now);
          sources.pauses(false);
        });
      });
    }
    this.#sleeps(pick(this.#machine.chance, [10 * SECOND, 10 * MINUTE, 3 * HOUR]), 0);
  }

  /** The machine sleeps right before an alarm of the ticker's, which then rings at once. */
  #sleeps(ms: number, tries: number): void {
    const site = this.#site;
    const next = this.#machine.peek();
    const alarms = site.kernel?.alarms;
    const isAlarm = next !== null && alarms !== undefined && alarms.size === 1 && alarms.has(next);
    if (!isAlarm || this.#machine.isFrozen || next.at === this.#machine.now) {
      if (tries < 200) this.#machine.after(37, this.#world, () => this.#sleeps(ms, tries + 1));
      return;
    }
    this.#count("machine sleeps");
    this.#machine.now = next.at;
    const { axis, reflexes, sources } = site.oracle;
    sources.pauses(true);
    reflexes.goesBlind(axis.now - 1, false);
    const before = this.#machine.wallMs;
    this.#machine.suspend(ms);
    axis.slept(this.#machine.wallMs - before - ms);
    reflexes.sees(axis.now);
    sources.pauses(false);
  }

  // ── the disk ─────────────────────────────────────────────────────────

  #disk(): void {
    const site = this.#site;
    const code = pick(this.#machine.chance, CODES);
    const forMs = pick(this.#machine.chance, [500, 5_000, 120_000]);
    switch (this.#below(3)) {
      case 0:
        this.#count(`commits refused: ${code}`);
        site.fate = { code };
        break;
      case 1:
        this.#count(`a commit refused: ${code}`);
        site.fates = [...Array(this.#below(10)).fill("kept"), { code }];
        return;
      default:
        this.#count("disk nearly full");
        site.disk.freeBytes = 1_000_000;
        site.disk.error = "ENOSPC";
    }
    this.#machine.after(forMs, this.#world, () => {
      site.fate = "kept";
      site.disk.error = null;
      site.disk.freeBytes = 10_000_000_000;
    });
  }

  #workers(): void {
    const site = this.#site;
    this.#count("processes that do not go, or do not start");
    site.stuckOneIn = this.#below(2) * 3;
    site.spawnFailsOneIn = this.#below(2) * 4;
    this.#machine.after(20 * MINUTE, this.#world, () => {
      site.stuckOneIn = 0;
      site.spawnFailsOneIn = 0;
    });
  }
}
