/** The events of what joins hosts: a part of the table of events. */
import type { EventKind } from "./event-kind.ts";

const side = { side: "string" } as const;
/** `count`: how often more, in a row of a minute. */
const missing = { host: "string", missing: "number", "count?": "number" } as const;

export const FLEET_EVENT_KINDS = {
  "fleet.connected": {
    levels: ["info"],
    sentence: "Signals leave for the stream (`side` `out`), or come from it (`in`).",
    data: side,
  },
  "fleet.offline": {
    levels: ["warn"],
    sentence:
      "The servers of `fleet` cannot be reached. The host goes on, signals wait, and nerve tries again by itself.",
    data: side,
  },
  "fleet.blocked": {
    levels: ["error"],
    sentence:
      "The servers of `fleet` answer and refuse: the stream is full or missing, or a permission is. Signals wait.",
    data: side,
  },
  "fleet.behind": {
    levels: ["warn"],
    sentence:
      "What comes has not caught up with what others send for `silent_after`. Said once until it has; `busiest` sends most (`share` in a hundred).",
    data: { pending: "number", lag_ms: "number", busiest: "string | null", share: "number" },
  },
  "fleet.caught-up": {
    levels: ["info"],
    sentence: "All that others send is here again, after `fleet.behind`.",
    data: null,
  },
  "fleet.filling": {
    levels: ["warn", "info"],
    sentence:
      "The stream is 80 % full, as a host that receives sees once a minute. A full stream takes no frame. Said once, and again (`info`) when it is less than 70 % full.",
    data: { stream: "string", percent: "number", bytes: "number", max_bytes: "number" },
  },
  "fleet.clock": {
    levels: ["warn"],
    sentence:
      "The clock of another host is more than a minute off the one of the stream's server (`ahead_ms`, less than 0 where it is behind), or its signals lie further in the future than `fleet.fresh`.",
    data: { host: "string", ahead_ms: "number" },
  },
  "fleet.conflict": {
    levels: ["error"],
    sentence: "Two kernels send under one `host`: as the host itself notices, or as another host that receives both.",
    data: { host: "string" },
  },
  "fleet.copied": {
    levels: ["warn"],
    sentence:
      "The stream has signals under ids of this host that its data does not have: the data was put back by copy, or a copy of it runs elsewhere. What it makes leaves under another epoch.",
    data: { epoch: "string" },
  },
  "fleet.rewound": {
    levels: ["warn"],
    sentence: "The stream has lost frames that it had acknowledged. They are sent again.",
    data: null,
  },
  "fleet.server": {
    levels: ["warn"],
    sentence:
      "The server of `fleet` runs, and is not what it should be: an old version, or a setting that can lose frames. Logged once for each server and version.",
    data: null,
  },
  "fleet.lost": {
    levels: ["warn"],
    sentence: "Retention has removed signals of this host before they could leave. Those who receive count them too.",
    data: { lost: "number" },
  },
  "fleet.joined": {
    levels: ["info"],
    sentence: "Another host is heard for the first time.",
    data: { host: "string" },
  },
  "fleet.forgotten": {
    levels: ["info"],
    sentence:
      "A person had this host forget another one (`nerve fleet forget`). If it sends again, it is new (`fleet.joined`).",
    data: { host: "string" },
  },
  "fleet.anew": {
    levels: ["info"],
    sentence: "The ids of another host begin anew: a copy of its data was put back, or its power failed.",
    data: { host: "string", epoch: "string", "count?": "number" },
  },
  "fleet.gap": {
    levels: ["warn"],
    sentence: "Signals of another host are missing here: retention took them there, or the stream lost them for good.",
    data: missing,
  },
  "fleet.refused": {
    levels: ["warn"],
    sentence: "What came under the name of another host cannot be read. Its signals are missing here; others go on.",
    data: missing,
  },
  "fleet.late": {
    levels: ["warn"],
    sentence:
      "Signals of another host were older than `fleet.fresh` when they came: they are stored, and no reflex looks at them.",
    data: { host: "string", late: "number", "count?": "number" },
  },
} as const satisfies Readonly<Record<string, EventKind>>;
