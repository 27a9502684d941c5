/** A group's worker as the kernel meets it: it speaks the real messages, and has a database and an outbox for each sense. */
import type { Json, JsonObject } from "../../src/base/json.ts";
import type { ParentMessageOf } from "../../src/ipc/definitions.ts";
import type { SeatWatch } from "../../src/model/watched.ts";
import type { Message } from "../helpers/kernel-bench.ts";
import type { OneCompute } from "../helpers/rows.ts";
import { pick } from "../rules/random.ts";
import { type Around, Worker } from "./process.ts";
import { FILES } from "./source-plan.ts";
import { BAD_ITEM } from "./words.ts";

const OF_SIGNALS = /^signals:/;

interface OutboxRow {
  readonly id: number;
  readonly payload: Json;
  readonly cause: number | null;
  readonly trace: string;
}

/** What a sense has on the disk, and what the host shows it. Outlives workers and kernels. */
export interface SenseDisk {
  readonly name: string;
  /** Its computes write, so that their signals go through the outbox. */
  readonly writes: boolean;
  readonly hasItems: boolean;
  /** One compute of it may have several signals. */
  readonly isSeveral: boolean;
  /** Its signals refer to blobs. */
  readonly puts: boolean;
  /** Counts its payloads. */
  n: number;
  level: number;
  items: { readonly id: string; readonly level: number }[];
  lastRow: number;
  outbox: OutboxRow[];
  /** How far the items of each origin are taken, and the signals of each epoch. */
  readonly taken: Map<string, number>;
  /** What its module exports as `watch`. */
  watches: readonly SeatWatch[];
}

/** How often what goes wrong: once in so many computes, 0 never. */
export interface SenseTroubles {
  readonly isNull: number;
  readonly fails: number;
  readonly timesOut: number;
  readonly hangs: number;
  readonly spins: number;
  readonly dies: number;
  readonly diesAfter: number;
  readonly lies: number;
  readonly prints: number;
  readonly leaks: number;
  /** A row of the outbox is sent twice. */
  readonly repeats: number;
  readonly diesLoading: number;
  readonly doesNotLoad: number;
}

/** Who watches what workers are asked and do. */
export interface SenseWatcher {
  began(group: string): void;
  computeAsked(message: OneCompute): void;
  /** What a signal refers to is put. */
  blobPut(text: string, dies: boolean): Json;
  /** What a compute of the sense has done is kept, and that it had these items. */
  itemsTaken(sense: string, ids: readonly number[]): void;
  /** And that it had these signals, and has looked at those between. */
  signalsTaken(sense: string, ids: readonly number[]): void;
  /** A row is kept in the outbox of a sense. */
  rowKept(sense: string, n: number): void;
  /** The kernel is about to hear this. */
  arrived(message: Message): void;
}

interface Compute {
  readonly id: number;
  readonly sense: string;
  readonly cause: number | null;
  readonly trace: string;
  readonly beganAt: number;
  readonly items: OneCompute["inbox"];
  readonly delivered: OneCompute["delivered"];
}

export class SenseWorker extends Worker {
  /** Of the kernel's view: computes and loads that are noted or said to have started, and not said to have ended. */
  readonly known = new Map<string, number | null>();
  /** What the newest compute of each sense was for. */
  readonly causes = new Map<string, number | null>();
  group = "";
  isReady = false;
  isLeaving = false;
  readonly #disks: ReadonlyMap<string, SenseDisk>;
  readonly #now: () => SenseTroubles;
  readonly #watcher: SenseWatcher;
  readonly #computes = new Map<string, Compute>();
  #init: ParentMessageOf<"init"> | null = null;
  #isDeaf = false;
  /** Whether it notes what begins. One that has no page says so in messages. */
  readonly #isNoting: boolean;

  constructor(
    around: Around,
    disks: ReadonlyMap<string, SenseDisk>,
    troubles: () => SenseTroubles,
    watcher: SenseWatcher,
  ) {
    super(around);
    this.#isNoting = !this.oneIn(4);
    this.#disks = disks;
    this.#now = troubles;
    this.#watcher = watcher;
  }

