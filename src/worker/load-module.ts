/** Imports a user's module. A module that does not load is a problem with its place and remedy. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { BUILT_IN_SENSES } from "../../senses/index.ts";
import { meantOr, nearest } from "../base/nearest.ts";
import { err, ok, type Result } from "../base/result.ts";
import { describeThrown } from "../base/thrown.ts";
import { type Problem, problem } from "../model/problem.ts";
import { embeddedSpecifiers } from "./modules.ts";

/** A module whose top level has not settled by then is given up. The kernel kills a worker whose module never yields. */
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

interface Unresolved extends Message {
  readonly specifier: string;
  /** The file that imports it. */
  readonly referrer: string;
}

const isUnresolved = (message: Message): message is Unresolved => message.name === "ResolveMessage";

const PACKAGES =
  "nerve, drizzle-orm, drizzle-orm/sqlite-core and arktype are built in; other packages belong in a node_modules beside nerve.yaml";

function explainUnresolved({ specifier, referrer, position }: Unresolved, file: string): Problem {
  const importer = referrer || file;
  const at = position ?? placeOf(specifier, importer);
  const unresolved = (text: string, hint: string | null): Problem =>
    problemAt("unresolved-import", text, hint, importer, at);
  if (/^\.{0,2}\//.test(specifier)) {
    return unresolved(`there is no file \`${specifier}\` to import`, nearestFile(specifier, importer));
  }
  const known = embeddedSpecifiers();
  if (specifier.startsWith("nerve/"))
    return unresolved(`there is no module \`${specifier}\``, hintOnOwn(specifier, known));
  return unresolved(`there is no package \`${specifier}\` to import`, meantOr(specifier, known, PACKAGES));
}

const SENSES = "nerve/senses/";

/** `nerve/senses/disk` may be part of a name; a sense without tables has no module. */
function hintOnOwn(specifier: string, known: readonly string[]): string {
  const name = specifier.slice(SENSES.length);
  if (specifier.startsWith(SENSES) && Object.hasOwn(BUILT_IN_SENSES, name)) return `the sense ${name} keeps no tables`;
  const holding = known.filter((one) => one.startsWith(specifier));
  if (holding.length > 0) return `there is ${new Intl.ListFormat("en-GB").format(holding)}`;
  const alike = known.filter((one) => one.startsWith(SENSES) === specifier.startsWith(SENSES));
  return meantOr(specifier, alike, `there are ${alike.join(", ")}`);
}

/** The file beside it that was most likely meant. */
function nearestFile(specifier: string, importer: string): string | null {
  const wanted = resolve(dirname(importer), specifier);
  try {
    const meant = nearest(basename(wanted), readdirSync(dirname(wanted)));
    return meant === null ? null : `did you mean \`${specifier.slice(0, -basename(wanted).length)}${meant}\`?`;
  } catch {
    return `there is no folder ${dirname(wanted)}`;
  }
}

/** Where `specifier` stands in the file. */
function placeOf(specifier: string, file: string): Position | null {
  try {
    const lines = readFileSync(file, "utf8").split("\n");
    for (const [index, line] of lines.entries()) {
      const found = [`"${specifier}"`, `'${specifier}'`].map((text) => line.indexOf(text)).find((at) => at >= 0);
      if (found !== undefined) return { file, line: index + 1, column: found + 1 };
    }
  } catch {
    // Gone since it was imported: it has no place.
  }
  return null;
}

function explain(error: unknown, file: string, folder: string): Problem {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  if (isMessage(first)) {
    if (isUnresolved(first)) return explainUnresolved(first, file);
    return problemAt("syntax-error", first.message, null, file, first.position);
  }
  if (first instanceof SyntaxError) {
    const missing = /export named '([^']+)' not found in module '([^']+)'/i.exec(first.message);
    const message = missing ? `the module \`${missing[2]}\` exports nothing named \`${missing[1]}\`` : first.message;
    return problemAt(missing ? "missing-import" : "syntax-error", message, null, file, thrownAt(first, folder));
  }
  const { message } = describeThrown(first);
  return problemAt("module-threw", `the module threw while loading: ${message}`, null, file, thrownAt(first, folder));
}

type Exports = Readonly<Record<string, unknown>>;

/** What has loaded in this process. A thousand senses may be of one module, and a changed module comes with another process. */
const LOADED = new Map<string, Exports>();

/**
 * The module's exports. A module whose top level never settles is given up after `limitMs`; one that loops without
 * awaiting is the supervisor's to end.
 */
export async function loadModule(file: string, folder: string, limitMs: number): Promise<Result<Exports, Problem>> {
  const known = LOADED.get(file);
  if (known !== undefined) return ok(known);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    return err(problemAt("missing-file", `${file} does not exist`, "write it, or correct `use`", file, null));
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<"too-long">((resolve) => {
    timer = setTimeout(resolve, limitMs, "too-long");
  });
  try {
    const loaded = await Promise.race([import(file) as Promise<Exports>, tooLong]);
    if (loaded !== "too-long") {
      LOADED.set(file, loaded);
      return ok(loaded);
    }
    const message = `the module did not finish loading within ${limitMs} ms: a top-level await never settled`;
    return err(problemAt("never-settled", message, "move the wait into the function it exports", file, null));
  } catch (error) {
    return err(explain(error, file, folder));
  } finally {
    clearTimeout(timer);
  }
}
