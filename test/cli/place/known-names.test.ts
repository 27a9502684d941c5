/** Names a person typed, held against the configuration. */
import { expect, test } from "bun:test";
import { knownReflex } from "../../../src/cli/place/known-names.ts";
import { parseWholeContract } from "../../../src/config/parse.ts";

const config = (() => {
  const result = parseWholeContract(`
senses: { load: , memory: }
workflows: { note: , page: }
reflexes:
  - { sense: load, interval: 1s }
  - { workflow: note, on: [load] }
  - { workflow: page, on: [load] }
  - { workflow: page, on: [memory] }
`);
  if (!result.ok) throw new Error(result.error.map(({ message }) => message).join());
  return result.value;
})();

test.each([
  ["page#2", "page#2"],
  ["note", "note#1"],
  ["load", "load#1"],
])("%s means the reflex %s", (name, meant) => {
  const found = knownReflex([config], name);
  expect(found.ok ? found.value : null).toBe(meant);
});

test.each([
  ["page", "its reflexes are: page#1, page#2"],
  ["not#1", "did you mean `note#1`?"],
  ["memory", "there are: load#1, note#1, page#1, page#2"],
])("%s means none, and the hint says which there are", (name, hint) => {
  const found = knownReflex([config], name);
  if (found.ok) throw new Error(`${name} was taken for ${found.value}`);
  expect(JSON.stringify(found.error)).toContain(hint);
});
