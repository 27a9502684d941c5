/** What a reload may find: another configuration, as somebody might edit the one before. */
import type { NerveConfig, ReflexConfig } from "../../src/model/config.ts";
import { type Below, pick } from "../rules/random.ts";
import { quietHoursOf } from "./reflex-plan.ts";
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

/** Another configuration, as somebody might edit this one. */
export function editOf(config: NerveConfig, below: Below): NerveConfig {
  const workflows = new Map(config.workflows);
  const senses = new Map(config.senses);
  const names = [...senses.keys()];
  // What is owed is owed to senses that listen.
  const someSense = (): string => pick(below, below(2) === 0 ? names.slice(0, LISTENERS) : names);
  let reflexes = [...config.reflexes];
  switch (below(7)) {
    case 0: {
      const name = pick(below, WORKFLOWS);
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
      return { ...config, quietHours: quietHoursOf(below) };
    default: {
      // The same, read again.
    }
  }
  return { ...config, senses, workflows, reflexes };
}

/** The worker of this sense is started anew. */
export function editOfSense(config: NerveConfig, name: string, below: Below): NerveConfig {
  const was = config.senses.get(name);
  if (was === undefined) return config;
  const throttleMs = (was.throttleMs ?? 0) + (5 + below(30)) * SECOND;
  return { ...config, senses: new Map(config.senses).set(name, { ...was, throttleMs }) };
}
