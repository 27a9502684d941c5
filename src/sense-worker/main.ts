/** One group's process. Boot: lock, databases, migrations, peers, modules, then `ready`; after it what `computing.ts` does. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { err, ok, type Result } from "../base/result.ts";
import { clipLine } from "../base/row-limiter.ts";
import { shrinkSoon } from "../base/shrink.ts";
import { describeThrown } from "../base/thrown.ts";
import type { ParentMessage, ParentMessageOf, WorkerMessage } from "../ipc/definitions.ts";
import { parseParentMessage } from "../ipc/parse.ts";
import { type Problem, problem } from "../model/problem.ts";
import { type Channel, openChannel } from "../worker/channel.ts";
import { enterWorker } from "../worker/entry.ts";
import { inbox } from "../worker/inbox.ts";
import { LOAD_LIMIT_MS } from "../worker/load-module.ts";
import { clip } from "../worker/output.ts";
import { Surroundings } from "../worker/surroundings.ts";
import { author, type ComputeAuthor } from "./author.ts";
import { Computing } from "./computing.ts";
import { loadComputeFn, preload } from "./load-compute.ts";
import { migrationsOf } from "./migrations-of.ts";
import { ownerOf } from "./owner-of.ts";
import { faultOfDeclared, holdAgainst } from "./payload-patterns.ts";
import type { Seat } from "./seat.ts";
import { badDeclaration, type SeatReport, sent, unseated } from "./seat-report.ts";
import { openSenseDb, type SenseDb } from "./sense-database.ts";
import { seriesOf } from "./series-of.ts";
import type { TakenUpTo } from "./taken.ts";

type Init = ParentMessageOf<"init">;
type SenseInit = Init["senses"][number];

const WAITING_ROWS = 64;
const PUT_BACK = "stop nerve and put back a copy of it where the rows are needed";

const NOBODY: ComputeAuthor = { sense: null, trace: null };
class SenseWorker {
  readonly #channel: Channel<WorkerMessage>;
  readonly #around: Surroundings<ComputeAuthor>;
  readonly #seats = new Map<string, Seat>();
  readonly #computing: Computing;
  #generation = 1;
  #init: Init | null = null;
  #stopping = false;

  constructor() {
    const refuse = (what: string): void => this.complain("malformed-message", what);
    const take = (message: ParentMessage): void => this.#receive(message);
    this.#channel = openChannel<WorkerMessage>(inbox(parseParentMessage, take, refuse));
    this.#around = new Surroundings({
      nobody: NOBODY,
      author: () => author.getStore() ?? NOBODY,
      post: (row) => this.#channel.post({ type: "log", generation: this.#generation, ...row }),
    });
    this.#computing = new Computing(this.#channel, this.#around, this.#seats);
  }

  /** Reports what went wrong outside any compute. The worker survives it. */
  complain(kind: "worker" | "malformed-message", message: string, stack: string | null = null): void {
    this.#complainOf(author.getStore()?.sense ?? ownerOf(stack, this.#init?.senses ?? []), message, kind, stack);
  }

  #complainOf(
    sense: string | null,
    message: string,
    kind: "worker" | "malformed-message" = "worker",
    stack: string | null = null,
  ): void {
    this.#channel.post({
      type: "error",
      generation: this.#generation,
      id: null,
      sense,
      kind,
      message: clipLine(message),
      stack: clip(stack),
      durationMs: 0,
    });
  }

  #receive(message: ParentMessage): void {
    switch (message.type) {
      case "prepare":
        return preload(message.builtIns);
      case "init":
        this.#init = message;
        this.#generation = message.generation;
        this.#boot(message).catch((error: Error) => {
          this.#giveUp(`it could not start: ${error.message}`, error.stack ?? null);
        });
        return;
      case "compute":
        return this.#computing.take(message);
      case "ack":
        for (const { sense, upTo } of message.outbox) this.#seats.get(sense)?.db.taken(upTo);
        this.#around.credit(message.logs);
        return;
      case "peers":
        this.#around.openPeers(message.peers);
        for (const seat of this.#seats.values()) seat.peers = this.#around.peersOf(seat.init.name);
        return;
      case "shutdown":
        void this.#stop();
        return;
    }
  }

  #giveUp(why: string, stack: string | null): void {
    this.complain("worker", why, stack);
    this.#channel.leave({ type: "bye", generation: this.#generation });
  }

  async #boot(init: Init): Promise<void> {
    const obstacle = await this.#around.enter(init);
    if (obstacle !== null) return this.#giveUp(obstacle, null);
    const results = [];
    for (const [place, sense] of init.senses.entries()) results.push(await this.#seat(sense, place));
    this.#channel.post({ type: "ready", generation: this.#generation, senses: results });
    this.#channel.flush();
    shrinkSoon();
    this.#computing.begin();
  }

  async #seat(init: SenseInit, place: number): Promise<SeatReport> {
    this.#channel.post({ type: "started", generation: this.#generation, id: null, sense: init.name });
    this.#channel.flush();
    const opened = this.#openDatabase(init);
    if (!opened.ok) return unseated(init, opened.error, []);
    const { db, applied } = opened.value;
    this.#replay(init, db);
    const taken = this.#taken(init, db);
    const loaded = await author
      .run({ sense: init.name, trace: null }, () => loadComputeFn(init, LOAD_LIMIT_MS))
      .catch((error) => {
        const message = `it could not be loaded: ${describeThrown(error).message}`;
        return err(problem("module-threw", message, null, init.folder ?? init.use));
      });
    if (!loaded.ok) {
      db.close();
      return unseated(init, loaded.error, applied);
    }
    const { declared } = loaded.value;
    const fault = declared === null || init.patterns.length === 0 ? null : faultOfDeclared(declared);
    if (fault !== null) {
      db.close();
      return unseated(init, badDeclaration(init, fault), applied);
    }
    const peers = this.#around.peersOf(init.name);
    this.#seats.set(init.name, { init, place, tookMs: 0, sense: loaded.value, db, peers });
    const series = seriesOf(init, loaded.value.series, init.folder === null ? null : init.database);
    return {
      sense: init.name,
      problem: null,
      applied,
      watch: [...loaded.value.watch],
      taken,
      patterns: holdAgainst(declared, init.patterns),
      series: series.ok && series.value !== null ? sent(series.value) : null,
      fault: series.ok ? null : series.error,
    };
  }

  #openDatabase(init: SenseInit): Result<{ db: SenseDb; applied: string[] }, Problem> {
    const migrations = migrationsOf(init);
    if (!migrations.ok) return migrations;
    const report = (message: string): void => this.#complainOf(init.name, message);
    // The kernel has taken rows of its outbox.
    if (init.outboxTaken > 0 && !existsSync(init.database)) {
      report(`${init.database} is gone: the sense begins anew, without what it kept; ${PUT_BACK}`);
    }
    const db = openSenseDb(init.database, migrations.value, init.outboxTaken, Date.now, report, init.durability);
    if (migrations.value.length === 0 && !existsSync(init.database)) return ok({ db, applied: [] });
    const prepared = db.prepare();
    if (prepared.ok) return ok({ db, applied: [...prepared.value] });
    const { kind, message, file } = prepared.error;
    return err(problem(`database-${kind}`, message, null, resolve(init.folder ?? "", "migrations", file)));
  }

  /** How far the sense has taken what waits for it, by its database. */
  #taken({ name, database, inbox }: SenseInit, db: SenseDb): TakenUpTo[] {
    const ofSignals = db.signalsTaken();
    if (inbox === null) return [...ofSignals];
    const { origins, taken: known } = inbox;
    if (known !== null && db.itemsTaken(known.origin) < known.upTo) {
      const message = `${database} is older than what nerve knows of it: items up to ${known.upTo} were taken, and what the sense kept of the last of them is missing`;
      this.#complainOf(name, `${message}; ${PUT_BACK}`);
    }
    const found = origins.map((origin) => ({ origin, upTo: db.itemsTaken(origin) }));
    return [...found.filter(({ upTo }) => upTo > 0), ...ofSignals];
  }

  /** Sends what an earlier worker kept and the kernel never took, before a new compute can overtake it. */
  #replay(init: SenseInit, db: SenseDb): void {
    const head = { type: "left-over", generation: this.#generation, sense: init.name } as const;
    let sent = init.outboxTaken;
    for (let waiting = db.waiting(sent, WAITING_ROWS); waiting.length > 0; waiting = db.waiting(sent, WAITING_ROWS)) {
      const rows = waiting.map(({ id: outbox, payload, cause, trace }) => ({ payload, outbox, cause, trace }));
      this.#channel.post({ ...head, rows });
      this.#channel.flush();
      sent = rows.at(-1)?.outbox ?? sent;
    }
  }

  /** Aborts what runs, waits for it to settle, and leaves. If it does not settle, the kernel ends this process. */
  async #stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    await this.#computing.stop();
    for (const seat of this.#seats.values()) seat.db.close();
    this.#around.leave();
    this.#channel.leave({ type: "bye", generation: this.#generation });
  }
}

/** Entry of the hidden role. */
export function runSenseWorker(kernelPid: number): void {
  const worker = new SenseWorker();
  enterWorker(kernelPid, (message, stack) => worker.complain("worker", message, stack));
}
