import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BUILT_IN_WORKFLOWS } from "../../src/workflows/index.ts";
import { BUILT_IN_WORKFLOW_NAMES } from "../../src/workflows/names.ts";

const FOLDER = join(import.meta.dir, "../../src/workflows");

interface Module {
  readonly run: unknown;
  readonly options: {
    readonly "~standard": { validate(given: unknown): { value: Record<string, unknown> } };
  };
}

const NEEDED = { exec: { command: ["true"] }, webhook: { url: "https://example.org" }, notify: {} };

test("names, entries and folders of the built-in workflows are the same", () => {
  const folders = readdirSync(FOLDER, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = [...BUILT_IN_WORKFLOW_NAMES].sort();
  expect(Object.keys(BUILT_IN_WORKFLOWS).sort()).toEqual(names);
  expect(folders.map(({ name }) => name).sort()).toEqual(names);
});

test.each([...BUILT_IN_WORKFLOW_NAMES])(
  "%s exports run and options, and says in its README what every option is",
  (name) => {
    const { run, options } = BUILT_IN_WORKFLOWS[name].load() as unknown as Module;
    expect(run).toBeFunction();
    const readme = readFileSync(join(FOLDER, name, "README.md"), "utf8");
    expect(readme).toStartWith(`# ${name}\n`);
    for (const option of Object.keys(options["~standard"].validate(NEEDED[name]).value)) {
      expect(readme).toContain(`\`${option}\``);
    }
  },
);
