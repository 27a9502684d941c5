/** Owns the answers about nerve as a whole: status, senses, graph, configuration, store, silences. */
import { lstatSync, readdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { retentionsOf } from "../config/defaults.ts";
import { graphOf } from "../config/graph.ts";
import { graphJson } from "../config/graph-json.ts";
import type { Status } from "../control/contract.ts";
import { BETWEEN, type SeriesTable } from "../model/series.ts";
import { signalJson } from "../model/shown-rows.ts";
import type { StoreReader } from "../store/open-reader.ts";
import { ALL_SIGNALS } from "../store/signals.ts";
import { readVerified } from "../store/verified.ts";
import type { SenseRow, SensesAnswer, SeriesField, SessionAnswer, ShownInbox, StatusAnswer } from "./contract.ts";
import type { ConfigAnswer, GraphAnswer, SilencesAnswer, StoreAnswer } from "./contract-host.ts";
import type { KernelLink } from "./kernel-link.ts";
import type { Place } from "./place.ts";
import type { Slices } from "./slices.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export const sessionAnswer = ({ instance, version }: Place, until: number | null): SessionAnswer => ({
  instance,
  version,
  at: Date.now(),
  until,
});

export async function statusAnswer(place: Place, link: KernelLink, store: StoreReader): Promise<StatusAnswer> {
  const look = await link.look();
  return {
    instance: place.instance,
    host: place.host,
    at: Date.now(),
    tz: place.tz,
    link: link.state,
    status: look?.status ?? null,
    watermarks: { signals: store.signals.lastId(), logs: store.logs.lastId() },
  };
}

export async function sensesAnswer({ config }: Place, link: KernelLink, store: StoreReader): Promise<SensesAnswer> {
  const look = await link.look();
  const graph = graphOf(config);
  const clocksOf = (sense: string): readonly string[] =>
    graph.reflexes.flatMap(({ config: reflex, clocks }) =>
      reflex.kind === "sense" && reflex.sense === sense ? clocks : [],
    );
  const senses = (look?.status.senses ?? []).map((status): SenseRow => {
    const { name } = status;
    const id = look?.last_signals[name] ?? null;
    const last = id === null ? null : store.signals.byId(id);
    const series = look?.series[name] ?? null;
    return {
      ...status,
      use: config.senses.get(name)?.use ?? name,
      clocks: clocksOf(name),
      heard_by: config.reflexes.filter(({ on }) => on.includes(name)).map((reflex) => reflex.name),
      last: last === null ? null : signalJson(last),
      series: series === null ? [] : fieldsOf(series),
      inbox: look === null ? null : inboxOf(look.status, name),
    };
  });
  return { link: link.state, senses };
}

function inboxOf({ inboxes, boxes }: Status, sense: string): ShownInbox | null {
  const box = boxes.find((one) => one.sense === sense);
  const counts = inboxes.find((one) => one.sense === sense);
  if (box === undefined) return null;
  return { waiting: counts?.waiting ?? 0, dead: counts?.dead ?? 0, full: box.full, newest_at: box.newest_at };
}

const fieldsOf = ({ by, numbers }: SeriesTable): SeriesField[] =>
  numbers.map(({ name, unit }) => ({ name, unit, by: by.length === 0 ? null : by.join(BETWEEN) }));

export const graphAnswer = ({ config }: Place): GraphAnswer => graphJson(config.file, graphOf(config));

export const configAnswer = ({ config, loadedAt }: Place): ConfigAnswer => ({
  file: config.file,
  loaded_at: loadedAt,
  config: config.shown,
});

export async function silencesAnswer(link: KernelLink): Promise<SilencesAnswer> {
  return { silences: (await link.look())?.silences ?? [] };
}

const bytesOf = (file: string): number => lstatSync(file, { throwIfNoEntry: false })?.size ?? 0;

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
};

