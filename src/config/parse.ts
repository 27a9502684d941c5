/**
 * Owns the step from nerve.yaml's text to a `NerveConfig`, or to all its problems at once. It reads no files by itself:
 * included files, environment and credentials come from a `ConfigSource`. This file gives the order of the checks. Each
 * check has its own file.
 */

import { dirname, resolve } from "node:path";
import { BUILT_IN_SENSE_NAMES } from "../../senses/names.ts";
import type { Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { GroupConfig, NerveConfig, Patterns, ReflexConfig, SenseConfig } from "../model/config.ts";
import type { Problem } from "../model/problem.ts";
import { checkChannels } from "./channel-uses.ts";
import { readChannels } from "./channels.ts";
import { findCycles, formatCycle } from "./cycles.ts";
import { DEFAULT_DATA, DEFAULT_DURABILITY } from "./defaults.ts";
import { reader, readFields, shapeOf, writtenJson } from "./fields.ts";
import { readFleet, settleFleet } from "./fleet.ts";
import { hostNamed, withHost } from "./host.ts";
import { checkDelivered, checkInboxes, inboxReflexes } from "./inbox.ts";
import { readIncluded } from "./includes.ts";
import { checkAddresses, readHttp, readPush } from "./listen.ts";
import { mergeFiles } from "./merge.ts";
import { NOT_YET, reportNotYet } from "./not-yet.ts";
import { readOtlp } from "./otlp.ts";
import { NO_PARTS, type Parts, partsOf } from "./pattern-parts.ts";
import { checkPatterns } from "./patterns.ts";
import { checkInhibitors, checkReferences } from "./references.ts";
import { readReflexes, type WrittenPattern, type WrittenReflex } from "./reflexes.ts";
import { createReport, type Report } from "./report.ts";
import { readSenses, unwrittenSense } from "./senses.ts";
import { DAEMON_KEYS, readGroups, readRetention } from "./settings.ts";
import { shownConfig } from "./shown.ts";
import { type ConfigSource, NOTHING_AROUND, type Reading } from "./source.ts";
import { isFilled, type MapTree, shown } from "./tree.ts";
import { warnOfUnused } from "./unused.ts";
import { settleWatches } from "./watches.ts";
import { readWorkflows } from "./workflows.ts";
import { readYaml } from "./yaml.ts";

/** The smallest configuration, for messages. */
export const MINIMAL_CONFIG = "`senses: { load: }` and `reflexes: [{ sense: load, interval: 10s }]`";

/** The content of a file, as far as the file could be read, and all its problems. */
export interface ReadConfig {
  /** The configuration without the parts that have problems. Null when nothing could be read. */
  readonly config: NerveConfig | null;
  readonly problems: readonly Problem[];
  /** Remarks on things that are allowed but are most likely mistakes. */
  readonly warnings: readonly Problem[];
  /** The places of the configuration's parts in the files. */
  readonly parts: Parts;
}

/** The result for a file of which only the problems are known. */
export const unreadable = (problems: readonly Problem[]): ReadConfig => ({
  config: null,
  problems,
  warnings: [],
  parts: NO_PARTS,
});

/** A key that this build does not act on yet is a problem. */
export const readNerveConfig = (text: string, source: ConfigSource = NOTHING_AROUND): ReadConfig =>
  read(text, source, NOT_YET);

/** The reader for the daemon and for every verb. */
export const parseNerveConfig = (text: string, source: ConfigSource = NOTHING_AROUND): Result<NerveConfig, Problem[]> =>
  wholly(readNerveConfig(text, source));

/** Accepts the whole contract, with the keys that this build does not act on: for tests, and for tools that only read. */
export const parseWholeContract = (
  text: string,
  source: ConfigSource = NOTHING_AROUND,
): Result<NerveConfig, Problem[]> => wholly(read(text, source, []));

/** The whole configuration, or its problems. */
export const wholly = ({ config, problems }: ReadConfig): Result<NerveConfig, Problem[]> =>
  problems.length === 0 && config !== null ? ok(config) : err([...problems]);

function read(text: string, source: ConfigSource, notYet: readonly string[]): ReadConfig {
  const report = createReport(source.file);
  const reading: Reading = { source, report, secrets: [] };
  const main = readYaml(text, { file: source.file, variables: source, report, secrets: reading.secrets });
  if (main?.entries.length === 0 && report.problems().length === 0) {
    report.add("empty", main.place, "the file says nothing", `the least is ${MINIMAL_CONFIG}`);
  }
  if (!main) return unreadable(report.problems());

  const { files, isWhole } = readIncluded(main, reading);
  const root = mergeFiles({ ...main, entries: main.entries.filter(({ key }) => key !== "include") }, files, report);
  const result = readRoot(root, isWhole, reading);
  reportNotYet(root, notYet, report);
  if (result === null) return unreadable(report.problems());
  // With problems, entries that could not be read would seem to be missing.
  if (source.warns && report.problems().length === 0) warnOfUnused(root, result.config, source, report);
  return { ...result, problems: report.problems(), warnings: report.warnings() };
}

export const ROOT = {
  include: reader({ type: "array", items: { type: "string" } }, () => null),
  ...shapeOf(DAEMON_KEYS),
  http: readHttp,
  push: readPush,
  fleet: readFleet,
  otlp: readOtlp,
  retention: readRetention,
  groups: readGroups,
  senses: readSenses,
  reflexes: readReflexes,
  workflows: readWorkflows,
  channels: readChannels,
};

function readRoot(root: MapTree, isWhole: boolean, { source, report, secrets }: Reading) {
  const fields = readFields(root, "", ROOT, report);
  if (!fields) return null;
  const { data, durability, http, push, retention, quiet_hours, watchdog, groups, senses, workflows, channels } =
    fields.values;
  const host = fields.values.host ?? hostNamed(source.hostName);
  const absolute = resolve(source.file);
  const dataFolder = resolve(dirname(absolute), data ?? DEFAULT_DATA);
  const written =
    fields.values.reflexes?.map((reflex) => ({ ...reflex, config: withHost(reflex.config, host) })) ?? null;
  const useOf = (sense: string): string => senses?.get(sense)?.value?.use ?? sense;
  const reflexes = written && settleWatches(written, { file: absolute, data: dataFolder, useOf }, report);
  const namesOf = (key: "senses" | "workflows" | "channels", section: ReadonlyMap<string, unknown> | null) =>
    isWhole && (section !== null || fields.placeOf(key) === null) ? new Set(section?.keys()) : null;
  const implied = impliedSenses(reflexes ?? [], senses);
  const named = namesOf("senses", senses);
  const defined = {
    senses: named && new Set([...named, ...implied.keys()]),
    workflows: namesOf("workflows", workflows),
  };
  checkReferences(reflexes ?? [], { ...defined, host }, report);
  if (isWhole && reflexes !== null) checkInhibitors(reflexes, report);
  checkAddresses(http, push, fields.placeOf("push") ?? root.place, report);
  checkChannels(root, present(workflows), namesOf("channels", channels), source, report);
  const senseConfigs = new Map([...present(senses), ...implied]);
  checkCycles(reflexes ?? [], senseConfigs, report);
  checkInboxes(reflexes ?? [], senseConfigs, report);
  checkDelivered(reflexes ?? [], report);
  const writtenReflexes = (reflexes ?? []).map((reflex) => reflex.config);

  const allGroups = new Map(present(groups));
  for (const { group } of senseConfigs.values()) {
    if (!allGroups.has(group)) allGroups.set(group, { name: group, memoryBytes: null } satisfies GroupConfig);
  }
  if (source.checksPatterns) checkPatterns(reflexes ?? [], source.warns, report);
  // A value that is also a name of this config stands in the file as well, and a person types this name.
  const isPublic = (value: string): boolean =>
    senseConfigs.has(value) || [workflows, groups, channels].some((section) => section?.has(value) === true);
  const config: NerveConfig = {
    file: absolute,
    data: dataFolder,
    host,
    durability: durability ?? DEFAULT_DURABILITY,
    http,
    push,
    fleet: fields.values.fleet && settleFleet(fields.values.fleet, dirname(absolute)),
    otlp: fields.values.otlp,
    retention: retention ?? { logsMs: null, signalsMs: null, archiveMs: null },
    quietHours: quiet_hours ?? [],
    watchdog,
    groups: allGroups,
    senses: senseConfigs,
    reflexes: [...writtenReflexes, ...inboxReflexes(senseConfigs, writtenReflexes)],
    workflows: present(workflows),
    channels: present(channels),
    written: new Map((reflexes ?? []).flatMap(({ config, patterns }) => asWritten(config, patterns))),
    secrets: secrets.filter(({ value }) => !isPublic(value)),
    shown: shownConfig(root),
  };
  return { config, parts: partsOf(root, reflexes ?? []) };
}

function asWritten({ name }: ReflexConfig, patterns: readonly WrittenPattern[]): [string, Patterns][] {
  if (!patterns.some(({ tree }) => isFilled(tree))) return [];
  const shownOf = (word: WrittenPattern["word"]): Json => {
    const pattern = patterns.find((one) => one.word === word);
    return pattern === undefined ? null : writtenJson(pattern.tree);
  };
  return [[name, { when: shownOf("when"), clear: shownOf("clear") }]];
}

/** A reflex may run a built-in sense that is not in `senses`. This sense then exists without options. */
function impliedSenses(
  reflexes: readonly WrittenReflex[],
  written: ReadonlyMap<string, unknown> | null,
): ReadonlyMap<string, SenseConfig> {
  const builtIn = new Set<string>(BUILT_IN_SENSE_NAMES);
  const targets = reflexes.filter(({ config }) => config.kind === "sense").map(({ target }) => target.name);
  const names = targets.filter((name) => builtIn.has(name) && !written?.has(name));
  return new Map(names.map((name) => [name, unwrittenSense(name)]));
}

/** A section without the entries that could not be read. */
function present<T>(section: ReadonlyMap<string, { readonly value: T | null }> | null): ReadonlyMap<string, T> {
  const result = new Map<string, T>();
  for (const [name, { value }] of section ?? []) if (value !== null) result.set(name, value);
  return result;
}

function checkCycles(
  reflexes: readonly WrittenReflex[],
  senses: ReadonlyMap<string, { readonly throttleMs: number | null }>,
  report: Report,
): void {
  const edges = reflexes.flatMap(({ config, target, on, place }) => {
    if (config.kind !== "sense" || config.throttleMs !== null || config.debounce !== null) return [];
    return on.map((source) => ({ from: source.name, to: target.name, source, target, place }));
  });
  // An undefined sense ends every cycle too. `checkReferences` reports it.
  const isFast = (sense: string): boolean => senses.get(sense)?.throttleMs === null;
  const fast = edges.filter(({ from, to }) => isFast(from) && isFast(to));
  for (const cycle of findCycles(fast)) {
    const steps = cycle.flatMap((from, index) => {
      const to = cycle[(index + 1) % cycle.length];
      return fast.find((edge) => edge.from === from && edge.to === to) ?? [];
    });
    const place = steps.at(-1)?.place;
    if (!place) continue;
    // A sense whose name comes from a variable is shown by the text in the file, even where its name also stands in the
    // file.
    const written = steps.flatMap(({ source, target }) => [source, target]).filter(({ tree }) => isFilled(tree));
    const shownAs = (sense: string): string => {
      const tree = written.find((reference) => reference.name === sense)?.tree;
      return tree?.kind === "scalar" ? shown(tree.written) : shown(sense);
    };
    const path = formatCycle(cycle.map(shownAs));
    const message = `senses trigger one another without end: ${path}, with no \`throttle\` or \`debounce\` on the way`;
    const hint = "give one of these senses a `throttle`, or one of these reflexes a `throttle` or a `debounce`";
    report.add("cycle", place, message, hint);
  }
}
