/** The process that sends by OTLP, as the kernel meets it: it reads and sends as the real one does, to a receiver of this world, and dies. */
import type { Database } from "bun:sqlite";
import type { LogLevel } from "../../src/model/log.ts";
import type { OtlpKind } from "../../src/model/otlp.ts";
import { Course, type Parcel } from "../../src/otlp/course.ts";
import type { Outcome } from "../../src/otlp/post.ts";
import { Rows, type Slice } from "../../src/otlp/rows.ts";
import type { Message } from "../helpers/kernel-bench.ts";
import { type AsideTroubles, type AsideWatcher, AsideWorker } from "./aside-worker.ts";
import type { OtlpReceiver } from "./otlp-receiver.ts";
import type { Around } from "./process.ts";

/** What the process sends to. */
export interface OtlpSite {
  readonly receiver: OtlpReceiver;
  /** Opens logs.db to be read. */
  connect(): Database;
}

interface Init {
  readonly everyMs: number;
  readonly logs: LogLevel | null;
  readonly signals: readonly string[];
  readonly cursors: readonly { readonly kind: OtlpKind; readonly upto: number }[];
}

export class OtlpProcess extends AsideWorker {
  readonly name = "otlp";
  readonly #site: OtlpSite;
  readonly #keeping = new Map<OtlpKind, () => void>();
  #init: Init | null = null;

  constructor(around: Around, troubles: () => AsideTroubles, watcher: AsideWatcher, site: OtlpSite) {
    super(around, troubles, watcher);
    this.#site = site;
  }

  isUp(): void {
    const init = this.#init;
    for (const { kind, upto } of init?.cursors ?? []) {
      const course = new Course({
        ...{ upto, everyMs: init?.everyMs ?? 0 },
        read: (above, most) => this.#read(kind, above, most),
        send: (body) => this.#send(kind, body),
        link: (link) => this.says({ type: "link", kind, ...link }),
        step: (step) => {
          this.says({ type: "step", kind, ...step });
          return new Promise((resolve) => this.#keeping.set(kind, resolve));
        },
        wait: (ms) => new Promise((resolve) => this.later(Math.max(1, Math.round(ms)), resolve)),
        random: () => this.below(1_000) / 1_000,
      });
      void course.run();
    }
  }

  #read(kind: OtlpKind, above: number, most: number): Parcel {
    using db = this.#site.connect();
    const rows = new Rows(db);
    const { signals = [], logs = null } = this.#init ?? {};
    const slice: Slice<{ readonly id: number }> =
      kind === "signals" ? rows.signals(above, most, signals) : rows.logs(above, most, logs ?? "warn");
    const ids = slice.rows.map(({ id }) => id);
    const body = ids.length === 0 ? null : new TextEncoder().encode(JSON.stringify(ids));
    const { upto, lost, isFull } = slice;
    return { body, items: ids.length, rows: ids.length, upto, lost, isFull };
  }

  #send(kind: OtlpKind, body: Uint8Array): Promise<Outcome> {
    const ids = JSON.parse(new TextDecoder().decode(body)) as number[];
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.later(10 + this.below(400), () => {
      if (this.oneIn(this.troubles.dies)) return this.exits(null, "SIGKILL");
      const outcome = this.#site.receiver.answer(kind, ids);
      // Its answer is not heard.
      if (this.oneIn(this.troubles.dies)) return this.exits(null, "SIGKILL");
      resolve(outcome);
    });
    return promise;
  }

  receive(message: Message): void {
    switch (message.type) {
      case "init":
        this.#init = message as unknown as Init;
        return this.boots(message);
      case "kept": {
        const kind = message.kind as OtlpKind;
        const goOn = this.#keeping.get(kind);
        this.#keeping.delete(kind);
        return goOn?.();
      }
      case "shutdown":
        return this.leaves();
    }
  }
}