/** Everything below `folder`, links not followed. */
async function bytesBelow(folder: string, slices: Slices): Promise<number> {
  let bytes = 0;
  const folders = [folder];
  for (let at = folders.pop(); at !== undefined && !slices.isOver; at = folders.pop()) {
    for (const name of namesIn(at)) {
      const path = join(at, name);
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (stats?.isDirectory()) folders.push(path);
      else bytes += stats?.size ?? 0;
    }
    await slices.rest();
  }
  return bytes;
}

const FILES = ["logs.db", "logs.db-wal", "ballast"];
const FOLDERS = ["archive", "blobs"];

function freeBytes(folder: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}

/** By the rows of the last day: how much of the file they are, as far as rows are alike. */
function growthOf({ signals, logs }: StoreReader, fileBytes: number): number | null {
  const now = Date.now();
  const [first] = signals.list({ ...ALL_SIGNALS, limit: 1 });
  const span = first === undefined ? 0 : Math.min(DAY_MS, now - first.at);
  if (span < HOUR_MS) return null;
  const all = signals.lastId() - (first?.id ?? 0) + logs.lastId();
  const recent =
    signals.lastId() - signals.firstIdSince(now - span) + 1 + (logs.lastId() - logs.firstIdSince(now - span) + 1);
  return all <= 0 ? null : Math.round(((fileBytes * recent) / all) * (DAY_MS / span));
}

/** What is known of the soundness of the store, and what is not. */
function verifiedIn(data: string): Pick<StoreAnswer, "verify" | "unverified"> {
  const { archive, tables } = readVerified(data);
  const found = [archive, tables].filter((one) => one !== null);
  const newest = found.toSorted((a, b) => b.at - a.at);
  const missing = [
    ...(archive === null ? ["the archive (`nerve archive verify`)"] : []),
    ...(tables === null ? ["the tables (`nerve rebuild --check`)"] : []),
  ];
  return {
    verify: newest.find(({ state }) => state === "damaged") ?? newest[0] ?? null,
    unverified: missing.length === 0 ? null : `nobody has looked at ${missing.join(" and ")}`,
  };
}

export async function storeAnswer(
  { data, config }: Place,
  link: KernelLink,
  store: StoreReader,
  slices: Slices,
): Promise<StoreAnswer> {
  const { signals, logs, archive } = store;
  const look = await link.look();
  const files = FILES.map((name) => ({ name, bytes: bytesOf(join(data, name)) }));
  for (const name of namesIn(join(data, "senses"))) {
    files.push({ name: `senses/${name}`, bytes: bytesOf(join(data, "senses", name)) });
  }
  for (const name of FOLDERS) files.push({ name, bytes: await bytesBelow(join(data, name), slices) });
  const [firstSignal = null] = signals.list({ ...ALL_SIGNALS, limit: 1 });
  const firstLog = logs.list({ ...ALL_SIGNALS, sources: [], level: null, limit: 1 })[0] ?? null;
  const archived = archive.all();
  const { logsMs, signalsMs, archiveMs } = retentionsOf(config);
  return {
    data,
    files: files.filter(({ bytes }) => bytes > 0),
    free_bytes: freeBytes(data),
    growth_per_day: growthOf(store, bytesOf(join(data, "logs.db"))),
    signals: { first: firstSignal?.id ?? null, last: signals.lastId(), since: firstSignal?.at ?? null },
    logs: { first: firstLog?.id ?? null, last: logs.lastId(), since: firstLog?.at ?? null },
    archived_up_to: archive.upTo(),
    archive: {
      files: archived.length,
      rows: archived.reduce((sum, { rows }) => sum + rows, 0),
      bytes: archived.reduce((sum, { bytes }) => sum + bytes, 0),
      newest: archived.at(-1)?.day ?? null,
    },
    retention: { logs_ms: logsMs, signals_ms: signalsMs, archive_ms: archiveMs },
    slowest_commit_ms: look?.slowest_commit_ms ?? null,
    ...verifiedIn(data),
  };
}
