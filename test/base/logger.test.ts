/** The lines of the foreground log. */
import { expect, test } from "bun:test";
import { formatPretty } from "../../src/base/logger.ts";

test("further lines of a message are indented, so that none looks like a line of its own, and are made safe one by one", () => {
  const message = "tar: no such file\n09:00:00  kernel  all is well\n\x1b[2Jcleared";
  const line = formatPretty(
    { at: 0, level: "error", source: "workflow:backup", event: "output", message, data: null },
    false,
  );
  const [first, ...others] = line.split("\n");
  expect(first).toEndWith("error tar: no such file");
  expect(others).toEqual(["    09:00:00  kernel  all is well", "    \\u{1b}[2Jcleared"]);
});
