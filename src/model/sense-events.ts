/** The events of senses as they are loaded and kept from computing: a part of the table of events. */
import type { EventKind } from "./event-kind.ts";

const problem = { kind: "string", file: "string | null", line: "number | null", column: "number | null" } as const;

export const SENSE_EVENT_KINDS = {
  "sense.failed": {
    levels: ["error"],
    sentence:
      "The module of a sense, its migrations or its database do not load, or its database was removed, replaced or cut off under a running worker: the message says what and where. Mend it, then `nerve reload`.",
    data: problem,
  },
  "sense.series-refused": {
    levels: ["error"],
    sentence:
      "The module of a sense exports a `series` that its database does not have, or one that is none: the message says what and where. The sense computes; a chart of its numbers is drawn from its signals.",
    data: problem,
  },
  "sense.migrated": {
    levels: ["info"],
    sentence: "Migrations were applied to the database of a sense.",
    data: { applied: "string[]" },
  },
  "sense.quarantined": {
    levels: ["error"],
    sentence:
      "The worker of a sense died three times while this sense ran alone. `nerve enable NAME` lifts the quarantine once the sense is mended.",
    data: { for_ms: "number" },
  },
  "sense.stale": {
    levels: ["warn"],
    sentence: "Neither a signal nor an item has come for `expect_every`. Logged once, until something comes.",
    data: { expect_every_ms: "number" },
  },
  "signals.missed": {
    levels: ["warn"],
    sentence: "Retention removed signals before a sense with `deliver` was handed them. Logged once for each gap.",
    data: { from: "number", to: "number" },
  },
  "sense.released": { levels: ["info"], sentence: "A quarantine is over.", data: null },
  "sense.state-damaged": {
    levels: ["error"],
    sentence:
      "Something else than nerve wrote what nerve keeps of a sense. The sense begins anew with that column, and with nothing else.",
    data: { columns: "string[]" },
  },
} as const satisfies Readonly<Record<string, EventKind>>;
