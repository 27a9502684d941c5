/**
 * Wakes the senses that watch the kernel (`watch: true`, and a module that exports `{ kernel: true }`): within a second of a
 * change in how nerve is, and once after a start or a reload. The bell compares two looks and keeps nothing on disk: the sense
 * has a cursor of its own, and finds what happened while nobody rang.
 */
import { isWatching, type NerveConfig } from "../model/config.ts";
import type { Journal } from "./commits/journal.ts";
import type { Expectations } from "./expectations.ts";
import type { Inboxes } from "./inbox/inboxes.ts";
import { watchesKernel } from "./memory/exported.ts";
import type { Sense } from "./memory/sense.ts";
import type { Reflex } from "./reflexes/reflex.ts";
import type { Reflexes } from "./reflexes/reflexes.ts";
import type { Workflows } from "./runs/workflows.ts";
import type { Senses } from "./senses/senses.ts";
import type { Handle, Ticker } from "./time/ticker.ts";

const LOOK_MS = 500;
/** Between two rings for one reflex. */
const REST_MS = 1_000;
/** A sense whose compute failed has not seen what rang: the bell rings for it again. */
const AGAIN_MS = 10_000;

export interface BellParts {
  readonly ticker: Ticker;
  readonly journal: Journal;
  readonly senses: Senses;
  readonly reflexes: Reflexes;
  readonly workflows: Workflows;
  readonly expectations: Pick<Expectations, "stale">;
  readonly inboxes: Pick<Inboxes, "totals">;
  /** Nothing new is started. */
  readonly isHeld: () => boolean;
}

interface Ring {
  readonly standing: string;
  /** Awake milliseconds. */
  readonly at: number;
}

/** How long after a ring the next one may follow. */
function restOf({ sense }: Reflex, isChanged: boolean): number {
  if (isChanged) return REST_MS;
  return sense?.stats.failure === null ? Number.POSITIVE_INFINITY : AGAIN_MS;
}

/** The built-in sense that watches the kernel. */
const WATCHER = "nerve";

/** Whether the sense reports how nerve is: what follows from its signals is not reported again. */
export const isWatcher = (sense: Sense | undefined): boolean =>
  sense !== undefined && (watchesKernel(sense.exported) || sense.config.use === WATCHER);

export class Bell {
  readonly #parts: BellParts;
  readonly #rung = new Map<string, Ring>();
  /** Reflexes that watch a sense which watches nothing, once that is said. */
  readonly #said = new Set<string>();
  #watching: readonly string[] = [];
  #next: Handle | null = null;
  /** The watchers, and the senses that they lead to, in the configuration in force. */
  #behind: { readonly watchers: string; readonly senses: ReadonlySet<string> } | null = null;

  constructor(parts: BellParts) {
    this.#parts = parts;
  }

  /** A configuration is in force. */
  listen(config: NerveConfig): void {
    this.#watching = config.reflexes.filter((reflex) => isWatching(reflex, "module")).map(({ name }) => name);
    this.#rung.clear();
    this.#said.clear();
    this.#behind = null;
    this.stop();
    if (this.#watching.length > 0) this.#wait();
  }

  stop(): void {
    this.#next?.cancel();
    this.#next = null;
  }

  #wait(): void {
    this.#next = this.#parts.ticker.look(LOOK_MS, () => {
      this.#look();
      this.#wait();
    });
  }

  #look(): void {
    const { reflexes, ticker, isHeld } = this.#parts;
    if (isHeld()) return;
    const ready = this.#watching.flatMap((name) => {
      const reflex = reflexes.byName.get(name);
      return reflex !== undefined && this.#canHear(reflex) ? reflex : [];
    });
    if (ready.length === 0) return;
    const standing = this.#standing();
    const now = ticker.awakeMs();
    for (const reflex of ready) {
      const { name } = reflex.config;
      const last = this.#rung.get(name);
      if (last !== undefined && now - last.at < restOf(reflex, last.standing !== standing)) continue;
      this.#rung.set(name, { standing, at: now });
      reflexes.ring(reflex);
    }
  }

  #canHear({ config, enabled, sense }: Reflex): boolean {
    if (!enabled || sense === null || !sense.loaded || !sense.mayCompute) return false;
    if (sense.exported.watched.length === 0 && !this.#said.has(config.name)) {
      this.#said.add(config.name);
      const message = `\`watch: true\` wakes nothing: the module of the sense \`${sense.name}\` exports no \`watch\``;
      this.#parts.journal.of(`reflex:${config.name}`).warn("reflex.watches-nothing", message, null);
    }
    return watchesKernel(sense.exported);
  }

  /**
   * Everything whose change rings, in one text. What follows from the signals of a watcher is left out, so that no sense and no
   * run can ring for its own next beginning.
   */
  #standing(): string {
    const { senses, workflows, expectations, inboxes } = this.#parts;
    const behind = this.#behindWatchers();
    // Looked at twice a second. No name has a space in it, or a line break.
    let text = `${workflows.endings.count}`;
    for (const { name, state, stats } of senses.byName.values()) {
      if (behind.has(name)) continue;
      text += `\n${name} ${state === "ok" && stats.failure !== null ? "failing" : state}`;
    }
    for (const { name, state } of senses.groups.values())
      if (state === "stuck" || state === "backoff") text += `\ngroup:${name} ${state}`;
    for (const { name, problem } of workflows.byName.values()) if (problem !== null) text += `\nworkflow:${name}`;
    for (const { name, state, own } of workflows.channels.all)
      if (state === "failing" && !own) text += `\nchannel:${name}`;
    for (const { sense, dead } of inboxes.totals())
      if (dead > 0 && !behind.has(sense)) text += `\ninbox:${sense} ${dead}`;
    for (const id of expectations.stale) if (!behind.has(id.replace(/^sense:/, ""))) text += `\nstale:${id}`;
    return text;
  }

  /** The watchers, and the senses that their signals lead to. Worked out anew once the watchers are others. */
  #behindWatchers(): ReadonlySet<string> {
    let watchers = "";
    for (const sense of this.#parts.senses.byName.values()) if (isWatcher(sense)) watchers += `${sense.name} `;
    if (this.#behind?.watchers !== watchers) this.#behind = { watchers, senses: this.#ledBy(watchers.split(" ")) };
    return this.#behind.senses;
  }

  #ledBy(watchers: readonly string[]): ReadonlySet<string> {
    const { reflexes } = this.#parts;
    const behind = new Set(watchers);
    for (let size = -1; size < behind.size; ) {
      size = behind.size;
      for (const { config } of reflexes.byName.values()) {
        if (config.kind === "sense" && config.on.some((name) => behind.has(name))) behind.add(config.sense);
      }
    }
    return behind;
  }
}
