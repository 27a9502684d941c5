import { describe, expect, test } from "bun:test";
import { namedIn, quoted, unquotedIn } from "../../src/sql/names.ts";

const KNOWN = ["cpu-usage", "memory", "archive", "main"];
const sensesIn = (sql: string) => Object.fromEntries(namedIn(sql, KNOWN).senses);

describe("what a query names", () => {
  test("senses by the name before a dot, quoted in any way of SQLite, in any case", () => {
    expect(sensesIn('SELECT * FROM "cpu-usage".samples, [memory].samples, Memory . samples')).toEqual({
      "cpu-usage": "cpu-usage",
      memory: "memory",
    });
    expect(sensesIn("SELECT * FROM `cpu-usage`.samples")).toEqual({ "cpu-usage": "cpu-usage" });
  });

  test("no sense in texts and comments, and none for a name without a dot", () => {
    expect(sensesIn("SELECT 'memory.samples' -- memory.samples\n/* memory.samples */ FROM memory")).toEqual({});
  });

  test("a sense whose name is taken is there as `sense:NAME`", () => {
    expect(sensesIn("SELECT * FROM archive.samples, main.signals")).toEqual({});
    expect(sensesIn('SELECT * FROM "sense:archive".samples')).toEqual({ "sense:archive": "archive" });
  });

  test("the archive only as `archive.logs`: the table `archive` has columns", () => {
    expect(namedIn("SELECT archive.file FROM archive", KNOWN).archive).toBe(false);
    expect(namedIn('SELECT * FROM "archive" . LOGS', KNOWN).archive).toBe(true);
  });

  test("a name with a dash without its quotes", () => {
    expect(unquotedIn("SELECT * FROM cpu-usage.samples", KNOWN)).toBe("cpu-usage");
    expect(unquotedIn('SELECT * FROM "cpu-usage".samples', KNOWN)).toBeNull();
    expect(unquotedIn("SELECT memory.a - memory.b FROM memory.samples", KNOWN)).toBeNull();
    expect(["cpu-usage", "memory", "2fa"].map(quoted)).toEqual(['"cpu-usage"', "memory", '"2fa"']);
  });
});
