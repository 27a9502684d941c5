/**
 * The kernel's process while it runs: engine, control socket, upkeep, and their end in the reverse order. `boot.ts` says what
 * comes before. It runs no user code and imports none of the loaders.
 */
import type { Logger } from "../../base/logger.ts";
import type { Secrets } from "../../base/secrets.ts";
import { passing } from "../../base/timer.ts";
import type { Looks } from "../../control/looks.ts";
import type { NerveConfig } from "../../model/config.ts";
import { formatProblem, type Problem } from "../../model/problem.ts";
import type { Signal } from "../../model/signal.ts";
import { intervalCalendar } from "../../rules/calendar.ts";
import type { Store } from "../../store/open.ts";
import { Journal } from "../commits/journal.ts";
import { Ledger } from "../commits/ledger.ts";
import { maskedLogger } from "../commits/masked.ts";
import type { Voice } from "../commits/voice.ts";
import { Engine, type Modules } from "../engine.ts";
import type { DataDirectory } from "../host/data-directory.ts";
import { Lifetime } from "../time/lifetime.ts";
import { type Handle, Ticker } from "../time/ticker.ts";
import { describeLowSpace, type LowSpace, Space } from "../upkeep/space.ts";
import { Upkeep } from "../upkeep/upkeep.ts";
import type { DaemonWorld, Listener } from "../world.ts";
import { answerTo } from "./asked.ts";
import { commandsOf } from "./commands.ts";
import { actsOf, looksOf } from "./controls.ts";
import { Listeners } from "./listeners.ts";
import { locate, Reloads } from "./reload.ts";
import { sayBeginning, sayClockStepped } from "./sayings.ts";
import { statusLine } from "./status.ts";
import { WatchedData } from "./watched-data.ts";

export interface DaemonOptions {
  readonly configFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  /** Learns what was filled into the config, which is then shown nowhere. */
  readonly secrets: Secrets;
  /** Each signal after its commit, or null to print none. */
  readonly onSignal: ((signal: Signal) => void) | null;
  /** The data directory is lost: what remains is to stop, and to say it. Called once. */
  readonly onLost: (problem: Problem) => void;
}

/** Workers have this long to leave after SIGTERM; then they are killed. */
const STOP_MS = 7_000;
/** What is killed is gone within this time, or does not go. */
const GIVE_UP_MS = 1_500;
/** How often folded messages are reported, the axis of elapsed time is stored, and keys at rest are forgotten. */
const UPKEEP_MS = 60_000;
/** How often the kernel looks whether its data directory is still there. */
const LOOK_MS = 1_000;

export class Daemon {
  readonly #world: DaemonWorld;
  readonly #secrets: Secrets;
  readonly #data: DataDirectory;
  readonly #store: Store;
  readonly #ticker: Ticker;
  readonly #ledger: Ledger;
  readonly #space: Space;
  readonly #journal: Journal;
  readonly #engine: Engine;
  readonly #upkeep: Upkeep;
  readonly #listeners: Listeners;
  readonly #onLost: (problem: Problem) => void;
  readonly #lifetime: Lifetime;
  readonly #config: NerveConfig;
  readonly #modules: Modules;
  readonly #reloads: Reloads;
  #control: Listener | null = null;
  #watched: WatchedData | null = null;
  #trouble: string | null = null;
  #stopping: Promise<void> | null = null;

