/**
 * Incidents of several keys in a kernel, whatever a host does to them: signals, persons, silences, another reflex that holds
 * back, quiet hours, a full queue, clocks that are set, edits of the configuration and restarts. Beside the kernel runs a
 * book that is kept by hand: which keys match, what is open, and what may be reported now. `NERVE_FUZZ=N` tries more,
 * `NERVE_FUZZ_SEED=N` repeats a run.
 */
import { describe, expect, test } from "bun:test";
import type { QuietHours, WorkflowReflexConfig } from "../../../src/model/config.ts";
import { SEVERITIES, type Severity } from "../../../src/model/incident.ts";
import { isOver } from "../../../src/model/run.ts";
import { alarm, IncidentBench, type Report } from "../../helpers/incident-bench.ts";
import { COMPLETED, failedWith } from "../../helpers/runs-bench.ts";
import { type Below, pick, randomOf, SEED, trials } from "../../rules/random.ts";

const TRIALS = trials(10);
const LONG_MS = 4 * 3_600_000;
const OPS = 60;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const HOSTS = ["a", "b", "c"] as const;
const GONE = "its reflex is no longer configured";
const NIGHT = {
  below: "critical",
  fromMinute: 0,
  toMinute: 7 * 60,
  tz: "UTC",
  days: null,
} as const satisfies QuietHours;

/** In minutes. */
interface Words {
  readonly resolveAfter: number;
  readonly remindEvery: number;
  readonly escalateAfter: number;
  readonly isInhibited: boolean;
  /** Says which keys match in other words, to the same effect. */
  readonly above: number;
}

const wordsOf = (below: Below): Words => ({
  resolveAfter: pick(below, [0, 0, 2, 5]),
  remindEvery: pick(below, [3, 7, 60]),
  escalateAfter: pick(below, [2, 6]),
  isInhibited: below(2) === 0,
  above: 3 + below(4),
});

const reflexesOf = (words: Words): WorkflowReflexConfig[] => [
  alarm({ severity: "critical" }, { name: "down", when: { down: "true" } }),
  alarm(
    {
      severity: "{{ payload.level }}",
      summary: "{{ payload.host }} is at {{ payload.v }}",
      resolveAfterMs: words.resolveAfter * MINUTE,
      remindEveryMs: words.remindEvery * MINUTE,
      escalate: [{ afterMs: words.escalateAfter * MINUTE, workflow: "flow" }],
      inhibitedBy: words.isInhibited ? ["down"] : [],
    },
    { key: "host", when: { v: `number > ${words.above}` } },
  ),
];

/** What is known of a key without asking nerve. */
interface Key {
  isMatching: boolean;
  /** Minute since which it does not match. */
  off: number | null;
  isOpen: boolean;
  isSpent: boolean;
  level: Severity;
  v: number;
}

const fresh = (): Key => ({ isMatching: false, off: null, isOpen: false, isSpent: false, level: "warning", v: 0 });

class Story {
  readonly #bench: IncidentBench;
  readonly #below: Below;
  readonly #log: string[] = [];
  #minute = 0;
  #words: Words;
  #isThere = true;
  #quiet: readonly QuietHours[] = [];
  #silencedUntil = 0;
  #keys = new Map<string, Key>(HOSTS.map((host) => [host, fresh()]));
  #down = fresh();
  /** Reports that were looked at. */
  #seen: readonly Report[] = [];
  #reportedAt = new Map<number, number>();
  /** Ends by a reload are reported at once. */
  #isEnd = false;
  /** The newest payload of each key is known no longer. */
  #wasKilled = false;
  /** The shortest `remind_every` that was in force. */
  #shortest: number;

  constructor(bench: IncidentBench, below: Below, words: Words) {
    this.#bench = bench;
    this.#below = below;
    this.#words = words;
    this.#shortest = words.remindEvery;
  }

