/** The floor plan of what is sent by OTLP: the process that sends, how far each kind has come, and how its receiver answers. */
import { counted } from "../../base/counted.ts";
import type { OtlpMessageOf } from "../../ipc/otlp-definitions.ts";
import type { NerveConfig } from "../../model/config.ts";
import { OTLP_KINDS, type OtlpKind, sends } from "../../model/otlp.ts";
import type { OtlpLink, OtlpStatus } from "../../model/otlp-status.ts";
import { NO_TRIES } from "../../model/tries.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { Store } from "../../store/open.ts";
import type { Draft } from "../commits/draft.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { LifeHost } from "../workers/crew.ts";
import { Cursors } from "./cursors.ts";
import { OtlpWorker } from "./otlp-worker.ts";

export interface OtlpParts {
  readonly host: LifeHost;
  readonly ledger: Ledger;
  readonly store: Store;
  readonly data: string;
  readonly command: () => WorkerCommand;
}

type Step = OtlpMessageOf<"step">;
type State = Pick<OtlpLink, "state" | "why" | "since" | "last_try" | "next_try"> & {
  /** What the receiver answered; null where it did not, or where it takes all. */
  readonly status: number | null;
};

/** Ids of which nothing is sent are passed in memory alone, so many at most. */
const FAR = 5_000;

const SENT: Readonly<Record<OtlpKind, string>> = {
  signals: "numbers of signals",
  logs: "logs",
  runs: "runs",
};

export class Otlp {
  readonly #parts: OtlpParts;
  readonly #worker: OtlpWorker;
  readonly #cursors: Cursors;
  readonly #states = new Map<OtlpKind, State>();
  /** Kinds of which the newest request was not taken whole, with how much was refused. */
  readonly #unclean = new Map<OtlpKind, "part" | "all">();
  /** Up to where each kind is committed. */
  readonly #committed = new Map<OtlpKind, number>();
  #config: NerveConfig | null = null;

  constructor(parts: OtlpParts) {
    const { host, ledger, store, data, command } = parts;
    this.#parts = parts;
    this.#cursors = new Cursors({ ledger, store });
    this.#worker = new OtlpWorker({
      ...host,
      data,
      command,
      beginning: () => ({ epoch: store.epoch, cursors: this.#beginnings() }),
      link: (link) => this.#says(link),
      step: (step, kept) => this.#steps(step, kept),
      gone: () => this.#states.clear(),
    });
  }

  /** The configuration that is in force from now on. */
  configure(config: NerveConfig): void {
    this.#config = config;
    for (const kind of OTLP_KINDS) this.#cursors.name(kind, sends(config.otlp, kind));
    const isCut = [...this.#states.values()].some(({ state }) => state === "offline" || state === "blocked");
    this.#worker.configure(config, this.#kinds, isCut && config.otlp !== null);
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  kill(why: string): void {
    this.#worker.kill(why);
  }

  /** Null: the configuration has no `otlp`. */
  get status(): OtlpStatus | null {
    const otlp = this.#config?.otlp ?? null;
    if (otlp === null) return null;
    return { address: new URL(otlp.endpoint).origin, links: this.#kinds.flatMap((kind) => this.#linkOf(kind)) };
  }

  get #kinds(): readonly OtlpKind[] {
    return OTLP_KINDS.filter((kind) => this.#cursors.of(kind) !== null);
  }

  #beginnings(): { kind: OtlpKind; upto: number }[] {
    return this.#kinds.map((kind) => ({ kind, upto: this.#cursors.of(kind)?.upto ?? 0 }));
  }

  #linkOf(kind: OtlpKind): OtlpLink[] {
    const cursor = this.#cursors.of(kind);
    if (cursor === null) return [];
    const now = this.#parts.host.world.clock.wallMs();
    const { status: _, ...state } = this.#states.get(kind) ?? { ...STARTING, since: now };
    return [{ kind, ...state, ...cursor, backlog: Math.max(0, this.#cursors.newest(kind) - cursor.upto) }];
  }

  #says({ kind, state, status, why, nextMs }: OtlpMessageOf<"link">): void {
    const { journal, world } = this.#parts.host;
    const now = world.clock.wallMs();
    const before = this.#states.get(kind);
    const since = before?.state === state ? before.since : now;
    const last_try = state === "connected" ? null : now;
    this.#states.set(kind, { state, status, why, since, last_try, next_try: nextMs === null ? null : now + nextMs });
    // The words change from try to try; another state, or another answer of a receiver that takes nothing, is news.
    if (before?.state === state && before.status === status) return;
    // What is refused for good is logged with its count.
    if (state === "refusing") return;
    // A receiver may come and go with each request.
    const voice = journal.folding("kernel");
    const what = SENT[kind];
    if (state === "connected") voice.info("otlp.connected", `${what} are sent by OTLP`, { kind });
    else if (state === "offline") voice.warn("otlp.offline", `${what} are not sent by OTLP: ${why}`, { kind });
    else voice.error("otlp.blocked", `${what} are not taken by the receiver of OTLP: ${why}`, { kind });
  }

  #steps(step: Step, kept: () => void): void {
    const { kind, upto, sent, refused, lost } = step;
    const before = this.#cursors.of(kind);
    if (before === null) return;
    const cursor = {
      upto: Math.max(before.upto, upto),
      sent: before.sent + sent,
      refused: before.refused + refused,
      lost: before.lost + lost,
    };
    const isNothing = sent + refused + lost === 0 && step.why === null;
    if (isNothing && cursor.upto - (this.#committed.get(kind) ?? 0) < FAR) {
      this.#cursors.pass(kind, cursor);
      return kept();
    }
    const isNews = this.#isNews(step);
    if (step.why !== null) this.#unclean.set(kind, sent === 0 ? "all" : "part");
    else if (sent > 0) this.#unclean.delete(kind);
    const write = (draft: Draft): void => this.#tells(draft, step, isNews);
    this.#cursors.move(kind, cursor, write, () => {
      this.#committed.set(kind, cursor.upto);
      kept();
    });
  }

  /** Something is refused, or all is where it was a part. */
  #isNews({ kind, sent, why }: Step): boolean {
    const before = this.#unclean.get(kind);
    return why !== null && (before === undefined || (before === "part" && sent === 0));
  }

  /** A part of the transaction of a step. */
  #tells(draft: Draft, step: Step, isNews: boolean): void {
    const { kind, refused, lost } = step;
    const voice = this.#parts.host.journal.within(draft, "kernel");
    if (isNews) voice.warn("otlp.refused", refusalWords(step), { kind, refused });
    if (lost > 0) {
      const message = `retention has removed ${counted(lost, "id")} before ${SENT[kind]} could be sent by OTLP`;
      voice.warn("otlp.lost", message, { kind, lost });
    }
  }
}

const ITEMS: Readonly<Record<OtlpKind, string>> = { signals: "number", logs: "log", runs: "span" };

const STARTING: Omit<State, "since"> = { state: "starting", status: null, why: null, ...NO_TRIES };

function refusalWords({ kind, sent, refused, why }: Step): string {
  const what = SENT[kind];
  if (refused === 0) return `the receiver of OTLP takes ${what}, and warns: ${why}`;
  const takes = sent === 0 ? `refuses ${what}` : `does not take all ${what}`;
  return `the receiver of OTLP ${takes}, and ${counted(refused, ITEMS[kind])} ${refused === 1 ? "is" : "are"} passed over: ${why}`;
}
