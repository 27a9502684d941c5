/** What an author's editor and `nerve check` say of types, in a folder as `nerve init` makes it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { kitFiles } from "../../scripts/kit/kit.ts";
import { writeNerveFolder } from "../../src/cli/kit/nerve-folder.ts";
import { SETTINGS, starterFiles } from "../../src/cli/kit/starter.ts";
import { checkTypes, problemsIn } from "../../src/cli/kit/types.ts";
import type { Problem } from "../../src/model/problem.ts";
import { type Project, project } from "../helpers/nerve.ts";
import { type TypeScriptEditor, typescriptEditor } from "../helpers/typescript-editor.ts";

const SENSE = "senses/hello/index.ts";

const HEAD = `
import { integer, sqliteTable, text as column } from "drizzle-orm/sqlite-core";
import { type } from "arktype";
import { type Compute, signals } from "nerve";
import { type Infer, record, text } from "nerve/options";
import { samples } from "nerve/senses/memory";
export const options = record({ folder: text("/") });
export const payload = type({ files: "number" });
type Options = Infer<typeof options>;
type Payload = typeof payload.infer;
const seen = sqliteTable("seen", { id: integer().primaryKey(), name: column().notNull() });
`;
const LINE = HEAD.split("\n").length;

const SOUND: readonly (readonly [string, string])[] = [
  ["an object", "export const compute: Compute = () => ({ a: 1 });"],
  ["an interface", "interface P { a: number }\nexport const compute: Compute = async (): Promise<P> => ({ a: 1 });"],
  [
    "null, a list, a text",
    "export const compute: Compute = async (_db, _peers, { now }) => now > 1 ? null : now > 0 ? [1] : 's';",
  ],
  [
    "several signals",
    "export const compute: Compute<Options, Payload> = async () => signals([{ files: 1 }, { files: 2 }]);",
  ],
  ["what the payload declares", "export const compute: Compute<Options, Payload> = async () => ({ files: 1 });"],
  [
    "its options, its tables and those of a peer",
    "export const compute: Compute<Options> = (db, peers, { options }) => {\n  db.insert(seen).values({ name: options.folder }).run();\n  return peers.memory?.select().from(samples).all()[0]?.used_percent ?? null;\n};",
  ],
  ["a file beside it, by its name", 'import { one } from "../value.ts";\nexport const compute: Compute = () => one;'],
  [
    "Bun and Node",
    'import { join } from "node:path";\nexport const compute: Compute = async () => await Bun.file(join("/", "x")).text();',
  ],
];

const WRONG: readonly (readonly [string, string, RegExp])[] = [
  [
    "an option that is none",
    "export const compute: Compute<Options> = (_db, _peers, { options }) => options.fodler;",
    /Property 'fodler' does not exist.*Did you mean 'folder'/,
  ],
  [
    "a value of another type in a column",
    "export const compute: Compute = (db) => db.insert(seen).values({ name: 3 }).run() ?? null;",
    /No overload matches/,
  ],
  [
    "a column that is none",
    "export const compute: Compute = (_db, peers) => peers.m?.select().from(samples).all()[0]?.used ?? null;",
    /Property 'used' does not exist/,
  ],
  [
    "a payload of another type",
    "export const compute: Compute<Options, Payload> = () => ({ files: 'many' });",
    /Type 'string' is not assignable to type 'number'/,
  ],
  [
    "a payload of another type in a list of signals",
    "export const compute: Compute<Options, Payload> = () => signals([{ files: 'many' }]);",
    /Type 'string' is not assignable to type 'number'/,
  ],
  [
    "a forgotten return, async",
    "export const compute: Compute = async () => { new Map(); };",
    /Type 'Promise<void>' is not assignable/,
  ],
  [
    "a forgotten return",
    "export const compute: Compute = () => { fetch('http://localhost'); };",
    /Type 'void' is not assignable/,
  ],
  [
    "a return in one branch only",
    "export const compute: Compute = async (_db, _peers, { now }) => { if (now > 3) return { now }; };",
    /Type 'undefined' is not assignable/,
  ],
  [
    "a promise in a payload's place",
    "export const compute: Compute<Options, Promise<number>> = () => null;",
    /does not satisfy the constraint/,
  ],
  [
    "a module that is none",
    'import { nothing } from "nerve/nothing";\nexport const compute: Compute = () => nothing;',
    /nerve\/nothing/,
  ],
];

/** Each case is a sense of its own, so that one look at the folder finds all. */
const pathOf = (name: string): string => `senses/${name.replace(/[^a-z]+/g, "-")}/index.ts`;

