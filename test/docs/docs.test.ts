/** What the docs name is there, and what there is stands in the docs. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Glob } from "bun";
import { BUILT_IN_SENSE_NAMES } from "../../senses/names.ts";
import { EXIT } from "../../src/cli/frame/outcome.ts";
import { VERBS } from "../../src/cli/verbs.ts";
import { NOT_YET } from "../../src/config/not-yet.ts";
import { ROOT as FILE } from "../../src/config/parse.ts";
import { REFLEX } from "../../src/config/reflex-fields.ts";
import type { Acts } from "../../src/control/acts.ts";
import type { Looks } from "../../src/control/looks.ts";
import { routesOf } from "../../src/control/routes.ts";
import { BUILT_IN_WORKFLOW_NAMES } from "../../src/workflows/names.ts";

const ROOT = join(import.meta.dir, "../..");
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");

/** For who uses nerve, and for who works on it. */
const FOR_USERS = ["README.md", ...new Glob("docs/*.md").scanSync(ROOT)].sort();
const FOR_BUILDERS = ["ARCHITECTURE.md", "CONTRIBUTING.md"];
const OF_BUILT_INS = ["senses/*/README.md", "src/workflows/*/README.md"].flatMap((pages) => [
  ...new Glob(pages).scanSync(ROOT),
]);
const PAGES = [...FOR_USERS, ...FOR_BUILDERS, ...OF_BUILT_INS];

describe("stands in the docs:", () => {
  test.each(VERBS)("the verb `$name`, in the table of docs/operations.md", ({ usage, summary }) => {
    const row = `| \`nerve ${usage.replaceAll("|", "\\|")}\` | ${summary} |`;
    expect(read("docs/operations.md").split("\n")).toContain(row);
  });

  // The keys of the file, of senses and of workflows are in tables of their own, written from the parser's.
  test.each(Object.keys(REFLEX))("the key `%s` of a reflex", (key) => {
    expect(["docs/config.md", "docs/reflexes.md"].some((page) => read(page).includes(`\`${key}`))).toBe(true);
  });

  test.each(Object.keys(FILE).filter((key) => !NOT_YET.includes(key)))("the key `%s` of the file", (key) => {
    expect(read("docs/config.md")).toContain(`\`${key}`);
  });

  // None of them is asked.
  const routes = routesOf(null as unknown as Looks, null as unknown as Acts);
  test.each(Object.entries(routes))("the path %s of the control socket, with its method", (path, { method }) => {
    const rows = read("docs/operations.md").split("\n");
    expect(rows.some((row) => row.includes(`\`${path}\``) && row.includes(`| ${method} |`))).toBe(true);
  });

  test("every exit code, in one table of docs/operations.md", () => {
    const table = read("docs/operations.md").split("## Exit codes")[1]?.split("\n## ")[0] ?? "";
    const codes = [...table.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(codes).toEqual(Object.values(EXIT).sort((a, b) => a - b));
  });

  test.each(BUILT_IN_SENSE_NAMES)("the built-in sense `%s`, in README and on a page of its own", (name) => {
    expect(read("README.md")).toContain(`[\`${name}\`](senses/${name}/README.md)`);
  });

  test.each(BUILT_IN_WORKFLOW_NAMES)("the built-in workflow `%s`, in README and on a page of its own", (name) => {
    expect(read("README.md")).toContain(`[\`${name}\`](src/workflows/${name}/README.md)`);
  });
});

/** As GitHub makes them. */
const anchorsOf = (page: string): string[] =>
  [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

describe("every link resolves:", () => {
  test.each(PAGES)("%s", (page) => {
    const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
    const broken = links
      .filter((link) => !/^https?:/.test(link))
      .filter((link) => {
        const [path = "", anchor = null] = link.split("#");
        const target = path === "" ? page : join(dirname(page), path);
        return !existsSync(join(ROOT, target)) || (anchor !== null && !anchorsOf(target).includes(anchor));
      });
    expect(broken).toEqual([]);
  });
});

const TOP = ["src", "senses", "test", "scripts", "docs", "migrations"];
const FOLDERS = [...new Glob("src/*").scanSync({ cwd: ROOT, onlyFiles: false })].map((path) =>
  path.slice("src/".length),
);
const BUILT_IN: readonly string[] = [...BUILT_IN_SENSE_NAMES, ...BUILT_IN_WORKFLOW_NAMES];

/**
 * Files and folders of this repository a page names, from its top or from `src/`. A path with a placeholder names none;
 * on a page for users a sense or workflow that is not built in is the reader's own.
 */
function named(page: string): string[] {
  const words = read(page).match(/[\w.@-]+(?:\/[\w.@<>…-]*)+|[\w-]+\.ts\b/g) ?? [];
  return [...new Set(words.map((word) => word.replace(/[.-]+$/, "")))].filter((path) => {
    const [first = "", second = ""] = path.split("/");
    if (/[<>…]/.test(path)) return false;
    if (FOR_USERS.includes(page) && ["senses", "workflows"].includes(first)) return BUILT_IN.includes(second);
    return TOP.includes(first) || FOLDERS.includes(first);
  });
}

describe("every file and folder that is named is there:", () => {
  test.each([...FOR_USERS, ...FOR_BUILDERS])("%s", (page) => {
    const missing = named(page).filter((path) => ["", "src"].every((under) => !existsSync(join(ROOT, under, path))));
    expect(missing).toEqual([]);
  });

  test("and the pages for builders name some", () => {
    expect(named("ARCHITECTURE.md").length).toBeGreaterThan(30);
    expect(named("CONTRIBUTING.md").length).toBeGreaterThan(5);
  });
});
