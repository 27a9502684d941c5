/**
 * How the channels are, as the newest tries of runs went. A channel begins to fail with a try that fails, and is well again with
 * the next message that it takes: each of the two is one log. Which channels fail outlives the kernel, in the table `meta`.
 */
import type { Clock } from "../../base/clock.ts";
import { isJsonObject, readJson } from "../../base/json.ts";
import type { ChannelStatus } from "../../control/contract.ts";
import { withoutChannel } from "../../model/channel.ts";
import type { Store } from "../../store/open.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Voice } from "../commits/voice.ts";

export interface ChannelsParts {
  readonly clock: Clock;
  readonly store: Pick<Store, "meta">;
  readonly ledger: Ledger;
  readonly voice: Voice;
  /** Whether what signal `id` started reports for a sense that watches the kernel. */
  readonly isOwn: (id: number | null) => boolean;
}

const META_KEY = "failing_channels";

const unused = (name: string): ChannelStatus => ({
  name,
  state: "ok",
  reason: null,
  last_told: null,
  last_failed: null,
  own: false,
});

export class Channels {
  readonly #parts: ChannelsParts;
  readonly #byName = new Map<string, ChannelStatus>();

  constructor(parts: ChannelsParts) {
    this.#parts = parts;
    for (const channel of storedIn(parts.store.meta.get(META_KEY))) this.#byName.set(channel.name, channel);
  }

  /** The channels of a configuration: what is known of others is forgotten. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#byName.keys()) if (!names.has(name)) this.#byName.delete(name);
    for (const name of names) if (!this.#byName.has(name)) this.#byName.set(name, unused(name));
  }

  /** In the order of the configuration. */
  get all(): readonly ChannelStatus[] {
    return [...this.#byName.values()];
  }

  /** A try is over, of a run that signal `signal` started; `error` null: the channel took the message. */
  answered(name: string, error: string | null, signal: number | null): void {
    const before = this.#byName.get(name) ?? unused(name);
    const now = this.#parts.clock.wallMs();
    if (error === null) {
      this.#byName.set(name, { ...before, state: "ok", reason: null, last_told: now, own: false });
      if (before.state === "failing")
        this.#parts.voice.info("channel.recovered", `channel \`${name}\` takes messages again`, { channel: name });
    } else {
      const own = this.#parts.isOwn(signal) && (before.state === "ok" || before.own);
      this.#byName.set(name, { ...before, state: "failing", reason: error, last_failed: now, own });
      if (before.state === "ok")
        this.#parts.voice.warn("channel.failing", `channel \`${name}\` fails: ${withoutChannel(name, error)}`, {
          channel: name,
        });
    }
    const after = this.#byName.get(name);
    if (after?.state !== before.state || after.own !== before.own) this.#store();
  }

  #store(): void {
    const failing = this.all.filter(({ state }) => state === "failing");
    this.#parts.ledger.write(() => this.#parts.store.meta.set(META_KEY, JSON.stringify(failing)));
  }
}

/** What cannot be read is forgotten: the next try shows how the channel is. */
function storedIn(text: string | null): ChannelStatus[] {
  const stored = text === null ? null : readJson(text);
  if (!Array.isArray(stored)) return [];
  return stored.flatMap((one) => {
    if (!isJsonObject(one)) return [];
    const { name, reason, last_told = null, last_failed = null, own } = one;
    if (typeof name !== "string" || typeof reason !== "string" || typeof own !== "boolean") return [];
    const timeOf = (value: unknown): number | null => (typeof value === "number" ? value : null);
    return [
      {
        ...unused(name),
        state: "failing",
        reason,
        last_told: timeOf(last_told),
        last_failed: timeOf(last_failed),
        own,
      },
    ];
  });
}
