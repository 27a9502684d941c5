/** `when` and `clear` of reflexes, held against what the senses they listen to declare as their payload. */
import { nearest } from "../base/nearest.ts";
import type { NerveConfig, ReflexConfig } from "../model/config.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { PatternFinding, ScratchPattern } from "./scratch-worker.ts";

const WORDS = ["when", "clear"] as const;

const labelOf = (reflex: ReflexConfig, word: (typeof WORDS)[number]): string => `${reflex.name}.${word}`;

/** The patterns that look at the signals of `sense`. */
export const patternsOn = ({ reflexes }: NerveConfig, sense: string): ScratchPattern[] =>
  reflexes
    .filter(({ on }) => on.includes(sense))
    .flatMap((reflex) =>
      WORDS.flatMap((word) => {
        const definition = reflex[word];
        return definition === null ? [] : { label: labelOf(reflex, word), definition };
      }),
    );

/**
 * A pattern that no signal can match, whichever of the reflex's senses it is from. Where one of them declares nothing
 * there is nothing to say, and what only one of several can match is what `clear` is for.
 */
export function patternProblems(
  config: NerveConfig,
  findings: ReadonlyMap<string, readonly PatternFinding[]>,
): Problem[] {
  return config.reflexes.flatMap((reflex) =>
    WORDS.flatMap((word) => {
      const label = labelOf(reflex, word);
      const found = reflex.on.map((sense) => findings.get(sense)?.find((finding) => finding.label === label) ?? null);
      if (found.some((finding) => finding === null || finding.kind === "possible")) return [];
      return found.flatMap((finding, index) =>
        finding === null ? [] : describe(reflex.name, word, reflex.on[index] ?? "", finding),
      );
    }),
  );
}

function describe(reflex: string, word: string, sense: string, { kind, path, expected, fields }: PatternFinding) {
  const listed = fields.length === 0 ? null : `the payload of \`${sense}\` has ${fields.join(", ")}`;
  if (kind === "unknown-field") {
    const meant = nearest(path, fields);
    const message = `reflex \`${reflex}\`: \`${word}\` asks for \`${path}\`, which the payload of \`${sense}\` does not declare`;
    return problem("pattern-unknown-field", message, meant === null ? listed : `did you mean \`${meant}\`? ${listed}`);
  }
  const at = path === "" ? word : `${word}.${path}`;
  const there = expected === null ? "" : `: there it is ${expected}`;
  return problem(
    "pattern-never-matches",
    `reflex \`${reflex}\`: \`${at}\` matches no payload of \`${sense}\`${there}`,
    listed,
  );
}
