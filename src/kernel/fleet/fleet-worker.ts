/**
 * Owns the fleet process as the kernel sees it: it lives while the configuration has `fleet`, restarts like any worker, and begins anew
 * with other settings. What it brings is committed by the books, and answered after the commit.
 */
import type {
  FleetMessage,
  FleetMessageOf,
  FleetParentMessage,
  FleetParentMessageOf,
} from "../../ipc/fleet-definitions.ts";
import { parseFleetMessage } from "../../ipc/parse-aside.ts";
import type { NerveConfig } from "../../model/config.ts";
import { receivedBy } from "../../model/fleet.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { LifeHost } from "../workers/crew.ts";
import { WorkerLife } from "../workers/life.ts";
import { TasklessCrew } from "../workers/taskless-crew.ts";
import type { FleetBooks } from "./books.ts";

/** A client under full load needs a fifth of it. */
const MEMORY_BYTES = 512 * 1024 * 1024;
/** Hosts that do not answer within this time are passed over. */
const ASK_MS = 2_000;

type Settings = FleetParentMessageOf<"init">["settings"];
export type HostAnswer = FleetMessageOf<"answers">["answers"][number];

export interface FleetHost extends LifeHost {
  readonly data: string;
  readonly books: FleetBooks;
  command(): WorkerCommand;
  /** What this host answers when another one asks for its status: a JSON text. */
  status(): string;
}

function settingsOf({ fleet, reflexes }: NerveConfig): Settings | null {
  if (fleet === null) return null;
  const { servers, nkey, creds, ca, cert, key, domain, stream, send, everyMs, beatMs, silentAfterMs } = fleet;
  const receive = [...receivedBy(fleet, reflexes)];
  return {
    servers: [...servers],
    nkey,
    creds,
    ca,
    cert,
    key,
    domain,
    stream,
    send: [...send],
    receive,
    everyMs,
    beatMs,
    silentAfterMs,
  };
}

export class FleetWorker extends TasklessCrew<FleetParentMessage, FleetMessage> {
  readonly title = "the fleet";
  readonly about = { role: "fleet" } as const;
  readonly noun = "question";
  readonly memoryBytes = MEMORY_BYTES;
  readonly parse = parseFleetMessage;
  readonly #host: FleetHost;
  protected readonly life: WorkerLife<FleetParentMessage, FleetMessage, never>;
  #settings: Settings | null = null;
  #name = "";
  #asks = 0;
  /** Questions to other hosts without an answer. */
  readonly #asked = new Map<number, (answers: readonly HostAnswer[]) => void>();

  constructor(host: FleetHost) {
    super(host);
    this.#host = host;
    this.life = new WorkerLife(this, host);
  }

  /** The configuration that is in force from now on. `isCut`: another process is to try at once, though nothing changed. */
  configure(config: NerveConfig, isCut: boolean): void {
    const settings = settingsOf(config);
    if (!isCut && Bun.deepEquals(settings, this.#settings) && config.host === this.#name) return;
    this.#settings = settings;
    this.#name = config.host;
    this.anew();
  }

  /** Asks other hosts for their status. Null: there is no fleet process. */
  ask(hosts: readonly string[]): Promise<readonly HostAnswer[]> | null {
    if (!this.life.isOpen) return null;
    const id = ++this.#asks;
    this.life.post({ type: "ask", generation: this.life.generation, id, hosts: [...hosts], timeoutMs: ASK_MS });
    return new Promise((resolve) => this.#asked.set(id, resolve));
  }

  // ── the crew ─────────────────────────────────────────────────────────

  command(): WorkerCommand {
    return this.#host.command();
  }

  isWanted(): boolean {
    return this.#settings !== null;
  }

  init(generation: number): FleetParentMessage {
    const settings = this.#settings;
    if (settings === null) throw new Error("the fleet process starts after its configuration");
    const { data, books } = this.#host;
    return { type: "init", generation, data, settings, ...books.beginning() };
  }

  receive(message: FleetMessage): void {
    const { books } = this.#host;
    switch (message.type) {
      case "ready":
        return this.isReady();
      case "link":
        return this.#links(message);
      case "waiting":
        return books.waiting(message.pending);
      case "behind": {
        const { type: _, generation: __, ...report } = message;
        return books.behind(report);
      }
      case "room":
        return books.room(message.room);
      case "notice":
        return books.notice(message.kind, message.message);
      case "forwarded":
        return this.#forwarded(message);
      case "batch":
        return this.#take(message);
      case "answers":
        return this.#isAnswered(message);
      case "asked":
        return this.#post({ type: "reply", generation: message.generation, id: message.id, text: this.#host.status() });
      case "error":
        return this.complained(message);
      case "bye":
        return;
    }
  }

  #links({ side, state, why, nextMs }: FleetMessageOf<"link">): void {
    this.#host.books.link({ side, state, why, nextMs });
  }

  #forwarded({ generation, cursor, signals, lost, copied }: FleetMessageOf<"forwarded">): void {
    this.#host.books.forwarded({ cursor, signals, lost, copied }, () =>
      this.#post({ type: "kept", generation, upto: cursor.upto }),
    );
  }

  #take({ generation, id, place, frames }: FleetMessageOf<"batch">): void {
    this.#host.books.take({ place, frames }, () => this.#post({ type: "stored", generation, id }));
  }

  #isAnswered({ id, answers }: FleetMessageOf<"answers">): void {
    this.#asked.get(id)?.(answers);
    this.#asked.delete(id);
  }

  /** The process that asked may be gone, and another one in its place. */
  #post(message: FleetParentMessage): void {
    if (this.life.isOpen && message.generation === this.life.generation) this.life.post(message);
  }

  unsettle(): void {
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const answer of asked) answer([]);
    this.#host.books.gone();
  }
}
