/**
 * The built-in senses, as the runtime loads them. Importing this evaluates none of them: every `require` is written out
 * so that the bundler embeds what it names, and runs only when the runtime asks.
 */
import cpuUsageSql from "./cpu-usage/migrations/0001_samples.sql" with { type: "text" };
import cpuUsageAtSql from "./cpu-usage/migrations/0002_samples_at.sql" with { type: "text" };
import diskIoSql from "./disk-io/migrations/0001_counters.sql" with { type: "text" };
import diskIoSamplesSql from "./disk-io/migrations/0002_samples.sql" with { type: "text" };
import diskUsageSql from "./disk-usage/migrations/0001_samples.sql" with { type: "text" };
import diskUsageAtSql from "./disk-usage/migrations/0002_samples_at.sql" with { type: "text" };
import disksSql from "./disks/migrations/0001_samples.sql" with { type: "text" };
import dockerSql from "./docker/migrations/0001_containers.sql" with { type: "text" };
import fileAgeSql from "./file-age/migrations/0001_samples.sql" with { type: "text" };
import heartbeatSql from "./heartbeat/migrations/0001_ends.sql" with { type: "text" };
import heartbeatStartsSql from "./heartbeat/migrations/0002_starts.sql" with { type: "text" };
import hostHealthSql from "./host-health/migrations/0001_verdicts.sql" with { type: "text" };
import httpSql from "./http/migrations/0001_samples.sql" with { type: "text" };
import journalSql from "./journal/migrations/0001_cursors.sql" with { type: "text" };
import loadSql from "./load/migrations/0001_samples.sql" with { type: "text" };
import loadAtSql from "./load/migrations/0002_samples_at.sql" with { type: "text" };
import memorySql from "./memory/migrations/0001_samples.sql" with { type: "text" };
import memoryAtSql from "./memory/migrations/0002_samples_at.sql" with { type: "text" };
import type { BuiltInSenseName } from "./names.ts";
import nerveSql from "./nerve/migrations/0001_looks.sql" with { type: "text" };
import nerveSamplesSql from "./nerve/migrations/0002_samples.sql" with { type: "text" };
import networkIoSql from "./network-io/migrations/0001_counters.sql" with { type: "text" };
import networkIoSamplesSql from "./network-io/migrations/0002_samples.sql" with { type: "text" };
import pressureSql from "./pressure/migrations/0001_samples.sql" with { type: "text" };
import pressureAtSql from "./pressure/migrations/0002_samples_at.sql" with { type: "text" };
import processesSql from "./processes/migrations/0001_counters.sql" with { type: "text" };
import processesSamplesSql from "./processes/migrations/0002_samples.sql" with { type: "text" };
import pushSql from "./push/migrations/0001_samples.sql" with { type: "text" };
import systemdSql from "./systemd/migrations/0001_units.sql" with { type: "text" };
import tailSql from "./tail/migrations/0001_files.sql" with { type: "text" };
import tailHeldSql from "./tail/migrations/0002_held.sql" with { type: "text" };
import tailTargetSql from "./tail/migrations/0003_target.sql" with { type: "text" };
import tcpSql from "./tcp/migrations/0001_samples.sql" with { type: "text" };
import tlsSql from "./tls/migrations/0001_samples.sql" with { type: "text" };

export interface BuiltInSense {
  /** The module: `compute`, `options`. */
  readonly load: () => Readonly<Record<string, unknown>>;
  /** Its tables, which users import as `nerve/senses/NAME`; null where it keeps none. */
  readonly schema: (() => Record<string, unknown>) | null;
  readonly migrations: readonly { readonly name: string; readonly sql: string }[];
}

