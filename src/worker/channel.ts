/**
 * The worker's half of the ipc channel. Messages that are posted in one turn leave in one frame, and in several frames where
 * they are many, large, or posted over some time. `flush` sends at once, for what must be out before user code can block the
 * loop. The process's own handle on the channel is taken away here, so that user code has none.
 */
import { CHANNELS } from "../base/jit.ts";
import { countMessages } from "../ipc/definitions.ts";

export interface Channel<Message> {
  /** `length`: characters of what is large in the message, 0 where nothing is. `now`: of `performance.now()`. */
  post(message: Message, length?: number, now?: number): void;
  /** Puts more into a message that was posted: true unless it has left. `length` and `now` as above. */
  extend(message: Message, add: () => void, length: number, now: number): boolean;
  /** Resolves once everything that was posted before is sent. */
  sent(): Promise<void>;
  flush(): void;
  /** Sends what is left, waits until it is written, then ends the process. */
  leave(last: Message): void;
}

const HEARD = ["message", "disconnect"];
const LISTENING = [
  "on",
  "addListener",
  "once",
  "prependListener",
  "prependOnceListener",
  "off",
  "removeListener",
] as const;
const LOOKING = ["emit", "listeners", "rawListeners", "listenerCount"] as const;

/**
 * From here on `process` is to everyone as one without a channel: who listens for `message` or `disconnect` hears nothing,
 * and can neither make one up nor take our listeners away. Call it once those are there, before user code is loaded.
 */
export function hideChannel(): void {
  const host = process as unknown as Record<string, (...given: unknown[]) => unknown>;
  const aside = (event: unknown): unknown => (HEARD.includes(event as string) ? `unheard ${event}` : event);
  for (const method of [...LISTENING, ...LOOKING]) {
    const real = host[method]?.bind(process);
    host[method] = (event, ...rest) => real?.(aside(event), ...rest);
  }
  const removeAll = process.removeAllListeners.bind(process);
  process.removeAllListeners = (event?: string | symbol) => {
    const events =
      event === undefined ? process.eventNames().filter((name) => !HEARD.includes(name as string)) : [event];
    for (const name of events) removeAll(aside(name) as never);
    return process;
  };
}

/**
 * A frame holds at most this many messages, where a process says nothing else, and about this many characters, so that the
 * receiver works on one frame while the next one is made. A message waits about this long for the end of a turn that takes long.
 */
const FRAME_MESSAGES = 64;
const FRAME_CHARACTERS = 65_536;
const FRAME_MS = 25;

/** Takes over `process`'s channel. `receive` gets each message of each frame, unchecked. */
export function openChannel<Message>(
  receive: (raw: unknown) => void,
  frameMessages = FRAME_MESSAGES,
): Channel<Message> {
  const send = process.send?.bind(process);
  if (send === undefined) throw new Error("a worker needs an ipc channel");
  process.on("message", (frame: unknown) => {
    CHANNELS.handled(countMessages(frame));
    if (Array.isArray(frame)) for (const raw of frame) receive(raw);
    else receive(frame);
  });
  for (const handle of ["send", "disconnect", "channel", "connected"] as const) {
    Object.defineProperty(process, handle, { value: undefined, configurable: true });
  }

  let frame: Message[] = [];
  /** Of the frame: as many as its lists hold. */
  let count = 0;
  let characters = 0;
  let since = 0;
  let scheduled = false;
  let waiting: PromiseWithResolvers<void> | null = null;
  const flush = (): void => {
    if (frame.length === 0) return;
    const full = frame;
    frame = [];
    count = 0;
    characters = 0;
    send(full);
    waiting?.resolve();
    waiting = null;
  };
  /** True where the frame is full, and has left. */
  const grows = (length: number, now: number): boolean => {
    count++;
    characters += length;
    const isFull = count >= frameMessages || characters >= FRAME_CHARACTERS || now - since >= FRAME_MS;
    if (isFull) flush();
    return isFull;
  };
  const onTurn = (): void => {
    scheduled = false;
    flush();
  };
  return {
    post(message, length = 0, now = performance.now()) {
      if (frame.length === 0) since = now;
      frame.push(message);
      if (grows(length, now) || scheduled) return;
      scheduled = true;
      setImmediate(onTurn);
    },
    extend(message, add, length, now) {
      if (!frame.includes(message)) return false;
      add();
      grows(length, now);
      return true;
    },
    sent() {
      if (frame.length === 0) return Promise.resolve();
      waiting ??= Promise.withResolvers();
      return waiting.promise;
    },
    flush,
    leave(last) {
      frame.push(last);
      const full = frame;
      frame = [];
      // process.exit drops what is still queued; the callback comes after the write.
      send(full, () => process.exit(0));
    },
  };
}
