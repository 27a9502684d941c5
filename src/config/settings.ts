/** Owns the sections for the whole daemon: `data`, `durability`, `retention`; and the section `groups`. */
import { formatDuration } from "../base/duration.ts";
import type { GroupConfig, RetentionConfig } from "../model/config.ts";
import {
  DEFAULT_DATA,
  DEFAULT_DURABILITY,
  DEFAULT_RETENTION_LOGS_MS,
  DEFAULT_RETENTION_SIGNALS_MS,
} from "./defaults.ts";
import {
  key,
  name,
  named,
  oneOf,
  type Reader,
  reader,
  readFields,
  readText,
  schemaOf,
  shapeOf,
  text,
} from "./fields.ts";
import { duration, size } from "./quantities.ts";
import { readQuietHours } from "./quiet-hours.ts";
import { readWatchdog } from "./watchdog.ts";

const A_PATH = "a path such as ./data";

const readPath: Reader<string> = reader(text(A_PATH).schema, (tree, label, report) => {
  const path = readText(A_PATH, tree, label, report);
  if (path === null || !path.includes("\0")) return path;
  report.expected("bad-value", tree, label, "a path without the character U+0000", null);
  return null;
});

/** Keys at the top of the file with one value for the whole daemon. */
export const DAEMON_KEYS = {
  data: key(readPath, `\`${DEFAULT_DATA}\``, "where everything lives, relative to this file"),
  host: key(name, "the host's name", "what other hosts call this one, and what `$host` and `{{ host }}` stand for"),
  durability: key(
    oneOf("full", "normal"),
    `\`${DEFAULT_DURABILITY}\``,
    "`full`: logs.db also survives power loss, one fsync per group commit · `normal`: survives any crash of nerve",
  ),
  watchdog: key(
    readWatchdog,
    "none",
    '`{ url: "https://hc.example.org/ping/abc", every: 1m }`: a GET of this address while nerve commits, so that somebody outside notices when nerve does not',
  ),
  quiet_hours: key(
    readQuietHours,
    "none",
    '`[{ below: critical, from: "22:00", to: "07:00", tz, days: [mon, …] }]`: incidents below that severity are reported afterwards',
  ),
};

export const RETENTION_KEYS = {
  logs: key(
    duration,
    `\`${formatDuration(DEFAULT_RETENTION_LOGS_MS)}\``,
    "older logs move to `data/archive`, where they can still be read",
  ),
  signals: key(
    duration,
    `\`${formatDuration(DEFAULT_RETENTION_SIGNALS_MS)}\``,
    "older signals are removed, oldest first, in small batches",
  ),
  archive: key(
    duration,
    "for ever",
    "archive files of older days are removed, and the rows of runs that began in them",
  ),
};

const RETENTION = shapeOf(RETENTION_KEYS);

export const readRetention: Reader<RetentionConfig> = reader(schemaOf(RETENTION), (tree, label, report) => {
  const fields = readFields(tree, label, RETENTION, report);
  if (!fields) return null;
  const { logs, signals, archive } = fields.values;
  return { logsMs: logs, signalsMs: signals, archiveMs: archive };
});

const GROUP = { memory: size };

export const readGroups = named<GroupConfig>(schemaOf(GROUP), (group, tree, label, report) => {
  const fields = readFields(tree, label, GROUP, report);
  return fields && { name: group, memoryBytes: fields.values.memory };
});
