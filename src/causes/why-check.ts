/** Owns why a number is bad that a sense `host-health` judges, and who hears of that. */
import type { BadCheck } from "./host-checks.ts";
import { aboutName, type Scene, type Why } from "./scene.ts";
import { whySense } from "./why-sense.ts";
import { moment } from "./words.ts";

export function whyCheck(scene: Scene, { by, sense, check, value, state, limit, signal, since }: BadCheck): Why {
  const { config, now } = scene;
  const judge = config?.senses.get(by);
  const long = since === null ? "for long" : `since ${moment(since, now)}`;
  return {
    about: aboutName("sense", sense),
    isWrong: true,
    since,
    signal,
    what: [`${check} of sense ${sense} is ${value}, ${state} from ${limit}, and has been bad ${long}.`],
    cause: [`Sense ${by} says so in signal #${signal}.`],
    done: [],
    notDone: config === null || judge === undefined ? [] : whySense(scene, config, judge).notDone,
    coming: [],
    next: [
      { command: `nerve signals ${sense}`, does: "what the sense sees" },
      { command: `nerve show signal:${signal}`, does: "what followed from the signal" },
    ],
  };
}
