/** What wakes senses of a simulated world from outside, what is handed to them, and what is expected to come. */
import type { ReflexConfig, SenseConfig, SenseReflexConfig, Watching } from "../../src/model/config.ts";
import { senseReflex } from "../helpers/reflex.ts";
import { type Below, pick } from "../rules/random.ts";
import { HOUR, MINUTE, patternAt, type Size, WHEN } from "./words.ts";

/** Senses that are handed signals: the second is handed those of the first. */
export const DELIVERED = ["s5", "s6"] as const;
/** Its module says what wakes it. */
export const NAMER = "s10";
/** The reflex of a sense that watches the host is called so. */
const WATCHERS = ["s7", "s8", "s9", NAMER] as const;
/** Senses of which something may be expected. */
export const EXPECTED = ["s4", "s5", "s11", "s12"] as const;

export const SOURCE_REFLEXES: readonly string[] = [
  ...DELIVERED.map((sense) => `deliver-${sense}`),
  ...WATCHERS.map((sense) => `watch-${sense}`),
];

export const FILES = ["/srv/a", "/srv/b", "/srv/c"] as const;
export const FOLDER = "/srv/spool";
export const JOURNAL = "/var/log/journal/sim";

const file = (path: string): Watching => ({ kind: "file", path, written: path });
const JOBS: Watching = { kind: "dir", path: FOLDER, match: "*.job", written: FOLDER };

const watchedBy = (sense: (typeof WATCHERS)[number], below: Below): readonly Watching[] => {
  switch (sense) {
    case "s7":
      return below(3) === 0 ? [file(FILES[0]), JOBS] : [file(pick(below, FILES))];
    case "s8":
      return [JOBS];
    case "s9":
      return [{ kind: "journal" }];
    case NAMER:
      return [{ kind: "module" }];
  }
};

/** With the interval that a reflex has which watches the host and says none. */
const watchReflex = (sense: (typeof WATCHERS)[number], below: Below): SenseReflexConfig =>
  senseReflex({
    name: `watch-${sense}`,
    sense,
    watch: watchedBy(sense, below),
    intervalMs: sense === NAMER ? null : MINUTE,
  });

const deliverReflex = (
  sense: (typeof DELIVERED)[number],
  names: readonly string[],
  below: Below,
): SenseReflexConfig => {
  const others = [...new Set([pick(below, names.slice(7)), pick(below, names.slice(7))])];
  return senseReflex({
    name: `deliver-${sense}`,
    sense,
    on: sense === DELIVERED[1] ? [DELIVERED[0], ...others.slice(0, below(2))] : others,
    when: below(2) === 0 ? null : patternAt(pick(below, WHEN)),
    deliver: true,
  });
};

export const expectationOf = (below: Below): number | null => pick(below, [null, 3 * MINUTE, 12 * MINUTE, 2 * HOUR]);

/** Adds them to a world that has room for them. A sense that has its own source may have no other. */
export function withSources(
  below: Below,
  size: Size,
  senses: Map<string, SenseConfig>,
  before: readonly ReflexConfig[],
): ReflexConfig[] {
  const names = [...senses.keys()];
  if (size.isDense || names.length < 13) return [...before];
  const watchers = below(3) === 0 ? WATCHERS.filter(() => below(2) === 0) : [];
  const receivers = below(2) === 0 ? DELIVERED : [];
  for (const name of EXPECTED) {
    const sense = senses.get(name);
    if (sense !== undefined && below(2) === 0) senses.set(name, { ...sense, expectEveryMs: expectationOf(below) });
  }
  const own = [
    ...receivers.map((sense) => deliverReflex(sense, names, below)),
    ...watchers.map((sense) => watchReflex(sense, below)),
  ];
  const idle = new Set(own.flatMap(({ sense }) => (below(2) === 0 ? `tick-${sense}` : [])));
  return [...before.filter(({ name }) => !idle.has(name)), ...own];
}

/** Another configuration, as somebody might edit what wakes senses and what is expected. `whole` has all of it. */
export function editedSources(
  senses: Map<string, SenseConfig>,
  reflexes: ReflexConfig[],
  whole: readonly ReflexConfig[],
  below: Below,
): ReflexConfig[] {
  const sense = senses.get(pick(below, EXPECTED));
  if (below(3) === 0 && sense !== undefined) senses.set(sense.name, { ...sense, expectEveryMs: expectationOf(below) });
  const gone = whole.filter(
    (one) => SOURCE_REFLEXES.includes(one.name) && !reflexes.some(({ name }) => name === one.name),
  );
  if (gone.length > 0) return [...reflexes, ...gone];
  const there = reflexes.filter(({ name }) => SOURCE_REFLEXES.includes(name));
  if (there.length === 0) return reflexes;
  const chosen = pick(below, there);
  if (below(3) === 0) return reflexes.filter((one) => one !== chosen);
  return reflexes.map((one) => (one === chosen ? edited(chosen, below) : one));
}

function edited(reflex: ReflexConfig, below: Below): ReflexConfig {
  if (reflex.kind !== "sense") return reflex;
  if (reflex.deliver === true) return { ...reflex, when: below(3) === 0 ? null : patternAt(pick(below, WHEN)) };
  const watcher = WATCHERS.find((sense) => sense === reflex.sense);
  return watcher === undefined ? reflex : { ...reflex, watch: watchedBy(watcher, below) };
}
