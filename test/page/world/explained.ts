/** What the reflexes of the made-up host made of their signals. */
import type { Json } from "../../../src/base/json.ts";
import type {
  DecisionFold,
  KeyNow,
  KeySegment,
  ReflexAnswer,
  ShownDecision,
} from "../../../src/web/contract-reflexes.ts";
import { MINUTE, NOW, SECOND, STARTED } from "./shapes.ts";

const ago = (seconds: number): number => NOW - seconds * SECOND;
const segment = (state: KeySegment["state"], from: number, to: number | null): KeySegment => ({
  state,
  from: ago(from),
  to: to === null ? null : ago(to),
});

const keyNow = (key: Json, given: Partial<KeyNow>): KeyNow => ({
  key,
  matching: false,
  matching_since: null,
  for_until: null,
  debounce_until: null,
  counted: 0,
  throttled_until: null,
  signal: null,
  incident: null,
  ...given,
});

const decision = (
  id: number,
  seconds: number,
  key: Json,
  outcome: string,
  because: string,
  given: Partial<ShownDecision>,
): ShownDecision => ({
  id,
  sense: "queue-depth",
  at: ago(seconds),
  key,
  outcome,
  gone: false,
  because,
  mismatches: [],
  matching_since: null,
  later: null,
  run: null,
  silenced_by: null,
  recorded: null,
  halted: null,
  ...given,
});

const fold = (count: number, first: number, newest: ShownDecision): DecisionFold => ({
  count,
  first: { id: newest.id - count + 1, at: ago(first) },
  last: { id: newest.id, at: newest.at },
  newest,
});

export const answer = (reflex: string, given: Partial<ReflexAnswer>): ReflexAnswer => ({
  reflex,
  target: "workflow:note",
  on: ["host-health"],
  enabled: true,
  disabled_since: null,
  silenced: null,
  loaded: true,
  begins_after: 0,
  not_heard: null,
  due_times: [],
  next_due: null,
  signals: [],
  decisions: [],
  next: null,
  pending: [],
  pending_count: 0,
  pending_next: null,
  strips: [],
  replayed: { from: STARTED, to: NOW, signals: 295, whole: true, unreadable: [] },
  ...given,
});

const still = "matches still; `for` counts from its beginning and fires once";
const started = (id: number) => ({ run: { id, state: "completed" as const, error: null } });

const QUEUE: readonly DecisionFold[] = [
  fold(3, 6, decision(985, 0, "mail", "holding", "matches since #969; 15 s run out at 06:28:33", {})),
  fold(56, 166, decision(980, 1, "invoices", "no-match", "`depth` is 5, expected ≥ 500", {})),
  fold(25, 74, decision(978, 2, "thumbnails", "open", "the incident is open already", {})),
  fold(58, 180, decision(975, 9, "mail", "no-match", "`depth` is 14, expected ≥ 500", {})),
  fold(
    1,
    74,
    decision(
      734,
      74,
      "thumbnails",
      "throttled",
      "the 15 s were over, but it had fired 1 min 12 s before; throttle 2 min",
      {},
    ),
  ),
  fold(10, 119, decision(640, 92, "thumbnails", "no-match", "`depth` is 35, expected ≥ 500", {})),
  fold(9, 146, decision(560, 122, "thumbnails", "no-edge", still, {})),
  fold(1, 146, decision(491, 146, "thumbnails", "fired", "fired after 15 s", started(5))),
  fold(44, 293, decision(480, 164, "thumbnails", "no-match", "`depth` is 62, expected ≥ 500", {})),
  fold(
    1,
    169,
    decision(423, 169, "invoices", "holding", "", {
      later: { kind: "broken-off", signal: 430, at: ago(160) },
      because: "`depth` fell to 3 after 9.0 s, under the 15 s of `for`",
    }),
  ),
  fold(38, 292, decision(420, 181, "invoices", "no-match", "`depth` is 5, expected ≥ 500", {})),
  fold(13, 219, decision(390, 183, "mail", "no-edge", still, {})),
  fold(1, 222, decision(247, 222, "mail", "fired", "fired after 15 s", started(3))),
  fold(19, 294, decision(240, 240, "mail", "no-match", "`depth` is 387, expected ≥ 500", {})),
];

const TROUBLE: readonly KeySegment[] = [
  segment("pending", 244, 224),
  segment("matching", 224, 196),
  segment("pending", 95, 84),
  segment("pending", 38, 18),
  segment("matching", 18, null),
  segment("throttled", 224, 44),
  segment("throttled", 18, null),
];

export const EXPLAINED: Readonly<Record<string, ReflexAnswer>> = {
  "queue-stuck": answer("queue-stuck", {
    target: "workflow:drain",
    on: ["queue-depth"],
    decisions: QUEUE,
    pending: [
      keyNow("mail", { matching: true, matching_since: { signal: 969, at: ago(6) }, for_until: NOW + 9_000 }),
      keyNow("thumbnails", {
        matching: true,
        matching_since: { signal: 692, at: ago(89) },
        throttled_until: null,
        incident: { id: 5, opened_at: ago(74), acked: false },
      }),
    ],
    strips: [
      {
        key: "mail",
        segments: [
          segment("pending", 237, 222),
          segment("matching", 222, 180),
          segment("throttled", 222, 102),
          segment("pending", 6, null),
        ],
        fired: [ago(222)],
      },
      {
        key: "thumbnails",
        segments: [
          segment("pending", 161, 146),
          segment("matching", 146, 119),
          segment("throttled", 146, 26),
          segment("pending", 89, 74),
          segment("incident", 74, null),
        ],
        fired: [ago(146)],
      },
      { key: "invoices", segments: [segment("pending", 178, 169)], fired: [] },
    ],
  }),
  "page-on-trouble": answer("page-on-trouble", {
    target: "workflow:page",
    pending: [
      keyNow("vm", {
        matching: true,
        matching_since: { signal: 864, at: ago(38) },
        throttled_until: NOW + 162_000,
        incident: { id: 6, opened_at: ago(18), acked: true },
      }),
    ],
    strips: [{ key: "vm", segments: TROUBLE, fired: [ago(224), ago(18)] }],
  }),
  "trouble-over": answer("trouble-over", {
    pending: [keyNow("vm", { matching: true, matching_since: { signal: 864, at: ago(38) } })],
    strips: [
      {
        key: "vm",
        segments: [
          segment("matching", 244, 196),
          segment("pending", 196, 181),
          segment("matching", 95, 84),
          segment("pending", 84, 69),
          segment("matching", 38, null),
        ],
        fired: [ago(181), ago(69)],
      },
    ],
  }),
  "sense-trouble": answer("sense-trouble", {
    on: ["self"],
    pending: [
      keyNow(null, { matching: true, matching_since: { signal: 3, at: ago(294) }, throttled_until: NOW + 306_000 }),
    ],
    strips: [
      { key: null, segments: [segment("matching", 294, null), segment("throttled", 294, null)], fired: [ago(294)] },
    ],
  }),
  "disk-full": answer("disk-full", {
    on: ["disk-root", "disk-tmp"],
    silenced: { pattern: "disk-full", why: "disk in bay 2 is being replaced", until: NOW + 59 * MINUTE },
    strips: [
      { key: "/", segments: [], fired: [] },
      { key: "/tmp", segments: [], fired: [] },
    ],
  }),
};
