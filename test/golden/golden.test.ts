/**
 * Every message that a mistake leads to, as a person reads it. NERVE_GOLDEN=write writes the transcripts anew; then they are
 * read as a whole before they are committed.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type Case, EVERY_CASE, formatTranscript, parseTranscript, replay } from "./golden.ts";

const IS_WRITTEN = process.env.NERVE_GOLDEN === "write";

/** A few at a time: most of a case is the start of a process. */
async function replayAll(cases: readonly Case[]): Promise<Case[]> {
  const common = cases.find(({ title }) => title === EVERY_CASE)?.files ?? {};
  const replayed: Case[] = [];
  const waiting = cases.entries();
  const work = async (): Promise<void> => {
    for (const [index, one] of waiting) replayed[index] = await replay(one, common);
  };
  await Promise.all(Array.from({ length: availableParallelism() * 2 }, work));
  return replayed;
}

describe("the executable answers as written in", () => {
  for (const name of ["configs", "modules", "commands"]) {
    test(`${name}.txt`, async () => {
      const file = join(import.meta.dir, `${name}.txt`);
      const transcript = parseTranscript(readFileSync(file, "utf8"));
      const now = { ...transcript, cases: await replayAll(transcript.cases) };
      if (IS_WRITTEN) writeFileSync(file, formatTranscript(now));
      else expect(formatTranscript(now).split("\n")).toEqual(formatTranscript(transcript).split("\n"));
    }, 600_000);
  }
});
