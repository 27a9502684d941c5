/** The texts of all help pages, in one file to be read as prose. `NERVE_GOLDEN=write bun test test/cli/help.test.ts` writes it anew. */
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandHelp, overview } from "../../src/cli/help.ts";
import { PIPE } from "../../src/cli/screen/terminal.ts";
import { VERBS } from "../../src/cli/verbs.ts";

const GOLDEN = join(import.meta.dir, "golden/help.txt");

async function everyPage(): Promise<string> {
  const pages: [command: string, text: string][] = [
    ["nerve --help", overview(PIPE, false)],
    ["nerve help --all", overview(PIPE, true)],
  ];
  for (const verb of VERBS) {
    const { command } = await verb.load();
    pages.push([`nerve ${verb.name} --help`, commandHelp(verb, command, PIPE)]);
  }
  return pages.map(([command, text]) => `$ ${command}\n${text}\n`).join("\n");
}

test("every help page is as it was read and approved", async () => {
  const pages = await everyPage();
  if (process.env.NERVE_GOLDEN === "write") writeFileSync(GOLDEN, pages);
  expect(pages).toBe(readFileSync(GOLDEN, "utf8"));
});

test("a page names each option once, and no line is wider than 132 columns", async () => {
  const pages = (await everyPage()).split(/^\$ /m);
  for (const page of pages) {
    const options = [...page.matchAll(/^ {2}(?:-\w, | {4})(--[\w-]+)/gm)].map(([, name]) => name);
    expect(new Set(options).size).toBe(options.length);
    for (const line of page.split("\n")) expect(line.length, line).toBeLessThanOrEqual(132);
  }
});