const BESIDE = { "senses/value.ts": "export const one = 1;\n" };

let folder: Project;
let editor: TypeScriptEditor;
let checked: readonly Problem[];

beforeAll(async () => {
  const cases = [...SOUND, ...WRONG].map(([name, text]) => [pathOf(name), HEAD + text]);
  folder = project({
    ...starterFiles({ pressure: true, systemd: true }, "./data"),
    ...SETTINGS,
    ...Object.fromEntries(cases),
    ...BESIDE,
  });
  writeNerveFolder(folder.path, await kitFiles());
  editor = typescriptEditor(folder.path);
  checked = await checkTypes(join(folder.path, "nerve.yaml"), folder.path);
}, 300_000);

afterAll(() => folder[Symbol.dispose]());

/** What each of the two says of a file, in the same words. */
const problemsOf = (path: string): readonly (readonly string[])[] => [
  editor.problems(path),
  checked
    .filter(({ file }) => file === join(folder.path, path))
    .map(({ line, message }) => `${line}: ${message.replace(/\n\s*/g, " ")}`),
];

describe("TypeScript 5 and the checker of nerve agree:", () => {
  test.each([SENSE, "workflows/note/index.ts"])(
    "%s, as `nerve init` makes it, has no fault",
    (path) => {
      expect(problemsOf(path)).toEqual([[], []]);
    },
    120_000,
  );

  test.each(SOUND)(
    "a compute may return or use %s",
    (name) => {
      expect(problemsOf(pathOf(name))).toEqual([[], []]);
    },
    60_000,
  );

  test.each(WRONG)(
    "%s is an error, in its line",
    (name, _text, problem) => {
      for (const found of problemsOf(pathOf(name))) {
        expect(found).toHaveLength(1);
        expect(found[0]).toMatch(new RegExp(`^${LINE}: `));
        expect(found[0]).toMatch(problem);
      }
    },
    60_000,
  );

  test("and nothing is found elsewhere", () => expect(checked).toHaveLength(WRONG.length));
});

test("an editor offers options and columns", () => {
  const text = `${HEAD}export const compute: Compute<Options> = (db, _peers, { options }) => {\n  options.;\n  samples.;\n};`;
  editor.type(SENSE, text);
  expect(editor.completions(SENSE, "  options.")).toEqual(["folder"]);
  expect(editor.completions(SENSE, "  samples.")).toContain("used_percent");
}, 60_000);

test("a message of several lines is one problem, and so many are listed", () => {
  const output = "senses/a b/index.ts(3,7): error TS1: first\n  second\n    third\nerror TS2: whole\n";
  expect(problemsIn(output, "/etc/nerve")).toEqual([
    {
      kind: "type",
      message: "first (TS1)\nsecond\n  third",
      hint: null,
      file: "/etc/nerve/senses/a b/index.ts",
      line: 3,
      column: 7,
    },
    { kind: "type", message: "whole (TS2)", hint: null, file: null, line: null, column: null },
  ]);
  const many = problemsIn("a.ts(1,1): error TS1: x\n".repeat(60), "/");
  expect(many).toHaveLength(51);
  expect(many.at(-1)?.message).toBe("10 more errors of types");
});
