// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax under test
/** Every mistake a configuration can hold, and what is said about it, word for word. */
import { describe, expect, test } from "bun:test";
import { parseWholeContract } from "../../src/config/parse.ts";
import { formatProblem } from "../../src/model/problem.ts";
import { around } from "../helpers/config.ts";

interface Case {
  readonly config: string;
  readonly says: readonly string[];
}

const withSenses = (rest: string): string => `senses: { load: , mem: }\n${rest}`;
const environment = { SECRET: "hunter2-secret", FIVE: "5", EMPTY: "", DUR: "5s", TYPE: "string" };

const CASES: readonly Case[] = [
  {
    config: "- a\n- b",
    says: [
      "nerve.yaml:1:1: the file must be a map of keys such as `senses`, found a list; write keys, as in `senses: { load: }`",
    ],
  },
  {
    config: "senses: [",
    says: ["nerve.yaml:1:10: this is not valid YAML: the [ in line 1 is not closed"],
  },
  {
    config: "senses:\n\tload:",
    says: ["nerve.yaml:2:1: this is not valid YAML: a tab indents this line; use spaces"],
  },
  {
    config: "a: b: c",
    says: [
      "nerve.yaml:1:4: this is not valid YAML: a second `key: value` on one line; quote the text, or put the map on lines of its own",
    ],
  },
  {
    config: "data: @x",
    says: ["nerve.yaml:1:7: this is not valid YAML: plain value cannot start with reserved character @"],
  },
  {
    config: 'data: "abc',
    says: ['nerve.yaml:1:7: this is not valid YAML: the text that begins with " here has no closing "'],
  },
  {
    config: "senses: { a: 1",
    says: ["nerve.yaml:1:15: this is not valid YAML: the { in line 1 is not closed"],
  },
  {
    config: "data: |x\n a",
    says: [
      "nerve.yaml:1:8: this is not valid YAML: nothing fits here; a quote, comma, bracket or `:` further up may be missing or one too many",
    ],
  },
  {
    config: "? [a]\n: 1",
    says: ["nerve.yaml:1:3: a key in the file is not a word"],
  },
  {
    config: ": 1",
    says: ["nerve.yaml:1:1: a key in the file is not a word"],
  },
  {
    config: "data: 'a' b",
    says: [
      "nerve.yaml:1:11: this is not valid YAML: nothing fits here; a quote, comma, bracket or `:` further up may be missing or one too many",
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], when: {s: 'a' | 'b'}}]"),
    says: [
      "nerve.yaml:2:51: this is not valid YAML: the text ends at the quote before `|`; quote the whole pattern, as in \"'critical' | 'warning'\"",
    ],
  },
  {
    config: "a: ]",
    says: [
      "nerve.yaml:1:4: this is not valid YAML: nothing fits here; a quote, comma, bracket or `:` further up may be missing or one too many",
    ],
  },
  {
    config: "data: a\n  b: c",
    says: [
      "nerve.yaml:1:7: this is not valid YAML: a second `key: value` on one line; quote the text, or put the map on lines of its own",
    ],
  },
  {
    config: "data: &d ./x",
    says: ["nerve.yaml:1:7: the anchor `&d` is not allowed; anchors are not supported, write the value out"],
  },
  {
    config: "data: *d",
    says: ["nerve.yaml:1:7: the alias `*d` is not allowed; aliases are not supported, write the value out"],
  },
  {
    config: "data: !env X",
    says: ["nerve.yaml:1:7: the tag `!env` is not allowed; tags are not supported, remove it"],
  },
  {
    config: "%YAML 1.1\n---\ndata: x",
    says: ["nerve.yaml:1:1: the directive `%YAML 1.1` is not allowed; directives are not supported, remove it"],
  },
  {
    config: "data: x\n---\ndata: y",
    says: ["nerve.yaml:2:1: a second document begins here; put everything into one document"],
  },
  {
    config: "data: x\n...\ny",
    says: ["nerve.yaml:3:1: a second document begins here; put everything into one document"],
  },
  {
    config: "senses:\n  <<: {}\n  load:",
    says: ["nerve.yaml:2:3: merge keys (`<<`) are not supported; write the values out"],
  },
  {
    config: "---\n---\n",
    says: ["nerve.yaml:2:1: a second document begins here; put everything into one document"],
  },
  {
    config: "senses:\n  __proto__: {}\n",
    says: ["nerve.yaml:2:3: `__proto__` is not allowed as a key; choose another name"],
  },
  {
    config: "senses: {load: {with: {constructor: 1}}}",
    says: ["nerve.yaml:1:24: `constructor` is not allowed as a key; choose another name"],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], when: {prototype: string}}]"),
    says: ["nerve.yaml:2:44: `prototype` is not allowed as a key; choose another name"],
  },
  {
    config: "sense: {}\n",
    says: ["nerve.yaml:1:1: `sense` is not a known key; did you mean `senses`?"],
  },
  {
    config: "zebra: 1\n",
    says: [
      "nerve.yaml:1:1: `zebra` is not a known key; valid here: include, data, host, durability, watchdog, quiet_hours, http, push, fleet, otlp, retention, groups, senses, reflexes, workflows, channels",
    ],
  },
  {
    config: "senses: {load: {grop: a}}",
    says: ["nerve.yaml:1:17: `senses.load.grop` is not a known key; did you mean `group`?"],
  },
  {
    config: withSenses("senses: {}"),
    says: ["nerve.yaml:2:1: `senses` is given twice, first at nerve.yaml:1:1; keep one of them"],
  },
  {
    config: "senses:\n  load:\n  load:\n",
    says: ["nerve.yaml:3:3: `senses.load` is given twice, first at nerve.yaml:2:3; keep one of them"],
  },
  {
    config: "data: 5",
    says: ['nerve.yaml:1:7: `data` must be a path such as ./data, found the number 5; quote it: "5"'],
  },
  {
    config: "data: [a]",
    says: ["nerve.yaml:1:7: `data` must be a path such as ./data, found a list"],
  },
  {
    config: "data:",
    says: ["nerve.yaml:1:6: `data` must be a path such as ./data, found nothing"],
  },
  {
    config: "data: ''",
    says: ['nerve.yaml:1:7: `data` must be a path such as ./data, found ""'],
  },
  {
    config: "durability: ful",
    says: ['nerve.yaml:1:13: `durability` must be full or normal, found "ful"; did you mean `full`?'],
  },
  {
    config: "durability: true",
    says: ["nerve.yaml:1:13: `durability` must be full or normal, found the boolean true"],
  },
  {
    config: "http: 4280",
    says: ["nerve.yaml:1:7: `http` must be an address and port such as 127.0.0.1:4280, found the number 4280"],
  },
  {
    config: "http: localhost",
    says: ['nerve.yaml:1:7: `http` must be an address and port such as 127.0.0.1:4280, found "localhost"'],
  },
  {
    config: "http: 127.0.0.1:70000",
    says: ['nerve.yaml:1:7: `http` must be an address and port such as 127.0.0.1:4280, found "127.0.0.1:70000"'],
  },
  {
    config: "retention: 30d",
    says: ['nerve.yaml:1:12: `retention` must be a map, found "30d"; its keys are logs, signals, archive'],
  },
  {
    config: "retention: {logs: 30}",
    says: [
      "nerve.yaml:1:19: `retention.logs` must be a duration such as 30s, found the number 30; add a unit: ms, s, m, h or d",
    ],
  },
  {
    config: "retention: {signals: 0d}",
    says: ['nerve.yaml:1:22: `retention.signals` must be longer than 0, found "0d"'],
  },
  {
    config: "retention: {log: 3d}",
    says: ["nerve.yaml:1:13: `retention.log` is not a known key; did you mean `logs`?"],
  },
  {
    config: "groups: {system: {memory: 256}}",
    says: [
      "nerve.yaml:1:27: `groups.system.memory` must be a size such as 256mb, more than 0, found the number 256; add a unit: b, kb, mb or gb",
    ],
  },
  {
    config: "groups: {system: {memory: 0mb}}",
    says: [
      'nerve.yaml:1:27: `groups.system.memory` must be a size such as 256mb, more than 0, found "0mb"; write a whole number and b, kb, mb or gb',
    ],
  },
  {
    config: "groups: {system: {memory: 5tb}}",
    says: [
      'nerve.yaml:1:27: `groups.system.memory` must be a size such as 256mb, more than 0, found "5tb"; write `5120gb`',
    ],
  },
  {
    config: "groups: {Sys: {}}",
    says: [
      'nerve.yaml:1:10: `groups.Sys` must be a name (at most 63 of a-z, 0-9 and -, and no - at its beginning), found "Sys"; write `sys`',
    ],
  },
  {
    config: "groups: [a]",
    says: ["nerve.yaml:1:9: `groups` must be a map, found a list; give each a name: `groups: { NAME: { … } }`"],
  },
  {
    config: "senses: {CPU: }",
    says: [
      'nerve.yaml:1:10: `senses.CPU` must be a name (at most 63 of a-z, 0-9 and -, and no - at its beginning), found "CPU"; write `cpu`',
    ],
  },
  {
    config: "senses: {a_b: }",
    says: [
      'nerve.yaml:1:10: `senses.a_b` must be a name (at most 63 of a-z, 0-9 and -, and no - at its beginning), found "a_b"; write `a-b`',
    ],
  },
  {
    config: "senses: {load: 5}",
    says: ["nerve.yaml:1:16: `senses.load` must be a map, found the number 5"],
  },
  {
    config: "senses: {load: {use: ../x}}",
    says: [
      'nerve.yaml:1:22: `senses.load.use` must be a name (at most 63 of a-z, 0-9 and -, and no - at its beginning), found "../x"',
    ],
  },
  {
    config: "senses: {load: {use: 5}}",
    says: [
      'nerve.yaml:1:22: `senses.load.use` must be a name (at most 63 of a-z, 0-9 and -, and no - at its beginning), found the number 5; quote it: "5"',
    ],
  },
  {
    config: "senses: {load: {group: 'a b'}}",
    says: [
      'nerve.yaml:1:24: `senses.load.group` must be a name (at most 63 of a-z, 0-9 and -, and no - at its beginning), found "a b"',
    ],
  },
  {
    config: "senses: {load: {timeout: 0}}",
    says: ["nerve.yaml:1:26: `senses.load.timeout` must be longer than 0, found the number 0"],
  },
  {
    config: "senses: {load: {timeout: 5}}",
    says: [
      "nerve.yaml:1:26: `senses.load.timeout` must be a duration such as 30s, found the number 5; add a unit: ms, s, m, h or d",
    ],
  },
  {
    config: "senses: {load: {timeout: 1.5s}}",
    says: ['nerve.yaml:1:26: `senses.load.timeout` must be a duration such as 30s, found "1.5s"; write `1500ms`'],
  },
  {
    config: "senses: {load: {timeout: 400000d}}",
    says: ['nerve.yaml:1:26: `senses.load.timeout` must be at most 365000d, found "400000d"'],
  },
  {
    config: "senses: {load: {timeout: soon}}",
    says: [
      'nerve.yaml:1:26: `senses.load.timeout` must be a duration such as 30s, found "soon"; write a whole number and ms, s, m, h or d',
    ],
  },
  {
    config: "senses: {load: {grace_period: -1s}}",
    says: [
      'nerve.yaml:1:31: `senses.load.grace_period` must be a duration such as 30s, found "-1s"; write a whole number and ms, s, m, h or d',
    ],
  },
  {
    config: "senses: {load: {throttle: true}}",
    says: [
      "nerve.yaml:1:27: `senses.load.throttle` must be a duration such as 30s, found the boolean true; write a whole number and ms, s, m, h or d",
    ],
  },
  {
    config: "senses: {load: {with: []}}",
    says: ["nerve.yaml:1:23: `senses.load.with` must be a map of options, found an empty list"],
  },
  {
    config: "senses: {load: {with: {a: .inf}}}",
    says: [
      "nerve.yaml:1:27: `senses.load.with.a` is the number .inf, which no JSON number holds exactly; quote it to pass it as text",
    ],
  },
  {
    config: "senses: {load: {with: {a: 12345678901234567890}}}",
    says: [
      "nerve.yaml:1:27: `senses.load.with.a` is the number 12345678901234567890, which no JSON number holds exactly; quote it to pass it as text",
    ],
  },
  {
    config: "reflexes: {}",
    says: [
      "nerve.yaml:1:11: `reflexes` must be a list of reflexes, found an empty map; begin each item of the list with `- `",
    ],
  },
  {
    config: withSenses("reflexes: [5]"),
    says: ["nerve.yaml:2:12: `reflexes[0]` must be a map, found the number 5"],
  },
  {
    config: withSenses("reflexes:\n  -\n"),
    says: ["nerve.yaml:3:4: `reflexes[0]` must be a map such as { sense: cpu-usage, interval: 1s }, found nothing"],
  },
  {
    config: withSenses("reflexes: [{interval: 1s}]"),
    says: [
      "nerve.yaml:2:12: `reflexes[0]` says neither which sense to run nor which workflow to start; add `sense: NAME` or `workflow: NAME`",
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, workflow: x, interval: 1s}]"),
    says: ["nerve.yaml:2:12: `reflexes[0]` names both a sense and a workflow; make it two reflexes"],
  },
  {
    config: withSenses("reflexes: [{sense: load}]"),
    says: ["nerve.yaml:2:12: `reflexes[0]` has no trigger; add `interval`, `cron`, `on_start: true` or `on`"],
  },
  {
    config: withSenses("reflexes: [{sense: load, on_start: false}]"),
    says: ["nerve.yaml:2:12: `reflexes[0]` has no trigger; add `interval`, `cron`, `on_start: true` or `on`"],
  },
  {
    config: withSenses("watchdog: {url: 'ftp://token@hc.example.org', every: 0s}"),
    says: [
      "nerve.yaml:2:17: `watchdog.url` must be an http or https URL",
      'nerve.yaml:2:54: `watchdog.every` must be longer than 0, found "0s"',
    ],
  },
  {
    config: withSenses("watchdog: {url: 'https://hc.example.org', every: 999ms}"),
    says: ['nerve.yaml:2:50: `watchdog.every` must be at least 1s, found "999ms"'],
  },
  {
    config: withSenses("watchdog: {every: 1m, time: 2m}"),
    says: [
      "nerve.yaml:2:11: `watchdog.url` is missing; write the address to ask for",
      "nerve.yaml:2:23: `watchdog.time` is not a known key; valid here: url, every",
    ],
  },
  {
    config: withSenses("watchdog: https://hc.example.org/ping/token"),
    says: ["nerve.yaml:2:11: `watchdog` must be a map with the key `url`; write `{ url: … }`"],
  },
  {
    config: withSenses("reflexes: [{sense: load, watch: false}]"),
    says: ["nerve.yaml:2:12: `reflexes[0]` has no trigger; add `interval`, `cron`, `on_start: true` or `on`"],
  },
  {
    config: withSenses("reflexes: [{sense: load, watch: yes}]"),
    says: ['nerve.yaml:2:33: `reflexes[0].watch` must be true or false, found "yes"; write `true`'],
  },
  {
    config: withSenses("reflexes: [{sense: load, watch: {flie: /etc/motd}}, {sense: load, watch: {}}]"),
    says: [
      "nerve.yaml:2:34: `reflexes[0].watch.flie` is not a known key; did you mean `file`?",
      "nerve.yaml:2:74: `reflexes[1].watch` does not say what is watched; expected true, { file: PATH }, { dir: PATH, match: PATTERN }, { journal: true }, { inbox: true }, or a list of them",
    ],
  },
  {
    config: withSenses(
      'reflexes: [{sense: load, watch: {file: "/var/log/*.log"}}, {sense: load, watch: {dir: /x, match: a/b}}]',
    ),
    says: [
      "nerve.yaml:2:40: `reflexes[0].watch.file` is the path of one file, found a pattern; write `{ dir: FOLDER, match: PATTERN }` for the files of a folder",
      "nerve.yaml:2:87: `reflexes[1].watch.match` is a pattern for names in the folder, found a path; folders in the folder are not watched: add an entry for each",
    ],
  },
  {
    config: withSenses(
      "reflexes: [{sense: load, watch: {file: a, journal: true}}, {sense: load, watch: {file: a, match: b}}]",
    ),
    says: [
      "nerve.yaml:2:43: `reflexes[0].watch` names two things to watch, file and journal; make it a list",
      "nerve.yaml:2:91: `reflexes[1].watch.match` is for names in a folder, and goes with `dir`; remove it",
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, watch: /etc/motd}, {sense: load, watch: {file: data/logs.db}}]"),
    says: [
      'nerve.yaml:2:33: `reflexes[0].watch` must be true, { file: PATH }, { dir: PATH, match: PATTERN }, { journal: true }, { inbox: true }, or a list of them, found "/etc/motd"; write `{ file: … }`, or `{ dir: …, match: … }` for a folder',
      "nerve.yaml:2:45: `reflexes[1].watch` names data/logs.db, which is in nerve's own data; watch the kernel, or read another sense with `on`",
    ],
  },
  {
    config: withSenses(
      'workflows: {page: {use: exec, with: {command: ["true"]}}}\nreflexes: [{workflow: page, interval: 1s, watch: true}]',
    ),
    says: [
      "nerve.yaml:3:43: `reflexes[0].watch` is not allowed in a workflow reflex; put it into a reflex of the sense, and start the workflow with `on` that sense",
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], deliver: true, key: host, edge: rising, when: {a: '1'}}]"),
    says: [
      "nerve.yaml:2:52: `reflexes[0].key` does not go with `deliver`; every signal is handed over: remove `key`, or let the sense decide",
      "nerve.yaml:2:63: `reflexes[0].edge` does not go with `deliver`; every signal is handed over: remove `edge`, or let the sense decide",
    ],
  },
  {
    config: withSenses(
      "reflexes: [{sense: load, interval: 1s, deliver: true}, {sense: load, on: [mem], deliver: true}, {sense: load, on: [mem], deliver: true}]",
    ),
    says: [
      "nerve.yaml:2:40: `reflexes[0].deliver` has no meaning without `on`; add `on`: the senses whose signals are handed over",
      "nerve.yaml:2:97: `reflexes[2]` delivers to `load`, as another reflex does; put all senses into the `on` of one",
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, interval: 0}]"),
    says: ["nerve.yaml:2:36: `reflexes[0].interval` must be longer than 0, found the number 0"],
  },
  {
    config: withSenses("reflexes: [{sense: laod, interval: 1s}]"),
    says: ['nerve.yaml:2:20: `reflexes[0].sense` is "laod", and there is no sense of that name; did you mean `load`?'],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [men]}]"),
    says: ['nerve.yaml:2:31: `reflexes[0].on[0]` is "men", and there is no sense of that name; did you mean `mem`?'],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: mem}]"),
    says: [
      'nerve.yaml:2:30: `reflexes[0].on` must be a list of senses such as [cpu-usage], found "mem"; put it in brackets: [mem]',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: []}]"),
    says: ["nerve.yaml:2:30: `reflexes[0].on` must be a list of at least one sense, found an empty list"],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem, mem]}]"),
    says: ['nerve.yaml:2:36: `reflexes[0].on[1]` is "mem", which is listed already; remove it'],
  },
  {
    config: "reflexes: [{sense: lode, interval: 1s}]",
    says: [
      'nerve.yaml:1:20: `reflexes[0].sense` is "lode", and there is no sense of that name; add it to `senses`, where nothing is defined yet',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: '61 * * * *'}]"),
    says: [
      'nerve.yaml:2:32: `reflexes[0].cron` has "61" as its minute, which is out of range (0 to 59), in "61 * * * *"',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: 5}]"),
    says: [
      'nerve.yaml:2:32: `reflexes[0].cron` must be cron fields such as "*/5 * * * *", found the number 5; quote it',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: '0 0 30 2 *'}]"),
    says: ['nerve.yaml:2:32: `reflexes[0].cron` is "0 0 30 2 *", a time that never comes'],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: '@reboot'}]"),
    says: [
      'nerve.yaml:2:32: `reflexes[0].cron` is "@reboot", which is not a time; write `on_start: true` instead of `cron`',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: '* * * * * *'}]"),
    says: [
      'nerve.yaml:2:32: `reflexes[0].cron` must be five cron fields or a nickname such as @hourly, found "* * * * * *", which has 6 fields; cron has no seconds: write `interval`, as in `interval: 10s`, and no `cron`',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: '@every 5m'}]"),
    says: [
      'nerve.yaml:2:32: `reflexes[0].cron` is "@every 5m", which is an interval; write `interval: 5m` instead of `cron`',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: '@hourli'}]"),
    says: [
      'nerve.yaml:2:32: `reflexes[0].cron` must be five cron fields or a nickname such as @hourly, found "@hourli"; did you mean `@hourly`?',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: '* * * *'}]"),
    says: [
      'nerve.yaml:2:32: `reflexes[0].cron` must be five cron fields or a nickname such as @hourly, found "* * * *", which has 4 fields; the fields are minute, hour, day, month and weekday',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: '0 0 * * FRI-MON'}]"),
    says: [
      'nerve.yaml:2:32: `reflexes[0].cron` has "FRI-MON" as its weekday, which goes backwards (0 to 7 (0 and 7 are Sunday) or sun to sat), in "0 0 * * FRI-MON"; write `FRI-SAT,SUN-MON`',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: '0 22-2 * * *'}]"),
    says: [
      'nerve.yaml:2:32: `reflexes[0].cron` has "22-2" as its hour, which goes backwards (0 to 23), in "0 22-2 * * *"; write `22-23,0-2`',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: '0 0 L * *'}]"),
    says: [
      'nerve.yaml:2:32: `reflexes[0].cron` has "L" as its day, which is no number, range or `*` (1 to 31), in "0 0 L * *"',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: '0 0 1 13 *'}]"),
    says: [
      'nerve.yaml:2:32: `reflexes[0].cron` has "13" as its month, which is out of range (1 to 12 or jan to dec), in "0 0 1 13 *"',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: '*/0 * * * *'}]"),
    says: [
      'nerve.yaml:2:32: `reflexes[0].cron` has "*/0" as its minute, which has a step that is no whole number from 1 on (0 to 59), in "*/0 * * * *"',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: * * * * *}]"),
    says: [
      'nerve.yaml:2:32: the cron expression `* * * * *` stands unquoted, where YAML takes its * for something else; quote it: "* * * * *"',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: */5 0,12 * * *, on_start: true}]"),
    says: [
      'nerve.yaml:2:32: the cron expression `*/5 0,12 * * *` stands unquoted, where YAML takes its * for something else; quote it: "*/5 0,12 * * *"',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: @hourly}]"),
    says: [
      'nerve.yaml:2:32: the cron expression `@hourly` stands unquoted, where YAML takes its @ for something else; quote it: "@hourly"',
    ],
  },
  {
    config:
      "senses: { load: }\nreflexes:\n  - sense: load\n    cron: */5 * * * *  # as crontab has it\n    tz: Nowhere\n",
    says: [
      'nerve.yaml:4:11: the cron expression `*/5 * * * *` stands unquoted, where YAML takes its * for something else; quote it: "*/5 * * * *"',
      'nerve.yaml:5:9: `reflexes[0].tz` must be a time zone such as Europe/Berlin, found "Nowhere"',
    ],
  },
  {
    config: 'data: "./x\nsenses: { load: }\n',
    says: ['nerve.yaml:1:7: this is not valid YAML: the text that begins with " here has no closing "'],
  },
  {
    config: 'data: "./d\\0"',
    says: ['nerve.yaml:1:7: `data` must be a path without the character U+0000, found "./d\\u0000"'],
  },
  {
    config: "senses: [load]",
    says: ["nerve.yaml:1:9: `senses` must be a map, found a list; give each a name: `senses: { NAME: { … } }`"],
  },
  {
    config: "memory:{}",
    says: [
      'nerve.yaml:1:1: the file must be a map of keys such as `senses`, found "memory:{}"; write a space after the `:`',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, cron: '@daily', tz: Europe/Berln}]"),
    says: ['nerve.yaml:2:46: `reflexes[0].tz` must be a time zone such as Europe/Berlin, found "Europe/Berln"'],
  },
  {
    config: withSenses("reflexes: [{sense: load, interval: 1s, tz: UTC}]"),
    says: ["nerve.yaml:2:40: `reflexes[0].tz` has no meaning without `cron`; add `cron`, or remove `tz`"],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], align: true, jitter: 1s, catch_up: one}]"),
    says: [
      "nerve.yaml:2:37: `reflexes[0].align` has no meaning without `interval`; add `interval`, or remove `align`",
      "nerve.yaml:2:50: `reflexes[0].jitter` has no meaning without `interval`; add `interval`, or remove `jitter`",
      "nerve.yaml:2:62: `reflexes[0].catch_up` has no meaning without `interval` or `cron`; add `interval` or `cron`, or remove `catch_up`",
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, interval: 1s, catch_up: all}]"),
    says: ['nerve.yaml:2:50: `reflexes[0].catch_up` must be none or one, found "all"'],
  },
  {
    config: withSenses("reflexes: [{sense: load, interval: 1s, on_start: yes}]"),
    says: ['nerve.yaml:2:50: `reflexes[0].on_start` must be true or false, found "yes"; write `true`'],
  },
  {
    config: withSenses("reflexes: [{sense: load, interval: 1s, throttle: 1s}]"),
    says: ["nerve.yaml:2:40: `reflexes[0].throttle` has no meaning without `on`; add `on`, or remove `throttle`"],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], edge: rising, for: 1s, clear: {a: string}}]"),
    says: [
      "nerve.yaml:2:37: `reflexes[0].edge` has no meaning without `when`; add `when`, or remove `edge`",
      "nerve.yaml:2:51: `reflexes[0].for` has no meaning without `when`; add `when`, or remove `for`",
      "nerve.yaml:2:60: `reflexes[0].clear` has no meaning without `when`; add `when`, or remove `clear`",
    ],
  },
  ...(["edge: rising", "for: 1s", "clear: {a: string}"] as const).map((word) => ({
    config: withSenses(`reflexes: [{sense: load, on: [load, mem], throttle: 1s, when: {a: string}, ${word}}]`),
    says: [
      `nerve.yaml:2:76: \`reflexes[0].${word.split(":")[0]}\` mixes up the signals of 2 senses: they share one state without a \`key\`; add \`key: $sense\` (one state a sense), a payload path, or \`key: $one\` (one state for all)`,
    ],
  })),
  {
    config: withSenses("reflexes: [{sense: load, on: [load, mem], throttle: 1s, count: {n: 2, within: 1m}}]"),
    says: [
      "nerve.yaml:2:57: `reflexes[0].count` mixes up the signals of 2 senses: they share one state without a `key`; add `key: $sense` (one state a sense), a payload path, or `key: $one` (one state for all)",
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], each: disks, when: {a: string}}]"),
    says: [
      "nerve.yaml:2:37: `reflexes[0].each` has no meaning without `key`, which tells the elements apart; add `key: PATH`, a path in each element such as name",
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], each: disks, key: $one}]"),
    says: [
      "nerve.yaml:2:50: `reflexes[0].key` tells no elements apart; write a path in each element, such as `key: name`",
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [load, mem], throttle: 1s, each: disks, key: name}]"),
    says: [
      "nerve.yaml:2:70: `reflexes[0].key` must hold `$sense`, for `on` names several senses: elements of one would be gone at a signal of another; write `key: [$sense, name]`",
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, interval: 1s, each: disks, key: name}]"),
    says: [
      "nerve.yaml:2:40: `reflexes[0].each` has no meaning without `on`; add `on`, or remove `each`",
      "nerve.yaml:2:53: `reflexes[0].key` has no meaning without `on`; add `on`, or remove `key`",
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], throttle: 1s, key: [host, host, $one, a..b]}]"),
    says: [
      'nerve.yaml:2:63: `reflexes[0].key[1]` is "host", which is listed already; remove it',
      "nerve.yaml:2:69: `reflexes[0].key[2]` is `$one`, which stands alone; write `key: $one`",
      'nerve.yaml:2:75: `reflexes[0].key[3]` must be a dotted payload path such as host.name, found "a..b"',
    ],
  },
  {
    config: withSenses(
      "reflexes: [{sense: load, on: [mem], throttle: 1s, key: []}, {sense: mem, on: [load], throttle: 1s, key: $sence}]",
    ),
    says: [
      "nerve.yaml:2:56: `reflexes[0].key` must be a list of at least one path, found an empty list",
      'nerve.yaml:2:105: `reflexes[1].key` must be a dotted payload path such as host.name, `$sense`, `$host`, `$one`, or a list of paths, `$sense` and `$host`, found "$sence"; did you mean `$sense`?',
    ],
  },
  {
    config: withSenses(
      "reflexes: [{sense: load, on: [mem], throttle: 1s, key: [a, b, c, d, e, f, g, h, i], each: $sense}]",
    ),
    says: [
      "nerve.yaml:2:56: `reflexes[0].key` must be a list of at most 8 paths, found a list",
      'nerve.yaml:2:91: `reflexes[0].each` must be a dotted path to a list of the payload, such as disks, found "$sense"',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], when: {a: string}, edge: level, for: 1s}]"),
    says: [
      "nerve.yaml:2:69: `reflexes[0].for` has no meaning with `edge: level`; write `edge: rising` or remove `edge`",
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], when: {a: string}, for: 1s, count: {n: 1, within: 1s}}]"),
    says: ["nerve.yaml:2:65: `reflexes[0].count` cannot be used with `for`; keep one of them"],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], when: {a: 5, b: true, c: , d: crit}}]"),
    says: [
      'nerve.yaml:2:47: `reflexes[0].when.a` must be text such as "\'critical\'" or "number > 5", found the number 5; quote it: "5"',
      'nerve.yaml:2:53: `reflexes[0].when.b` must be text such as "\'critical\'" or "number > 5", found the boolean true; quote it: "true"',
      'nerve.yaml:2:62: `reflexes[0].when.c` must be text such as "\'critical\'" or "number > 5", found nothing',
      'nerve.yaml:2:67: `reflexes[0].when.d` is "crit": `crit` is not a type; write "\'crit\'" for the text',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], edge: risng, when: string}]"),
    says: [
      'nerve.yaml:2:43: `reflexes[0].edge` must be level, rising or falling, found "risng"; did you mean `rising`?',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], count: {n: 0}}]"),
    says: [
      "nerve.yaml:2:44: `reflexes[0].count.within` is missing",
      "nerve.yaml:2:48: `reflexes[0].count.n` must be a whole number, from 1 to 1000, found the number 0",
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], debounce: {wait: 5s, max: 5s}}]"),
    says: ['nerve.yaml:2:63: `reflexes[0].debounce.max` must be longer than `wait` ("5s"), found "5s"'],
  },
  {
    config: withSenses('reflexes: [{sense: load, on: [mem], debounce: {wait: "${DUR}", max: "${DUR:-1h}"}}]'),
    says: [
      "nerve.yaml:2:69: `reflexes[0].debounce.max` must be longer than `wait` (the value of `${DUR}`), found the value of `${DUR:-1h}`",
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], debounce: 5s}]"),
    says: ['nerve.yaml:2:47: `reflexes[0].debounce` must be a map, found "5s"; its keys are wait, max'],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], debounce: {max: 5s}}]"),
    says: ["nerve.yaml:2:47: `reflexes[0].debounce.wait` is missing"],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], key: a..b}]"),
    says: ['nerve.yaml:2:42: `reflexes[0].key` must be a dotted payload path such as host.name, found "a..b"'],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem], key: a.__proto__}]"),
    says: [
      'nerve.yaml:2:42: `reflexes[0].key` must be a dotted payload path such as host.name without `__proto__`, `constructor`, `prototype` in it, found "a.__proto__"',
    ],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [nerve]}, {sense: load, on: [memory]}]"),
    says: [
      'nerve.yaml:2:31: `reflexes[0].on[0]` is "nerve", and there is no sense of that name; it is built in: add it to `senses`, and a reflex that runs it',
      'nerve.yaml:2:59: `reflexes[1].on[0]` is "memory", and there is no sense of that name; it is built in: add it to `senses`, and a reflex that runs it',
    ],
  },
  {
    config: withSenses(
      "reflexes: [{sense: load, on: [mem], when: {a: crit, b: /(a+)+/, c: [{d: string.trim}, '|', {e: 'number >'}], f?: /(/}}]",
    ),
    says: [
      'nerve.yaml:2:47: `reflexes[0].when.a` is "crit": `crit` is not a type; write "\'crit\'" for the text',
      'nerve.yaml:2:56: `reflexes[0].when.b` is "/(a+)+/": the regular expression repeats something that repeats; one of the two quantifiers is enough, or bound both, as in ([0-9]{1,3}[.]){3}',
      'nerve.yaml:2:73: `reflexes[0].when.c[0].d` is "string.trim": it changes the value, and a pattern only looks; compare the value as it is',
      "nerve.yaml:2:96: `reflexes[0].when.c[2].e` is \"number >\": this is not a type ('>' is not allowed here)",
      'nerve.yaml:2:114: `reflexes[0].when.f?` is "/(/": the regular expression cannot be read: missing )',
    ],
  },
  {
    config: withSenses('reflexes: [{sense: load, on: [mem], when: {a: [string, "&", number], "[crit]": string}}]'),
    says: [
      "nerve.yaml:2:47: `reflexes[0].when.a`: this is not a type (Intersection of string and number results in an unsatisfiable type)",
      "nerve.yaml:2:80: `reflexes[0].when.[crit]`: `crit` is not a type; write \"'crit'\" for the text",
    ],
  },
  {
    config: withSenses(
      'reflexes: [{sense: load, on: [mem], when: {a: "${SECRET}", b: ["${SECRET}", "|", string.trim], c: crit, d: "x-${SECRET} >"}}]',
    ),
    says: [
      "nerve.yaml:2:47: `reflexes[0].when.a` is the value of `${SECRET}`, and no ArkType definition",
      "nerve.yaml:2:64: `reflexes[0].when.b[0]` is the value of `${SECRET}`, and no ArkType definition",
      'nerve.yaml:2:82: `reflexes[0].when.b[2]` is "string.trim": it changes the value, and a pattern only looks; compare the value as it is',
      'nerve.yaml:2:99: `reflexes[0].when.c` is "crit": `crit` is not a type; write "\'crit\'" for the text',
      "nerve.yaml:2:108: `reflexes[0].when.d` is the value of `x-${SECRET} >`, and no ArkType definition",
    ],
  },
  {
    config: withSenses(
      'reflexes: [{sense: load, on: [mem], when: [{a: "${TYPE}"}, "&", {a: number}], clear: {"+": delete, a: 1}}]',
    ),
    says: [
      "nerve.yaml:2:43: `reflexes[0].when` is a list, and no ArkType definition",
      'nerve.yaml:2:92: `reflexes[0].clear.+` is "delete": what is not declared can only be refused or ignored; write "+": reject, or leave it out',
      'nerve.yaml:2:103: `reflexes[0].clear.a` must be text such as "\'critical\'" or "number > 5", found the number 1; quote it: "1"',
    ],
  },
  {
    config: withSenses("reflexes: [{name: a, sense: load, interval: 1s}, {name: a, sense: mem, interval: 1s}]"),
    says: ['nerve.yaml:2:57: `reflexes[1].name` is "a", a name already given at nerve.yaml:2:19; choose another name'],
  },
  {
    config: withSenses("reflexes: [{name: A b, sense: load, interval: 1s}]"),
    says: [
      'nerve.yaml:2:19: `reflexes[0].name` must be a name (at most 63 of a-z, 0-9 and -, and no - at its beginning), found "A b"',
    ],
  },
  {
    config: withSenses("reflexes: [{workflow: page, on: [load]}]"),
    says: [
      'nerve.yaml:2:23: `reflexes[0].workflow` is "page", and there is no workflow of that name; add it to `workflows`, where nothing is defined yet',
    ],
  },
  {
    config: withSenses("reflexes: [{workflow: load, on: [load]}]"),
    says: [
      'nerve.yaml:2:23: `reflexes[0].workflow` is "load", and there is no workflow of that name; `load` is a sense: write `sense: load`',
    ],
  },
  {
    config: withSenses("workflows: {page: }\nreflexes: [{workflow: page, interval: 1s, on: [load]}, {workflow: page}]"),
    says: [
      "nerve.yaml:3:29: `reflexes[0].interval` does not go with `on` in a workflow reflex; make it two reflexes: one with `on`, one with the times",
      "nerve.yaml:3:56: `reflexes[1]` has no trigger; add `interval`, `cron`, `on_start: true` or `on`",
    ],
  },
  {
    config: withSenses(
      "workflows: {page: }\nreflexes: [{workflow: page, on: [load], input: {}}, {sense: load, interval: 1s, input: {}}, {workflow: page, input: {}}, {workflow: page, cron: '@daily', input: 5}]",
    ),
    says: [
      "nerve.yaml:3:41: `reflexes[0].input` does not go with `on`; remove it: the payload of the signal is the input of the run",
      "nerve.yaml:3:81: `reflexes[1].input` is not allowed in a sense reflex; options of a sense stand under `with`",
      "nerve.yaml:3:93: `reflexes[2]` has no trigger; add `interval`, `cron`, `on_start: true` or `on`",
      "nerve.yaml:3:162: `reflexes[3].input` must be a map of options, found the number 5",
    ],
  },
  {
    config: withSenses("workflows: {page: }\nreflexes: [{workflow: page, on: [load], tz: UTC, catch_up: one}]"),
    says: [
      "nerve.yaml:3:41: `reflexes[0].tz` has no meaning without `cron`; add `cron`, or remove `tz`",
      "nerve.yaml:3:50: `reflexes[0].catch_up` has no meaning without `interval` or `cron`; add `interval` or `cron`, or remove `catch_up`",
    ],
  },
  {
    config: withSenses("workflows: {page: {}}\nreflexes: [{sense: page, on_start: true}]"),
    says: [
      'nerve.yaml:3:20: `reflexes[0].sense` is "page", and there is no sense of that name; `page` is a workflow: write `workflow: page`',
    ],
  },
  {
    config: "workflows: {page: {overflow: drop, max_queue: 5}}",
    says: [
      "nerve.yaml:1:36: `workflows.page.max_queue` has no meaning with `overflow: drop`; remove it, or write `overflow: queue`",
    ],
  },
  {
    config: "workflows: {page: {overflow: drop, batch: {wait: 30s}}}",
    says: [
      "nerve.yaml:1:36: `workflows.page.batch` has no meaning with `overflow: drop`; remove it, or write `overflow: queue`",
    ],
  },
  {
    config: "workflows: {page: {batch: {by: host}}}",
    says: [
      "nerve.yaml:1:27: `workflows.page.batch.wait` is missing; say how long the first of a group waits for others, such as `wait: 30s`",
    ],
  },
  {
    config: "workflows: {page: {batch: {wait: 0, by: $sense}}}",
    says: [
      "nerve.yaml:1:34: `workflows.page.batch.wait` must be longer than 0, found the number 0",
      'nerve.yaml:1:41: `workflows.page.batch.by` must be `reflex`, `severity`, or a dotted payload path such as host.name, found "$sense"',
    ],
  },
  {
    config: "workflows: {page: {concurrency: 0}}",
    says: ["nerve.yaml:1:33: `workflows.page.concurrency` must be a whole number, at least 1, found the number 0"],
  },
  {
    config: "workflows: {page: {retry: {interval: 5s, max_interval: 1s, backoff: 0.5}}}",
    says: [
      "nerve.yaml:1:27: `workflows.page.retry.limit` is missing; say how many attempts follow the first",
      'nerve.yaml:1:56: `workflows.page.retry.max_interval` must be no shorter than `interval` ("5s"), found "1s"',
      "nerve.yaml:1:69: `workflows.page.retry.backoff` must be a number, at least 1, found the number 0.5",
    ],
  },
  {
    config: "workflows: {page: {retry: 3}}",
    says: [
      "nerve.yaml:1:27: `workflows.page.retry` must be a map, found the number 3; write `retry: { limit: 3, … }`; its keys are limit, interval, backoff, max_interval",
    ],
  },
  {
    config: "workflows: {page: {use: /bin/sh}}",
    says: [
      'nerve.yaml:1:25: `workflows.page.use` must be a name (at most 63 of a-z, 0-9 and -, and no - at its beginning), found "/bin/sh"',
    ],
  },
  {
    config: "data: ${NOPE}",
    says: ["nerve.yaml:1:7: the environment variable NOPE is not set; set it, or give a default: ${NOPE:-default}"],
  },
  {
    config: "data: ${NOPE:?point it at a disk}",
    says: ["nerve.yaml:1:7: the environment variable NOPE is not set; point it at a disk"],
  },
  {
    config: "data: ${EMPTY:?x}",
    says: ["nerve.yaml:1:7: the environment variable EMPTY is not set; x"],
  },
  {
    config: "data: ${credential:db}",
    says: ["nerve.yaml:1:7: there is no credential db; pass it with LoadCredential=db:/path in the systemd unit"],
  },
  {
    config: "data: ${credential:../x}",
    says: [
      "nerve.yaml:1:7: ${credential:../x} does not name a credential; write ${VAR}, ${VAR:-default}, ${VAR:?message} or ${credential:NAME}, and $${ for a literal ${",
    ],
  },
  {
    config: "data: ${a-b}",
    says: [
      "nerve.yaml:1:7: ${a-b} is not a variable; write ${VAR}, ${VAR:-default}, ${VAR:?message} or ${credential:NAME}, and $${ for a literal ${",
    ],
  },
  {
    config: "data: x${",
    says: [
      "nerve.yaml:1:7: a ${ is never closed by }; write ${VAR}, ${VAR:-default}, ${VAR:?message} or ${credential:NAME}, and $${ for a literal ${",
    ],
  },
  {
    config: "${X}: 1",
    says: ["nerve.yaml:1:1: `${X}` is a key, and variables are only filled in in values"],
  },
  {
    config: "durability: ${SECRET}",
    says: ["nerve.yaml:1:13: `durability` must be full or normal, found the value of `${SECRET}`"],
  },
  {
    config: 'senses: {load: {timeout: "${SECRET}", use: "x-${SECRET}", group: "${credential:${SECRET}}"}}',
    says: [
      "nerve.yaml:1:26: `senses.load.timeout` must be a duration such as 30s, found the value of `${SECRET}`; write a whole number and ms, s, m, h or d",
      "nerve.yaml:1:66: ${credential:${SECRET} does not name a credential; write ${VAR}, ${VAR:-default}, ${VAR:?message} or ${credential:NAME}, and $${ for a literal ${",
    ],
  },
  {
    config: "senses: { load: { timeout: ${DUR} } }",
    says: [
      'nerve.yaml:1:28: `${DUR}` stands unquoted inside { } or [ ], where YAML takes its braces for a map; quote it: "${DUR}"',
    ],
  },
  {
    config: "senses: { load: { with: { list: [a, x${DUR}y] } } }",
    says: [
      'nerve.yaml:1:38: `${DUR}` stands unquoted inside { } or [ ], where YAML takes its braces for a map; quote it: "${DUR}"',
    ],
  },
  {
    config: withSenses('reflexes: [{sense: "${SECRET}", interval: "${FIVE}", cron: "${SECRET}", tz: "${SECRET}"}]'),
    says: [
      "nerve.yaml:2:20: `reflexes[0].sense` is the value of `${SECRET}`, and there is no sense of that name; defined are load, mem",
      "nerve.yaml:2:43: `reflexes[0].interval` must be a duration such as 30s, found the value of `${FIVE}`; write a whole number and ms, s, m, h or d",
      "nerve.yaml:2:60: `reflexes[0].cron` must be five cron fields or a nickname such as @hourly, found the value of `${SECRET}`",
      "nerve.yaml:2:77: `reflexes[0].tz` must be a time zone such as Europe/Berlin, found the value of `${SECRET}`",
    ],
  },
  {
    config: "include: [a.yaml]",
    says: ["nerve.yaml:1:11: files cannot be included from here"],
  },
  {
    config: "include: a",
    says: [
      'nerve.yaml:1:10: `include` must be a list of patterns such as [conf.d/*.yaml], found "a"; put it in brackets: [a]',
    ],
  },
  {
    config: "include: ['${DUR}']",
    says: ["nerve.yaml:1:11: `include` takes no variables; write the path out"],
  },
  {
    config: withSenses("reflexes: [{sense: load, on: [mem]}, {sense: mem, on: [load]}]"),
    says: [
      "nerve.yaml:2:38: senses trigger one another without end: mem → load → mem, with no `throttle` or `debounce` on the way; give one of these senses a `throttle`, or one of these reflexes a `throttle` or a `debounce`",
    ],
  },
];

