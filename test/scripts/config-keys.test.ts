/** The tables of keys in the docs are generated: a key that is added, or worded anew, is written there by its script. */
import { expect, test } from "bun:test";
import { withKeys } from "../../scripts/config-keys.ts";

test("docs/config.md holds exactly the keys that the parser reads", async () => {
  const page = await Bun.file(new URL("../../docs/config.md", import.meta.url)).text();
  expect(page === withKeys(page) ? "" : "run `bun scripts/config-keys.ts`").toBe("");
});
