/** Whose fault it is that the old executable does not go on, by what that executable says itself. */
import { expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { type Blame, blameFor } from "../../src/upgrade/blame.ts";
import type { Journal } from "../../src/upgrade/home.ts";
import { project } from "../helpers/nerve.ts";

const BUILD = { version: "1.0.0", commit: "", sha256: "" };

const says = (kind: string): string =>
  JSON.stringify({ error: { kind, message: `it is ${kind}`, hint: null, file: "/a/file" } });

const CASES: readonly (readonly [code: number | null, kind: string, blame: Blame])[] = [
  [78, "newer-store", "data"],
  [78, "store-damaged", "data"],
  [78, "store-not-a-database", "data"],
  [78, "store-no-space", "host"],
  [78, "store-io", "host"],
  [78, "store-permission", "host"],
  [78, "config", "host"],
  [78, "data-unusable", "host"],
  [75, "newer-store", "host"],
  [70, "newer-store", "unknown"],
  [null, "newer-store", "unknown"],
];

test.each(CASES)("a daemon that ended with %p and says %s ends with blame on: %s", async (code, kind, blame) => {
  using folder = project({ old: `#!/bin/sh\necho '${says(kind)}' >&2\nexit 78\n` });
  const old = join(folder.path, "old");
  chmodSync(old, 0o755);
  const journal: Journal = {
    step: "going-back",
    config: join(folder.path, "nerve.yaml"),
    data: folder.path,
    from: BUILD,
    to: BUILD,
    manager: null,
    lastLog: 0,
    reason: null,
    rung: "as-it-is",
  };
  const fault = await blameFor("it ended", code, old, journal, null);
  expect(fault.blame).toBe(blame);
  expect(fault.words).toBe(code === 78 ? `it ended: /a/file: it is ${kind}` : "it ended");
});

test("what says nothing has no known fault", async () => {
  using folder = project({ old: "#!/bin/sh\nexit 78\n" });
  const old = join(folder.path, "old");
  chmodSync(old, 0o755);
  const at = { config: join(folder.path, "nerve.yaml"), data: folder.path };
  const journal: Journal = {
    ...at,
    step: "stuck",
    from: BUILD,
    to: BUILD,
    manager: null,
    lastLog: 0,
    reason: null,
    rung: "as-it-is",
  };
  expect(await blameFor("it ended", 78, old, journal, null)).toEqual({ words: "it ended", blame: "unknown" });
});
