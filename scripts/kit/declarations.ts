/**
 * The declarations that an author's editor needs: those of `nerve`, made from the sources of this build, and those of the
 * packages that are embedded, each file as it is. One program of TypeScript says which files these are.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { Glob } from "bun";
import { ROOT } from "../toolchain.ts";

/** Path below `node_modules` → text. */
export type Declarations = Readonly<Record<string, string>>;

const PACKAGES = ["drizzle-orm", "drizzle-orm/sqlite-core", "drizzle-orm/bun-sqlite", "arktype"];
/** What a user's `import` finds, as sources. */
const SOURCES = ["src/sdk/*.ts", "senses/*/schema.ts"];
/** A program takes seconds to read, so its result is kept until one of the sources has changed. */
const KEPT = join(ROOT, "build/declarations.json");

interface Kept {
  /** Path of each source → hash of its text. */
  readonly sources: Readonly<Record<string, string>>;
  readonly declarations: Declarations;
}

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const hashOf = (path: string): string => (existsSync(join(ROOT, path)) ? Bun.hash(read(path)).toString(16) : "none");
const roots = (): string[] => SOURCES.flatMap((pattern) => [...new Glob(pattern).scanSync(ROOT)]).sort();

export async function declarations(): Promise<Declarations> {
  const kept: Kept | null = existsSync(KEPT) ? JSON.parse(readFileSync(KEPT, "utf8")) : null;
  const isCurrent =
    kept !== null &&
    roots().every((path) => path in kept.sources) &&
    Object.entries(kept.sources).every(([path, hash]) => hashOf(path) === hash);
  if (isCurrent) return kept.declarations;
  const made = await makeDeclarations();
  mkdirSync(dirname(KEPT), { recursive: true });
  // Builds beside this one read it whole or not at all.
  const beside = `${KEPT}.${process.pid}`;
  writeFileSync(beside, JSON.stringify(made));
  renameSync(beside, KEPT);
  return made.declarations;
}

/** Made anew, whatever is kept. */
export async function makeDeclarations(): Promise<Kept> {
  const ts = await import("typescript");
  // Stands for an author's module: it imports each package.
  const author = join(ROOT, "src/sdk/__author.ts");
  const host = ts.createCompilerHost({});
  const { getSourceFile, fileExists } = host;
  const text = PACKAGES.map((name) => `import "${name}";`).join("\n");
  // TypeScript looks for `types` from here, wherever the caller stands.
  host.getCurrentDirectory = () => ROOT;
  host.fileExists = (file) => file === author || fileExists(file);
  host.getSourceFile = (file, ...rest) =>
    file === author ? ts.createSourceFile(file, text, ts.ScriptTarget.ESNext) : getSourceFile(file, ...rest);
  const { options } = ts.parseJsonConfigFileContent(
    { extends: "./tsconfig.json", compilerOptions: { noEmit: false, declaration: true, emitDeclarationOnly: true } },
    ts.sys,
    ROOT,
  );
  const program = ts.createProgram({
    rootNames: [author, ...roots().map((path) => join(ROOT, path))],
    host,
    options: { ...options, rootDir: ROOT, outDir: ROOT },
  });
  const paths = program.getSourceFiles().map(({ fileName }) => relative(ROOT, fileName));
  const own: Record<string, string> = {};
  program.emit(
    undefined,
    (file, declaration) => {
      own[`nerve/${relative(ROOT, file)}`] = declaration;
    },
    undefined,
    true,
  );
  delete own["nerve/src/sdk/__author.d.ts"];
  const sources = paths.filter((path) => !path.startsWith("node_modules/") && path !== relative(ROOT, author));
  const inputs = [...sources, "bun.lock", "tsconfig.json", relative(ROOT, import.meta.path)];
  return {
    sources: Object.fromEntries(inputs.map((path) => [path, hashOf(path)])),
    declarations: { ...own, ...ofPackages(paths) },
  };
}

const PACKAGE = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//;
/** TypeScript's own are in every checker. */
const isTypeScripts = (path: string): boolean => path.startsWith("node_modules/typescript/");

function ofPackages(paths: readonly string[]): Declarations {
  const files = paths.filter((path) => PACKAGE.test(path) && !isTypeScripts(path));
  const packages = new Set(files.map((path) => PACKAGE.exec(path)?.[1] ?? ""));
  const licences = [...packages].flatMap((name) =>
    [...new Glob("{LICENSE,LICENCE,license}*").scanSync(join(ROOT, "node_modules", name))].map(
      (file) => `node_modules/${name}/${file}`,
    ),
  );
  return Object.fromEntries([
    ...[...files, ...licences].map((path) => [path.slice("node_modules/".length), read(path)]),
    ...[...packages].map((name) => [`${name}/package.json`, packageOf(name, files)]),
  ]);
}

/** By these a checker finds the declarations of a package. */
const FINDING = ["name", "version", "license", "type", "main", "types", "typings", "typesVersions"];

const stemOf = (path: string): string => path.replace(/(\.d)?\.[cm]?[jt]s$/, "");

/** Of a package's package.json what says where its declarations are; of `exports` those that are here. */
function packageOf(name: string, files: readonly string[]): string {
  const whole = JSON.parse(read(`node_modules/${name}/package.json`)) as Record<string, unknown>;
  const entries = Object.entries(whole).filter(([key]) => FINDING.includes(key));
  const stems = new Set(files.map((file) => stemOf(file.replace(`node_modules/${name}/`, "./"))));
  const exports = Object.entries(whole.exports ?? {}).filter(([, target]) => {
    const paths = JSON.stringify(target).match(/"\.\/[^"]*"/g) ?? [];
    return paths.some((path) => path.includes("*") || stems.has(stemOf(path.slice(1, -1))));
  });
  const found = exports.length === 0 ? {} : { exports: Object.fromEntries(exports) };
  return JSON.stringify({ ...Object.fromEntries(entries), ...found });
}
