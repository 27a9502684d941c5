/**
 * The worker's half of the ipc channel. What is posted in one turn leaves in one frame; `flush` sends at once, for what
 * must be out before user code can block the loop. The process's own handle on the channel is taken away here, so that
 * user code has none.
 */
import { CHANNELS } from "../base/jit.ts";

export interface Channel<Message> {
  post(message: Message): void;
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

/** Takes over `process`'s channel. `receive` gets each message of each frame, unchecked. */
export function openChannel<Message>(receive: (raw: unknown) => void): Channel<Message> {
  const send = process.send?.bind(process);
  if (send === undefined) throw new Error("a worker needs an ipc channel");
  process.on("message", (frame: unknown) => {
    CHANNELS.handled(Array.isArray(frame) ? frame.length : 1);
    if (Array.isArray(frame)) for (const raw of frame) receive(raw);
    else receive(frame);
  });
  for (const handle of ["send", "disconnect", "channel", "connected"] as const) {
    Object.defineProperty(process, handle, { value: undefined, configurable: true });
  }

  let frame: Message[] = [];
  let scheduled = false;
  const flush = (): void => {
    if (frame.length === 0) return;
    const full = frame;
    frame = [];
    send(full);
  };
  const onTurn = (): void => {
    scheduled = false;
    flush();
  };
  return {
    post(message) {
      frame.push(message);
      if (scheduled) return;
      scheduled = true;
      setImmediate(onTurn);
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
