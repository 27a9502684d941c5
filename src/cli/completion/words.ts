/**
 * Owns the words of each kind that a command line takes: names from the readable part of the config, and ids from the
 * store.
 */

import type { NerveConfig } from "../../model/config.ts";
import { INCIDENT_STATES } from "../../model/incident.ts";
import { LOG_LEVELS } from "../../model/log.ts";
import { ACTIVE_STATES, BAD_ENDINGS, ENDINGS, isOver, type Run } from "../../model/run.ts";
import { FILES, SHELLS } from "./scripts.ts";

export interface Candidate {
  readonly word: string;
  /** A few words about the candidate, or "". */
  readonly about: string;
}

export type What =
  | "nothing"
  | "file"
  | "built-in"
  | "sense"
  | "workflow"
  | "reflex"
  | "channel"
  | "sense or workflow"
  | "workflow or sense"
  | "sense or reflex"
  | "run"
  | "active run"
  | "ended run"
  | "open incident"
  | "what may be wrong"
  | "state"
  | "incident state"
  | "level"
  | "source"
  | "archive"
  | "fleet"
  | "shell";

/** `given` is the config that `-c` names. */
export async function wordsFor(what: What, given: string | null): Promise<readonly Candidate[]> {
  switch (what) {
    case "nothing":
      return [];
    case "file":
      return bare([FILES]);
    case "state":
      return bare([...ACTIVE_STATES, ...ENDINGS]);
    case "incident state":
      return bare(INCIDENT_STATES);
    case "level":
      return bare(LOG_LEVELS);
    case "fleet":
      return bare(["status", "forget", "init", "key", "check"]);
    case "archive":
      return bare(["ls", "verify", "run"]);
    case "shell":
      return bare(SHELLS);
    case "built-in":
      return builtIns();
    case "open incident":
      return openIncidents(given);
    case "what may be wrong":
      return [
        ...(await openIncidents(given)).map(({ word, about }) => ({ word: `incident:${word}`, about })),
        ...(await runs("bad run", given)).map(({ word, about }) => ({ word: `run:${word}`, about })),
        ...named("sense or reflex", await configOf(given)),
        ...named("workflow", await configOf(given)),
      ];
    case "run":
    case "active run":
    case "ended run":
      return runs(what, given);
    default:
      return named(what, await configOf(given));
  }
}

const bare = (words: readonly string[], about = ""): Candidate[] => words.map((word) => ({ word, about }));

async function builtIns(): Promise<Candidate[]> {
  const [{ BUILT_IN_SENSE_NAMES }, { BUILT_IN_WORKFLOW_NAMES }] = await Promise.all([
    import("../../../senses/names.ts"),
    import("../../workflows/names.ts"),
  ]);
  const senses: readonly string[] = BUILT_IN_SENSE_NAMES;
  return [
    ...bare(senses, "sense"),
    ...bare(
      BUILT_IN_WORKFLOW_NAMES.map((name) => (senses.includes(name) ? `workflow:${name}` : name)),
      "workflow",
    ),
  ];
}

async function configOf(given: string | null): Promise<NerveConfig | null> {
  const [{ configFile }, { loadAsFarAsReadable }] = await Promise.all([
    import("../place/place.ts"),
    import("../../config/load.ts"),
  ]);
  return loadAsFarAsReadable(configFile(given), process.env, false).config;
}

type Named =
  | "sense"
  | "workflow"
  | "reflex"
  | "channel"
  | "sense or workflow"
  | "workflow or sense"
  | "sense or reflex"
  | "source";

/** A name that two kinds share stands once bare, for the first kind, and once with each kind. */
function named(what: Named, config: NerveConfig | null): Candidate[] {
  if (config === null) return [];
  const names = {
    sense: [...config.senses.keys()],
    workflow: [...config.workflows.keys()],
    reflex: config.reflexes.map(({ name }) => name),
    channel: [...config.channels.keys()],
  };
  const kinds = ["sense", "reflex", "workflow"] as const;
  if (what === "source")
    return bare(["kernel", ...kinds.flatMap((kind) => names[kind].map((name) => `${kind}:${name}`))]);
  const [first, second = null] = what.split(" or ") as [keyof typeof names, keyof typeof names | undefined];
  const plain = bare(names[first], first);
  if (second === null) return plain;
  const others = names[second].filter((name) => !names[first].includes(name));
  const exact = [first, second].flatMap((kind) =>
    bare(
      names[kind].map((name) => `${kind}:${name}`),
      kind,
    ),
  );
  return [...plain, ...bare(others, second), ...exact];
}

/** As many runs as fit on a screen. */
const NEWEST = 30;

async function runs(what: "run" | "active run" | "ended run" | "bad run", given: string | null): Promise<Candidate[]> {
  const [{ findPlace }, { openStoreReader }, { ALL_RUNS }] = await Promise.all([
    import("../place/place.ts"),
    import("../../store/open-reader.ts"),
    import("../../store/runs.ts"),
  ]);
  const place = findPlace(given);
  const store = place.ok ? openStoreReader(place.value.data, () => {}) : null;
  if (!store?.ok) return [];
  const { runs: table, close } = store.value;
  const states = what === "bad run" ? BAD_ENDINGS : [];
  const newest = (): readonly Run[] => table.list({ ...ALL_RUNS, states, limit: NEWEST, newest: true });
  const found = what === "active run" ? table.active() : newest();
  close();
  return found
    .filter(({ state }) => what !== "ended run" || isOver(state))
    .map(({ id, workflow, state }) => ({ word: String(id), about: `${workflow} ${state}` }))
    .reverse();
}

async function openIncidents(given: string | null): Promise<Candidate[]> {
  const [{ findPlace }, { openStoreReader }] = await Promise.all([
    import("../place/place.ts"),
    import("../../store/open-reader.ts"),
  ]);
  const place = findPlace(given);
  const store = place.ok ? openStoreReader(place.value.data, () => {}) : null;
  if (!store?.ok) return [];
  const found = store.value.incidents.open();
  store.value.close();
  return found.map(({ id, state, summary }) => ({ word: String(id), about: `${state}: ${summary}` })).reverse();
}
