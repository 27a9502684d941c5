/** Who in a configuration asks for what of the host. Pure: runs no code of any sense or workflow. */
import { basename, dirname, resolve } from "node:path";
import type { JsonObject } from "../base/json.ts";
import type { NerveConfig, ReflexConfig, SenseConfig, WorkflowConfig } from "../model/config.ts";
import { type Needs, NO_NEEDS } from "../model/needs.ts";
import {
  type BuiltInNeeds,
  FOLDER_OF_PATH,
  needsOfAddress,
  needsOfChannel,
  SENSE_NEEDS,
  WORKFLOW_NEEDS,
} from "./built-in.ts";
import { needsOfCommand, type Permission } from "./programs.ts";

export type Need =
  | { readonly kind: "group"; readonly name: string }
  | { readonly kind: "capability"; readonly name: string }
  | { readonly kind: "device" | "path"; readonly path: string; readonly access: "read" | "write" }
  | { readonly kind: "network"; readonly address: string }
  | { readonly kind: "program"; readonly name: string }
  | { readonly kind: "permission"; readonly permission: Permission };

export interface Ask {
  /** `sense:NAME`, `workflow:NAME`, `reflex:NAME`, `channel:NAME`, `watchdog`, `fleet` or `otlp`. */
  readonly who: string;
  readonly need: Need;
  /** What the need follows from. */
  readonly because: string;
}

const WATCHED = "what it watches";

/** Reasons of needs for a folder whose names are read: who needs it must be able to list it. */
export const LISTED: ReadonlySet<string> = new Set([FOLDER_OF_PATH, WATCHED]);

/** Something about a sense or workflow that no unit can mend. */
export interface Remark {
  readonly who: string;
  readonly text: string;
}

export interface Asked {
  readonly asks: readonly Ask[];
  readonly remarks: readonly Remark[];
}

/** What the asking depends on besides the configuration. */
export interface Modules {
  /** Whether the module of a sense or workflow is nerve's own. */
  readonly isBuiltIn: (kind: "sense" | "workflow", name: string) => boolean;
  /** What must not be written into a unit. */
  readonly isSecret: (text: string) => boolean;
}

/** In the order of the configuration; the same need of two askers is there twice. */
export function asksOf(config: NerveConfig, modules: Modules): Asked {
  const folder = dirname(config.file);
  const senses = [...config.senses.values()].map((sense) => askedBy("sense", sense, modules, folder));
  const workflows = [...config.workflows.values()].map((workflow) => askedBy("workflow", workflow, modules, folder));
  const channels = [...config.channels.values()].map((channel) => {
    const { needs, because } = needsOfChannel(channel, modules.isSecret);
    return written(`channel:${channel.name}`, needs, because ?? "");
  });
  const reflexes = config.reflexes.map(watchAsks);
  const all = [
    ...senses,
    ...workflows,
    ...reflexes,
    ...channels,
    ...watchdogAsks(config, modules),
    ...fleetAsks(config, modules),
    ...otlpAsks(config, modules),
  ];
  return { asks: all.flatMap(({ asks }) => asks), remarks: all.flatMap(({ remarks }) => remarks) };
}

/** The folders that a reflex watches. What the module of its sense names is known to that sense alone. */
function watchAsks(reflex: ReflexConfig): Asked {
  const watched = reflex.kind === "sense" ? (reflex.watch ?? []) : [];
  const folders = watched.flatMap((one) =>
    one.kind === "file" ? [dirname(one.path)] : one.kind === "dir" ? [one.path] : [],
  );
  const paths = folders.map((path) => ({ path, access: "read" }) as const);
  return written(`reflex:${reflex.name}`, { ...NO_NEEDS, paths }, WATCHED);
}

function watchdogAsks({ watchdog }: NerveConfig, { isSecret }: Modules): Asked[] {
  if (watchdog === null) return [];
  const { needs, because } = needsOfAddress(watchdog.url, isSecret);
  return [written("watchdog", needs, because ?? "")];
}

