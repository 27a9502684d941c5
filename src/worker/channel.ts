/**
 * The worker's half of the ipc channel. What is posted in one turn leaves in one frame; `flush` sends at once, for what
 * must be out before user code can block the loop. The process's own handle on the channel is taken away here, so that
 * user code has none.
 */
export interface Channel<Message> {
  post(message: Message): void;
  flush(): void;
  /** Sends what is left, waits until it is written, then ends the process. */
  leave(last: Message): void;
}

/** Takes over `process`'s channel. `receive` gets each message of each frame, unchecked. */
export function openChannel<Message>(receive: (raw: unknown) => void): Channel<Message> {
  const send = process.send?.bind(process);
  if (send === undefined) throw new Error("a worker needs an ipc channel");
  process.on("message", (frame: unknown) => {
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
