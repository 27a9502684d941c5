/** Owns the answer about what a person names: an id, a trace, or the name of a sense, a reflex, a workflow or another host. */
import { meantOr } from "../base/nearest.ts";
import { err, ok, type Result } from "../base/result.ts";
import { keepsIncidents, type NerveConfig } from "../model/config.ts";
import { type Named, parseNamed } from "../model/named.ts";
import { type Problem, problem } from "../model/problem.ts";
import { BAD_ENDINGS } from "../model/run.ts";
import { ALL_INCIDENTS } from "../store/incidents.ts";
import { findStory } from "../stories/find-story.ts";
import { ofIncident, ofRun, ofSense, ofWorkflow } from "./answer.ts";
import type { Scene, Why } from "./scene.ts";
import { whyHost } from "./why-hosts.ts";
import { whyReflex } from "./why-reflex.ts";
import { whySignal } from "./why-signal.ts";

/** The kind of the problem where the answer needs the config, and the config has problems of its own. */
export const NEEDS_CONFIG = "needs-config";

const needsConfig = (): { readonly ok: false; readonly error: Problem } =>
  err(problem(NEEDS_CONFIG, "the answer needs the config, which has problems", "`nerve check` lists them"));

export function whyNamed(scene: Scene, word: string): Result<Why, Problem> {
  const [, kind = null, name = ""] = /^(sense|reflex|workflow):(.+)$/.exec(word) ?? [];
  if (kind !== null) return ofName(scene, kind as Kind, name);
  const id = parseNamed(word);
  if (id !== null && id.kind !== "trace") return ofId(scene, id);
  // A name may look like the beginning of a trace.
  const found = scene.config === null ? null : kindOf(scene.config, word);
  if (found !== null) return ofName(scene, found, word);
  const host = scene.store.origins.all().find((origin) => origin.host === word);
  if (host !== undefined) return ok(whyHost(scene, host));
  if (id !== null) return ofId(scene, id);
  return scene.config === null ? needsConfig() : unknown(scene.config, word, null);
}

type Kind = "sense" | "reflex" | "workflow";

const namesIn = ({ senses, reflexes, workflows }: NerveConfig): Readonly<Record<Kind, readonly string[]>> => ({
  sense: [...senses.keys()],
  reflex: reflexes.map(({ name }) => name),
  workflow: [...workflows.keys()],
});

/** A name that several kinds share is the sense, as for `enable`. */
function kindOf(config: NerveConfig, name: string): Kind | null {
  const names = namesIn(config);
  return (["sense", "reflex", "workflow"] as const).find((kind) => names[kind].includes(name)) ?? null;
}

function ofName(scene: Scene, kind: Kind, name: string): Result<Why, Problem> {
  const { config } = scene;
  if (config === null) return needsConfig();
  if (!namesIn(config)[kind].includes(name)) return unknown(config, name, kind);
  if (kind === "sense") return ofSense(scene, config, name);
  return kind === "workflow" ? ofWorkflow(scene, config, name) : ofReflex(scene, config, name);
}

/** Of a reflex with open incidents the newest one speaks. */
function ofReflex(scene: Scene, config: NerveConfig, name: string): Result<Why, Problem> {
  const reflex = config.reflexes.find((one) => one.name === name);
  if (reflex === undefined) throw new Error(`reflex ${name} was there a moment ago`);
  const filter = { ...ALL_INCIDENTS, states: ["open", "acked"], reflexes: [name], limit: 1, newest: true } as const;
  const [open] = keepsIncidents(reflex) ? scene.store.incidents.list(filter) : [];
  return open === undefined ? whyReflex(scene, config, reflex) : ofIncident(scene, open.id);
}

function unknown(config: NerveConfig, word: string, kind: Kind | null): Result<never, Problem> {
  const names = namesIn(config);
  const all = kind === null ? Object.values(names).flat() : names[kind];
  const listed = all.length === 0 ? `${config.file} has none` : `there are: ${all.toSorted().join(", ")}`;
  if (kind !== null)
    return err(problem(`unknown-${kind}`, `there is no ${kind} \`${word}\``, meantOr(word, all, listed)));
  const message = `\`${word}\` is neither the id of a run, a signal or an incident nor a trace, and no sense, reflex or workflow has this name`;
  return err(problem("unknown-name", message, meantOr(word, all, listed)));
}

function ofId(scene: Scene, named: Named): Result<Why, Problem> {
  const { store } = scene;
  if (named.kind === "trace") return ofTrace(scene, named.prefix);
  const { kind, id } = named;
  if (kind === "incident") return ofIncident(scene, id);
  if (kind === "run") return ofRun(scene, id);
  if (kind === "signal") return ofSignal(scene, id);
  if (store.runs.byId(id) !== null) return ofRun(scene, id);
  if (store.signals.byId(id) !== null) return ofSignal(scene, id);
  // Of a number that is none of these the story of a run names the nearest.
  return store.incidents.byId(id) === null ? ofRun(scene, id) : ofIncident(scene, id);
}

function ofSignal(scene: Scene, id: number): Result<Why, Problem> {
  const { store, config } = scene;
  const signal = store.signals.byId(id);
  if (signal === null) {
    // The story names the signals that are kept.
    const found = findStory(store, `signal:${id}`);
    if (!found.ok) return found;
    throw new Error(`signal ${id} was not there a moment ago`);
  }
  return config === null ? needsConfig() : whySignal(scene, config, signal);
}

/** Its newest run that ended badly, else its newest run, else its first signal. */
function ofTrace(scene: Scene, prefix: string): Result<Why, Problem> {
  const found = findStory(scene.store, prefix);
  if (!found.ok) return found;
  const { runs, signals } = found.value;
  const run = runs.findLast(({ state }) => BAD_ENDINGS.includes(state)) ?? runs.at(-1);
  if (run !== undefined) return ofRun(scene, run.id);
  const [signal] = signals;
  if (signal !== undefined) return ofSignal(scene, signal.id);
  const hint = `\`nerve show ${prefix}\` shows its logs`;
  return err(problem("unknown-id", `trace ${prefix} has neither a run nor a signal`, hint));
}
