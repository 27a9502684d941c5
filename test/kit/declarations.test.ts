/** What an author's editor is given does not depend on where the build is called from. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { temporaryFolder } from "../helpers/folder.ts";

setDefaultTimeout(120_000);

const MODULE = join(import.meta.dir, "../../scripts/kit/declarations.ts");

test("declarations made from another folder have the types of the runtime", async () => {
  using folder = temporaryFolder();
  const script = `const { makeDeclarations } = await import(${JSON.stringify(MODULE)});
    const names = Object.keys((await makeDeclarations()).declarations);
    console.log(names.some((name) => name.startsWith("bun-types/")));`;
  const child = Bun.spawn([process.execPath, "-e", script], { cwd: folder.path, stdout: "pipe" });
  expect([await new Response(child.stdout).text(), await child.exited]).toEqual(["true\n", 0]);
});
