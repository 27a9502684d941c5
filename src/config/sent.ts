/**
 * Owns the way of a configuration to another process of nerve, as JSON: without the options of senses and workflows, and
 * without channels, `otlp`, the watchdog and secrets. What is left is what reflexes decide by, and names.
 */
import type { Json, JsonObject } from "../base/json.ts";
import type { InboxConfig, NerveConfig } from "../model/config.ts";

const SECTIONS = ["groups", "senses", "workflows", "channels", "written"] as const;

const unsigned = (inbox: InboxConfig | null): InboxConfig | null => inbox && { ...inbox, secret: null };

export function sentConfig(config: NerveConfig): JsonObject {
  const bare = <T extends { readonly with: JsonObject | null }>(entries: ReadonlyMap<string, T>) =>
    [...entries].map(([name, entry]) => [name, { ...entry, with: null }] as const);
  const sent = {
    ...config,
    groups: [...config.groups],
    senses: bare(config.senses).map(([name, entry]) => [name, { ...entry, inbox: unsigned(entry.inbox) }]),
    workflows: bare(config.workflows),
    channels: [],
    otlp: null,
    watchdog: null,
    fleet: config.fleet && { ...config.fleet, nkey: null },
    written: [...config.written],
    secrets: [],
  };
  return JSON.parse(JSON.stringify(sent)) as JsonObject;
}

/** The configuration that `sentConfig` made `sent` of. Throws for anything else: only a kernel of this build sends one. */
export function receivedConfig(sent: Json): NerveConfig {
  const raw = sent as unknown as Record<string, unknown>;
  const maps = SECTIONS.map((section) => [section, new Map(raw[section] as [string, unknown][])]);
  return { ...raw, ...Object.fromEntries(maps) } as unknown as NerveConfig;
}
