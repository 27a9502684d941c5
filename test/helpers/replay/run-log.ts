/** The log of one run, as the kernel keeps it, and what is committed by it and by the runs that it is a retry of. */
import { historyOf } from "../../../src/kernel/runs/history-fold.ts";
import { inheritable, type RunHistory } from "../../../src/kernel/runs/run-history.ts";
import type { Log } from "../../../src/model/log.ts";
import { advance, isOver, type Run, type RunEvent } from "../../../src/model/run.ts";
import { runLogOf } from "../../../src/model/run-log.ts";

export const TRACE = "7".repeat(32);

const add = (of: Map<string, number>, key: string): void => void of.set(key, (of.get(key) ?? 0) + 1);

export class RunLog {
  readonly rows: Log[] = [];
  readonly violations: string[];
  row: Run | null = null;
  /** By what settled: how often that is committed. */
  readonly settled: Map<string, number>;
  /** By step and number. */
  readonly failed: Map<string, number>;
  readonly completed: Map<string, number>;
  readonly run: number;
  readonly #inherited: RunHistory | null;
  readonly #random: () => number;

  /** `before`: the run that this one is a retry by hand of. */
  constructor(random: () => number, before: RunLog | null = null) {
    this.#random = random;
    this.run = (before?.run ?? 0) + 1;
    this.#inherited = before === null ? null : inheritable(before.history, null);
    this.violations = before?.violations ?? [];
    this.settled = before?.settled ?? new Map();
    this.failed = before?.failed ?? new Map();
    this.completed = before?.completed ?? new Map();
  }

  get state(): Run["state"] {
    return this.row?.state ?? "queued";
  }

  get isOver(): boolean {
    return isOver(this.state);
  }

  get history(): RunHistory {
    return historyOf(this.rows.map(runLogOf), this.#inherited ?? undefined);
  }

  /** The newest event of the run itself. */
  get newest(): RunEvent {
    const found = runLogOf(this.rows.findLast((row) => row.event.startsWith("run.")) as Log);
    if (found.kind !== "event") throw new Error("the run has no events");
    return found.event;
  }

  /** The wall clock goes where it likes: nothing may depend on it. */
  wallMs(): number {
    return Math.floor(this.#random() * 1_000_000);
  }

  append(event: RunEvent | "log", message = ""): void {
    const name = event === "log" ? event : event.event;
    const id = this.rows.length + 1;
    const at = this.wallMs();
    const data = event === "log" ? null : JSON.stringify(event.data);
    const row: Log = {
      id,
      at,
      level: "info",
      source: "workflow:flow",
      event: name,
      run: this.run,
      trace: TRACE,
      message,
      data,
    };
    this.rows.push(row);
    if (event === "log") return;
    this.row = advance(this.row, { id, at, run: this.run, workflow: "flow", trace: TRACE }, event);
    this.#count(event);
  }

  /** What follows an ending is not recorded. */
  record(event: RunEvent): void {
    if (!this.isOver) this.append(event);
  }

  #count({ event, data }: RunEvent): void {
    if (event === "step.completed") {
      const key = `${data.step} ${data.nth}`;
      add(this.completed, key);
      if ((this.completed.get(key) ?? 0) > 1) this.violations.push(`step ${key} completed twice`);
      add(this.settled, `step ${data.step}`);
    }
    if (event === "sleep.ended" && "duration" in data) add(this.settled, `sleep ${data.duration} ${data.name}`);
    if (event === "step.failed") {
      add(this.failed, `${data.step} ${data.nth}`);
      if (data.due === null) add(this.settled, `step ${data.step}`);
    }
  }

  resume(reason: "slept" | "retry" | "restart" | "worker-died"): void {
    const attempt = (this.row?.attempt ?? 0) + (reason === "retry" ? 1 : 0);
    const before = reason === "slept" ? this.history.sleeps : null;
    this.append({ event: "run.resumed", data: { attempt, reason, code: "", deaths: 0, ran_ms: 0 } });
    if (before === null) return;
    for (const [key, { place, settled }] of this.history.sleeps) {
      if (settled === null || before.get(key)?.settled !== null || !("duration" in place)) continue;
      add(this.settled, `sleep ${place.duration} ${place.name}`);
    }
  }
}