export const BUILT_IN_SENSES: Readonly<Record<BuiltInSenseName, BuiltInSense>> = {
  "cpu-usage": {
    load: () => require("./cpu-usage/index.ts"),
    schema: () => require("./cpu-usage/schema.ts"),
    migrations: [
      { name: "0001_samples.sql", sql: cpuUsageSql },
      { name: "0002_samples_at.sql", sql: cpuUsageAtSql },
    ],
  },
  memory: {
    load: () => require("./memory/index.ts"),
    schema: () => require("./memory/schema.ts"),
    migrations: [
      { name: "0001_samples.sql", sql: memorySql },
      { name: "0002_samples_at.sql", sql: memoryAtSql },
    ],
  },
  load: {
    load: () => require("./load/index.ts"),
    schema: () => require("./load/schema.ts"),
    migrations: [
      { name: "0001_samples.sql", sql: loadSql },
      { name: "0002_samples_at.sql", sql: loadAtSql },
    ],
  },
  "disk-usage": {
    load: () => require("./disk-usage/index.ts"),
    schema: () => require("./disk-usage/schema.ts"),
    migrations: [
      { name: "0001_samples.sql", sql: diskUsageSql },
      { name: "0002_samples_at.sql", sql: diskUsageAtSql },
    ],
  },
  "disk-io": {
    load: () => require("./disk-io/index.ts"),
    schema: () => require("./disk-io/schema.ts"),
    migrations: [
      { name: "0001_counters.sql", sql: diskIoSql },
      { name: "0002_samples.sql", sql: diskIoSamplesSql },
    ],
  },
  "network-io": {
    load: () => require("./network-io/index.ts"),
    schema: () => require("./network-io/schema.ts"),
    migrations: [
      { name: "0001_counters.sql", sql: networkIoSql },
      { name: "0002_samples.sql", sql: networkIoSamplesSql },
    ],
  },
  processes: {
    load: () => require("./processes/index.ts"),
    schema: () => require("./processes/schema.ts"),
    migrations: [
      { name: "0001_counters.sql", sql: processesSql },
      { name: "0002_samples.sql", sql: processesSamplesSql },
    ],
  },
  pressure: {
    load: () => require("./pressure/index.ts"),
    schema: () => require("./pressure/schema.ts"),
    migrations: [
      { name: "0001_samples.sql", sql: pressureSql },
      { name: "0002_samples_at.sql", sql: pressureAtSql },
    ],
  },
  "host-health": {
    load: () => require("./host-health/index.ts"),
    schema: () => require("./host-health/schema.ts"),
    migrations: [{ name: "0001_verdicts.sql", sql: hostHealthSql }],
  },
  nerve: {
    load: () => require("./nerve/index.ts"),
    schema: () => require("./nerve/schema.ts"),
    migrations: [
      { name: "0001_looks.sql", sql: nerveSql },
      { name: "0002_samples.sql", sql: nerveSamplesSql },
    ],
  },
  exec: {
    load: () => require("./exec/index.ts"),
    schema: null,
    migrations: [],
  },
  http: {
    load: () => require("./http/index.ts"),
    schema: () => require("./http/schema.ts"),
    migrations: [{ name: "0001_samples.sql", sql: httpSql }],
  },
  tcp: {
    load: () => require("./tcp/index.ts"),
    schema: () => require("./tcp/schema.ts"),
    migrations: [{ name: "0001_samples.sql", sql: tcpSql }],
  },
  tls: {
    load: () => require("./tls/index.ts"),
    schema: () => require("./tls/schema.ts"),
    migrations: [{ name: "0001_samples.sql", sql: tlsSql }],
  },
  systemd: {
    load: () => require("./systemd/index.ts"),
    schema: () => require("./systemd/schema.ts"),
    migrations: [{ name: "0001_units.sql", sql: systemdSql }],
  },
  docker: {
    load: () => require("./docker/index.ts"),
    schema: () => require("./docker/schema.ts"),
    migrations: [{ name: "0001_containers.sql", sql: dockerSql }],
  },
  disks: {
    load: () => require("./disks/index.ts"),
    schema: () => require("./disks/schema.ts"),
    migrations: [{ name: "0001_samples.sql", sql: disksSql }],
  },
  "file-age": {
    load: () => require("./file-age/index.ts"),
    schema: () => require("./file-age/schema.ts"),
    migrations: [{ name: "0001_samples.sql", sql: fileAgeSql }],
  },
  tail: {
    load: () => require("./tail/index.ts"),
    schema: () => require("./tail/schema.ts"),
    migrations: [
      { name: "0001_files.sql", sql: tailSql },
      { name: "0002_held.sql", sql: tailHeldSql },
      { name: "0003_target.sql", sql: tailTargetSql },
    ],
  },
  journal: {
    load: () => require("./journal/index.ts"),
    schema: () => require("./journal/schema.ts"),
    migrations: [{ name: "0001_cursors.sql", sql: journalSql }],
  },
  push: {
    load: () => require("./push/index.ts"),
    schema: () => require("./push/schema.ts"),
    migrations: [{ name: "0001_samples.sql", sql: pushSql }],
  },
  heartbeat: {
    load: () => require("./heartbeat/index.ts"),
    schema: () => require("./heartbeat/schema.ts"),
    migrations: [
      { name: "0001_ends.sql", sql: heartbeatSql },
      { name: "0002_starts.sql", sql: heartbeatStartsSql },
    ],
  },
};
