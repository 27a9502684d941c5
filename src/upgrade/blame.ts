/**
 * Owns the blame when the old executable does not go on. Only data that the old executable cannot read justify other data.
 */
import { dirname } from "node:path";
import { asOwner, ownerOf } from "../base/owner.ts";
import { answerOf, problemIn } from "./candidate.ts";
import type { Journal } from "./home.ts";
import type { Running } from "./service.ts";

/**
 * `data`: the old executable says that it cannot read them. `host`: the disk, the config, or something else that a person
 * mends.
 */
export type Blame = "data" | "host" | "unknown";

export interface Fault {
  readonly words: string;
  readonly blame: Blame;
}

/** Exit codes of the daemon. */
const CANNOT_BE_HAD = 75;
const REFUSED = 78;

/** A daemon that refuses what it finds says so within this time, or is killed. */
const ANSWER_MS = 90_000;

/** Kinds of problems that mean: the data are of another nerve, or damaged. */
const OF_DATA: ReadonlySet<string> = new Set([
  "newer-store",
  "store-migration",
  "store-damaged",
  "store-not-a-database",
  "archive-damaged",
]);

/** `code` is the daemon's exit code, where it is known. A daemon that refused is asked again for its reason. */
export async function blameFor(
  words: string,
  code: number | null,
  executable: string,
  { config, data }: Journal,
  was: Running | null,
): Promise<Fault> {
  if (code === CANNOT_BE_HAD) return { words, blame: "host" };
  if (code !== REFUSED) return { words, blame: "unknown" };
  const answer = await answerOf([executable, "--json", config], ANSWER_MS, null, {
    env: was?.environment ?? process.env,
    cwd: dirname(config),
    ...asOwner(ownerOf(data)),
  });
  const problems = answer.stderr.split("\n").flatMap(problemIn);
  const [first] = problems;
  if (first === undefined) return { words, blame: "unknown" };
  const blame = problems.every(({ kind }) => OF_DATA.has(kind)) ? "data" : "host";
  const { file, message } = first;
  const place = file === null || message.includes(file) ? "" : `${file}: `;
  return { words: `${words}: ${place}${message}`, blame };
}
