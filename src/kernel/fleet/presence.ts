/**
 * Owns who is heard. A host is silent when nothing of it came for `silent_after`, counted on an axis that moves only while this host
 * could have heard it: connected, with nothing pending, or with a look at the stream itself where much is pending. So a hub that was cut off,
 * stopped or behind calls nobody silent for that. The axis is in logs.db, so a deadline outlives a restart.
 */
import type { Chance } from "../../base/chance.ts";
import { traceIds } from "../../base/trace-id.ts";
import { PRESENCE } from "../../model/fleet.ts";
import type { Origin } from "../../model/origin.ts";
import type { MetaTable } from "../../store/meta.ts";
import type { Draft } from "../commits/draft.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Handle, Ticker } from "../time/ticker.ts";
import { newOrigin, type Origins } from "./origins.ts";
import type { RemoteSignals } from "./remote-signals.ts";

export interface PresenceParts {
  readonly ticker: Ticker;
  readonly chance: Chance;
  readonly wallMs: () => number;
  readonly ledger: Ledger;
  readonly meta: MetaTable;
  readonly origins: Origins;
  readonly signals: RemoteSignals;
  /** True while it is known who sends. */
  readonly isHearing: () => boolean;
}

/** What is judged. */
export interface Watched {
  readonly silentAfterMs: number;
  readonly isReceived: (host: string) => boolean;
  /** Hosts that the configuration names. They are missed even where nothing of them ever came. */
  readonly named: readonly string[];
}

const LOOK_MS = 1_000;
/** A look that comes late counts for no more: the kernel itself may have stood still. */
const MOST_MS = 3 * LOOK_MS;
const KEEP_MS = 15_000;
const AXIS = "fleet.heard";

export class Presence {
  readonly #parts: PresenceParts;
  readonly #newTrace: (wallMs: number) => string;
  #watched: Watched | null = null;
  #axisMs: number;
  #keptMs: number;
  #lookedAt: number | null = null;
  #next: Handle | null = null;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
    this.#newTrace = traceIds(parts.chance);
    const heard = parts.origins.all.map((origin) => origin.heard);
    this.#axisMs = Math.max(parts.meta.count(AXIS) ?? 0, ...heard);
    this.#keptMs = this.#axisMs;
  }

  /** Null: nothing is received. */
  watch(watched: Watched | null): void {
    this.#watched = watched;
    this.#next?.cancel();
    this.#next = null;
    this.#lookedAt = null;
    if (watched === null) return;
    this.#expect(watched.named);
    this.#lookLater();
  }

  stop(): void {
    this.#next?.cancel();
    this.#next = null;
  }

  /** Where the axis is at this moment, as far as the time since the last look will count. */
  get nowMs(): number {
    if (this.#lookedAt === null) return this.#axisMs;
    return this.#axisMs + this.#passed(this.#parts.ticker.awakeMs());
  }

  #passed(now: number): number {
    return this.#lookedAt === null ? 0 : Math.max(0, Math.round(Math.min(now - this.#lookedAt, MOST_MS)));
  }

  /** Inside a commit. */
  keep(): void {
    if (this.#axisMs === this.#keptMs) return;
    this.#parts.meta.set(AXIS, String(this.#axisMs));
    this.#keptMs = this.#axisMs;
  }

  /** The host is heard, inside a transaction: `origin` as it is from now on. */
  returned(draft: Draft, origin: Origin): Origin {
    const { host, state } = origin;
    const now = draft.now;
    const heard = { ...origin, at: now, heard: this.nowMs };
    if (state === "up") return heard;
    this.#say(draft, host, "up", now);
    return { ...heard, state: "up", since: now };
  }

  /** These hosts live. */
  hear(hosts: readonly string[]): void {
    const { origins, ledger } = this.#parts;
    if (hosts.length === 0) return;
    ledger.write((draft) => {
      this.keep();
      for (const host of hosts) {
        const origin = origins.of(draft, host);
        if (origin !== null) origins.put(draft, this.returned(draft, origin));
      }
    });
  }

  /** The configuration names this host: it is missed though nothing comes. */
  isNamed(host: string): boolean {
    return this.#watched?.named.includes(host) ?? false;
  }

  #expect(named: readonly string[]): void {
    const { origins, ledger } = this.#parts;
    const unknown = named.filter((host) => origins.get(host) === null);
    if (unknown.length === 0) return;
    ledger.write((draft) => {
      for (const host of unknown) {
        if (origins.of(draft, host) === null) origins.put(draft, newOrigin(host, draft.now, this.nowMs));
      }
    });
  }

  #lookLater(): void {
    this.#next = this.#parts.ticker.look(LOOK_MS, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const { ticker, isHearing, ledger } = this.#parts;
    const now = ticker.awakeMs();
    const passed = this.#passed(now);
    this.#lookedAt = isHearing() ? now : null;
    if (this.#lookedAt === null) return;
    this.#axisMs += passed;
    const silent = this.#silent();
    if (silent.length === 0 && this.#axisMs - this.#keptMs < KEEP_MS) return;
    ledger.write((draft) => {
      this.keep();
      for (const host of silent) this.#fallSilent(draft, host);
    });
  }

  #silent(): string[] {
    return this.#parts.origins.all.filter((origin) => this.#isSilent(origin)).map(({ host }) => host);
  }

  #isSilent({ host, state, heard }: Origin): boolean {
    const watched = this.#watched;
    if (watched === null || state === "silent" || !watched.isReceived(host)) return false;
    return this.#axisMs - heard >= watched.silentAfterMs;
  }

  #fallSilent(draft: Draft, host: string): void {
    const { origins } = this.#parts;
    const origin = origins.of(draft, host);
    // It may have been heard since.
    if (origin === null || !this.#isSilent(origin)) return;
    const since = origin.at === 0 ? draft.now : origin.at;
    origins.put(draft, { ...origin, state: "silent", since });
    this.#say(draft, host, "silent", since);
  }

  #say(draft: Draft, host: string, state: Origin["state"], since: number): void {
    this.#parts.signals.say(draft, host, PRESENCE, { host, state, since }, this.#newTrace(this.#parts.wallMs()));
  }
}
