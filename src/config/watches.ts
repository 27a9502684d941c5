/** Owns what becomes of the `watch` of reflexes once the whole configuration is read: absolute paths, the interval, the words. */
import { dirname, resolve } from "node:path";
import type { Watching } from "../model/config.ts";
import type { WrittenReflex } from "./reflexes.ts";
import type { Report } from "./report.ts";

/** The interval of a reflex that watches the host and has none: for what cannot be seen. */
export const DEFAULT_NET_MS = 60_000;

/** Built-in senses of which the module names paths or the journal. What another module names is known once it is loaded. */
export const PATH_WATCHERS: ReadonlySet<string> = new Set(["tail", "journal"]);

const watchesHost = ({ kind }: Watching, use: string): boolean =>
  kind === "file" || kind === "dir" || kind === "journal" || (kind === "module" && PATH_WATCHERS.has(use));

interface Around {
  readonly file: string;
  readonly data: string;
  /** The module of a sense. */
  readonly useOf: (sense: string) => string;
}

/** The reflexes with absolute paths, and with an interval where they watch the host and have none. */
export function settleWatches(
  reflexes: readonly WrittenReflex[],
  { file, data, useOf }: Around,
  report: Report,
): readonly WrittenReflex[] {
  return reflexes.map((reflex) => {
    const { config, label, place } = reflex;
    if (config.kind !== "sense" || config.watch === null) return reflex;
    const use = useOf(config.sense);
    if (!config.watch.some((one) => watchesHost(one, use))) return reflex;
    const watch = config.watch.map((one) =>
      one.kind === "file" || one.kind === "dir" ? { ...one, path: resolve(dirname(file), one.path) } : one,
    );
    for (const one of watch) {
      if (!("path" in one) || !`${one.path}/`.startsWith(`${data}/`)) continue;
      const message = `\`${label}.watch\` names ${one.written}, which is in nerve's own data`;
      report.add("conflict", place, message, "watch the kernel, or read another sense with `on`");
    }
    return { ...reflex, config: { ...config, watch, intervalMs: config.intervalMs ?? DEFAULT_NET_MS } };
  });
}

/** What a reflex watches, in words: `watch /var/log/auth.log`. */
export const watchWords = (watch: readonly Watching[] | null): string[] => (watch ?? []).map(wordsOf);

function wordsOf(one: Watching): string {
  switch (one.kind) {
    case "module":
      return "watch";
    case "inbox":
      return "at each item";
    case "journal":
      return "watch the journal";
    case "file":
      return `watch ${one.written}`;
    case "dir":
      return `watch ${one.written}${one.match === "*" ? "" : `, ${one.match}`}`;
  }
}
