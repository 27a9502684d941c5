import { expect, test } from "bun:test";
import { join } from "node:path";
import { withEvents } from "../../scripts/events.ts";

test("docs/operations.md holds exactly the events of the table", async () => {
  const page = await Bun.file(join(import.meta.dir, "../../docs/operations.md")).text();
  expect(withEvents(page)).toBe(page);
});
