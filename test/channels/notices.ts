/** Notices as incidents, signals and authors make them, for every kind of channel. */
import { noticeOf, noticeOfWords, type Occasion, type Trigger } from "../../src/channels/notice.ts";
import type { ChannelConfig } from "../../src/model/channel.ts";
import type { TriggerIncident } from "../../src/model/incident.ts";
import type { Cause, Notice } from "../../src/model/notice.ts";

export const TELLER = { host: "web1", scope: "nerve/web1/0123456789abcdef", now: 1_764_331_200_000 };

export const incident = (some: Partial<TriggerIncident> = {}): TriggerIncident => ({
  id: 7,
  notification: "opened",
  state: "open",
  reason: null,
  severity: "critical",
  summary: "/srv is 91.2 % full",
  opened_at: 1_764_331_140_000,
  duration_ms: 60_000,
  count: 1,
  acked_by: null,
  suppressed_ms: 0,
  suppressed_by: [],
  ...some,
});

export const told = (some: Partial<Trigger> = {}): Trigger => ({
  id: 41,
  sense: "disks",
  at: 1_764_331_200_000,
  payload: { path: "/srv", used_percent: 91.2, free_bytes: 1 },
  reflex: "disk-full",
  key: "/srv",
  due: null,
  incident: incident(),
  batch: null,
  ...some,
});

/** The trigger of a run that waited for others. */
export const batch = (items: readonly Occasion[], more = 0): Trigger => ({ ...told(), batch: { items, more } });

export const disk = (n: number, some: Partial<TriggerIncident> = {}): Occasion => ({
  ...told(),
  id: n,
  key: `/mnt/${n}`,
  payload: { path: `/mnt/${n}`, used_percent: 91.2 },
  incident: incident({ id: n, summary: `/mnt/${n} is 91.2 % full`, ...some }),
});

const HUNDRED = Array.from({ length: 100 }, (_, n) => disk(n + 1));
const RESOLVED = { notification: "resolved", state: "resolved", duration_ms: 745_000 } as const;

export const CAUSE: Cause = {
  rule: { used_percent: "number >= 90" },
  warnings: [{ at: 1_764_331_199_000, source: "sense:disks", message: "statfs took 812 ms" }],
  processes: [
    { pid: 812, name: "postgres", cpuPercent: 87.4, rssBytes: 734_003_200 },
    { pid: 9, name: "tar", cpuPercent: 12.1, rssBytes: null },
  ],
};

export const NOTICES: Readonly<Record<string, Notice>> = {
  opened: noticeOf(TELLER, 12, told(), CAUSE),
  reminded: noticeOf(
    TELLER,
    13,
    told({ incident: incident({ notification: "reminded", duration_ms: 14_460_000, count: 3 }) }),
    null,
  ),
  resolved: noticeOf(
    TELLER,
    14,
    told({
      incident: incident({
        notification: "resolved",
        state: "resolved",
        duration_ms: 745_000,
        acked_by: "ada",
        suppressed_ms: 7_380_000,
        suppressed_by: ["quiet_hours"],
      }),
    }),
    null,
  ),
  signal: noticeOf(TELLER, 15, told({ incident: null, key: null }), null),
  hundred: noticeOf(TELLER, 16, batch(HUNDRED), CAUSE),
  mixed: noticeOf(TELLER, 17, batch([disk(1, RESOLVED), disk(2, { severity: "warning" }), disk(3)]), CAUSE),
  cut: noticeOf(
    TELLER,
    18,
    batch(
      HUNDRED.map((item, n) => ({
        ...item,
        incident: incident({ id: n + 1, summary: `${item.key} is full: ${"x".repeat(150)}` }),
      })),
      250,
    ),
    null,
  ),
  one: noticeOf(TELLER, 19, batch([disk(1, RESOLVED)]), CAUSE),
  words: noticeOfWords(TELLER, "0".repeat(32), {
    title: "the backup is done",
    text: "12 GiB\nin 4 min",
    severity: "info",
  }),
};

/** Everything that some channel acts on, and more of it than any channel takes. */
export const HOSTILE =
  "*_<@everyone>\n</script>\r\nX-Injected: 1\u0000\u202e[a](javascript:x)`{{ payload.x }}`$(id)<!channel> ";
const LONG = HOSTILE.repeat(Math.ceil(65_536 / HOSTILE.length)).slice(0, 65_536);

const HOSTILE_INCIDENT = incident({
  summary: LONG,
  reason: LONG,
  acked_by: LONG,
  suppressed_ms: 1_000,
  suppressed_by: [LONG],
  count: 2,
});
const HOSTILE_TOLD = told({
  payload: { used_percent: LONG },
  reflex: LONG,
  sense: LONG,
  key: [LONG, LONG],
  incident: HOSTILE_INCIDENT,
});
const HOSTILE_CAUSE: Cause = {
  rule: { used_percent: LONG },
  warnings: [1, 2, 3].map((at) => ({ at, source: LONG, message: LONG })),
  processes: [1, 2, 3, 4].map((pid) => ({ pid, name: LONG, cpuPercent: 1, rssBytes: 1 })),
};

export const HOSTILE_NOTICES: Readonly<Record<string, Notice>> = {
  incident: noticeOf(TELLER, 1, HOSTILE_TOLD, HOSTILE_CAUSE),
  signal: noticeOf(TELLER, 1, { ...HOSTILE_TOLD, incident: null, payload: { title: LONG, text: LONG } }, HOSTILE_CAUSE),
  batch: noticeOf(
    TELLER,
    1,
    { ...HOSTILE_TOLD, batch: { items: [HOSTILE_TOLD, { ...HOSTILE_TOLD, incident: null }], more: 3 } },
    HOSTILE_CAUSE,
  ),
  words: noticeOfWords(TELLER, "1".repeat(32), { title: LONG, text: LONG, severity: "critical" }),
};

export const CHANNELS = {
  ntfy: { kind: "ntfy", name: "phone", url: "https://ntfy.example.org/web1", token: "tk_secret" },
  slack: { kind: "slack", name: "team", url: "https://hooks.slack.example.org/services/T/B/secret" },
  discord: { kind: "discord", name: "team", url: "https://discord.example.org/api/webhooks/1/secret" },
  telegram: { kind: "telegram", name: "me", url: "https://api.telegram.org", token: "12:secret", chatId: "-100" },
  pagerduty: {
    kind: "pagerduty",
    name: "duty",
    url: "https://events.pagerduty.com/v2/enqueue",
    routingKey: "R0secret",
  },
  alertmanager: { kind: "alertmanager", name: "am", url: "http://127.0.0.1:9093/" },
} as const satisfies Readonly<Record<string, ChannelConfig>>;

export const MAIL = {
  kind: "smtp",
  name: "mail",
  host: "127.0.0.1",
  port: 587,
  tls: "starttls",
  user: null,
  password: null,
  from: "nerve <nerve@web1.example.org>",
  to: ["ops@example.org"],
} as const satisfies ChannelConfig;
