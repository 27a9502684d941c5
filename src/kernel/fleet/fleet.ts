/** The floor plan of what joins this host to others: the process that carries, what leaves, what comes, and who is heard. */
import { matches } from "../../base/glob.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { NerveConfig } from "../../model/config.ts";
import { type FleetConfig, receivedBy, rollCallMs } from "../../model/fleet.ts";
import type { FleetStatus } from "../../model/fleet-status.ts";
import { hasWildcard, partsOfName } from "../../model/full-name.ts";
import { type Problem, problem } from "../../model/problem.ts";
import type { Signal } from "../../model/signal.ts";
import type { StreamRoom } from "../../model/stream-room.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { Store } from "../../store/open.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Reflexes } from "../reflexes/reflexes.ts";
import type { LifeHost } from "../workers/crew.ts";
import { Arrivals } from "./arrivals.ts";
import { Behind } from "./behind.ts";
import type { Batch, BehindReport, FleetBooks, Forwarded, Link, NoticeKind } from "./books.ts";
import { Clocks } from "./clocks.ts";
import { Complaints } from "./complaints.ts";
import { Concerns } from "./concerns.ts";
import { Filling } from "./filling.ts";
import { FleetWorker } from "./fleet-worker.ts";
import { Leaving } from "./leaving.ts";
import { Links } from "./links.ts";
import { Origins } from "./origins.ts";
import { Presence } from "./presence.ts";
import { RecentHosts } from "./recent-hosts.ts";
import { RemoteSignals } from "./remote-signals.ts";

export interface FleetParts {
  readonly host: LifeHost;
  readonly ledger: Ledger;
  readonly store: Store;
  readonly reflexes: Reflexes;
  readonly data: string;
  readonly command: () => WorkerCommand;
  /** Nothing new is taken in. */
  readonly isHeld: () => boolean;
  readonly onSignal: (signal: Signal) => void;
}

/** A configuration with `fleet`. */
interface Configured {
  readonly host: string;
  readonly fleet: FleetConfig;
  /** What comes in. */
  readonly receive: readonly string[];
}

/** A batch that waits for room. */
interface Held {
  readonly batch: Batch;
  readonly stored: () => void;
}

/** A status lists so many hosts that are silent, late, or have another time. */
const LISTED = 100;

export class Fleet implements FleetBooks {
  readonly #parts: FleetParts;
  readonly #worker: FleetWorker;
  readonly #links: Links;
  readonly #behind: Behind;
  readonly #filling: Filling;
  readonly #conflicts: RecentHosts;
  readonly #copies: RecentHosts;
  readonly #lateHosts: RecentHosts;
  readonly #clocks: Clocks;
  readonly #complaints: Complaints;
  readonly #concerns: Concerns;
  readonly #leaving: Leaving;
  readonly #origins: Origins;
  readonly #presence: Presence;
  readonly #arrivals: Arrivals;
  #configured: Configured | null = null;
  /** Frames that wait in the stream, as the process said last. */
  #pending: number | null = null;
  #hasCaughtUp = false;
  #held: Held[] = [];
  /** What this host answers when another one asks for its status: a JSON text. */
  onAsked: () => string = () => "{}";

