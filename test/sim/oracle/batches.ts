/**
 * What must be of batches: whoever waits for others waits as long as the configuration said, the first of a group takes along
 * all of it that is queued, and reports each of them once. Shares nothing with `src/kernel/runs`.
 */
import type { Json } from "../../../src/base/json.ts";
import type { WorkflowConfig } from "../../../src/model/config.ts";
import { violation } from "./report.ts";

/** What a run was queued with. */
export interface Order {
  readonly input: Json;
  readonly batch: { readonly group: string; readonly due: number } | null;
  readonly trigger: {
    readonly reflex: string | null;
    readonly id: number | null;
    readonly key: Json;
    readonly incident: { readonly id: number; readonly severity: string } | null;
  };
}

interface Beginning {
  readonly batch: {
    readonly items: readonly { readonly id: number | null; readonly reflex: string }[];
    readonly more: number;
  } | null;
  readonly joined: readonly number[];
}

interface Waiting {
  readonly run: number;
  readonly workflow: string;
  readonly group: string;
  readonly due: number;
  readonly reflex: string | null;
  readonly signal: number | null;
  readonly incident: number | null;
  /** A report of its incident had not ended when it was queued: it comes to the group once that has. */
  readonly isBehind: boolean;
  /** Its workflow has had no batches since: it may begin alone. */
  isFreed: boolean;
}

/** Of rounding, and of a clock that runs too fast. */
export const SLACK_MS = 150;

export class BatchOracle {
  readonly #waiting = new Map<number, Waiting>();
  #configs: ReadonlyMap<string, WorkflowConfig> = new Map();
  /** By workflow and group, what the runs of the group have in common. */
  readonly #groups = new Map<string, string>();
  /** Of the transaction that is looked at: the run that was joined → those that joined it. */
  #joined = new Map<number, Waiting[]>();
  /** The newest run before that transaction. */
  #newest = 0;
  readonly #slackMs: number;

  /** `slackMs`: by how much the moments that it is given may be off. */
  constructor(slackMs: number) {
    this.#slackMs = slackMs;
  }

  configured(configs: ReadonlyMap<string, WorkflowConfig>): void {
    this.#configs = configs;
    for (const one of this.#waiting.values()) if (this.#wordsOf(one.workflow) === null) one.isFreed = true;
  }

  #wordsOf(workflow: string): { readonly waitMs: number; readonly by: string | null } | null {
    const config = this.#configs.get(workflow);
    return config?.overflow === "queue" ? config.batch : null;
  }

  committed(newest: number): void {
    this.#newest = newest;
    this.#joined.clear();
  }

  /** Whether the run waits for others: whoever waits alone may pass it. */
  has(run: number): boolean {
    return this.#waiting.has(run);
  }

  /** Whether the run takes no place in the line: whoever waits for others does not, unless a reload has freed it. */
  isBeside(run: number): boolean {
    return this.#waiting.get(run)?.isFreed === false;
  }

  queued(run: number, workflow: string, { input, batch, trigger }: Order, isBehind: boolean, elapsed: number): void {
    const words = this.#wordsOf(workflow);
    if (batch === null || words === null) return;
    const { group, due } = batch;
    const { reflex, id: signal, incident } = trigger;
    const waitMs = due - elapsed;
    if (Math.abs(waitMs - words.waitMs) > this.#slackMs)
      violation("batch-wait", `run ${run} of ${workflow} waits ${waitMs} ms for others, not ${words.waitMs}`);
    this.#isOneGroup(workflow, group, `${words.by}: ${commonOf(words.by, input, trigger)}`);
    this.#waiting.set(run, {
      run,
      workflow,
      group,
      due,
      reflex,
      signal,
      incident: incident?.id ?? null,
      isBehind,
      isFreed: false,
    });
  }

  #isOneGroup(workflow: string, group: string, common: string): void {
    const known = this.#groups.get(`${workflow} ${group}`);
    this.#groups.set(`${workflow} ${group}`, common);
    if (known !== undefined && known !== common)
      violation("batch-group", `the group \`${group}\` of ${workflow} is of ${known} and of ${common}`);
  }

  /** The run has ended, or begun. */
  leaves(run: number): void {
    this.#waiting.delete(run);
  }

  joins(run: number, into: number): void {
    const one = this.#waiting.get(run);
    if (one !== undefined) this.#joined.set(into, [...(this.#joined.get(into) ?? []), one]);
  }

  starts(run: number, { batch, joined }: Beginning, elapsed: number): void {
    const first = this.#waiting.get(run);
    this.#waiting.delete(run);
    if (first === undefined || first.isFreed) return;
    if (elapsed < first.due - this.#slackMs)
      violation("batch-wait", `run ${run} begins ${first.due - elapsed} ms before the end of its wait`);
    const others = this.#joined.get(run) ?? [];
    if (`${others.map((one) => one.run)}` !== `${joined}`)
      violation("batch-joined", `run ${run} takes ${joined} along, and ${others.map((one) => one.run)} joined it`);
    for (const other of others)
      if (other.workflow !== first.workflow || other.group !== first.group)
        violation("batch-joined", `run ${other.run} of group ${other.group} joins run ${run} of ${first.group}`);
    const left = [...this.#waiting.values()].find(
      (one) =>
        one.workflow === first.workflow &&
        one.group === first.group &&
        one.run <= this.#newest &&
        !one.isBehind &&
        !one.isFreed &&
        !joined.includes(one.run),
    );
    if (left !== undefined) violation("batch-joined", `run ${run} leaves run ${left.run} of its group behind`);
    this.#reportsAll(first, others, batch);
  }

  #reportsAll(first: Waiting, others: readonly Waiting[], batch: Beginning["batch"]): void {
    const all = [first, ...others].sort((a, b) => a.run - b.run);
    const told = new Map(
      all.map((one) => [one.incident === null ? `run ${one.run}` : `incident ${one.incident}`, one]),
    );
    if (batch === null || batch.items.length + batch.more !== told.size)
      violation(
        "batch-items",
        `run ${first.run} reports ${batch?.items.length} and ${batch?.more} more of ${told.size}`,
      );
    for (const [index, { reflex, signal }] of [...told.values()].entries()) {
      const item = batch?.items[index];
      if (item !== undefined && (item.reflex !== reflex || item.id !== signal))
        violation(
          "batch-items",
          `run ${first.run} reports ${item.reflex} ${item.id} in the place of ${reflex} ${signal}`,
        );
    }
  }

  /** After everything has had the time it needs. `isFree`: whether its workflow has a slot for it and loads. */
  rested(elapsed: number, patienceMs: number, isFree: (workflow: string) => boolean): void {
    for (const { run, workflow, due, isBehind } of this.#waiting.values())
      if (!isBehind && due + patienceMs < elapsed && isFree(workflow))
        violation(
          "batch-wait",
          `run ${run} of ${workflow} was to begin ${elapsed - due} ms ago, and nothing is in its way`,
        );
  }
}

function commonOf(by: string | null, input: Json, { reflex, incident }: Order["trigger"]): string {
  switch (by) {
    case null:
      return "all";
    case "reflex":
      return `${reflex}`;
    case "severity":
      return `${incident?.severity ?? null}`;
    default:
      return JSON.stringify((input as Record<string, Json> | null)?.[by] ?? null);
  }
}
