/** `incident` and `quiet_hours`: what they may say, and what is said about what they may not. */
import { describe, expect, test } from "bun:test";
import { parseWholeContract } from "../../src/config/parse.ts";
import { formatProblem } from "../../src/model/problem.ts";

const HEAD = "senses: { disks: , host: }\nworkflows: { notify: { use: exec }, call: { use: exec } }\n";
const reflex = (words: string): string =>
  `${HEAD}reflexes: [{ name: full, workflow: notify, on: [disks], key: path, when: { v: number > 1 }, ${words} }]`;
const saidOf = (text: string): string[] => {
  const parsed = parseWholeContract(text);
  return parsed.ok ? [] : parsed.error.map((one) => formatProblem(one));
};

describe("an incident", () => {
  test("holds everything that was said, and nothing else", () => {
    const parsed = parseWholeContract(
      `${HEAD}quiet_hours: [{ from: "22:00", to: "07:00", tz: Europe/Berlin, days: [mon, sun] }, { below: warning, from: 0:30, to: "24:00" }]
reflexes:
  - { name: host-down, workflow: call, on: [host], when: { up: "false" }, incident: { } }
  - name: full
    workflow: notify
    on: [disks]
    each: mounts
    key: path
    when: { used: number >= 90 }
    clear: { used: number < 80 }
    for: 1m
    incident: { severity: critical, summary: "{{ payload.path }} is full", resolve_after: 2m, remind_every: 4h, escalate: [{ after: 30m, workflow: call }], inhibited_by: [host-down] }`,
    );
    if (!parsed.ok) throw new Error(parsed.error.map((one) => formatProblem(one)).join("\n"));
    const { reflexes, quietHours } = parsed.value;
    expect(reflexes[0]).toMatchObject({
      incident: {
        severity: null,
        summary: null,
        resolveAfterMs: null,
        remindEveryMs: null,
        escalate: [],
        inhibitedBy: [],
      },
    });
    expect(reflexes[1]).toMatchObject({
      incident: {
        severity: "critical",
        summary: "{{ payload.path }} is full",
        resolveAfterMs: 120_000,
        remindEveryMs: 14_400_000,
        escalate: [{ afterMs: 1_800_000, workflow: "call" }],
        inhibitedBy: ["host-down"],
      },
    });
    expect(quietHours).toEqual([
      { below: "critical", fromMinute: 1_320, toMinute: 420, tz: "Europe/Berlin", days: ["mon", "sun"] },
      { below: "warning", fromMinute: 30, toMinute: 1_440, tz: null, days: null },
    ]);
  });

  test("is absent as null, and `resolve_after: 0` as none", () => {
    const parsed = parseWholeContract(reflex("incident: { resolve_after: 0 }"));
    expect(parsed).toMatchObject({ ok: true, value: { reflexes: [{ incident: { resolveAfterMs: null } }] } });
    const without = parseWholeContract(reflex("for: 1m"));
    expect(without).toMatchObject({ ok: true, value: { quietHours: [], reflexes: [{ incident: null }] } });
  });
});

