/** A host in a simulated world: a data directory, the kernels that follow one another on it, and their workers. */
import { cpSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { changeEpochIn } from "../../src/backup/epoch.ts";
import { Secrets } from "../../src/base/secrets.ts";
import type { Acts } from "../../src/control/acts.ts";
import type { Looks } from "../../src/control/looks.ts";
import { maskedStore } from "../../src/kernel/commits/masked.ts";
import { Daemon } from "../../src/kernel/daemon/daemon.ts";
import type { NerveConfig } from "../../src/model/config.ts";
import { FLEET_ROLE, OTLP_ROLE, SENSE_WORKER_ROLE, WATCHDOG_ROLE, WEB_ROLE } from "../../src/spawn/own-image.ts";
import type { Spawn, WorkerEvents } from "../../src/spawn/worker-process.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { pick, randomOf } from "../rules/random.ts";
import { type AsideTroubles, type AsideWatcher, type AsideWorker, WatchdogWorker, WebProcess } from "./aside-worker.ts";
import { BlobDisk } from "./blob-disk.ts";
import { editOf } from "./edits.ts";
import { FarHosts } from "./far-hosts.ts";
import { FleetProcess } from "./fleet-process.ts";
import { type FlowTroubles, FlowWorker } from "./flow-worker.ts";
import { type Happening, Machine, type Party } from "./machine.ts";
import { MemoryDatabase } from "./memory-database.ts";
import { BlobOracle } from "./oracle/blobs.ts";
import { FileOracle } from "./oracle/files.ts";
import { Oracle } from "./oracle/oracle.ts";
import { onlyDeliveries } from "./oracle/put-back.ts";
import { Violation } from "./oracle/report.ts";
import { OtlpProcess } from "./otlp-process.ts";
import { OtlpReceiver } from "./otlp-receiver.ts";
import { WatchedHost } from "./paths.ts";
import { GOOD_ASIDES, GOOD_FLOWS, GOOD_SENSES, type Plan, planOf } from "./plan.ts";
import type { Around, Worker } from "./process.ts";
import { type SenseTroubles, SenseWorker } from "./sense-worker.ts";
import { Crash, type Fate, type StoreWatcher, watchedStore } from "./store.ts";
import { Trace } from "./trace.ts";
import { HOUR, type Size } from "./words.ts";
import { NO_LOCK, wholeDisk, worldOf } from "./world.ts";

/** One kernel, from its start to its end. */
export interface Kernel extends Party {
  daemon: Daemon | null;
  store: Store | null;
  acts: Acts | null;
  looks: Looks | null;
  readonly alarms: Set<Happening>;
}

export class Site {
  readonly data: string;
  readonly database: MemoryDatabase;
  readonly plan: Plan;
  readonly machine: Machine;
  readonly trace: Trace;
  oracle: Oracle;
  readonly files: FileOracle;
  readonly disk = wholeDisk();
  readonly blobs: BlobOracle;
  readonly #blobDisk: BlobDisk;
  readonly #host: WatchedHost;
  readonly workers = new Set<Worker>();
  kernel: Kernel | null = null;
  /** The file as it is now; null while somebody types. */
  config: NerveConfig | null;
  /** As a kernel has read it last. */
  #read: NerveConfig;
  senseTroubles: SenseTroubles;
  flowTroubles: FlowTroubles;
  asideTroubles: AsideTroubles;
  readonly #far: FarHosts;
  readonly #otlp: OtlpReceiver;
  /** Once in so many kills a process does not go at once; 0: never. */
  stuckOneIn = 0;
  spawnFailsOneIn = 0;
  /** The kernel crashes when it removes a blob next. */
  diesAtRemoval = false;
  /** What becomes of the commits that are to come. */
  fates: Fate[] = [];
  fate: Fate = "kept";
  /** The first thing that was found wrong. */
  found: Error | null = null;
  /** A commit has crashed the kernel: whoever drives the site has to clear up. */
  hasCrashed = false;
  isToStop = false;
  starts = 0;
  #pids = 100;
  /** Puts the copy of logs.db back that was made last. */
  #putsBack: ((keepsSenses: boolean) => void) | null = null;

  constructor(seed: number, size: Size, data: string, isTraced: boolean) {
    this.data = data;
    rmSync(data, { recursive: true, force: true });
    for (const folder of ["archive", "senses", "locks"])
      mkdirSync(join(data, folder), { recursive: true, mode: 0o700 });
    this.database = new MemoryDatabase(`${seed}`, data);
    this.plan = planOf(seed, size, data);
    this.machine = new Machine(randomOf(seed * 7 + 2), this.plan.wall);
    this.trace = new Trace(this.machine, isTraced);
    this.oracle = new Oracle(this.machine, this.plan.config, (line) => this.trace.add(line));
    this.files = new FileOracle(data, this.database, this.oracle);
    this.blobs = new BlobOracle(data, this.database, this.machine);
    this.#blobDisk = new BlobDisk(data, this.machine, this.blobs);
    const { watches } = this.oracle.sources;
    this.#host = new WatchedHost(this.machine.chance, {
      changed: (place) => this.#guarded(() => watches.changed(place)),
      heard: (place) => this.#guarded(() => watches.heard(place)),
    });
    this.config = this.plan.config;
    this.#read = this.plan.config;
    this.senseTroubles = this.plan.senseTroubles;
    this.flowTroubles = this.plan.flowTroubles;
    this.asideTroubles = this.plan.asideTroubles;
    this.#far = new FarHosts(this.machine, randomOf(seed * 7 + 6));
    this.oracle.remote.far = this.#far;
    this.#otlp = new OtlpReceiver(this.machine, randomOf(seed * 7 + 8), (kind, id, isTaken) =>
      this.oracle.otlp.answered(kind, id, isTaken),
    );
    this.machine.failed = (error) => this.notice(error);
  }

  notice(error: unknown): void {
    if (error instanceof Crash) {
      this.hasCrashed = true;
      return;
    }
    this.found ??= error instanceof Error ? error : new Error(String(error));
  }

  get isOver(): boolean {
    return this.found !== null || this.hasCrashed || this.isToStop;
  }

  // ── kernels ──────────────────────────────────────────────────────────

  start(): void {
    const { machine, data } = this;
    this.starts++;
    machine.thaw();
    const kernel: Kernel = {
      isOver: false,
      isKernel: true,
      daemon: null,
      store: null,
      acts: null,
      looks: null,
      alarms: new Set(),
    };
    this.kernel = kernel;
    this.trace.add(() => "a kernel starts");
    const config = this.config ?? this.#read;
    const opened = openStore(data, config.durability, machine.bootId, machine.wallMs, this.database.openWriter);
    if (!opened.ok) throw new Error(`the store cannot be opened: ${opened.error.message}`);
    kernel.store = opened.value;
    this.oracle.starts();
    const world = worldOf({
      machine,
      kernel,
      alarms: kernel.alarms,
      disk: this.disk,
      blobs: {
        mayRemove: () => this.#mayRemove(),
        removed: (path) => this.#guarded(() => this.#blobDisk.gone(path)),
      },
      host: this.#host,
      spawn: this.#spawn,
      heldBytes: (pid) => {
        for (const worker of this.workers) if (worker.pid === pid) return worker.heldBytes;
        return 0;
      },
      config: () => {
        this.#read = this.config ?? this.#read;
        return this.config;
      },
      listens: (acts, looks) => {
        kernel.acts = acts;
        kernel.looks = looks;
      },
    });
    const secrets = new Secrets();
    const options = {
      configFile: config.file,
      environment: {},
      logger: {
        write: ({ event, source, message }: { event: string; source: string; message: string }) =>
          this.#guarded(() => this.oracle.said(event, source, message)),
      },
      secrets,
      onSignal: null,
      onLost: () => {},
    };
    this.#read = config;
    const store = maskedStore(watchedStore(opened.value, this.#watcher(kernel)), secrets);
    const directory = { path: data, lock: NO_LOCK };
    kernel.daemon = new Daemon(options, config, directory, store, world);
    kernel.daemon.begin([]);
  }

  #mayRemove(): boolean {
    this.hasCrashed ||= this.diesAtRemoval;
    this.diesAtRemoval = false;
    return !this.hasCrashed;
  }

  /** Whatever lies in the data directory is held against what it must be. */
  looksAtAll(): void {
    this.files.all();
    this.blobs.all(this.#blobDisk);
  }

  /** A copy of logs.db, of the archive and of what senses keep is made. */
  copies(): void {
    const { data } = this;
    const putsBackDatabase = this.database.copied();
    const { sources } = this.oracle;
    const isPutBack = sources.copied();
    const disks = [...this.plan.disks.values()].map((disk) => ({
      disk,
      kept: { ...disk, outbox: [...disk.outbox], taken: new Map(disk.taken) },
    }));
    cpSync(join(data, "archive"), `${data}.archive`, { recursive: true });
    this.#putsBack = (keepsSenses) => {
      putsBackDatabase();
      rmSync(join(data, "archive"), { recursive: true });
      renameSync(`${data}.archive`, join(data, "archive"));
      // A payload keeps its own number, whatever becomes of the signal.
      if (!keepsSenses) for (const { disk, kept } of disks) Object.assign(disk, kept, { n: disk.n });
      this.oracle = onlyDeliveries(sources.deliveries, isPutBack(keepsSenses));
    };
  }

  get hasCopy(): boolean {
    return this.#putsBack !== null;
  }

  /**
   * No kernel runs. The copy is put back, by somebody who restores it, alone or with what senses keep; or because the machine
   * went down, and what came since was not on its disk.
   */
  putsBack(how: "all" | "logs" | "power"): void {
    const { machine, database } = this;
    this.#putsBack?.(how !== "all");
    this.#putsBack = null;
    machine.reboot(20_000);
    if (how === "power") return;
    using db = database.connect();
    changeEpochIn(db);
  }

  /** Somebody sets the clock. */
  setClock(byMs: number): void {
    if (byMs < 0) this.oracle.senses.setBack(-byMs);
    this.blobs.clockSet();
    this.oracle.retention.clockSet();
    this.machine.step(byMs);
  }

  #watcher(kernel: Kernel): StoreWatcher {
    const site = this;
    return {
      get isOver() {
        return kernel.isOver || site.hasCrashed;
      },
      fate: () => this.fates.shift() ?? this.fate,
      committed: (changes) => {
        this.trace.commit(changes);
        this.oracle.committed(changes);
      },
      refused: () => this.oracle.refused(),
      seats: () => {
        if (this.kernel === kernel) this.oracle.configured(this.#read);
      },
    };
  }

  /** What an oracle finds must not be lost in a `catch` of the kernel's. */
  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (error instanceof Violation) this.notice(error);
      else throw error;
    }
  }

  /** As a kill does: nothing more happens in it, and its workers end with it. */
  crash(): void {
    this.trace.add(() => "the kernel crashes");
    this.#end();
    this.oracle.crashed();
  }

  /** What ended is started again, after a while; perhaps by a machine that was down with it. */
  startAgain(): void {
    const { machine, oracle } = this;
    if (this.isToStop && !this.hasCrashed) this.stop();
    if (this.found !== null) return;
    if (this.kernel !== null) this.crash();
    const below = machine.chance;
    const downMs = pick(below, [50, 300, 2_000, 20_000, 600_000]) + below(100);
    if (below(8) === 0) {
      this.setClock((below(2) === 0 ? -1 : 1) * pick(below, [2_000, 600_000, 7_200_000]));
    }
    if (below(5) === 0) {
      // Some hosts are off for a weekend.
      if (below(2) === 0) machine.suspend(pick(below, [20, 30, 60]) * HOUR);
      machine.reboot(downMs);
      oracle.senses.rebooted();
    } else machine.now += downMs;
    if (below(10) === 0) this.#meetsNewer();
    if (below(4) === 0 && this.config !== null) this.edit(editOf(this.config, this.plan.config, below));
    this.start();
  }

  /** A newer build has written the tables: this one leaves them alone. */
  #meetsNewer(): void {
    const { data, machine } = this;
    using db = this.database.connect();
    db.run("INSERT INTO _migrations SELECT '9999_newer.sql', applied_at, checksum FROM _migrations LIMIT 1");
    const opened = openStore(data, "normal", machine.bootId, machine.wallMs, this.database.openWriter);
    if (opened.ok) {
      opened.value.close();
      this.notice(new Violation("newer-store", "a store of a newer build is opened"));
    }
    db.run("DELETE FROM _migrations WHERE name = '9999_newer.sql'");
  }

  #end(): void {
    const { kernel } = this;
    if (kernel === null) return;
    kernel.isOver = true;
    for (const worker of this.workers) {
      worker.isOver = true;
      worker.isGone = true;
      this.#moved(worker, "gone");
    }
    this.workers.clear();
    kernel.store?.close();
    // Nobody stopped it.
    using db = this.database.connect();
    db.run("UPDATE meta SET value = 'no' WHERE key = 'stopped'");
    this.kernel = null;
    this.hasCrashed = false;
    this.isToStop = false;
    this.fates = [];
  }

  /** Stops it as SIGTERM does. */
  stop(): void {
    const { kernel, machine } = this;
    if (kernel?.daemon == null) return;
    this.oracle.stops();
    let isStopped = false;
    const patientUntil = machine.now + 30_000;
    // Somebody may ask once more meanwhile: then nobody waits any longer.
    for (let isAsked = true; isAsked; isAsked = this.isToStop && !isStopped && !this.hasCrashed) {
      this.isToStop = false;
      kernel.daemon.stop("received SIGTERM").then(
        () => {
          isStopped = true;
        },
        (error) => this.notice(error),
      );
      machine.run(patientUntil, () => isStopped || this.isOver);
    }
    this.isToStop = false;
    if (this.hasCrashed) return this.crash();
    if (!isStopped) this.notice(new Error("the kernel does not stop"));
    kernel.isOver = true;
    // A disk that takes nothing, and a process that does not go, leave runs as after a crash.
    const isClean = this.fate === "kept" && this.workers.size === 0;
    for (const worker of this.workers) worker.isOver = true;
    this.workers.clear();
    this.kernel = null;
    this.oracle.stopped(isClean);
  }

  // ── workers ──────────────────────────────────────────────────────────

  readonly #spawn: Spawn = ({ command }, events) => {
    const { kernel, machine } = this;
    if (kernel === null) throw new Error("there is no kernel");
    if (this.spawnFailsOneIn > 0 && machine.chance(this.spawnFailsOneIn) === 0) throw new Error("EAGAIN: no process");
    const around: Around = {
      machine,
      kernel,
      events: events as WorkerEvents,
      pid: ++this.#pids,
      dyingMs: () => this.#dyingMs(),
      gone: (worker) => {
        this.workers.delete(worker);
        this.oracle.gone(worker as SenseWorker | FlowWorker | AsideWorker);
      },
      moved: (worker, to) => this.#moved(worker, to),
      trace: (line) => this.trace.add(line),
    };
    const worker = this.#workerFor(command, around);
    this.workers.add(worker);
    this.#moved(worker, "starting");
    return worker;
  };

  #moved(worker: Worker, to: string): void {
    const { pid } = worker;
    const { moves } = this.oracle;
    if (to === "leaving" && worker instanceof SenseWorker) this.oracle.sources.watches.workerIs(worker.group, false);
    moves.to("worker", `${pid}`, "none", to);
    if (to === "gone") moves.forget("worker", `${pid}`);
  }

  #dyingMs(): number {
    if (this.stuckOneIn === 0 || this.machine.chance(this.stuckOneIn) > 0) return this.machine.chance(5);
    return [8_000, 30_000, 600_000][this.machine.chance(3)] ?? 8_000;
  }

  #workerFor(command: readonly string[], around: Around): Worker {
    if (command.includes(SENSE_WORKER_ROLE)) return this.#senseWorker(around);
    const isWeb = command.includes(WEB_ROLE);
    const isFleet = command.includes(FLEET_ROLE);
    const isOtlp = command.includes(OTLP_ROLE);
    if (!isWeb && !isFleet && !isOtlp && !command.includes(WATCHDOG_ROLE)) return this.#flowWorker(around);
    const watcher: AsideWatcher = {
      began: (name) => this.oracle.senses.begins(name, worker),
      seen: ({ at }) => this.trace.add(() => `the page sees ${at}`),
      watermarks: (signals, logs) => this.#guarded(() => this.oracle.watermarks(signals, logs)),
      pinged: () => this.trace.add(() => "the watchdog's address is asked for"),
    };
    const troubles = (): AsideTroubles => this.asideTroubles;
    const otlp = { receiver: this.#otlp, connect: () => this.database.connect() };
    const worker = isFleet
      ? new FleetProcess(around, troubles, watcher, this.#far)
      : isOtlp
        ? new OtlpProcess(around, troubles, watcher, otlp)
        : isWeb
          ? new WebProcess(around, troubles, watcher)
          : new WatchdogWorker(around, troubles, watcher);
    return worker;
  }

  #senseWorker(around: Around): Worker {
    const worker = new SenseWorker(around, this.plan.disks, () => this.senseTroubles, {
      began: (group) => this.oracle.senses.begins(`group ${group}`, worker),
      itemsTaken: (sense, ids) => this.oracle.inboxes.taken(sense, ids),
      signalsTaken: (sense, ids) => this.oracle.sources.deliveries.taken(sense, ids),
      computeAsked: ({ sense, cause, now, inbox, delivered }) => {
        this.oracle.inboxes.asked(inbox.map(({ id }) => id));
        this.trace.add(() => `worker ${worker.pid} computes ${sense} for ${cause ?? now}`);
        this.oracle.senses.computeAsked(sense, cause, this.machine.realMs, worker);
        this.oracle.sources.watches.computeAsked(worker.group, sense);
        if (delivered !== null) this.oracle.sources.deliveries.asked(sense, delivered.upTo);
      },
      blobPut: (text, dies) => this.#blobDisk.put(text, dies),
      rowKept: (sense, n) => this.oracle.senses.rowKept(sense, n, this.machine.realMs),
      arrived: (message) => {
        this.trace.add(() => `from ${worker.pid} ${JSON.stringify(message)}`);
        this.oracle.arrivedFromSense(worker, message);
      },
    });
    return worker;
  }

  #flowWorker(around: Around): Worker {
    const worker = new FlowWorker(around, this.plan.programs, () => this.flowTroubles, {
      began: (workflow) => this.oracle.senses.begins(`workflow ${workflow}`, worker),
      runAsked: (run) => {
        this.trace.add(() => `worker ${worker.pid} runs ${run}`);
        this.oracle.runs.executes(run, worker);
      },
      stepBegins: (run, step) => this.oracle.runs.stepBegins(run, step),
      executionEnds: (run) => this.oracle.runs.leaves(run, worker),
      arrived: (message) => {
        this.trace.add(() => `from ${worker.pid} ${JSON.stringify(message)}`);
        this.oracle.arrivedFromFlow(worker, message);
      },
    });
    return worker;
  }

  /** Nothing goes wrong from now on. */
  heal(): void {
    this.senseTroubles = GOOD_SENSES;
    this.flowTroubles = GOOD_FLOWS;
    this.asideTroubles = GOOD_ASIDES;
    this.#far.isWell = true;
    this.#otlp.isWell = true;
    this.stuckOneIn = 0;
    this.spawnFailsOneIn = 0;
    this.fate = "kept";
    this.fates = [];
    Object.assign(this.disk, wholeDisk());
    this.machine.slew(1);
  }

  /** People see to what is switched off or held back, and to runs that may hang for ever. */
  calm(): void {
    const acts = this.kernel?.acts;
    for (const { id, state } of this.oracle.runs.active.values()) if (state === "running") void acts?.cancel(id);
    for (const name of this.plan.config.senses.keys()) void acts?.enable(`sense:${name}`);
    // What did not load is mended by now.
    this.config ??= this.#read;
    void acts?.reload();
  }

  edit(config: NerveConfig | null): void {
    this.config = config;
  }

  [Symbol.dispose](): void {
    if (this.kernel !== null) this.#end();
    this.database.close();
    for (const folder of [this.data, `${this.data}.archive`]) rmSync(folder, { recursive: true, force: true });
  }
}
