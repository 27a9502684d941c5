/**
 * Owns `SHA256SUMS` of a release: its lines, and the comparison of a file with its line. The lines are those of
 * `sha256sum`, so `sha256sum -c SHA256SUMS` gives the same answer.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";

export const SUMS_FILE = "SHA256SUMS";

/** Name of a file → its SHA-256, 64 lowercase hex digits. */
export type Sums = ReadonlyMap<string, string>;

/**
 * `sha256sum` writes `*` before a name that it read in binary mode. It accepts digests in capitals, and lines that end with
 * CRLF. A name is that of a file beside `SHA256SUMS`, so `./` before the name changes nothing.
 */
const LINE = /^([0-9A-Fa-f]{64}) [ *](?:\.\/)*([A-Za-z0-9_+~][A-Za-z0-9._+~-]*)\r?$/;

/** The lines of a `SHA256SUMS`, or a problem for every bad line. `file` is the place of the text, for messages. */
export function parseSums(text: string, file: string): Result<Sums, readonly Problem[]> {
  const sums = new Map<string, string>();
  const problems: Problem[] = [];
  const bad = (index: number, message: string): void => {
    problems.push({
      kind: "bad-sums",
      message,
      hint: "take SHA256SUMS from the release again",
      file,
      line: index + 1,
      column: 1,
    });
  };
  for (const [index, line] of text.replace(/\n$/, "").split("\n").entries()) {
    const [, digest = "", name = ""] = LINE.exec(line) ?? [];
    if (name === "") bad(index, `${JSON.stringify(line.slice(0, 100))} is no line of a SHA256SUMS`);
    else if (sums.has(name)) bad(index, `${name} stands in it twice`);
    else sums.set(name, digest.toLowerCase());
  }
  return problems.length === 0 ? ok(sums) : err(problems);
}

/** The text of a `SHA256SUMS`, in the order of the names. */
export const formatSums = (sums: Sums): string =>
  [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, digest]) => `${digest}  ${name}\n`)
    .join("");

/** The SHA-256 of a file, read piece by piece. Rejects where the file cannot be read. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/**
 * Compares the file at `path` with the line of `name`, by default the name of the file. Returns the digest of the file, or
 * the problem.
 */
export async function matchSums(
  sums: Sums,
  path: string,
  name: string = basename(path),
): Promise<Result<string, Problem>> {
  const expected = sums.get(name);
  if (expected === undefined) {
    const names = [...sums.keys()].join(", ");
    return err(problem("not-in-sums", `${SUMS_FILE} does not name ${name}`, `it names ${names}`, path));
  }
  let found: string;
  try {
    found = await sha256Of(path);
  } catch (error) {
    return err(problem("unreadable", `${name} cannot be read: ${(error as Error).message}`, null, path));
  }
  if (found === expected) return ok(found);
  return err(
    problem(
      "wrong-sum",
      `${name} is not the file that was released: its SHA-256 is ${found}, ${SUMS_FILE} says ${expected}`,
      "take it from the release again, and do not run it",
      path,
    ),
  );
}
