/**
 * Holds the sizes of files and functions, and the list of those that are larger: known debt, which only shrinks. A file of
 * the list that has become smaller has its entry lowered, one that has paid its debt leaves the list:
 * `bun scripts/sizes.ts --lower` writes both. Nothing raises an entry but an editor, and a reader of the change sees it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { ROOT } from "./toolchain.ts";

const FILE_LINES = 300;
/** Biome holds the same limit, save for the files whose debt is known. */
const FUNCTION_LINES = 60;
const RULE = "noExcessiveLinesPerFunction";

/** Path → lines: how long the file is, and how long its longest function. */
export interface Sizes {
  readonly files: Readonly<Record<string, number>>;
  readonly functions: Readonly<Record<string, number>>;
}

const DEBT = "scripts/size-debt.json";
const LINT = "biome.json";

const readJson = (file: string) => JSON.parse(readFileSync(join(ROOT, file), "utf8"));

/** Lines of each file that is longer than it should be. Tests are as long as what they hold. */
function longFiles(): Record<string, number> {
  const found = [
    ...new Glob("{src,senses,scripts}/**/*.{ts,tsx}").scanSync(ROOT),
    ...new Glob("test/helpers/*.ts").scanSync(ROOT),
  ].map((file): [string, number] => [file, readFileSync(join(ROOT, file), "utf8").split("\n").length - 1]);
  return Object.fromEntries(found.filter(([, lines]) => lines > FILE_LINES).sort());
}

/** Lines of the longest function of each of `files`, as Biome counts them; those within the limit are left out. */
function longFunctions(files: readonly string[]): Record<string, number> {
  if (files.length === 0) return {};
  const biome = join(ROOT, "node_modules/.bin/biome");
  const options = [`--only=complexity/${RULE}`, "--reporter=json", "--max-diagnostics=none"];
  const { stdout } = Bun.spawnSync([biome, "lint", ...options, ...files], { cwd: ROOT, stderr: "ignore" });
  const { diagnostics } = JSON.parse(stdout.toString()) as {
    diagnostics: readonly { readonly message: string; readonly location: { readonly path: string } }[];
  };
  const found: Record<string, number> = {};
  for (const { message, location } of diagnostics) {
    const lines = Number(/\((\d+)\)/.exec(message)?.[1]);
    found[location.path] = Math.max(found[location.path] ?? 0, lines);
  }
  return found;
}

/** What is wrong with `known` where `found` is so, one sentence each. `noun` says what is measured. */
export function differences(
  noun: string,
  limit: number,
  known: Readonly<Record<string, number>>,
  found: Readonly<Record<string, number>>,
): string[] {
  const files = [...new Set([...Object.keys(known), ...Object.keys(found)])].sort();
  return files.flatMap((file) => {
    const listed = known[file] ?? limit;
    const lines = found[file] ?? null;
    if (lines === null) return [`${file}: ${noun} is within ${limit} lines now; take its entry out of ${DEBT}`];
    if (lines > listed) return [`${file}: ${noun} has ${lines} lines, ${listed} are allowed; split it by idea`];
    return lines < listed ? [`${file}: ${noun} has ${lines} lines now; lower its entry in ${DEBT} from ${listed}`] : [];
  });
}

/** `known` without what is paid, and never more than it was. */
export const lowered = (
  known: Readonly<Record<string, number>>,
  found: Readonly<Record<string, number>>,
): Record<string, number> =>
  Object.fromEntries(
    Object.entries(known).flatMap(([file, listed]) => {
      const lines = found[file];
      return lines === undefined ? [] : [[file, Math.min(lines, listed)]];
    }),
  );

/** Files for which Biome does not hold the limit, besides the tests. */
const exempt = (): string[] => readJson(LINT).overrides.at(-1).includes;

function write(debt: Sizes): void {
  writeFileSync(join(ROOT, DEBT), `${JSON.stringify(debt, null, 2)}\n`);
  const lint = readJson(LINT);
  lint.overrides.at(-1).includes = Object.keys(debt.functions);
  writeFileSync(join(ROOT, LINT), `${JSON.stringify(lint, null, 2)}\n`);
  Bun.spawnSync([join(ROOT, "node_modules/.bin/biome"), "format", "--write", LINT, DEBT], { cwd: ROOT });
}

/** Every difference between the list and the checkout. */
export function sizeProblems(): string[] {
  const debt: Sizes = readJson(DEBT);
  const listed = Object.keys(debt.functions);
  const stray = exempt().filter((file) => !listed.includes(file));
  return [
    ...differences("the file", FILE_LINES, debt.files, longFiles()),
    ...differences("its longest function", FUNCTION_LINES, debt.functions, longFunctions(listed)),
    ...stray.map((file) => `${file}: ${LINT} exempts it, ${DEBT} does not list it`),
  ];
}

if (import.meta.main) {
  if (process.argv.includes("--lower")) {
    const debt: Sizes = readJson(DEBT);
    write({
      files: lowered(debt.files, longFiles()),
      functions: lowered(debt.functions, longFunctions(Object.keys(debt.functions))),
    });
  }
  const problems = sizeProblems();
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) console.error("`bun scripts/sizes.ts --lower` writes the lower numbers.");
  process.exitCode = problems.length > 0 ? 1 : 0;
}
