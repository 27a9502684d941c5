/** What happens to items that come in from outside. */
import type { EventKind } from "./event-kind.ts";

export const INBOX_EVENT_KINDS = {
  "compute.took": {
    levels: ["debug"],
    sentence: "One compute took several items from the inbox of its sense: `first` and `last` are their ids.",
    data: { first: "number", last: "number", count: "number" },
  },
  "item.dead": {
    levels: ["error"],
    sentence:
      "Computes that had this item alone failed, and the item after it was taken. The item is kept as long as signals are: `nerve inbox` shows it, `nerve inbox retry` and `nerve inbox drop` end that.",
    data: { item: "number", failures: "number" },
  },
  "item.retried": {
    levels: ["info"],
    sentence: "A person has a dead item tried again.",
    data: { item: "number" },
  },
  "item.dropped": {
    levels: ["info"],
    sentence:
      "Items left an inbox and no compute took them: by hand, or because they were dead, or of a sense that is no longer configured, for as long as signals are kept.",
    data: { first: "number", last: "number", count: "number" },
  },
} as const satisfies Readonly<Record<string, EventKind>>;
