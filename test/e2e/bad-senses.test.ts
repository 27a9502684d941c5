/** Senses that do not load: each fails by itself with its exact reason and place, and the rest of its group runs (G10). */
import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Project, project, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

interface Case {
  readonly sense: string;
  /** File in the sense's folder → content. */
  readonly files: Readonly<Record<string, string>>;
  readonly with?: object;
  /** Done to the folder once it is written. */
  readonly spoil?: (folder: Project) => void;
  /** What status gives as reason; `DIR` is the folder of the test. */
  readonly reason: string;
  /** What the log adds: file:line:column before it, a hint after it (empty: none). */
  readonly place?: string;
  readonly hint?: string;
}

const GOOD = "export const compute = () => ({ fine: true });\n";
const EXAMPLE = "write `export const compute: Compute = async (db, peers, context) => …`";
const SCHEMA_EXAMPLE = 'write `export const options = type({ … })` with `import { type } from "arktype"`';
const typed = (definition: string): string =>
  `import { type } from "arktype";\nexport const options = type(${definition});\n${GOOD}`;
const data = (folder: Project, name: string): string => {
  mkdirSync(join(folder.path, "data/senses"), { recursive: true, mode: 0o700 });
  return join(folder.path, "data/senses", name);
};

const CASES: readonly Case[] = [
  {
    sense: "not-there",
    files: {},
    reason: "sense `not-there`: there is no DIR/senses/not-there/index.ts, and no built-in sense is called `not-there`",
  },
  {
    sense: "misspelt",
    files: { "indx.ts": GOOD },
    reason: "sense `misspelt`: there is no DIR/senses/misspelt/index.ts, and no built-in sense is called `misspelt`",
    place: "DIR/nerve.yaml: ",
    hint: "rename misspelt/indx.ts to misspelt/index.ts",
  },
  {
    sense: "syntax",
    files: { "index.ts": "const a = 1;\nconst b = 2;\nexport const compute = ( => null;\n" },
    reason: "Unexpected =>",
    place: "DIR/senses/syntax/index.ts:3:26: ",
  },
  {
    sense: "syntax-in-import",
    files: { "index.ts": `import "./broken.ts";\n${GOOD}`, "broken.ts": "\nlet 1a = 2;" },
    reason: "Syntax Error",
    place: "DIR/senses/syntax-in-import/broken.ts:2:5: ",
  },
  {
    sense: "no-export",
    files: { "index.ts": "export const comput = () => null;\n" },
    reason: "sense `no-export` does not export `compute`",
    place: "DIR/senses/no-export/index.ts: ",
    hint: `it exports \`comput\`; ${EXAMPLE}`,
  },
  {
    sense: "empty",
    files: { "index.ts": "" },
    reason: "sense `empty` does not export `compute`",
    hint: EXAMPLE,
  },
  {
    sense: "default-only",
    files: { "index.ts": "export default () => null;\n" },
    reason: "sense `default-only` does not export `compute`",
    hint: `it has a default export; ${EXAMPLE}`,
  },
  {
    sense: "a-number",
    files: { "index.ts": "export const compute = 42;\n" },
    reason: "sense `a-number` exports `compute`, which must be a function and is of type number",
    hint: EXAMPLE,
  },
  {
    sense: "throws",
    files: { "index.ts": `import "./deep.ts";\n${GOOD}`, "deep.ts": "\n\nthrow new TypeError('at the top');\n" },
    reason: "the module threw while loading: TypeError: at the top",
    place: "DIR/senses/throws/deep.ts:3:",
  },
  {
    sense: "throws-null",
    files: { "index.ts": `throw null;\n${GOOD}` },
    reason: "the module threw while loading: null",
  },
  {
    sense: "unresolved-package",
    files: { "index.ts": `import pad from "left-pad-of-nobody";\n${GOOD}console.log(pad);\n` },
    reason: "there is no package `left-pad-of-nobody` to import",
    place: "DIR/senses/unresolved-package/index.ts:1:17: ",
    hint: "nerve, drizzle-orm, drizzle-orm/sqlite-core and arktype are built in; other packages belong in a node_modules beside nerve.yaml",
  },
  {
    sense: "unresolved-file",
    files: { "index.ts": `import { a } from "./nowhere.ts";\n${GOOD}console.log(a);\n` },
    reason: "there is no file `./nowhere.ts` to import",
    hint: "",
  },
  {
    sense: "missing-import",
    files: { "index.ts": `import { nothing } from "nerve";\n${GOOD}console.log(nothing);\n` },
    reason: "the module `nerve` exports nothing named `nothing`",
  },
  {
    sense: "missing-name-in-file",
    files: { "index.ts": `import { b } from "./a.ts";\n${GOOD}console.log(b);\n`, "a.ts": "export const a = 1;" },
    reason: "the module `DIR/senses/missing-name-in-file/a.ts` exports nothing named `b`",
  },
  {
    sense: "bad-options",
    files: { "index.ts": typed("{ path: 'string', 'limit?': 'number > 0' }") },
    with: { path: 7, limit: -1 },
    reason:
      "the options of sense `bad-options` are refused: path must be a string (was a number); limit must be positive (was -1)",
    hint: "correct `with` of senses.bad-options in nerve.yaml",
  },
  {
    sense: "missing-option",
    files: { "index.ts": typed("{ path: 'string' }") },
    reason: "the options of sense `missing-option` are refused: path must be a string (was missing)",
  },
  {
    sense: "takes-none",
    files: { "index.ts": GOOD },
    with: { path: "/", limit: 1 },
    reason: "the options of sense `takes-none` are refused: it takes no options, and `with` gives path, limit",
  },
  {
    sense: "no-schema",
    files: { "index.ts": `export const options = { path: "string" };\n${GOOD}` },
    reason: "sense `no-schema` exports `options`, which is not an ArkType type",
    hint: SCHEMA_EXAMPLE,
  },
  {
    sense: "bad-type",
    files: { "index.ts": typed("{ path: 'strin' }") },
    reason: "the module threw while loading: ParseError: 'strin' is unresolvable",
    place: "DIR/senses/bad-type/index.ts:2:24: ",
  },
  {
    sense: "open-folder",
    files: { "index.ts": GOOD },
    spoil: ({ path }) => chmodSync(join(path, "senses/open-folder"), 0o777),
    reason: "this folder can be written to by its group or by others (mode 0777)",
    place: "DIR/senses/open-folder: ",
    hint: "chmod go-w DIR/senses/open-folder",
  },
  {
    sense: "open-file",
    files: { "index.ts": `import "./helper.ts";\n${GOOD}`, "helper.ts": "" },
    spoil: ({ path }) => chmodSync(join(path, "senses/open-file/helper.ts"), 0o666),
    reason: "the file DIR/senses/open-file/helper.ts can be written to by its group or by others (mode 0666)",
    hint: "chmod go-w DIR/senses/open-file/helper.ts",
  },
  {
    sense: "a-folder",
    files: { "index.ts/what.ts": GOOD },
    reason: "DIR/senses/a-folder/index.ts does not exist",
    hint: "write it, or correct `use`",
  },
  {
    sense: "bad-sql",
    files: { "index.ts": GOOD, "migrations/0001_first.sql": "CREATE TABEL a (b);" },
    reason:
      'migration 0001_first.sql failed and was rolled back: near "TABEL": syntax error, at line 1: CREATE TABEL a (b)',
    place: "DIR/senses/bad-sql/migrations/0001_first.sql: ",
  },
  {
    sense: "no-database",
    files: { "index.ts": GOOD, "migrations/0001_first.sql": "CREATE TABLE a (b);" },
    spoil: (folder) =>
      writeFileSync(data(folder, "no-database.db"), "this is no database at all, only text ".repeat(40)),
    reason: "DIR/data/senses/no-database.db: file is not a database (SQLITE_NOTADB)",
  },
  {
    sense: "linked-database",
    files: { "index.ts": GOOD, "migrations/0001_first.sql": "CREATE TABLE a (b);" },
    spoil: (folder) => symlinkSync("/tmp/elsewhere.db", data(folder, "linked-database.db")),
    reason: "DIR/data/senses/linked-database.db is a symbolic link; nerve keeps plain files: move it away",
  },
  {
    sense: "folder-database",
    files: { "index.ts": GOOD, "migrations/0001_first.sql": "CREATE TABLE a (b);" },
    spoil: (folder) => mkdirSync(data(folder, "folder-database.db")),
    reason: "DIR/data/senses/folder-database.db is not a plain file but a folder: move it away",
  },
];

