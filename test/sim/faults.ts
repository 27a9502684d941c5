/** What goes wrong, and what people do, and when: by chance, each kind at its own pace. */
import type { Result } from "../../src/base/result.ts";
import type { Acts } from "../../src/control/acts.ts";
import { pick } from "../rules/random.ts";
import type { Machine, Party } from "./machine.ts";
import { violation } from "./oracle/report.ts";
import { DAY, editOf, FAULTS, type FaultKind, HOUR, MINUTE, SECOND, WORKFLOWS } from "./plan.ts";
import type { Site } from "./site.ts";

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
  readonly #site: Site;
  readonly #machine: Machine;
  readonly #world: Party = { isOver: false, isKernel: false };

  constructor(site: Site) {
    this.#site = site;
    this.#machine = site.machine;
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
        return this.#people();
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
        if (this.#below(3) === 0) this.#asks("archive", () => site.kernel?.acts?.archive() ?? null);
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
    const before = site.config ?? site.plan.config;
    const isBroken = this.#below(8) === 0;
    this.#count(isBroken ? "reload of a broken config" : "reload");
    site.edit(isBroken ? null : editOf(before, this.#machine.chance));
    this.#asks("reload", () => site.kernel?.acts?.reload() ?? null);
    if (isBroken) this.#machine.after(MINUTE, this.#world, () => site.edit(before));
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
    if (byMs < 0) site.oracle.senses.setBack(-byMs);
    this.#machine.step(byMs);
    if (site.kernel !== null) site.oracle.axis.stepped(byMs);
  }

  #pauses(): void {
    if (this.#site.kernel === null) return;
    if (this.#below(2) === 0) {
      const ms = pick(this.#machine.chance, [500, 2_000, 20_000]) + this.#below(500);
      return this.#quietly(() => {
        this.#count("kernel stopped for a while");
        const { axis, reflexes } = this.#site.oracle;
        reflexes.goesBlind(axis.now, false);
        this.#machine.freeze(ms);
        this.#machine.after(ms, this.#world, () => reflexes.sees(axis.now));
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
    const { axis, reflexes } = site.oracle;
    reflexes.goesBlind(axis.now - 1, false);
    const before = this.#machine.wallMs;
    this.#machine.suspend(ms);
    axis.slept(this.#machine.wallMs - before - ms);
    reflexes.sees(axis.now);
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

  // ── people ───────────────────────────────────────────────────────────

  /** What is answered with success is durable. */
  #asks<T>(
    what: string,
    ask: () => Promise<Result<T, unknown>> | Result<T, unknown> | null,
    done: (value: T) => void = () => {},
  ): void {
    const asked = ask();
    if (asked === null) return;
    this.#count(what);
    Promise.resolve(asked).then(
      (answer) => {
        try {
          if (answer.ok) done(answer.value);
        } catch (error) {
          this.#site.notice(error);
        }
      },
      (error) => this.#site.notice(error),
    );
  }

  #people(): void {
    const site = this.#site;
    const { runs } = site.oracle;
    const acts = site.kernel?.acts;
    if (!acts) return;
    const chance = this.#machine.chance;
    const sense = `s${chance(site.plan.size.senses)}`;
    const rule = `rule-${chance(site.plan.size.reflexes)}`;
    const run = 1 + chance(Math.max(1, runs.runs.size));
    switch (chance(13)) {
      case 0:
        return this.#asks("trigger", () => acts.trigger(sense));
      case 1:
        this.#asks("disable", () => acts.disable(chance(2) === 0 ? `sense:${sense}` : `reflex:${rule}`));
        return;
      case 2:
      case 3:
        return this.#asks("enable", () => acts.enable(chance(2) === 0 ? `sense:${sense}` : `reflex:${rule}`));
      case 4:
        return this.#asks("release", () => acts.release(sense));
      case 5:
        return this.#asks(
          "run",
          () => acts.run(pick(chance, WORKFLOWS), { by: "hand" }),
          ({ run: id }) => {
            if (!runs.runs.has(id)) violation("answers", `run ${id} was answered for, and is not there`);
          },
        );
      case 6:
        return this.#asks(
          "cancel",
          () => acts.cancel(run),
          ({ run: id }) => {
            if (runs.runs.get(id)?.state !== "cancelled")
              violation("answers", `run ${id} is said to be cancelled, and is not`);
          },
        );
      case 7:
        return this.#asks(
          "retry",
          () => acts.retry(run, null),
          ({ run: id }) => {
            if (!runs.runs.has(id)) violation("answers", `run ${id} was answered for, and is not there`);
          },
        );
      case 8:
        if (chance(2) === 0) return this.#asks("unsilence", () => acts.unsilence("rule-*"));
        return this.#asks("silence", () =>
          acts.silence({
            pattern: pick(chance, ["rule-*", "rule-1*"]),
            for_ms: pick(chance, [10, 20]) * MINUTE,
            why: "work",
          }),
        );
      case 9:
        return this.#asks("archive", () => acts.archive());
      default:
        return this.#meetsIncident(acts);
    }
  }

  #meetsIncident(acts: Acts): void {
    const { incidents } = this.#site.oracle.incidents;
    const chance = this.#machine.chance;
    // Whoever looks, looks at the newest.
    const incident = Math.max(1, incidents.size - chance(8));
    const isAck = chance(2) === 0;
    const request = { incident, by: "somebody", why: chance(2) === 0 ? null : "seen" };
    const done = (): void => {
      const state = incidents.get(incident)?.state;
      if (state === undefined || state === "open" || (!isAck && state !== "resolved"))
        violation(
          "answers",
          `incident ${incident} is said to be ${isAck ? "acknowledged" : "resolved"}, and is ${state}`,
        );
    };
    if (isAck) this.#asks("ack", () => acts.ack(request), done);
    else this.#asks("resolve", () => acts.resolve(request), done);
  }
}
