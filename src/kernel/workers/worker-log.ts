/** Owns the logs about a crew's workers. */
import { formatDuration } from "../../base/duration.ts";
import type { EventData } from "../../model/events.ts";
import { describeExit, type WorkerExit } from "../../spawn/worker-process.ts";
import type { Journal } from "../commits/journal.ts";
import type { Voice } from "../commits/voice.ts";
import { REAP_MS } from "./kill.ts";

/** The subject of the logs: `group "system"`. `about` stands beside the data of every row. */
interface Subject {
  readonly title: string;
  readonly about: { readonly group: string } | { readonly workflow: string } | { readonly role: string };
}

/** A fault that a worker reports outside of any task. */
export interface Complaint {
  readonly kind: string;
  readonly message: string;
  readonly stack: string | null;
}

/** The end of a worker that nobody had killed, in words. */
export function describeEnd(exit: WorkerExit, saidBye: boolean): string {
  if (exit.channelBroke) return "its channel broke";
  return saidBye && exit.signal === null ? "it left on its own" : describeExit(exit);
}

export class WorkerLog {
  readonly #subject: Subject;
  readonly #journal: Journal;

  constructor(subject: Subject, journal: Journal) {
    this.#subject = subject;
    this.#journal = journal;
  }

  /** `suspects` are the names of the tasks that were under way. */
  died(how: string, suspects: readonly string[], data: EventData<"worker.exited">): void {
    const among =
      suspects.length > 1 ? `; under way were ${suspects.join(", ")}, which are run again one at a time` : "";
    const message = `the worker of ${this.#subject.title} died: ${how}${among}`;
    this.#voice.error("worker.exited", message, { ...this.#subject.about, ...data, suspects: [...suspects] });
  }

  diedStopping(pid: number, { code, signal }: WorkerExit): void {
    const message = `the worker of ${this.#subject.title} died while it was stopping`;
    this.#voice.warn("worker.exited", message, { ...this.#subject.about, pid, code, signal });
  }

  /** `why` is the reason of the kill. */
  isStuck(pid: number, why: string, suspects: readonly string[]): void {
    const message = `worker ${pid} of ${this.#subject.title} was killed and is not gone after ${formatDuration(REAP_MS)}: ${why}; nothing is started in its place until it is gone`;
    const data = { ...this.#subject.about, pid, state: "stuck", suspects: [...suspects] };
    this.#voice.error("worker.exited", message, data);
  }

  get #voice(): Voice {
    return this.#journal.of("kernel");
  }

  malformed(what: string): void {
    const message = `the worker of ${this.#subject.title} sent ${what}; it is ignored`;
    this.#journal.folding("kernel").error("worker.malformed", message, this.#subject.about);
  }

  complaint(source: string, { kind, message, stack }: Complaint): void {
    const { title, about } = this.#subject;
    const event = kind === "malformed-message" ? "worker.malformed" : "worker.error";
    const data = stack === null ? about : { ...about, stack };
    this.#journal.folding(source).error(event, `in the worker of ${title}: ${message}`, data);
  }
}
