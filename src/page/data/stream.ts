/**
 * One connection to `/api/v1/events`, resumed until it is given up: nothing is lost, for each attempt names the newest id that was
 * heard; nothing comes twice, for the server begins after that id.
 */
import { access } from "./api.ts";
import { EventText, type TextEvent } from "./events-text.ts";

export interface StreamListener {
  /** Events in the order in which they were committed. */
  readonly heard: (events: readonly TextEvent[]) => void;
  /** The connection stands. */
  readonly connected: () => void;
  /** The connection broke, or could not be made, for the nth time in a row. */
  readonly broken: (attempts: number) => void;
}

/** The server says something every 5 s: a connection that is silent for longer is dead, whatever the browser believes. */
export const SILENT_MS = 12_000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;
/** How long a connection that was refused for want of a session waits: a person has to open the page anew. */
const REFUSED_WAIT_MS = 5_000;

const waitMs = (attempts: number): number => Math.min(FIRST_WAIT_MS * 2 ** (attempts - 1), LONGEST_WAIT_MS);

function pause(ms: number, given: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    given.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Rejects where nothing came for too long. */
async function readInTime(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | null> {
  let timer = 0;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("silent")), SILENT_MS) as unknown as number;
  });
  try {
    const { value } = await Promise.race([reader.read(), silence]);
    return value ?? null;
  } finally {
    clearTimeout(timer);
  }
}

export class Stream {
  #lastId: string;
  readonly #listener: StreamListener;
  readonly #given = new AbortController();

  /** `lastId`: the newest id that was heard before, or the empty string. */
  constructor(lastId: string, listener: StreamListener) {
    this.#lastId = lastId;
    this.#listener = listener;
  }

  /** Resolves once the stream is given up. */
  async run(): Promise<void> {
    for (let attempts = 0; !this.#given.signal.aborted; ) {
      const heard = await this.#attempt();
      if (this.#given.signal.aborted) return;
      attempts = heard ? 1 : attempts + 1;
      this.#listener.broken(attempts);
      await pause(access.peek() === "refused" ? REFUSED_WAIT_MS : waitMs(attempts), this.#given.signal);
    }
  }

  giveUp(): void {
    this.#given.abort();
  }

  /** One connection; answers whether anything was heard on it. */
  async #attempt(): Promise<boolean> {
    const attempt = new AbortController();
    const abort = (): void => attempt.abort();
    this.#given.signal.addEventListener("abort", abort);
    let heard = false;
    try {
      const headers: Record<string, string> = { accept: "text/event-stream" };
      if (this.#lastId !== "") headers["last-event-id"] = this.#lastId;
      const response = await fetch("/api/v1/events", { headers, signal: attempt.signal, cache: "no-store" });
      if (response.status === 401) access.value = "refused";
      if (!response.ok || response.body === null) return false;
      this.#listener.connected();
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      const text = new EventText();
      for (;;) {
        const bytes = await readInTime(reader);
        if (bytes === null) return heard;
        heard = true;
        this.#take(text.read(decoder.decode(bytes, { stream: true })));
      }
    } catch {
      return heard;
    } finally {
      this.#given.signal.removeEventListener("abort", abort);
      abort();
    }
  }

  #take(events: readonly TextEvent[]): void {
    const newest = events.findLast(({ id }) => id !== "");
    if (newest !== undefined) this.#lastId = newest.id;
    if (events.length > 0) this.#listener.heard(events);
  }
}
