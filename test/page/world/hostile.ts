/** A host whose every text is hostile: markup, direction marks, escapes, and names that are long. */
import { answer, EXPLAINED } from "./explained.ts";
import { FLEET, hostRow } from "./fleet.ts";
import { LIVE, STATUS } from "./live.ts";
import { incident, log, NOW, reflex, run, sense, signal, traceOf } from "./shapes.ts";
import type { World } from "./world.ts";

export const MARKUP = '<img src=x onerror="self.owned = 1"><script>self.owned = 1</script>';
const BIDI = "\u202egnp.exe\u2066 \u200f";
const ESCAPES = "\u001b[31mred\u001b[0m\u0000\u0007";
const TEXT = `${MARKUP}${BIDI}${ESCAPES}`;
const LONG = "x".repeat(300);

const payload = { [MARKUP]: TEXT, status: TEXT, top_cpu: [{ pid: 1, name: MARKUP, cpu_percent: 99 }], note: LONG };
const processes = signal(7, "processes", NOW - 1_000, payload, { trace: traceOf(7) });

export const HOSTILE: World = {
  ...LIVE,
  host: MARKUP,
  status: {
    ...STATUS,
    kernel: { ...STATUS.kernel, store: TEXT },
    broken_workflows: [{ name: "page", reason: TEXT }],
    fleet: { ...FLEET, out: { ...FLEET.out, why: TEXT } },
    failures: [{ id: 9, run: 1, workflow: "page", state: "failed", error: TEXT, at: NOW - 5_000 }],
  },
  senses: [
    sense("processes", { state: "failing", errors: 3, reason: TEXT, last: processes, place: MARKUP }),
    ...LIVE.senses.slice(0, 3),
  ],
  signals: [processes],
  logs: [
    log(1, NOW - 900, { message: TEXT, data: payload, trace: traceOf(7) }),
    log(2, NOW - 800, {
      event: "reflex.fired",
      source: "reflex:queue-stuck",
      message: TEXT,
      data: { signal: 7, key: TEXT, run: 1 },
      trace: traceOf(7),
    }),
    log(3, NOW - 700, {
      run: 1,
      level: "error",
      source: "workflow:page",
      event: "step.failed",
      message: TEXT,
      data: { step: MARKUP, nth: 0, attempt: 1, error: TEXT, duration_ms: 4, until: null },
      trace: traceOf(7),
    }),
  ],
  runs: [
    run(1, "page", {
      state: "failed",
      error: TEXT,
      key: TEXT,
      reflex: "queue-stuck",
      input: payload,
      output: { [MARKUP]: LONG },
      trace: traceOf(7),
      signal_id: 7,
    }),
  ],
  incidents: [
    incident(1, { summary: TEXT, key: TEXT, acked_by: MARKUP, state: "acked", reason: TEXT, trace: traceOf(7) }),
  ],
  reflexes: [
    reflex("queue-stuck", "workflow:drain", {
      on: ["processes"],
      words: [`when name '${MARKUP}'`, "for 15s"],
      key: MARKUP,
      keys: 1,
      pending: 1,
    }),
  ],
  explained: {
    "queue-stuck": answer("queue-stuck", {
      silenced: { pattern: MARKUP, why: TEXT, until: NOW + 9_000 },
      strips: [{ key: TEXT, segments: [], fired: [NOW - 800] }],
      decisions: (EXPLAINED["queue-stuck"]?.decisions ?? []).map((fold) => ({
        ...fold,
        newest: { ...fold.newest, key: TEXT, because: `\`${MARKUP}\` is ${TEXT}` },
      })),
    }),
  },
  hosts: [hostRow(TEXT, "silent", NOW - 90_000, 3)],
  silences: [{ pattern: MARKUP, why: TEXT, at: NOW, until: NOW + 60_000, reflexes: [MARKUP] }],
  config: { [MARKUP]: TEXT },
};
