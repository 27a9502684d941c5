/** What a reload may find: another configuration, as somebody might edit the one before. */
import type { NerveConfig, ReflexConfig } from "../../src/model/config.ts";
import { type Below, pick } from "../rules/random.ts";
import { retentionOf } from "./plan.ts";
import { quietHoursOf } from "./reflex-plan.ts";
import { editedSources } from "./source-plan.ts";
import { LISTENERS, MINUTE, SECOND, WORKFLOWS } from "./words.ts";
import { workflowOf } from "./workflow-plan.ts";

function editedReflex(was: ReflexConfig, below: Below): ReflexConfig {
  if (was.kind !== "workflow" || was.incident === null)
    return { ...was, throttleMs: pick(below, [null, MINUTE, 7 * MINUTE]) };
  const incident = {
    ...was.incident,
    remindEveryMs: pick(below, [null, 10 * MINUTE, 30 * MINUTE]),
    severity: pick(below, ["info", "critical"]),
  };
  return { ...was, incident, workflow: pick(below, WORKFLOWS) };
}

/** Without names that are no longer there. */
function tidied(config: NerveConfig): NerveConfig {
  const { senses, workflows } = config;
  const heard = config.reflexes.flatMap((reflex): ReflexConfig[] => {
    if (reflex.kind === "sense" && !senses.has(reflex.sense)) return [];
    const on = reflex.on.filter((name) => name.includes("/") || senses.has(name));
    return on.length === 0 && reflex.on.length > 0 ? [] : [{ ...reflex, on }];
  });
  const names = new Set(heard.map(({ name }) => name));
  const [instead = ""] = workflows.keys();
  const known = (workflow: string): string => (workflows.has(workflow) ? workflow : instead);
  const reflexes = heard.map((reflex): ReflexConfig => {
    if (reflex.kind !== "workflow") return reflex;
    const { incident } = reflex;
    const tidy =
      incident === null
        ? null
        : {
            ...incident,
            escalate: incident.escalate.map((entry) => ({ ...entry, workflow: known(entry.workflow) })),
            inhibitedBy: incident.inhibitedBy.filter((name) => names.has(name)),
          };
    return { ...reflex, workflow: known(reflex.workflow), incident: tidy };
  });
  return { ...config, reflexes };
}

export function withoutSense(config: NerveConfig, name: string): NerveConfig {
  const senses = new Map(config.senses);
  senses.delete(name);
  return tidied({ ...config, senses });
}

/** The last workflow stays. */
export function withoutWorkflow(config: NerveConfig, name: string): NerveConfig {
  const workflows = new Map(config.workflows);
  if (workflows.size > 1) workflows.delete(name);
  return tidied({ ...config, workflows });
}

/** A sense is removed, with whatever makes it compute; or one that was removed comes back with it. `whole` has them all. */
function withOtherSenses(config: NerveConfig, whole: NerveConfig, below: Below): NerveConfig {
  const senses = new Map(config.senses);
  const gone = [...whole.senses.keys()].filter((name) => !senses.has(name));
  if (gone.length === 0 || (gone.length < 3 && below(2) === 0)) {
    return withoutSense(config, pick(below, [...senses.keys()].slice(LISTENERS)));
  }
  const name = pick(below, gone);
  const sense = whole.senses.get(name);
  if (sense !== undefined) senses.set(name, sense);
  const known = new Set(config.reflexes.map((reflex) => reflex.name));
  const back = whole.reflexes.filter(
    (reflex) =>
      !known.has(reflex.name) && (reflex.on.includes(name) || (reflex.kind === "sense" && reflex.sense === name)),
  );
  return tidied({ ...config, senses, reflexes: [...config.reflexes, ...back] });
}

/** A workflow is removed, and others take its place; or one that was removed comes back, for those that were its own. */
function withOtherWorkflows(config: NerveConfig, whole: NerveConfig, below: Below): NerveConfig {
  const workflows = new Map(config.workflows);
  const gone = WORKFLOWS.filter((name) => !workflows.has(name));
  if (gone.length === 0) {
    return withoutWorkflow(config, pick(below, WORKFLOWS));
  }
  for (const name of gone) workflows.set(name, workflowOf(below, name));
  const targets = new Map(whole.reflexes.map((reflex) => [reflex.name, reflex]));
  const reflexes = config.reflexes.map((reflex): ReflexConfig => {
    const first = targets.get(reflex.name);
    return reflex.kind === "workflow" && first?.kind === "workflow" ? { ...reflex, workflow: first.workflow } : reflex;
  });
  return tidied({ ...config, workflows, reflexes });
}

/** Another configuration, as somebody might edit this one. `whole`: of which the world was made. */
export function editOf(config: NerveConfig, whole: NerveConfig, below: Below): NerveConfig {
  const workflows = new Map(config.workflows);
  const senses = new Map(config.senses);
  const names = [...senses.keys()];
  // What is owed is owed to senses that listen.
  const someSense = (): string => pick(below, below(2) === 0 ? names.slice(0, LISTENERS) : names);
  let reflexes = [...config.reflexes];
  switch (below(12)) {
    case 0: {
      const name = pick(below, [...workflows.keys()]);
      workflows.set(name, workflowOf(below, name));
      break;
    }
    case 1: {
      const name = someSense();
      const was = senses.get(name);
      if (was) senses.set(name, { ...was, throttleMs: pick(below, [null, 30 * SECOND, 2 * MINUTE]) });
      break;
    }
    case 2: {
      const index = reflexes.findIndex(({ name }) => name === `rule-${below(20)}`);
      const was = reflexes[index];
      if (was) reflexes[index] = editedReflex(was, below);
      break;
    }
    case 3:
      reflexes = reflexes.filter(({ name }) => name !== `rule-${below(40)}`);
      break;
    case 4: {
      const name = someSense();
      const was = senses.get(name);
      if (was) senses.set(name, { ...was, group: pick(below, [...config.groups.keys()]) });
      break;
    }
    case 5:
      if (whole.otlp !== null && below(3) === 0) return { ...config, otlp: config.otlp === null ? whole.otlp : null };
      return below(2) === 0
        ? { ...config, quietHours: quietHoursOf(below) }
        : whole.fleet !== null && below(2) === 0
          ? { ...config, fleet: config.fleet === null ? whole.fleet : null }
          : { ...config, http: below(2) === 0 ? null : whole.http, watchdog: below(2) === 0 ? null : whole.watchdog };
    case 6:
    case 7:
      return withOtherSenses(config, whole, below);
    case 10:
      reflexes = editedSources(senses, reflexes, whole.reflexes, below);
      break;
    case 9:
      return { ...config, retention: retentionOf(below) };
    case 8:
      return withOtherWorkflows(config, whole, below);
    default: {
      // The same, read again.
    }
  }
  return tidied({ ...config, senses, workflows, reflexes });
}

/** The worker of this sense is started anew. */
export function editOfSense(config: NerveConfig, name: string, below: Below): NerveConfig {
  const was = config.senses.get(name);
  if (was === undefined) return config;
  const throttleMs = (was.throttleMs ?? 0) + (5 + below(30)) * SECOND;
  return { ...config, senses: new Map(config.senses).set(name, { ...was, throttleMs }) };
}
