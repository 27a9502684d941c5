/**
 * What is new: tabs of one browser share one stream. The tab that holds the lock has the connection and passes on what it hears;
 * a hidden tab has none, and hears again from the moment at which it is shown.
 */
import { computed, signal } from "@preact/signals";
import type { KernelLink, StreamEvents } from "../../web/contract.ts";
import { heardClock, hostNow, now, paused } from "../state/clock.ts";
import { session, unreachableSince } from "./api.ts";
import type { TextEvent } from "./events-text.ts";
import { SILENT_MS, Stream } from "./stream.ts";

export type LiveEvent = {
  [Kind in keyof StreamEvents]: { readonly kind: Kind; readonly row: StreamEvents[Kind] };
}[keyof StreamEvents];

/** What the tabs of a browser pass on to each other. */
type Passed =
  | { readonly kind: "events"; readonly events: readonly TextEvent[] }
  | { readonly kind: "connection"; readonly attempts: number };

type Connection =
  | { readonly kind: "none" }
  | { readonly kind: "open" }
  | { readonly kind: "broken"; readonly attempts: number };

const connection = signal<Connection>({ kind: "none" });
const heardAt = signal(0);
const kernel = signal<KernelLink | null>(null);
/** How many rows came while the page was paused. */
export const missedWhilePaused = signal(0);
/** Rises when the page is shown again: what is on the screen is asked for anew. */
export const shownAgain = signal(0);

const listeners = new Set<(events: readonly LiveEvent[]) => void>();

export function onLive(listener: (events: readonly LiveEvent[]) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const KINDS: ReadonlySet<string> = new Set<keyof StreamEvents>(["signal", "log", "run", "incident", "link"]);

function parse({ event, data }: TextEvent): LiveEvent | null {
  return KINDS.has(event) ? ({ kind: event, row: JSON.parse(data) } as LiveEvent) : null;
}

function hear(texts: readonly TextEvent[]): void {
  connection.value = { kind: "open" };
  const events = texts.flatMap((text) => parse(text) ?? []);
  for (const event of events) {
    if (event.kind !== "link") continue;
    kernel.value = event.row;
    heardClock(event.row.at);
  }
  // By the clock that was set right: by one that is ahead, nothing would be stale.
  heardAt.value = hostNow();
  const rows = events.filter(({ kind }) => kind !== "link");
  if (paused.value) missedWhilePaused.value += rows.filter(({ kind }) => kind === "log" || kind === "signal").length;
  if (rows.length > 0) for (const listener of listeners) listener(rows);
}

export type Liveness =
  | { readonly kind: "live" }
  | { readonly kind: "connecting" }
  | { readonly kind: "paused"; readonly news: number }
  | { readonly kind: "reconnecting"; readonly attempts: number }
  | { readonly kind: "stale"; readonly since: number }
  | { readonly kind: "silent"; readonly since: number | null }
  | { readonly kind: "down"; readonly since: number };

/** So long a broken connection is one that is being made again; from then on nerve is down. */
const DOWN_AFTER_MS = 4_000;

export const liveness = computed<Liveness>(() => {
  const at = Math.max(now.value, heardAt.value);
  const state = connection.value;
  if (paused.value) return { kind: "paused", news: missedWhilePaused.value };
  const link = kernel.value;
  if (state.kind === "broken") {
    const since = unreachableSince.value;
    if (since !== null && Date.now() - since >= DOWN_AFTER_MS) return { kind: "down", since: heardAt.value || since };
    return { kind: "reconnecting", attempts: state.attempts };
  }
  if (state.kind === "none") return { kind: "connecting" };
  if (at - heardAt.value > SILENT_MS) return { kind: "stale", since: heardAt.value };
  if (link?.state === "silent") return { kind: "silent", since: link.answered_at };
  return { kind: "live" };
});

/** Whether what is shown may be out of date: then all values are dimmed. */
export const isOld = computed(() => ["stale", "silent", "down"].includes(liveness.value.kind));

let lastId = "";
let stream: Stream | null = null;

function open(channel: BroadcastChannel | null): Promise<void> {
  const pass = (message: Passed): void => channel?.postMessage(message);
  const own = new Stream(lastId, {
    heard: (events) => {
      lastId = events.findLast(({ id }) => id !== "")?.id ?? lastId;
      hear(events);
      pass({ kind: "events", events });
    },
    connected: () => {
      unreachableSince.value = null;
      // A stream that begins anew knows nothing of before: what is on the screen is asked for again, now that it stands.
      if (lastId === "" && connection.peek().kind !== "none") shownAgain.value += 1;
      connection.value = { kind: "open" };
      heardAt.value = hostNow();
    },
    broken: (attempts) => {
      unreachableSince.value ??= Date.now();
      connection.value = { kind: "broken", attempts };
      pass({ kind: "connection", attempts });
    },
  });
  stream = own;
  return own.run();
}

function listen(channel: BroadcastChannel): void {
  channel.addEventListener("message", ({ data }: MessageEvent<Passed>) => {
    if (document.hidden) return;
    if (data.kind === "connection") {
      unreachableSince.value ??= Date.now();
      connection.value = { kind: "broken", attempts: data.attempts };
      return;
    }
    unreachableSince.value = null;
    lastId = data.events.findLast(({ id }) => id !== "")?.id ?? lastId;
    hear(data.events);
  });
}

/** Follows while the page is shown. A browser without locks (a page that is not of a loopback address) has a stream a tab. */
export function startLive(): void {
  const name = `nerve-stream-${session.peek()?.instance ?? ""}`;
  const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(name);
  if (channel !== null) listen(channel);
  let wanted: AbortController | null = null;
  const follow = (): void => {
    const asked = new AbortController();
    wanted = asked;
    if (connection.peek().kind === "none") heardAt.value = hostNow();
    if (navigator.locks === undefined || channel === null) void open(null);
    else {
      const leading = navigator.locks.request(name, { signal: asked.signal }, () =>
        asked.signal.aborted ? undefined : open(channel),
      );
      leading.catch(() => undefined);
    }
  };
  const leave = (): void => {
    wanted?.abort();
    stream?.giveUp();
    stream = null;
    lastId = "";
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return leave();
    shownAgain.value += 1;
    follow();
  });
  if (!document.hidden) follow();
}

/** Resolves once the stream stands, so that nothing falls between it and the first answers; or after `ms`. */
export function untilConnected(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      unsubscribe();
      resolve();
    };
    const timer = setTimeout(end, ms);
    const unsubscribe = connection.subscribe(({ kind }) => {
      if (kind === "open") queueMicrotask(end);
    });
  });
}