  /** Everything of it that needs no other process; it runs from `begin` on. */
  constructor(options: DaemonOptions, config: NerveConfig, data: DataDirectory, store: Store, world: DaemonWorld) {
    const { clock } = world;
    this.#world = world;
    this.#config = config;
    this.#secrets = options.secrets;
    this.#onLost = options.onLost;
    this.#data = data;
    this.#store = store;
    this.#modules = locate(world.modules, config);
    this.#lifetime = new Lifetime(clock, store.meta);
    this.#ticker = new Ticker(clock, (byMs) => this.#clockStepped(byMs), world.alarm);
    this.#ledger = new Ledger(store, world, {
      trouble: (message, code) => this.#storeTrouble(message, code),
    });
    this.#space = new Space({
      folder: data.path,
      world,
      ticker: this.#ticker,
      ledger: this.#ledger,
      store,
      changed: (low) => this.#spaceChanged(low),
    });
    this.#journal = new Journal(this.#ledger, maskedLogger(options.logger, options.secrets), () => clock.wallMs());
    const command = commandsOf(config, options.environment, data.path);
    const parts = { world, ticker: this.#ticker, ledger: this.#ledger, journal: this.#journal, store, data: data.path };
    this.#engine = new Engine({
      ...parts,
      space: this.#space,
      lifetime: this.#lifetime,
      command,
      onSignal: options.onSignal,
    });
    this.#listeners = new Listeners({ ...parts, engine: this.#engine, command, looks: () => this.#looks() });
    this.#engine.fleet.onAsked = () => answerTo(this.#looks().status(), options.secrets);
    this.#upkeep = new Upkeep(parts, config, [this.#engine.inboxUpkeep]);
    this.#reloads = this.#newReloads(options);
  }

  #newReloads({ secrets }: DaemonOptions): Reloads {
    return new Reloads(this.#config, this.#modules, {
      world: this.#world,
      secrets,
      engine: this.#engine,
      voice: this.#voice,
      retention: this.#upkeep.retention,
      ticker: this.#ticker,
      statusLine: () => this.#statusLine(),
      isStopping: () => this.#stopping !== null,
      listeners: this.#listeners,
    });
  }

  /** The data directory, with every link above it resolved. */
  get data(): string {
    return this.#data.path;
  }

  /** `swept`: processes that an earlier kernel had left, and that were ended. */
  begin(swept: readonly number[]): void {
    sayBeginning(this.#journal, this.#config, this.#lifetime, this.#store, swept);
    // A row may be met in the midst of a commit.
    this.#store.damaged.tell((found) =>
      this.#world.turns.atEnd(() => this.#voice.error("store.row-damaged", formatProblem(found), null)),
    );
    this.#ticker.start();
    this.#space.start();
    this.#engine.load(this.#config, this.#modules);
    this.#control = this.#listen();
    this.#listeners.configure(this.#config);
    this.#upkeep.start();
    this.#keepLifetime();
    this.#repeat(UPKEEP_MS, () => {
      this.#journal.unfold();
      this.#keepLifetime();
      this.#engine.reflexes.forgetKeysAtRest();
      this.#engine.silences.expire();
    });
    this.#watched = this.#watchData();
    const { watchdogMs } = this.#world.notify;
    if (watchdogMs !== null) this.#repeat(Math.max(100, watchdogMs / 3), () => this.#world.notify.send("WATCHDOG=1"));
    this.#world.notify.send("READY=1", this.#statusLine());
  }

  #watchData(): WatchedData {
    const watched = new WatchedData({
      watch: this.#world.watch(this.#data.path),
      journal: this.#journal,
      onLost: this.#onLost,
      listenAgain: () => {
        void this.#control?.stop();
        this.#control = this.#listen();
      },
    });
    this.#repeat(LOOK_MS, () => watched.look());
    return watched;
  }

  #looks(): Looks {
    const { wallMs: startedAt } = this.#lifetime.began;
    const trouble = (): string | null => this.#trouble ?? this.#space.trouble;
    const { path: data } = this.#data;
    const whole = { engine: this.#engine, listeners: this.#listeners, pid: this.#world.pid, startedAt, data, trouble };
    return looksOf(whole, this.#ledger);
  }

  #listen(): Listener {
    const { path } = this.#data;
    const acts = actsOf(this.#engine, this.#reloads, this.#upkeep.retention);
    return this.#world.listen(path, this.#looks(), acts, this.#secrets);
  }

  /** Where elapsed time stands, so that it goes on from there whatever is done to the clock while nerve is down. */
  #keepLifetime(): void {
    this.#ledger.write(() => {
      this.#lifetime.keep();
      this.#engine.expectations.keep();
    });
  }

  #repeat(everyMs: number, act: () => void): Handle {
    const calendar = intervalCalendar(Math.ceil(everyMs), 0);
    return this.#ticker.every({ calendar, atMostEveryMs: Math.ceil(everyMs), fire: act });
  }

  #statusLine(): string {
    return statusLine(this.#engine, this.#space.low);
  }

  get #voice(): Voice {
    return this.#journal.of("kernel");
  }

  #clockStepped(byMs: number): void {
    this.#upkeep.clockStepped();
    this.#engine.reflexes.lookAgain(null);
    this.#keepLifetime();
    sayClockStepped(this.#voice, byMs, this.#lifetime.aheadMs);
  }

  #storeTrouble(message: string | null, code: string): void {
    const writer = code.startsWith("SQLITE_BUSY") ? this.#world.describeWriter(this.#store.file) : "";
    this.#trouble = message === null ? null : `${message}${writer}`;
    if (message !== null) {
      const text = `${this.#store.file} cannot be written: ${message}${writer}; nothing new is computed until it can`;
      this.#journal.aside("kernel").error("store.failed", text, null);
      this.#engine.inboxes.withdraw();
      if (!this.#space.refused(code)) return;
      this.#world.turns.next(() => {
        if (this.#stopping === null) this.#ledger.flush();
      });
      return;
    }
    this.#voice.warn("store.recovered", "the store can be written again", null);
    this.#engine.resume();
  }

  #spaceChanged(low: LowSpace | null): void {
    if (low === null) {
      this.#voice.warn("store.space-recovered", `the file system of ${this.#data.path} has room again`, null);
      this.#engine.resume();
      this.#reloads.startRoomless();
    } else {
      const data = { directory: low.folder, free_bytes: low.freeBytes, enough_bytes: low.enoughBytes };
      this.#voice.error("store.low-space", describeLowSpace(low), data);
      this.#upkeep.retention.lookNow();
    }
    this.#world.notify.send(this.#statusLine());
  }

  /** Re-reads the config; a bad one is refused and changes nothing. */
  reload(): ReturnType<Reloads["reload"]> {
    return this.#reloads.reload();
  }

  /** Graceful: resolves when everything is stored and closed. The second call ends it at once. */
  stop(why: string): Promise<void> {
    if (this.#stopping) {
      this.#engine.killAll("stopped at once");
      return this.#stopping;
    }
    this.#stopping = this.#stop(why);
    return this.#stopping;
  }

  async #stop(why: string): Promise<void> {
    this.#world.notify.send("STOPPING=1");
    this.#voice.info("kernel.stopping", `stopping: ${why}`, null);
    const { alarm } = this.#world;
    const isInTime = alarm(STOP_MS, () => this.#engine.killAll("it did not stop in time"));
    // A process that waits for a device or a mount goes when that answers: nerve does not wait with it.
    await Promise.race([
      Promise.all([this.#engine.stop(), this.#listeners.stop()]),
      passing(alarm, STOP_MS + GIVE_UP_MS),
    ]);
    isInTime();
    this.#upkeep.stop();
    this.#space.stop();
    this.#journal.unfold();
    this.#voice.info("kernel.stopped", "stopped", null);
    this.#keepLifetime();
    // When the first commit finds no room, the second has the ballast's.
    for (let refusals = 0; refusals < 2 && this.#ledger.isWaiting; ) if (!this.#ledger.flush()) refusals++;
    this.#ticker.stop();
    await this.#control?.stop();
    this.#watched?.refuseDamage();
    this.#store.close();
    this.#watched?.stop();
    this.#data.lock.release();
  }
}
