/** Owns the step from a word to a verb: the former names of verbs, and the verbs that a later build brings. */
import { any, type Verb } from "./verb.ts";
import { VERBS } from "./verbs.ts";

/** Former names of verbs. They are still understood, and stand in no help. */
const FORMER: Readonly<Record<string, Pick<Verb, "load"> & { readonly verb: string }>> = {
  // A bare name means the sense, if there is a sense of this name.
  trigger: { verb: "run", load: () => any(import("./commands/trigger.ts")) },
  release: { verb: "enable", load: () => any(import("./commands/enable.ts")) },
};

/** The verb with this name or former name. Null when there is none. */
export function verbNamed(word: string): Verb | null {
  const former = Object.hasOwn(FORMER, word) ? FORMER[word] : undefined;
  const verb = VERBS.find(({ name }) => name === (former?.verb ?? word));
  return verb === undefined ? null : { ...verb, load: former?.load ?? verb.load };
}
/** Verbs that this build refuses. */
export const NOT_YET: readonly string[] = ["dev", "test"];
