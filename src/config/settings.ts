/** The sections that concern the whole daemon: `data`, `durability`, `http`, `retention`; and `groups`, `senses`. */
import type { GroupConfig, HttpConfig, RetentionConfig, SenseConfig } from "../model/config.ts";
import { DEFAULT_GROUP } from "./defaults.ts";
import {
  duration,
  durationOrNone,
  durationOrZero,
  jsonMap,
  name,
  named,
  oneOf,
  type Reader,
  readFields,
  size,
  text,
} from "./fields.ts";

export const readData = text("a path such as ./data");
export const readDurability = oneOf("full", "normal");

const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/;

export const readHttp: Reader<HttpConfig> = (tree, label, report) => {
  const match = tree.kind === "scalar" ? ADDRESS.exec(tree.text) : null;
  const hostname = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (hostname !== undefined && port >= 1 && port <= 65_535) return { hostname, port };
  report.expected("bad-address", tree, label, "an address and port such as 127.0.0.1:4280", null);
  return null;
};

export const readRetention: Reader<RetentionConfig> = (tree, label, report) => {
  const fields = readFields(tree, label, { logs: duration, signals: duration, archive: duration }, report);
  if (!fields) return null;
  const { logs, signals, archive } = fields.values;
  return { logsMs: logs, signalsMs: signals, archiveMs: archive };
};

export const readGroups = named<GroupConfig>((group, tree, label, report) => {
  const fields = readFields(tree, label, { memory: size }, report);
  return fields && { name: group, memoryBytes: fields.values.memory };
});

const SENSE = {
  use: name,
  group: name,
  throttle: durationOrNone,
  timeout: duration,
  grace_period: durationOrZero,
  with: jsonMap,
};

export const readSenses = named<SenseConfig>((sense, tree, label, report) => {
  const fields = readFields(tree, label, SENSE, report);
  if (!fields) return null;
  const { use, group, throttle, timeout, grace_period, with: options } = fields.values;
  return {
    name: sense,
    use: use ?? sense,
    group: group ?? DEFAULT_GROUP,
    throttleMs: throttle,
    timeoutMs: timeout,
    gracePeriodMs: grace_period,
    with: options,
  };
});
