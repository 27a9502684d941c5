/** What user code prints, as rows: whole lines, bounded, each with its author. Captured in a process of its own. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Row as Signed } from "../../src/worker/output.ts";
import { temporaryFolder } from "../helpers/folder.ts";

type Row = Signed<{ readonly sense: string | null; readonly trace: string | null }>;

const SOURCE = JSON.stringify(join(import.meta.dir, "../../src/worker/output.ts"));

/** Runs `code` where everything it prints is captured; the rows it came to. */
async function rowsOf(code: string): Promise<Row[]> {
  const script = `
    import { writeFileSync } from "node:fs";
    import { AsyncLocalStorage } from "node:async_hooks";
    const { captureOutput } = await import(${SOURCE});
    const author = new AsyncLocalStorage();
    const rows = [];
    const finish = captureOutput(() => author.getStore() ?? { sense: null, trace: null }, (row) => rows.push(row));
    await (async () => { ${code} })();
    finish();
    writeFileSync(process.argv.at(-1), JSON.stringify(rows));
    process.exit(0);`;
  using folder = temporaryFolder();
  const child = Bun.spawn([process.execPath, "-e", script, folder.file("rows")], { stdio: ["ignore", "pipe", "pipe"] });
  const [out, error] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  // All of it was captured.
  expect([out, error]).toEqual(["", ""]);
  return JSON.parse(readFileSync(folder.file("rows"), "utf8")) as Row[];
}

describe("captured output", () => {
  test("is one row a line, with its level, from every way to print", async () => {
    const rows = await rowsOf(`
      console.log("a %s", "b", { c: 1 }); console.debug("debug"); console.warn("warn"); console.error(new Error("boom").message);
      console.info("two\\nlines\\n"); console.assert(1 === 2, "math"); console.assert(true, "never"); console.dir({ deep: { er: 1 } });
      process.stdout.write("part"); process.stdout.write("ial\\nnext"); process.stdout.write("\\n\\n");
      process.stderr.write(Buffer.from("bytes\\n")); process.stdout.write("unfinished");`);
    expect(rows.map(({ level, message }) => [level, message])).toEqual([
      ["info", "a b { c: 1 }"],
      ["debug", "debug"],
      ["warn", "warn"],
      ["error", "boom"],
      ["info", "two"],
      ["info", "lines"],
      ["error", "Assertion failed: math"],
      ["info", "{ deep: { er: 1 } }"],
      ["info", "partial"],
      ["info", "next"],
      ["error", "bytes"],
      ["info", "unfinished"],
    ]);
    expect(rows[0]).toMatchObject({ sense: null, event: "output", trace: null, data: null, dropped: 0 });
  });

  test("carries the sense and trace of the code that printed it, across awaits", async () => {
    const rows = await rowsOf(`
      const { promise, resolve } = Promise.withResolvers();
      const print = async (before, after) => { console.log("begin"); await before; console.log("end"); after(); };
      await Promise.all([
        author.run({ sense: "a", trace: "a1" }, () => print(promise, () => {})),
        author.run({ sense: "b", trace: "b1" }, () => print(null, resolve)),
      ]);
      console.log("nobody");`);
    expect(rows.map(({ sense, trace, message }) => [sense, trace, message])).toEqual([
      ["a", "a1", "begin"],
      ["b", "b1", "begin"],
      ["b", "b1", "end"],
      ["a", "a1", "end"],
      [null, null, "nobody"],
    ]);
  });

  test("cuts a line to 8 KiB and says how much is missing; a line without an end does not pile up", async () => {
    const rows = await rowsOf(`
      console.log("x".repeat(100_000)); console.log("€".repeat(10_000));
      for (let index = 0; index < 1_000; index++) process.stdout.write("y".repeat(1_000));`);
    expect(rows[0]?.message).toBe(`${"x".repeat(8_192)}… (91808 more characters)`);
    expect(rows[1]?.message).toBe(`${"€".repeat(2_730)}… (7270 more characters)`);
    expect(rows.slice(2).every(({ message }) => Buffer.byteLength(message) < 8_300)).toBe(true);
    expect(rows.length).toBeWithin(50, 70);
  });

  test("puts together a character that came in two pieces, and calls back", async () => {
    const rows = await rowsOf(`
      const euro = Buffer.from("€\\n");
      process.stdout.write(euro.subarray(0, 1)); process.stdout.write(euro.subarray(1));
      const order = await new Promise((resolve) => process.stdout.write("x\\n", "utf8", () => resolve("called")));
      console.log(order);`);
    expect(rows.map(({ message }) => message)).toEqual(["€", "x", "called"]);
  });
});
