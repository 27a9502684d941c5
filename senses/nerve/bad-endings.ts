/**
 * Runs that ended badly since the sense last looked, each once: found by the ids of the logs of their endings, which only grow. The
 * sense keeps the last id that it looked at in the transaction of its signal.
 */
import type { Failures } from "nerve/status";

type Failure = Failures["runs"][number];

export interface FailedRun {
  readonly workflow: string;
  readonly run: number;
  readonly state: Failure["state"];
  readonly error: string | null;
}

/** How many of one workflow are kept by name: a flood of one workflow must not hide the run of another. */
const KEPT = 100;
/** What is left then is for the next compute. */
const LOOK_MS = 5_000;
const SHOWN_CHARS = 200;

export const shortened = (text: string): string =>
  text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS - 1).toWellFormed()}…`;

export class BadEndings {
  readonly #byWorkflow = new Map<string, FailedRun[]>();
  #count = 0;
  #own = 0;
  #unread = 0;
  #lookedUpTo: number;

  constructor(lookedUpTo: number) {
    this.#lookedUpTo = lookedUpTo;
  }

  /**
   * Everything since `cursor`, the last log that was looked at; null: since the kernel started. Where that is more than can be
   * read in a few seconds, the rest is for the next look.
   */
  static async since(
    cursor: number | null,
    fetchAfter: (after: number | null) => Promise<Failures>,
  ): Promise<BadEndings> {
    const startedAt = performance.now();
    const first = await fetchAfter(cursor);
    const endings = new BadEndings(cursor ?? 0);
    for (let page = first; ; page = await fetchAfter(page.up_to)) {
      endings.add(page);
      if (page.up_to >= first.newest || performance.now() - startedAt >= LOOK_MS) return endings;
    }
  }

  add({ runs, up_to, archived }: Failures): void {
    for (const failure of runs) {
      if (failure.own) this.#own++;
      else this.#keep(failure);
    }
    this.#unread += archived;
    this.#lookedUpTo = up_to;
  }

  #keep({ workflow, run, state, error }: Failure): void {
    this.#count++;
    const known = this.#byWorkflow.get(workflow) ?? [];
    this.#byWorkflow.set(workflow, known);
    if (known.length < KEPT) known.push({ workflow, run, state, error: error === null ? null : shortened(error) });
  }

  /** How many, own runs left out. */
  get count(): number {
    return this.#count;
  }

  /** Runs that ended badly while they reported for this sense. */
  get own(): number {
    return this.#own;
  }

  /** Logs that moved to the archive before anybody looked. */
  get unread(): number {
    return this.#unread;
  }

  get lookedUpTo(): number {
    return this.#lookedUpTo;
  }

  /** At most so many, of every workflow its share, in the order in which they were started. */
  fair(most: number): readonly FailedRun[] {
    const chosen: FailedRun[] = [];
    const lists = [...this.#byWorkflow.values()];
    for (let nth = 0; chosen.length < most && lists.some((list) => list.length > nth); nth++) {
      chosen.push(...lists.flatMap((list) => list[nth] ?? []).slice(0, most - chosen.length));
    }
    return chosen.sort((a, b) => a.run - b.run);
  }
}
