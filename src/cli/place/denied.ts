/** Owns the words for a verb that does not run as nerve's user: the owner of the file in the way, and the command for that owner. */
import { accessSync, constants, lstatSync, readFileSync, realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Problem } from "../../model/problem.ts";
import { shellWord } from "../screen/shell-word.ts";

const { R_OK, W_OK, X_OK } = constants;

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "";

/** The user's name; the number where /etc/passwd has no such user. */
function nameOf(uid: number): string {
  try {
    const rows = readFileSync("/etc/passwd", "utf8").split("\n");
    return rows.map((row) => row.split(":")).find(([, , id]) => Number(id) === uid)?.[0] ?? `#${uid}`;
  } catch {
    return `#${uid}`;
  }
}

const whoAmI = (): number => process.geteuid?.() ?? 0;

/** The parts of `path` from the root down, the path itself last. */
const partsOf = (path: string): string[] => (path === "/" ? ["/"] : [...partsOf(dirname(path)), path]);

interface Closed {
  readonly path: string;
  readonly owner: number;
}

/** The first part of `path` that is closed to this user and belongs to another user; null where there is no such part. */
function closedPart(path: string, right: number): Closed | null {
  const whole = resolve(path);
  for (const part of partsOf(whole)) {
    try {
      accessSync(part, part === whole ? right : X_OK);
    } catch (error) {
      if (codeOf(error) !== "EACCES") return null;
      const owner = lstatSync(part).uid;
      return owner === whoAmI() ? null : { path: part, owner };
    }
  }
  return null;
}

function isOnPath(program: string): boolean {
  const found = Bun.which("nerve");
  return found !== null && realpathSync(found) === program;
}

const ownName = (): string =>
  !Bun.isStandaloneExecutable || isOnPath(process.execPath) ? "nerve" : shellWord(process.execPath);

/** sudo does not pass variables on, so the config becomes an option. */
function configWords(words: readonly string[]): string[] {
  const { NERVE_CONFIG: file = "" } = process.env;
  const isGiven = words.some((word) => /^(?:-c|--config)/.test(word));
  return file === "" || isGiven ? [] : ["-c", file];
}

/** The command line of this process, as the user `owner`. */
function asUser(owner: number): string {
  const words = process.argv.slice(2);
  const sudo = owner === 0 ? "sudo" : `sudo -u ${shellWord(nameOf(owner))}`;
  return [sudo, ownName(), ...[...words, ...configWords(words)].map(shellWord)].join(" ");
}

/** The part of `path` that is closed to this user, in words and with the command that works; null where nothing is closed. */
export function denialAt(path: string, right: number = R_OK): Pick<Problem, "message" | "hint"> | null {
  const closed = closedPart(path, right);
  if (closed === null) return null;
  const message = `the user ${nameOf(whoAmI())} may not use ${closed.path}, which belongs to the user ${nameOf(closed.owner)}`;
  return { message, hint: asUser(closed.owner) };
}

/** Kinds of problems that a file of another user can cause. */
const DENIED = /(?:^|-)permission$|^unreadable$|^data-unusable$/;

function ofConfig(found: Problem): Problem {
  const owner = found.file === null ? undefined : lstatSync(found.file, { throwIfNoEntry: false })?.uid;
  if (owner === undefined || owner === 0 || owner === whoAmI() || whoAmI() === 0) return found;
  return { ...found, hint: `as the user it belongs to: ${asUser(owner)}; or ${found.hint ?? "chown it"}` };
}

function explained(found: Problem): Problem {
  if (found.kind === "unsafe-owner") return ofConfig(found);
  if (!DENIED.test(found.kind) || found.file === null) return found;
  const denial = denialAt(found.file, found.kind === "data-unusable" ? W_OK : R_OK);
  return denial === null ? found : { ...found, ...denial, file: null };
}

/** Explains each problem that comes from the file of another user. One folder in the way of many files becomes one problem. */
export function explainDenials(problems: readonly Problem[]): readonly Problem[] {
  if (whoAmI() === 0) return problems;
  const all = problems.map(explained);
  return all.filter((one, index) => all.findIndex((other) => Bun.deepEquals(one, other)) === index);
}