describe("a bad configuration is told off in these words", () => {
  for (const { config, says } of CASES) {
    test(JSON.stringify(config), () => {
      const result = parseWholeContract(config, around({ environment }));
      expect(result.ok ? [] : result.error.map(formatProblem)).toEqual([...says]);
    });
  }
});

test("no message of any of them holds what a variable was filled with", () => {
  for (const { says } of CASES) expect(says.join("\n")).not.toContain("hunter2");
});

test("every kind is kebab-case", () => {
  for (const { config } of CASES) {
    const result = parseWholeContract(config, around({ environment }));
    if (!result.ok) for (const { kind } of result.error) expect(kind).toMatch(/^[a-z]+(-[a-z0-9]+)*$/);
  }
});

test("everything wrong is told in one go, in the order of the file", () => {
  const config = `
dat: ./data
durability: fast
groups:
  System: { memory: lots }
senses:
  load: { timeout: 5, colour: red }
  load: {}
reflexes:
  - { sense: laod, interval: 1x }
  - { sense: load, on: [lod], cron: "x" }
  - { interval: 1s }
`;
  const result = parseWholeContract(config);
  expect(result.ok ? [] : result.error.map(({ line, column, kind }) => `${line}:${column} ${kind}`)).toEqual([
    "2:1 unknown-key",
    "3:13 bad-value",
    "5:3 bad-name",
    "5:21 bad-size",
    "7:20 bad-duration",
    "7:23 unknown-key",
    "8:3 duplicate-key",
    "10:14 unknown-sense",
    "10:30 bad-duration",
    "11:25 unknown-sense",
    "11:37 bad-cron",
    "12:5 missing-key",
  ]);
});

test("an empty file is told what the least configuration is", () => {
  for (const config of ["", "# nothing\n", "---\n", "{}", "\ufeff"]) {
    const result = parseWholeContract(config, around({ file: "a.yaml" }));
    expect(result.ok ? [] : result.error.map(formatProblem)).toEqual([
      "a.yaml:1:1: the file says nothing; the least is `senses: { load: }` and `reflexes: [{ sense: load, interval: 10s }]`",
    ]);
  }
});

test("what could change how a terminal shows a message is escaped", () => {
  const result = parseWholeContract('"a\\e[31m\\u202eb": 1');
  expect(result.ok ? "" : result.error[0]?.message).toBe("`a\\u001b[31m\\u202eb` is not a known key");
});
