/** Imports a user's module and says, when that fails, which of the ways it failed and where. */
import { err, ok, type Result } from "../base/result.ts";
import { describeThrown } from "../base/thrown.ts";
import { type Problem, problem } from "../model/problem.ts";

/** A module whose top level has not settled by then is given up; one that never yields is killed by the kernel. */
export const LOAD_LIMIT_MS = 10_000;

interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

interface Message extends Error {
  readonly position: Position | null;
}

const isMessage = (error: unknown): error is Message =>
  typeof error === "object" && error !== null && ["BuildMessage", "ResolveMessage"].includes((error as Error).name);

const problemAt = (kind: string, message: string, hint: string | null, file: string, at: Position | null): Problem => ({
  ...problem(kind, message, hint, at?.file || file),
  line: at?.line || null,
  column: at?.column || null,
});

/** First stack line that lies in a file of the user's, as a position. */
function thrownAt(error: unknown, folder: string): Position | null {
  for (const line of (error instanceof Error ? (error.stack ?? "") : "").split("\n")) {
    const match = /\(?((?:file:\/\/)?\/[^()]*?):(\d+):(\d+)\)?$/.exec(line.trim());
    const file = match?.[1]?.replace(/^file:\/\//, "");
    if (file?.startsWith(folder)) return { file, line: Number(match?.[2]), column: Number(match?.[3]) };
  }
  return null;
}

function explain(error: unknown, file: string, folder: string): Problem {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  if (isMessage(first)) {
    const unresolved = first.name === "ResolveMessage";
    const isPackage = unresolved && !/'\.{0,2}\//.test(first.message);
    const hint = isPackage
      ? "nerve, drizzle-orm, drizzle-orm/sqlite-core and arktype are built in; other packages belong in a node_modules beside nerve.yaml"
      : null;
    return problemAt(unresolved ? "unresolved-import" : "syntax-error", first.message, hint, file, first.position);
  }
  if (first instanceof SyntaxError) {
    const missing = /export named '([^']+)' not found in module '([^']+)'/i.exec(first.message);
    const message = missing ? `module "${missing[2]}" has no export named ${missing[1]}` : first.message;
    return problemAt(missing ? "missing-import" : "syntax-error", message, null, file, thrownAt(first, folder));
  }
  const { message } = describeThrown(first);
  return problemAt("module-threw", `the module threw while loading: ${message}`, null, file, thrownAt(first, folder));
}

/**
 * The module's exports. A module whose top level never settles is given up after `limitMs`; one that loops without
 * awaiting is the supervisor's to end.
 */
export async function loadModule(
  file: string,
  folder: string,
  limitMs: number,
): Promise<Result<Readonly<Record<string, unknown>>, Problem>> {
  if (!(await Bun.file(file).exists())) {
    return err(problemAt("missing-file", `${file} does not exist`, "write it, or correct `use`", file, null));
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<"too-long">((resolve) => {
    timer = setTimeout(resolve, limitMs, "too-long");
  });
  try {
    const loaded = await Promise.race([import(file) as Promise<Record<string, unknown>>, tooLong]);
    if (loaded !== "too-long") return ok(loaded);
    const message = `the module did not finish loading within ${limitMs} ms: a top-level await never settled`;
    return err(problemAt("never-settled", message, "move the wait into the function it exports", file, null));
  } catch (error) {
    return err(explain(error, file, folder));
  } finally {
    clearTimeout(timer);
  }
}