test.concurrent("each bad sense fails by name with its reason, place and hint, and the others of its group compute", async () => {
  using folder = project({}, { well: "e2e/pulse" });
  const entries = CASES.map(({ sense, with: options }) =>
    options === undefined ? `${sense}: {}` : `${sense}: { with: ${JSON.stringify(options)} }`,
  );
  for (const { sense, files, spoil } of CASES) {
    for (const [name, content] of Object.entries(files)) folder.write(`senses/${sense}/${name}`, content);
    spoil?.(folder);
  }
  folder.write(
    "nerve.yaml",
    `
      senses:
        well: {}
        ${entries.join("\n        ")}
      reflexes:
        - { sense: well, interval: 100ms }
        ${CASES.map(({ sense }) => `- { sense: ${sense}, interval: 100ms }`).join("\n        ")}`,
  );
  await using nerve = await startNerve(folder.path);
  await until("well has emitted five times", () => nerve.signals("well").length >= 5);
  const { senses } = await nerve.status();
  const here = (text: string): string => text.replaceAll("DIR", folder.path);
  const after = (hint: string | undefined): string =>
    hint === undefined ? "" : hint === "" ? "$" : RegExp.escape(`; ${here(hint)}`);
  for (const { sense, reason, place = "", hint } of CASES) {
    const found = senses.find(({ name }) => name === sense);
    const logs = nerve.logs({ source: `sense:${sense}`, event: "sense.failed" }).map(({ message }) => message);
    expect({ sense, state: found?.state, reason: found?.reason, log: logs }).toEqual({
      sense,
      state: "failed",
      reason: here(reason),
      log: [
        expect.stringMatching(
          new RegExp(`^${RegExp.escape(here(place))}.*${RegExp.escape(here(reason))}${after(hint)}`),
        ),
      ],
    });
  }
  expect(new Set(nerve.signals().map(({ sense }) => sense))).toEqual(new Set(["well"]));
  expect((await nerve.group("default")).restarts).toBe(0);
});