describe("is refused, with the place and the remedy:", () => {
  test.each<[string, string, readonly string[]]>([
    [
      "edge",
      reflex("edge: rising, incident: { }"),
      [
        "nerve.yaml:3:93: `reflexes[0].edge` cannot be used with `incident`; an incident opens when matching begins, and resolves when it ends: remove `edge`",
      ],
    ],
    [
      "count",
      reflex("count: { n: 2, within: 1m }, incident: { }"),
      [
        "nerve.yaml:3:93: `reflexes[0].count` cannot be used with `incident`; let the sense count, and write `when: { failures: number >= 3 }`",
      ],
    ],
    [
      "debounce",
      reflex("debounce: { wait: 1s }, incident: { }"),
      [
        "nerve.yaml:3:93: `reflexes[0].debounce` cannot be used with `incident`; write `for` to wait before the opening, `incident.resolve_after` to wait before the resolution",
      ],
    ],
    [
      "throttle",
      reflex("throttle: 1m, incident: { }"),
      [
        "nerve.yaml:3:93: `reflexes[0].throttle` cannot be used with `incident`; an incident is reported once: write `incident.resolve_after` for one that comes and goes",
      ],
    ],
    [
      "no when",
      `${HEAD}reflexes: [{ workflow: notify, on: [disks], incident: { } }]`,
      ["nerve.yaml:3:45: `reflexes[0].incident` has no meaning without `when`; add `when`, or remove `incident`"],
    ],
    [
      "no on",
      `${HEAD}reflexes: [{ workflow: notify, when: { v: number > 1 }, incident: { } }]`,
      [
        "nerve.yaml:3:12: `reflexes[0]` has no trigger; add `interval`, `cron`, `on_start: true` or `on`",
        "nerve.yaml:3:32: `reflexes[0].when` has no meaning without `on`; add `on`, or remove `when`",
        "nerve.yaml:3:57: `reflexes[0].incident` has no meaning without `on`; add `on`, or remove `incident`",
      ],
    ],
    [
      "a sense reflex",
      `${HEAD}reflexes: [{ sense: disks, on: [host], when: { v: "1" }, incident: { } }]`,
      [
        "nerve.yaml:3:58: `reflexes[0].incident` has no meaning in a reflex that runs a sense; start a workflow, which reports it",
      ],
    ],
    [
      "two senses",
      `${HEAD}reflexes: [{ workflow: notify, on: [disks, host], when: { v: "1" }, incident: { } }]`,
      [
        "nerve.yaml:3:69: `reflexes[0].incident` mixes up the signals of 2 senses: they share one state without a `key`; add `key: $sense` (one state a sense), a payload path, or `key: $one` (one state for all)",
      ],
    ],
    [
      "severity",
      reflex("incident: { severity: crit }"),
      ['nerve.yaml:3:115: `reflexes[0].incident.severity` must be info, warning or critical, found "crit"'],
    ],
    [
      "severity's template",
      reflex('incident: { severity: "{{ level }}" }'),
      [
        'nerve.yaml:3:115: `reflexes[0].incident.severity` must be a text that fills in only {{ payload.PATH }}, {{ signal.PATH }}, {{ reflex }}, {{ sense }}, {{ host }}, {{ key }}, {{ at }} and {{ id }}, found "{{ level }}"',
      ],
    ],
    [
      "summary",
      reflex('incident: { summary: "{{ payload.x }} {{ now() }}" }'),
      [
        'nerve.yaml:3:114: `reflexes[0].incident.summary` must be a text that fills in only {{ payload.PATH }}, {{ signal.PATH }}, {{ reflex }}, {{ sense }}, {{ host }}, {{ key }}, {{ at }} and {{ id }}, found "{{ payload.x }} {{ now() }}"',
      ],
    ],
    [
      "remind_every",
      reflex("incident: { remind_every: 0 }"),
      ["nerve.yaml:3:119: `reflexes[0].incident.remind_every` must be longer than 0, found the number 0"],
    ],
    [
      "a key",
      reflex("incident: { remind: 4h }"),
      ["nerve.yaml:3:105: `reflexes[0].incident.remind` is not a known key; did you mean `remind_every`?"],
    ],
    [
      "escalate",
      reflex("incident: { escalate: [{ after: 0s, workflow: call }, { workflow: cal }, { after: 1m }] }"),
      [
        'nerve.yaml:3:125: `reflexes[0].incident.escalate[0].after` must be longer than 0, found "0s"',
        "nerve.yaml:3:147: `reflexes[0].incident.escalate[1].after` is missing; write `{ after: 30m, workflow: NAME }`",
        "nerve.yaml:3:166: `reflexes[0].incident.escalate[2].workflow` is missing; write `{ after: 30m, workflow: NAME }`",
      ],
    ],
    [
      "an unknown reflex",
      reflex("incident: { inhibited_by: [ful] }"),
      [
        'nerve.yaml:3:120: `reflexes[0].incident.inhibited_by[0]` is "ful", and there is no reflex of that name; did you mean `full`?',
      ],
    ],
    [
      "itself",
      reflex("incident: { inhibited_by: [full] }"),
      [
        "nerve.yaml:3:120: incidents hold one another back without end: full → full; take one of these out of `inhibited_by`",
      ],
    ],
    [
      "a reflex without an incident",
      `${reflex("incident: { inhibited_by: [other, other] }").slice(0, -1)}, { name: other, workflow: call, on: [host] }]`,
      [
        'nerve.yaml:3:120: `reflexes[0].incident.inhibited_by[0]` is "other", a reflex without `incident`, which has nothing open; give it an `incident`',
        'nerve.yaml:3:127: `reflexes[0].incident.inhibited_by[1]` is "other", which is listed already; remove it',
        'nerve.yaml:3:127: `reflexes[0].incident.inhibited_by[1]` is "other", a reflex without `incident`, which has nothing open; give it an `incident`',
      ],
    ],
    [
      "a cycle",
      `${reflex("incident: { inhibited_by: [b] }").slice(0, -1)}, { name: b, workflow: call, on: [host], when: { v: "1" }, incident: { inhibited_by: [full] } }]`,
      [
        "nerve.yaml:3:120: incidents hold one another back without end: full → b → full; take one of these out of `inhibited_by`",
      ],
    ],
    [
      "quiet hours without an end",
      `${HEAD}quiet_hours: [{ from: "22:00" }]`,
      ["nerve.yaml:3:15: `quiet_hours[0].to` is missing"],
    ],
    [
      "a time",
      `${HEAD}quiet_hours: [{ from: "25:00", to: 7am }]`,
      [
        'nerve.yaml:3:23: `quiet_hours[0].from` must be a time of the day such as "22:00", found "25:00"',
        'nerve.yaml:3:36: `quiet_hours[0].to` must be a time of the day such as "22:00", found "7am"',
      ],
    ],
    [
      "an empty window",
      `${HEAD}quiet_hours: [{ from: "07:00", to: "07:00" }]`,
      [
        'nerve.yaml:3:36: `quiet_hours[0].to` must be another time than `from` ("07:00"), found "07:00"; write from: "00:00", to: "24:00" for the whole day',
      ],
    ],
    [
      "a day, a zone, a severity",
      `${HEAD}quiet_hours: [{ below: info, from: "1:00", to: "2:00", tz: Mars, days: [monday] }]`,
      [
        'nerve.yaml:3:24: `quiet_hours[0].below` must be warning or critical, found "info"; nothing is below `info`',
        'nerve.yaml:3:60: `quiet_hours[0].tz` must be a time zone such as Europe/Berlin, found "Mars"',
        'nerve.yaml:3:73: `quiet_hours[0].days[0]` must be mon, tue, wed, thu, fri, sat or sun, found "monday"',
      ],
    ],
    [
      "no day",
      `${HEAD}quiet_hours: [{ from: "1:00", to: "2:00", days: [] }]`,
      ["nerve.yaml:3:49: `quiet_hours[0].days` must be a list of at least one day, found an empty list"],
    ],
    [
      "a map",
      `${HEAD}quiet_hours: { from: "1:00", to: "2:00" }`,
      ["nerve.yaml:3:14: `quiet_hours` must be a list of times, found a map; begin each item of the list with `- `"],
    ],
  ])("%s", (_, text, says) => {
    expect(saidOf(text)).toEqual([...says]);
  });
});