  async tell(): Promise<void> {
    for (let op = 0; op < OPS; op++) {
      const ops = [
        ...[this.#signal, this.#signal, this.#signal, this.#pass, this.#pass, this.#work, this.#work],
        ...[this.#ack, this.#resolve, this.#silence, this.#lift, this.#edit, this.#remove, this.#crash, this.#step],
      ];
      this.#isEnd = false;
      await pick(this.#below, ops).call(this);
      await this.#bench.awake();
      // Other words may make something due.
      await this.#bench.pass(0);
      this.#look();
    }
    await this.#end();
  }

  #note(said: string): void {
    this.#log.push(`${this.#minute}: ${said}`);
  }

  get story(): string {
    return this.#log.join("\n");
  }

  // ── what happens ─────────────────────────────────────────────────────

  async #signal(): Promise<void> {
    const host = pick(this.#below, HOSTS);
    const isHigh = this.#below(2) === 0;
    const level = pick(this.#below, SEVERITIES);
    const down = this.#below(4) === 0;
    await this.#emit(host, isHigh ? 9 : 1, level, down);
  }

  async #emit(host: string, v: number, level: Severity, down: boolean): Promise<void> {
    this.#note(`${host} at ${v}, ${level}, ${down ? "down" : "up"}`);
    this.#met(this.#down, down, 0);
    const key = this.#keys.get(host);
    if (this.#isThere && key !== undefined) {
      if (v > 5) Object.assign(key, { level, v });
      this.#met(key, v > 5, this.#words.resolveAfter);
    }
    await this.#bench.signal({ host, v, level, down });
  }

  #met(key: Key, matches: boolean, resolveAfter: number): void {
    key.isMatching = matches;
    if (matches) {
      key.off = null;
      if (!key.isSpent) key.isOpen = true;
      return;
    }
    key.isSpent = false;
    if (!key.isOpen) return;
    key.off ??= this.#minute;
    if (this.#minute - key.off >= resolveAfter) this.#over(key);
  }

  #over(key: Key): void {
    key.isOpen = false;
    key.off = null;
  }

  /** Time has passed, or other words are in force. */
  #expire(): void {
    for (const key of this.#keys.values()) {
      if (key.off !== null && this.#minute - key.off >= this.#words.resolveAfter) this.#over(key);
    }
  }

  async #pass(): Promise<void> {
    for (let left = 1 + this.#below(6); left > 0; left--) {
      await this.#finish();
      this.#minute++;
      this.#expire();
      await this.#bench.pass(MINUTE);
      // A start takes a millisecond: what is due one behind another sets its timer when that one is decided.
      await this.#bench.pass(0);
      this.#look();
    }
    this.#note("now");
  }