  get #troubles(): SenseTroubles {
    return this.#now();
  }

  override arrived(message: Message): void {
    this.#watcher.arrived(message);
  }

  receive(message: Message): void {
    if (this.#isDeaf) return;
    switch (message.type) {
      case "init":
        return this.#boot(message as unknown as ParentMessageOf<"init">);
      case "compute":
        return this.#compute(message as unknown as OneCompute);
      case "ack":
        for (const { sense, upTo } of (message as unknown as ParentMessageOf<"ack">).outbox) {
          const disk = this.#disks.get(sense);
          if (disk) disk.outbox = disk.outbox.filter(({ id }) => id > upTo);
        }
        return;
      case "shutdown":
        return this.#leave();
    }
  }

  #boot(init: ParentMessageOf<"init">): void {
    this.#init = init;
    this.generation = init.generation;
    this.group = /([^/]+)\.lock$/.exec(init.lock)?.[1] ?? "";
    this.#watcher.began(this.group);
    for (const { name } of init.senses) this.#mayNameOther(name);
    this.later(5 + this.below(80), () => this.#seat(0));
  }

  /** Somebody has changed the module since it was loaded last. */
  #mayNameOther(name: string): void {
    const disk = this.#disks.get(name);
    if (disk === undefined || disk.watches.length === 0 || !this.oneIn(4)) return;
    disk.watches = [{ kind: "file", path: pick((below) => this.below(below), FILES), match: null }];
  }

  #seat(index: number): void {
    const entry = this.#init?.senses[index];
    if (entry === undefined) return this.#isUp();
    this.says({ type: "started", id: null, sense: entry.name });
    if (this.oneIn(this.#troubles.diesLoading)) return this.exits(null, "SIGSEGV");
    const disk = this.#disks.get(entry.name);
    for (const row of disk?.outbox ?? []) {
      const isTaken = row.id <= entry.outboxTaken;
      if (!isTaken || this.oneIn(this.#troubles.repeats)) this.#sendsRow(entry.name, row);
    }
    this.later(this.below(20), () => this.#seat(index + 1));
  }

  /** As what an earlier worker left. */
  #sendsRow(sense: string, { id: outbox, payload, cause, trace }: OutboxRow): void {
    this.says({ type: "signal", id: null, sense, payload, outbox, more: [], cause, trace, durationMs: 0 });
  }

  #isUp(): void {
    const senses = (this.#init?.senses ?? []).map(({ name, use, inbox }) => {
      const problem = this.oneIn(this.#troubles.doesNotLoad)
        ? { kind: "module-threw", message: "it does not load", hint: null, file: null, line: null, column: null }
        : null;
      return {
        sense: name,
        problem,
        applied: [],
        watch: use === "nerve" ? [{ kind: "kernel", path: null, match: null }] : (this.#disks.get(name)?.watches ?? []),
        taken: this.#takenOf(name, inbox?.origins ?? []),
        patterns: [],
        series: null,
        fault: null,
      };
    });
    this.isReady = true;
    this.says({ type: "ready", senses });
  }

  #takenOf(name: string, origins: readonly string[]): { readonly origin: string; readonly upTo: number }[] {
    const taken = this.#disks.get(name)?.taken ?? new Map<string, number>();
    const known = [...taken].map(([origin, upTo]) => ({ origin, upTo }));
    return known.filter(({ origin }) => origins.includes(origin) || OF_SIGNALS.test(origin));
  }

  #leave(): void {
    this.isLeaving = true;
    for (const compute of this.#computes.values()) this.#answers(compute, this.#error("aborted", "nerve is stopping"));
    this.#computes.clear();
    this.says({ type: "bye" });
    this.exits(0, null);
  }

  #compute(request: OneCompute): void {
    const { id, sense, cause, trace, inbox: items, delivered } = request;
    this.#watcher.computeAsked(request);
    const troubles = this.#troubles;
    const compute: Compute = { id, sense, cause, trace, beganAt: this.machine.now, items, delivered };
    this.#computes.set(sense, compute);
    this.causes.set(sense, cause);
    this.#begins(compute);
    if (this.oneIn(troubles.prints)) this.prints(this.oneIn(2) ? "stdout" : "stderr", `line of ${sense}`);
    if (this.oneIn(troubles.leaks)) this.heldBytes += 150_000_000;
    if (this.oneIn(troubles.lies)) this.#lies(compute);
    if (this.oneIn(troubles.spins)) {
      this.#isDeaf = true;
      return;
    }
    // Whatever settles in its turn is only noted.
    if (this.#isNoting && this.oneIn(2)) this.says({ type: "started", id, sense });
    if (this.oneIn(troubles.hangs)) return;
    const ms = this.oneIn(10) ? this.below(3_000) : 1 + this.below(60);
    if (this.oneIn(troubles.dies)) return this.later(ms, () => this.exits(null, "SIGSEGV"));
    this.later(this.oneIn(troubles.timesOut) ? this.#timeoutMs(sense) : ms, () => this.#settle(compute));
  }

  #begins({ id, sense }: Compute): void {
    if (!this.#isNoting) return this.says({ type: "started", id, sense });
    this.noted.set(this.#placeOf(sense), { id, since: this.machine.now });
    this.known.set(sense, id);
  }

  #placeOf(sense: string): number {
    return this.#init?.senses.findIndex(({ name }) => name === sense) ?? 0;
  }

  #timeoutMs(sense: string): number {
    return this.#init?.senses.find(({ name }) => name === sense)?.timeoutMs ?? 30_000;
  }

  #settle(compute: Compute): void {
    if (this.#isDeaf || this.#computes.get(compute.sense) !== compute) return;
    this.#computes.delete(compute.sense);
    const tookMs = this.machine.now - compute.beganAt;
    if (tookMs >= this.#timeoutMs(compute.sense)) return this.#answers(compute, this.#error("timed-out", "too slow"));
    if (compute.items.some(({ body }) => body.includes(BAD_ITEM)) || this.oneIn(this.#troubles.fails))
      return this.#answers(compute, this.#error("failed", "it threw"));
    const disk = this.#disks.get(compute.sense);
    if (disk === undefined) return this.#answers(compute, { type: "no-signal" });
    if (this.oneIn(this.#troubles.isNull)) {
      this.#takes(compute, disk);
      if (this.#diesOnceTaken(compute)) return this.exits(null, "SIGKILL");
      return this.#answers(compute, { type: "no-signal" });
    }
    this.#signal(compute, disk);
  }

  #signal(compute: Compute, disk: SenseDisk): void {
    const { cause, trace } = compute;
    const payload = this.#observe(disk);
    if (payload === null) return;
    this.#takes(compute, disk);
    if (this.#diesOnceTaken(compute)) return this.exits(null, "SIGKILL");
    if (!disk.writes) return this.#answers(compute, { type: "signal", payload, outbox: null, more: [], cause, trace });
    const [first, ...others] = [payload, ...this.#othersOf(disk)].map((one) => this.#keeps(compute, disk, one));
    if (first === undefined) return;
    if (this.oneIn(this.#troubles.diesAfter)) return this.exits(null, "SIGKILL");
    const more = others.map((row) => ({ payload: row.payload, outbox: row.id }));
    this.#answers(compute, { type: "signal", payload, outbox: first.id, more, cause, trace });
    if (this.oneIn(this.#troubles.repeats)) this.later(this.below(2) * 200, () => this.#sendsRow(disk.name, first));
    if (this.oneIn(this.#troubles.diesAfter)) this.exits(null, "SIGKILL");
  }

  /** Items come seldom: what was taken and never answered is seen in a world only where it happens more often to them. */
  #diesOnceTaken({ items, delivered }: Compute): boolean {
    const often = items.length > 0 ? 50 : delivered !== null ? 10 : 0;
    return often > 0 && this.oneIn(Math.ceil(this.#troubles.diesAfter / often));
  }

  /** In the transaction of whatever else the compute keeps. */
  #takes({ sense, items, delivered }: Compute, disk: SenseDisk): void {
    if (delivered !== null) {
      const { origin, upTo, signals } = delivered;
      const known = disk.taken.get(origin) ?? 0;
      disk.taken.set(origin, Math.max(known, upTo));
      this.#watcher.signalsTaken(
        sense,
        signals.flatMap(({ id }) => (id > known ? id : [])),
      );
    }
    if (items.length === 0) return;
    for (const { origin, id } of items) disk.taken.set(origin, Math.max(id, disk.taken.get(origin) ?? 0));
    this.#watcher.itemsTaken(
      sense,
      items.map(({ id }) => id),
    );
  }

  /** Some computes have seen several things; a few more than one transaction takes. */
  #othersOf(disk: SenseDisk): JsonObject[] {
    if (!disk.isSeveral || this.oneIn(2)) return [];
    const count = this.oneIn(200) ? 100 + this.below(30) : this.below(4);
    return [...Array(count)].map(() => this.#look(disk));
  }

  #keeps({ cause, trace }: Compute, disk: SenseDisk, payload: JsonObject): OutboxRow {
    const taken = this.#init?.senses.find(({ name }) => name === disk.name)?.outboxTaken ?? 0;
    const row: OutboxRow = { id: Math.max(disk.lastRow, taken) + 1, payload, cause, trace };
    disk.lastRow = row.id;
    disk.outbox.push(row);
    this.#watcher.rowKept(disk.name, payload.n as number);
    return row;
  }

  /** What the host shows: a level that wanders, and things that come and go. Null: it has died of it. */
  #observe(disk: SenseDisk): JsonObject | null {
    if (!disk.puts) return this.#look(disk);
    const dies = this.oneIn(4 * this.#troubles.diesAfter);
    const report = this.#watcher.blobPut(`what ${disk.name} looks like in ${this.below(12)}`, dies);
    if (!dies) return { ...this.#look(disk), report };
    this.exits(null, "SIGKILL");
    return null;
  }

  #look(disk: SenseDisk): JsonObject {
    disk.n++;
    disk.level = Math.max(0, Math.min(9, disk.level + this.below(7) - 3));
    const { n, level } = disk;
    const status = level >= 7 ? "bad" : level >= 4 ? "warn" : "ok";
    const host = ["a", "b", "c"][n % 3] ?? "a";
    if (!disk.hasItems) return { n, level, status, host };
    if (this.oneIn(3) || disk.items.length === 0) {
      const ids = ["i", "j", "k", "l"].filter(() => this.oneIn(2));
      disk.items = ids.map((id) => ({ id, level: this.below(10) }));
    }
    return { n, level, status, host, items: disk.items };
  }

  #error(kind: string, message: string): Message {
    return { type: "error", kind, message, stack: null };
  }

  #answers({ id, sense, beganAt }: Compute, result: Message): void {
    this.noted.delete(this.#placeOf(sense));
    this.says({ ...result, id, sense, durationMs: this.machine.now - beganAt });
    if (this.oneIn(this.#troubles.lies)) this.says({ ...result, id, sense, durationMs: 0 });
  }

  /** What nobody should believe. */
  #lies({ id, sense }: Compute): void {
    const head = { id, sense, durationMs: 1 };
    switch (this.below(5)) {
      case 0:
        return this.says({ type: "gibberish" });
      case 1:
        return this.says({ type: "no-signal", ...head, generation: this.generation + 1 });
      case 2:
        return this.says({ type: "no-signal", ...head, id: id + 1_000 });
      case 3:
        return this.says({
          type: "signal",
          ...head,
          payload: { n: -1 },
          outbox: null,
          more: [],
          cause: null,
          trace: "x",
          id: id + 7,
        });
      default:
        return this.says({ type: "ready", senses: [] });
    }
  }
}
