import { expect, test } from "bun:test";
import { SCHEMAS_FILE, schemas } from "../../scripts/openapi.ts";

test("the schemas of the API are those of its types: `bun scripts/openapi.ts` writes them", async () => {
  expect(await Bun.file(SCHEMAS_FILE).json()).toEqual(schemas());
});
