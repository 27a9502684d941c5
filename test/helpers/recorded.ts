/** A store as a daemon would have left it: signals and logs at given seconds after its beginning. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openStore, type Store } from "../../src/store/open.ts";

const SECOND = 1_000;

export interface Recorded extends Disposable {
  readonly store: Store;
  /** The id it got. A payload of undefined is one that was damaged. */
  signal(seconds: number, payload: unknown, sense?: string): number;
  log(seconds: number, source: string, event: string, data?: object | null): number;
}

/** `begin`: Unix milliseconds. */
export function recordedIn(folder: string, begin: number): Recorded {
  const data = join(folder, "data");
  mkdirSync(data, { mode: 0o700 });
  const opened = openStore(data, "normal", "boot", begin);
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  return {
    store,
    signal: (seconds, payload, sense = "load") => {
      const at = begin + seconds * SECOND;
      const row = { sense, at, payload: JSON.stringify(payload) ?? "{damaged", cause: null, trace: "0".repeat(32) };
      return store.commit(() => store.signals.append(row));
    },
    log: (seconds, source, event, data = null) => {
      const text = data === null ? null : JSON.stringify(data);
      const head = { at: begin + seconds * SECOND, level: "info", source, event } as const;
      return store.commit(() => store.logs.append({ ...head, run: null, trace: null, message: event, data: text }));
    },
    [Symbol.dispose]: () => store.close(),
  };
}