/** The servers that join hosts, and the files that a connection to them needs. */
function fleetAsks({ fleet }: NerveConfig, { isSecret }: Modules): Asked[] {
  if (fleet === null) return [];
  const servers = fleet.servers.map((server) =>
    written("fleet", needsOfAddress(server, isSecret).needs, "its `servers`"),
  );
  const files = (["creds", "ca", "cert", "key"] as const).flatMap((key) => {
    const path = fleet[key];
    if (path === null) return [];
    return [written("fleet", { ...NO_NEEDS, paths: [{ path, access: "read" }] }, `its \`${key}\``)];
  });
  const all = [...servers, ...files];
  return [{ asks: unique(all.flatMap(({ asks }) => asks)), remarks: all.flatMap(({ remarks }) => remarks) }];
}

function otlpAsks({ otlp }: NerveConfig, { isSecret }: Modules): Asked[] {
  if (otlp === null) return [];
  return [written("otlp", needsOfAddress(otlp.endpoint, isSecret).needs, "its `endpoint`")];
}

function builtInNeeds(
  kind: "sense" | "workflow",
  { name, use, with: options }: SenseConfig | WorkflowConfig,
  { isBuiltIn, isSecret }: Modules,
  folder: string,
): BuiltInNeeds {
  const table: Readonly<Record<string, (typeof SENSE_NEEDS)["exec"]>> = kind === "sense" ? SENSE_NEEDS : WORKFLOW_NEEDS;
  const of = isBuiltIn(kind, name) && Object.hasOwn(table, use) ? table[use] : undefined;
  return of?.(withWholePaths(options ?? {}, folder), isSecret) ?? { needs: NO_NEEDS, because: null };
}

/** Options of built-in senses and workflows that are paths. */
const PATHS: ReadonlySet<string> = new Set(["path", "file", "cwd", "socket"]);

/** A worker runs in the folder of nerve.yaml. */
const withWholePaths = (options: JsonObject, folder: string): JsonObject =>
  Object.fromEntries(
    Object.entries(options).map(([key, value]) =>
      PATHS.has(key) && typeof value === "string" && value !== "" && !value.startsWith("/")
        ? [key, resolve(folder, value)]
        : [key, value],
    ),
  );

function askedBy(
  kind: "sense" | "workflow",
  entry: SenseConfig | WorkflowConfig,
  modules: Modules,
  folder: string,
): Asked {
  const who = `${kind}:${entry.name}`;
  const own = builtInNeeds(kind, entry, modules, folder);
  const derived = written(who, own.needs, own.because ?? "");
  const said = written(who, entry.needs ?? NO_NEEDS, "its `needs`");
  // Who says what is needed has read the script.
  const remarks = entry.needs === null ? [...derived.remarks, ...said.remarks] : said.remarks;
  return { asks: unique([...derived.asks, ...said.asks]), remarks };
}

const unique = (asks: readonly Ask[]): Ask[] => {
  const isSame = (one: Ask, other: Ask): boolean => Bun.deepEquals(one.need, other.need);
  return asks.filter((ask, index) => asks.findIndex((other) => isSame(ask, other)) === index);
};

/** Programs come with what they need in turn. */
function written(who: string, needs: Needs, because: string): Asked {
  const asks = needsIn(needs).map((need) => ({ who, need, because }));
  const remarks: Remark[] = [];
  for (const words of needs.programs) {
    const name = words[0] ?? "";
    asks.push({ who, need: { kind: "program", name }, because });
    if (name.startsWith("/")) asks.push({ who, need: { kind: "path", path: name, access: "read" }, because });
    for (const { program, needs: inTurn, permissions, remarks: said } of needsOfCommand(words)) {
      const reason = `\`${program}\``;
      if (program !== basename(name)) asks.push({ who, need: { kind: "program", name: program }, because: reason });
      for (const need of needsIn(inTurn)) asks.push({ who, need, because: reason });
      for (const permission of permissions)
        asks.push({ who, need: { kind: "permission", permission }, because: reason });
      remarks.push(...said.map((text) => ({ who, text })));
    }
  }
  return { asks, remarks };
}

const needsIn = ({ groups, capabilities, devices, network, paths }: Needs): Need[] => [
  ...groups.map((name) => ({ kind: "group", name }) as const),
  ...capabilities.map((name) => ({ kind: "capability", name }) as const),
  ...devices.map((device) => ({ kind: "device", ...device }) as const),
  ...network.map((address) => ({ kind: "network", address }) as const),
  ...paths.map((path) => ({ kind: "path", ...path }) as const),
];
