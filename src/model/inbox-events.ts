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
} as const satisfies Readonly<Record<string, EventKind>>;
