/** `when` and `clear` of reflexes, held against what the senses they listen to declare as their payload. */
import { nearest } from "../base/nearest.ts";
import type { ReadConfig } from "../config/parse.ts";
import { foundText } from "../config/pattern-parts.ts";
import type { NerveConfig } from "../model/config.ts";
import type { Problem } from "../model/problem.ts";
import { compilePattern } from "../rules/pattern.ts";
import type { PatternFinding, ScratchPattern } from "./seat.ts";

const WORDS = ["when", "clear"] as const;

/** Its place tells a reflex apart even where a bad config gives a name twice. */
const labelOf = (reflex: number, word: (typeof WORDS)[number]): string => `reflexes[${reflex}].${word}`;

/** The patterns that look at the signals of `sense`; what is none has been reported. */
export const patternsOn = ({ reflexes }: NerveConfig, sense: string): ScratchPattern[] =>
  reflexes.flatMap((reflex, index) =>
    WORDS.flatMap((word) => {
      const definition = reflex[word];
      if (definition === null || !reflex.on.includes(sense) || !compilePattern(definition).ok) return [];
      return { label: labelOf(index, word), definition };
    }),
  );

/**
 * A pattern that no signal can match, whichever of the reflex's senses it is from. Where one of them declares nothing
 * there is nothing to say, and what only one of several can match is what `clear` is for.
 */
export function patternProblems(
  { reflexes }: NerveConfig,
  patternPart: ReadConfig["patternPart"],
  findings: ReadonlyMap<string, readonly PatternFinding[]>,
): Problem[] {
  return reflexes.flatMap((reflex, index) =>
    WORDS.flatMap((word) => {
      const label = labelOf(index, word);
      const bySense = reflex.on.map((sense) => ({
        sense,
        found: (findings.get(sense) ?? []).filter((finding) => finding.label === label),
      }));
      const mayMatch = bySense.some(({ found }) => found.length === 0 || found.some(({ kind }) => kind === "possible"));
      if (mayMatch) return [];
      return bySense.flatMap(({ sense, found }) =>
        found
          .map((finding) => {
            const part = patternPart(reflex, word, finding.path);
            return describe({ reflex: reflex.name, word, sense, part, finding });
          })
          .sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)),
      );
    }),
  );
}

interface Described {
  readonly reflex: string;
  readonly word: (typeof WORDS)[number];
  readonly sense: string;
  /** As it stands in the file. */
  readonly part: ReturnType<ReadConfig["patternPart"]>;
  readonly finding: PatternFinding;
}

function describe({ reflex, word, sense, part, finding: { kind, path, expected, fields } }: Described): Problem {
  const nowhere = { file: null, line: null, column: null };
  const listed = fields.length === 0 ? null : `the payload of \`${sense}\` has ${fields.join(", ")}`;
  if (kind === "unknown-field") {
    const meant = nearest(path, fields);
    return {
      kind: "pattern-unknown-field",
      message: `reflex \`${reflex}\`: \`${word}\` asks for \`${path}\`, which the payload of \`${sense}\` does not declare`,
      hint: meant === null ? listed : `did you mean \`${meant}\`? ${listed}`,
      ...(part?.keyPlace ?? nowhere),
    };
  }
  const at = path === "" ? word : `${word}.${path}`;
  const text = part === null ? null : foundText(part);
  const what = text === null ? "matches" : `is ${text}, which matches`;
  const there = expected === null ? "" : `: there it is ${expected}`;
  return {
    kind: "pattern-never-matches",
    message: `reflex \`${reflex}\`: \`${at}\` ${what} no payload of \`${sense}\`${there}`,
    hint: listed,
    ...(part?.tree.place ?? nowhere),
  };
}
