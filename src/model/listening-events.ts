/** The events of the addresses that nerve listens on: a part of the table of events. */
import type { EventKind } from "./event-kind.ts";

export const LISTENING_EVENT_KINDS = {
  "http.listening": {
    levels: ["info"],
    sentence: "The page and the API can be reached at the address of `http`.",
    data: null,
  },
  "http.failed": {
    levels: ["error"],
    sentence:
      "The address of `http` cannot be listened on: another process may have the port. nerve tries again, says so once a minute, and everything else goes on.",
    data: null,
  },
  "push.listening": {
    levels: ["info"],
    sentence: "Items can be pushed to the address of `push`.",
    data: null,
  },
  "push.failed": {
    levels: ["error"],
    sentence:
      "The address of `push` cannot be listened on: another process may have the port. nerve tries again, says so once a minute, and everything else goes on.",
    data: null,
  },
} as const satisfies Readonly<Record<string, EventKind>>;
