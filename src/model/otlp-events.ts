/** The events of what is sent by OTLP: a part of the table of events. */
import type { EventKind } from "./event-kind.ts";

const kind = { kind: "string" } as const;

export const OTLP_EVENT_KINDS = {
  "otlp.connected": {
    levels: ["info"],
    sentence: "The receiver of `otlp` takes what is sent of a `kind`: `signals`, `logs` or `runs`.",
    data: kind,
  },
  "otlp.offline": {
    levels: ["warn"],
    sentence: "The receiver of `otlp` does not answer. Rows wait in logs.db, and nerve tries again by itself.",
    data: kind,
  },
  "otlp.blocked": {
    levels: ["error"],
    sentence:
      "The receiver of `otlp` answers and takes nothing for now: a wrong key or path, too much at once, or a fault of its own. Rows wait.",
    data: kind,
  },
  "otlp.refused": {
    levels: ["warn"],
    sentence:
      "The receiver of `otlp` refused rows for good, and they are passed over. Said once until a request is taken whole, and once more where all is refused that was a part; `nerve status` counts all.",
    data: { ...kind, refused: "number" },
  },
  "otlp.lost": {
    levels: ["warn"],
    sentence: "Retention has removed rows before they could be sent by `otlp`.",
    data: { ...kind, lost: "number" },
  },
} as const satisfies Readonly<Record<string, EventKind>>;