  /** A scripted worker answers nothing by itself: what runs ends before time passes. */
  async #finish(): Promise<void> {
    await this.#bench.awake();
    await this.#bench.work();
    this.#look();
  }

  /** Some of what runs ends, well or not. */
  async #work(): Promise<void> {
    const { bench, below } = { bench: this.#bench, below: this.#below };
    this.#note("runs end");
    for (const run of bench.sent.filter((one) => bench.row(one).state === "running")) {
      if (below(4) === 0) continue;
      await bench.begins(run);
      await bench.says(run, below(5) === 0 ? failedWith("no answer", { again: false }) : COMPLETED);
      this.#look();
    }
  }

  #openId(): number | null {
    const ids = this.#bench.incidents.rows.open.map(({ id }) => id);
    return ids.length === 0 ? null : pick(this.#below, ids);
  }

  async #ack(): Promise<void> {
    const id = this.#openId();
    if (id === null) return;
    this.#note(`ack ${id}`);
    expect((await this.#bench.requests.ack({ incident: id, by: "ann", why: null })).ok).toBe(true);
  }

  async #resolve(): Promise<void> {
    const id = this.#openId();
    if (id === null) return;
    this.#note(`resolve ${id}`);
    const row = this.#bench.incidents.rows.openById(id);
    const key = row?.reflex === "down" ? this.#down : this.#keys.get(row?.key ?? "");
    if (key !== undefined) {
      this.#over(key);
      key.isSpent = key.isMatching;
    }
    expect((await this.#bench.requests.resolve({ incident: id, by: "ann", why: "by hand" })).ok).toBe(true);
    await this.#bench.settle();
  }

  async #silence(): Promise<void> {
    if (!this.#isThere) return;
    const minutes = 1 + this.#below(10);
    this.#note(`silence for ${minutes} min`);
    this.#silencedUntil = this.#minute + minutes;
    await this.#bench.silences.set({ pattern: "high", for_ms: minutes * MINUTE, why: "work" });
  }

  async #lift(): Promise<void> {
    this.#note("silence lifted");
    await this.#bench.silences.clear("high");
    this.#silencedUntil = 0;
    await this.#bench.settle();
  }

  async #edit(): Promise<void> {
    if (this.#isThere) this.#reword();
    this.#quiet = this.#below(3) === 0 ? [NIGHT] : [];
    this.#note(`edit ${JSON.stringify(this.#words)} quiet ${this.#quiet.length}`);
    await this.#bench.change(this.#config, this.#quiet);
  }

  #reword(): void {
    this.#words = wordsOf(this.#below);
    this.#shortest = Math.min(this.#shortest, this.#words.remindEvery);
    this.#expire();
  }

  get #config(): WorkflowReflexConfig[] {
    const all = reflexesOf(this.#words);
    return this.#isThere ? all : all.slice(0, 1);
  }

  /** The reflex goes, or comes back. */
  async #remove(): Promise<void> {
    if (this.#below(3) > 0 && this.#isThere) return;
    this.#isThere = !this.#isThere;
    this.#note(this.#isThere ? "the reflex is there again" : "the reflex is removed");
    this.#keys = new Map(HOSTS.map((host) => [host, fresh()]));
    if (this.#isThere) this.#reword();
    this.#isEnd = !this.#isThere;
    await this.#bench.change(this.#config, this.#quiet);
  }

  async #crash(): Promise<void> {
    await this.#finish();
    const minutes = this.#below(12);
    this.#note(`killed, down for ${minutes} min`);
    this.#minute += minutes;
    this.#expire();
    await this.#bench.crash(minutes * MINUTE);
    this.#wasKilled = true;
  }

  /** Nothing that waits counts the wall clock, but quiet hours do. */
  async #step(): Promise<void> {
    const hours = pick(this.#below, [-24, -5, 5, 24]);
    this.#note(`the clock is set by ${hours} h`);
    await this.#bench.step(hours * HOUR);
  }

  // ── what may be ──────────────────────────────────────────────────────

  /** Why nothing of the reflex may be reported now, a full queue left out; null: nothing holds it back. */
  #heldBy(severity: Severity): string | null {
    if (this.#silencedUntil > this.#minute) return "silence";
    if (this.#words.isInhibited && this.#down.isOpen) return "inhibited_by:down";
    if (this.#quiet.length === 0 || severity === "critical") return null;
    return new Date(this.#bench.clock.wallMs()).getUTCHours() < 7 ? "quiet_hours" : null;
  }

  #look(): void {
    const reports = this.#bench.reports;
    for (const report of reports.slice(this.#seen.length)) this.#check(report);
    this.#seen = reports;
    this.#checkOpen();
    this.#checkOrder(reports);
  }

  #check({ run, incident }: Report): void {
    const { id, notification, severity, reason } = incident;
    const said = `${notification} ${id} by run ${run}`;
    this.#note(said);
    const { reflex, decision, key } = this.#bench.row(run);
    expect(decision).toStartWith(`incident:${id}:`);
    const before = this.#seen.filter((one) => one.incident.id === id);
    if (before.length === 0) expect([said, notification]).toEqual([said, "opened"]);
    else expect([said, notification]).not.toEqual([said, "opened"]);
    expect([said, before.some((one) => one.incident.notification === "resolved")]).toEqual([said, false]);
    this.#seen = [...this.#seen, { run, state: "queued", incident }];
    const last = this.#reportedAt.get(id);
    this.#reportedAt.set(id, this.#minute);
    const isAfterAck = incident.acked_by !== null && (notification === "reminded" || notification === "escalated");
    expect([said, isAfterAck]).toEqual([said, false]);
    if (reflex !== "high") return;
    const known = this.#keys.get(key ?? "");
    if (notification !== "resolved" && known !== undefined && !this.#wasKilled) {
      expect([said, incident.severity, incident.summary]).toEqual([said, known.level, `${key} is at ${known.v}`]);
    }
    if (notification === "reminded" && last !== undefined) {
      expect(this.#minute - last).toBeGreaterThanOrEqual(this.#shortest);
    }
    if (this.#isEnd || reason === GONE) return;
    expect([said, this.#heldBy(severity)]).toEqual([said, null]);
  }

  #checkOpen(): void {
    const found = this.#bench.incidents.rows.open.map(({ reflex, key }) => `${reflex} ${key ?? ""}`.trim());
    const kept = [...this.#keys].filter(([, { isOpen }]) => isOpen).map(([host]) => `high ${host}`);
    expect(found.sort()).toEqual([...(this.#down.isOpen ? ["down"] : []), ...kept].sort());
  }

  /** Of one incident one report runs at a time, and none begins before an earlier one is over. */
  #checkOrder(reports: readonly Report[]): void {
    for (const all of Map.groupBy(reports, ({ incident }) => incident.id).values()) {
      const states = all.map(({ run }) => this.#bench.row(run).state);
      const unfinished = states.findIndex((state) => !isOver(state));
      if (unfinished === -1) continue;
      expect(states.slice(unfinished + 1).every((state) => state === "queued" || state === "joined")).toBe(true);
    }
  }

  // ── the end ──────────────────────────────────────────────────────────

  /** Nothing holds anything back any longer: what is open was reported, and what was reported and is over, as over. */
  async #end(): Promise<void> {
    this.#note("nothing holds anything back");
    this.#quiet = [];
    this.#isEnd = true;
    await this.#bench.change(this.#config, []);
    await this.#bench.silences.clear("high");
    this.#silencedUntil = 0;
    await this.#emit("none", 0, "info", false);
    await this.#bench.settle();
    await this.#finish();
    const kinds = Map.groupBy(this.#bench.reports, ({ incident }) => incident.id);
    for (const { id, state, notified_at } of this.#bench.rows) {
      const told = (kinds.get(id) ?? []).map(({ incident }) => incident.notification);
      const [isOpen, wasTold] = [state !== "resolved", told.length > 0];
      expect([id, notified_at !== null]).toEqual([id, wasTold]);
      if (isOpen) expect([id, wasTold]).toEqual([id, true]);
      if (wasTold) expect([id, told.at(-1) === "resolved"]).toEqual([id, !isOpen]);
    }
    expect(this.#bench.reports.every(({ run }) => isOver(this.#bench.row(run).state))).toBe(true);
    expect(this.#bench.difference).toEqual([]);
  }
}

describe("incidents in a kernel", () => {
  test(
    `open, are reported and resolve as a book kept by hand says (seed ${SEED})`,
    async () => {
      for (let trial = 0; trial < TRIALS; trial++) {
        const seed = SEED + trial;
        const below = randomOf(seed);
        const words = wordsOf(below);
        const flow = { concurrency: 1 + below(2), maxQueue: pick(below, [1, 2, 50]) };
        using bench = new IncidentBench(reflexesOf(words), flow);
        await bench.begin();
        const story = new Story(bench, below, words);
        try {
          await story.tell();
        } catch (error) {
          console.error(`NERVE_FUZZ_SEED=${seed} NERVE_FUZZ=1\n${story.story}`);
          throw error;
        }
      }
    },
    LONG_MS,
  );
});
