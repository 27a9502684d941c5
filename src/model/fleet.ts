/** Owns the shape of the section `fleet`: the engine that joins hosts, what leaves this host, and what it receives. */
import { isRemote } from "./full-name.ts";

export interface FleetConfig {
  /** Addresses such as `tls://nats1.example:4222`. */
  readonly servers: readonly string[];
  /** The seed of a key pair. Never printed. */
  readonly nkey: string | null;
  /** Absolute paths of files. */
  readonly creds: string | null;
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  /** The JetStream domain behind a leaf node. */
  readonly domain: string | null;
  readonly stream: string;
  /** Names of senses of this host whose signals leave. `*` stands for any run of characters. */
  readonly send: readonly string[];
  /** `HOST/SENSE`, with `*` on either side. What the reflexes look at comes in besides: {@link receivedBy}. */
  readonly receive: readonly string[];
  /** A frame leaves at most this often. */
  readonly everyMs: number;
  /** An empty frame leaves after this time without another. */
  readonly beatMs: number;
  /** No reflex looks at a signal that is older than this on arrival. */
  readonly freshMs: number;
  /** A host is silent when nothing of it came for this time. */
  readonly silentAfterMs: number;
}

/** The sense that nerve makes of a host that falls silent or returns: `HOST/presence`. */
export const PRESENCE = "presence";

/** Every pattern of senses of other hosts whose signals come in. Empty: this host receives nothing. */
export const receivedBy = (
  fleet: FleetConfig,
  reflexes: readonly { readonly on: readonly string[] }[],
): readonly string[] => [...new Set([...fleet.receive, ...reflexes.flatMap(({ on }) => on.filter(isRemote))])];

/** While this host is behind, it looks this often who lives: a host that beats is seen in time, and the stream is not searched all the time. */
export const rollCallMs = (silentAfterMs: number): number => Math.min(10_000, Math.max(1_000, silentAfterMs / 6));
