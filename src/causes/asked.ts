/** Owns the answer to a person: about what is named, else about what is wrong now. */
import { ok, type Result } from "../base/result.ts";
import type { Problem } from "../model/problem.ts";
import { type Answer, answerNow, withDown } from "./answer.ts";
import { whyNamed } from "./named.ts";
import type { Scene } from "./scene.ts";

/** `word`: an id or a name; null where nothing is named. */
export function answerTo(scene: Scene, word: string | null): Result<Answer, Problem> {
  if (word === null) return answerNow(scene);
  const why = whyNamed(scene, word);
  return why.ok ? ok({ why: withDown(scene, why.value), trouble: null, others: [] }) : why;
}