  constructor(parts: FleetParts) {
    const { host, ledger, store, reflexes, data, command, onSignal } = parts;
    const { ticker, journal, world } = host;
    const { wallMs } = world.clock;
    this.#parts = parts;
    this.#worker = new FleetWorker({ ...host, data, command, books: this, status: () => this.onAsked() });
    this.#links = new Links(journal, wallMs);
    this.#conflicts = new RecentHosts(wallMs);
    this.#copies = new RecentHosts(wallMs);
    this.#lateHosts = new RecentHosts(wallMs);
    this.#clocks = new Clocks(journal, wallMs);
    this.#concerns = new Concerns({ ledger, journal, meta: store.meta });
    this.#filling = new Filling(journal, wallMs);
    this.#behind = new Behind(journal, wallMs, () => ticker.awakeMs());
    this.#leaving = new Leaving({ ledger, journal, store });
    this.#origins = new Origins(store.origins);
    const origins = this.#origins;
    const signals = new RemoteSignals({ clock: world.clock, reflexes, table: store.signals, onSignal });
    const isHearing = (): boolean => this.#isHearing();
    const { chance } = world;
    this.#presence = new Presence({ ticker, chance, wallMs, ledger, meta: store.meta, origins, signals, isHearing });
    this.#complaints = new Complaints(ticker, journal);
    const [presence, conflicts, complaints] = [this.#presence, this.#conflicts, this.#complaints];
    const { meta } = store;
    const isBehind = (): boolean => this.#behind.now !== null;
    const [lateHosts, clocks] = [this.#lateHosts, this.#clocks];
    const about = { origins, presence, signals, conflicts, lateHosts, clocks, complaints, isBehind };
    this.#arrivals = new Arrivals({ ledger, journal, meta, ...about });
  }

  /** The configuration that is in force from now on. */
  configure(config: NerveConfig): void {
    const { fleet, host, reflexes } = config;
    if (host !== this.#configured?.host) for (const seen of [this.#conflicts, this.#copies]) seen.clear();
    this.#configured = fleet && { fleet, host, receive: receivedBy(fleet, reflexes) };
    this.#leaving.started();
    // What is made from now on leaves.
    if (this.#configured !== null) this.#leaving.begin();
    if (this.#configured === null) this.#presence.watch(null);
    else this.#watch(this.#configured);
    this.#worker.configure(config, fleet !== null && this.#links.isCut);
  }

  #watch({ fleet, receive, host }: Configured): void {
    const hosts = receive.map((pattern) => partsOfName(pattern).origin ?? "");
    const named = [...new Set(hosts.filter((name) => !hasWildcard(name) && name !== host))];
    const isReceived = (name: string): boolean => hosts.some((pattern) => matches(pattern, name));
    const { silentAfterMs } = fleet;
    this.#presence.watch(hosts.length === 0 ? null : { silentAfterMs, isReceived, named });
  }

  /** Connected, and everything that was sent was here at some moment since the last question; or who lives was looked at lately. */
  #isHearing(): boolean {
    const hasCaughtUp = this.#hasCaughtUp;
    this.#hasCaughtUp = this.#pending === 0;
    const calledMs = 2 * rollCallMs(this.#configured?.fleet.silentAfterMs ?? 0);
    return (
      (hasCaughtUp || this.#behind.isCalled(calledMs)) &&
      this.#held.length === 0 &&
      this.#links.of("in").state === "connected"
    );
  }

  /** There is room again. */
  resume(): void {
    const held = this.#held;
    this.#held = [];
    for (const { batch, stored } of held) this.take(batch, stored);
  }

  async stop(): Promise<void> {
    this.#presence.stop();
    await this.#worker.stop();
    this.#complaints.stop();
    this.#parts.ledger.write(() => this.#presence.keep());
  }

  kill(why: string): void {
    this.#worker.kill(why);
  }

  /** Asks other hosts for their status. Null: no process carries the question. */
  ask(hosts: readonly string[]): ReturnType<FleetWorker["ask"]> {
    return this.#worker.ask(hosts);
  }

  /** A host that is gone for good. The error says why not. */
  async forget(host: string): Promise<Result<{ readonly host: string; readonly signals: number }, Problem>> {
    const { ledger, host: life } = this.#parts;
    const origin = this.#origins.get(host);
    if (origin === null) {
      const hint = "`nerve fleet status` lists who was";
      return err(problem("unknown-host", `nothing was ever heard of \`${host}\``, hint));
    }
    if (this.#presence.isNamed(host)) {
      const hint = `take \`${host}\` out of \`fleet.receive\` and of each \`on\`, and \`nerve reload\`; a host that is named is missed`;
      return err(problem("named-host", `nerve.yaml names \`${host}\``, hint));
    }
    await ledger.commit((draft) => {
      const now = this.#origins.of(draft, host);
      if (now === null) return;
      this.#origins.forget(draft, now);
      life.journal
        .within(draft, "kernel")
        .info("fleet.forgotten", `host ${host} is forgotten, as a person asked`, { host });
    });
    this.#clocks.forget(host);
    return ok({ host, signals: origin.signals });
  }

  /** Null: the configuration has no `fleet`. */
  get status(): FleetStatus | null {
    const configured = this.#configured;
    if (configured === null) return null;
    const { store } = this.#parts;
    const { upto } = this.#leaving.cursor;
    const origins = this.#origins.all;
    const silent = origins.filter(({ state }) => state === "silent");
    return {
      host: configured.host,
      servers: configured.fleet.servers,
      out: {
        ...this.#links.of("out"),
        upto,
        backlog: configured.fleet.send.length === 0 ? 0 : Math.max(0, store.signals.lastId() - upto),
        sent: this.#leaving.signals,
        lost: this.#leaving.lost,
      },
      in:
        configured.receive.length === 0
          ? null
          : {
              ...this.#links.of("in"),
              pending: this.#pending,
              behind: this.#behind.now,
              stored: this.#arrivals.signals,
            },
      conflicts: this.#conflicts.all,
      copied: this.#copies.all[0] ?? null,
      stream: this.#filling.now,
      clocks: this.#clocks.off.slice(0, LISTED),
      late: this.#lateHosts.all.slice(0, LISTED),
      origins: {
        up: origins.length - silent.length,
        silent: silent.length,
        missing: origins.reduce((sum, { missing }) => sum + missing, 0),
        late: origins.reduce((sum, { late }) => sum + late, 0),
        silent_hosts: silent.slice(0, LISTED).map(({ host, since, at }) => ({ host, since, at: at === 0 ? null : at })),
      },
    };
  }

  // ── the books ────────────────────────────────────────────────────────

  beginning(): ReturnType<FleetBooks["beginning"]> {
    return {
      host: this.#configured?.host ?? "",
      ...this.#leaving.beginning,
      place: this.#arrivals.place,
      takenAt: Math.max(0, ...this.#origins.all.map(({ at }) => at)),
      origins: this.#origins.epochs,
    };
  }

  room(room: StreamRoom): void {
    this.#filling.take(room, this.#configured?.fleet.stream ?? "");
  }

  link(link: Link): void {
    this.#links.take(link);
  }

  waiting(pending: number | null): void {
    this.#pending = pending;
    this.#hasCaughtUp ||= pending === 0;
    if (pending === 0) this.#behind.hasCaughtUp();
    else if (pending === null) this.#behind.forget();
  }

  behind(report: BehindReport): void {
    this.#behind.take(report);
    this.#presence.hear(report.heard);
  }

  notice(kind: NoticeKind, message: string): void {
    const voice = this.#parts.host.journal.folding("kernel");
    if (kind === "conflict") {
      const host = this.#configured?.host ?? "";
      if (this.#conflicts.see(host)) voice.error("fleet.conflict", message, { host });
    } else if (kind === "rewound") voice.warn("fleet.rewound", message, null);
    else this.#concerns.see(message);
  }

  take(batch: Batch, stored: () => void): void {
    const configured = this.#configured;
    if (configured === null) return;
    if (this.#parts.isHeld()) return void this.#held.push({ batch, stored });
    const frames = batch.frames.filter((frame) => frame.host !== configured.host);
    this.#arrivals.take({ ...batch, frames }, configured.fleet.freshMs, stored);
  }

  forwarded(step: Forwarded, kept: () => void): void {
    this.#leaving.forwarded(step, () => {
      if (step.copied !== null) this.#copies.see(this.#configured?.host ?? "");
      kept();
    });
  }

  gone(): void {
    this.#links.forget();
    this.#pending = null;
    this.#hasCaughtUp = false;
    this.#behind.forget();
    this.#filling.forget();
    this.#held = [];
  }
}
