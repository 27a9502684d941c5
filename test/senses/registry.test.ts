import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { getTableConfig, type SQLiteTable } from "drizzle-orm/sqlite-core";
import { BUILT_IN_SENSES } from "../../senses/index.ts";
import { BUILT_IN_SENSE_NAMES } from "../../senses/names.ts";
import { PATH_WATCHERS } from "../../src/config/watches.ts";
import { definitionIn } from "../../src/model/declaration.ts";
import { seriesOf } from "../../src/sense-worker/series-of.ts";
import { LEAST, openSense } from "../helpers/compute.ts";

const SENSES = join(import.meta.dir, "../../senses");

const loadedBy = (file: string): string[] => {
  const script = `require(${JSON.stringify(join(SENSES, file))}); console.log(JSON.stringify(Object.keys(require.cache)))`;
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", script], { cwd: join(SENSES, "..") });
  const loaded: string[] = JSON.parse(stdout.toString() || `[${JSON.stringify(stderr.toString())}]`);
  return loaded.filter((path) => !path.endsWith("[eval]") && !path.endsWith(".sql"));
};

/** One has a verdict, and one what its program prints. */
const WITHOUT_SERIES = ["host-health", "exec"];

/** Options with which the numbers stand in a payload, and not in its rows alone. */
const WITH_NUMBERS: Readonly<Record<string, object>> = { tail: { summary: true }, journal: { summary: true } };

/** The fields of a payload, and of the elements of its lists. */
const fieldsOf = (definition: object): string[] =>
  Object.entries(definition).flatMap(([name, one]) => [name, ...(Array.isArray(one) ? Object.keys(one[0]) : [])]);

describe("the registry", () => {
  test("names, entries and folders are the same", () => {
    const folders = readdirSync(SENSES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const names = [...BUILT_IN_SENSE_NAMES].sort();
    expect(Object.keys(BUILT_IN_SENSES).sort()).toEqual(names);
    expect(folders.map(({ name }) => name).sort()).toEqual(names);
  });

  test("those whose modules name paths are those for which a reflex with `watch: true` has an interval", () => {
    const naming = BUILT_IN_SENSE_NAMES.filter((name) => {
      const { watch } = BUILT_IN_SENSES[name].load() as { watch?: (options: object) => object };
      if (watch === undefined) return false;
      const named = watch({ path: "/var/log/x", file: null });
      return ["file", "dir", "journal"].some((kind) => kind in named);
    });
    expect([...PATH_WATCHERS].sort()).toEqual([...naming].sort());
  });

  test("importing it evaluates no sense and no library; importing the names evaluates nothing but them", () => {
    expect(loadedBy("index.ts")).toEqual([join(SENSES, "index.ts")]);
    expect(loadedBy("names.ts")).toEqual([join(SENSES, "names.ts")]);
  });

  describe.each(BUILT_IN_SENSE_NAMES)("%s", (name) => {
    const sense = BUILT_IN_SENSES[name];
    const folder = join(SENSES, name);

    test("exports compute and options, and says in its README what every option is", () => {
      const { compute, options } = sense.load() as {
        compute: unknown;
        options: { "~standard": { validate(given: unknown): { value: Record<string, unknown> } } };
      };
      expect(compute).toBeFunction();
      const readme = readFileSync(join(folder, "README.md"), "utf8");
      expect(readme).toStartWith(`# ${name}\n`);
      const { value } = options["~standard"].validate(LEAST[name] ?? {});
      for (const option of Object.keys(value)) expect(readme).toContain(`\`${option}\``);
    });

    test("ships exactly the migrations of its folder", () => {
      const migrations = join(folder, "migrations");
      const files = existsSync(migrations) ? readdirSync(migrations).sort() : [];
      expect([...sense.migrations]).toEqual(
        files.map((file) => ({ name: file, sql: readFileSync(join(migrations, file), "utf8") })),
      );
    });

    test("has a schema that says what its migrations made", () => {
      expect(sense.schema !== null).toBe(existsSync(join(folder, "schema.ts")));
      const tables = Object.values(sense.schema?.() ?? {}).map((table) => getTableConfig(table as SQLiteTable));
      if (tables.length === 0) return;
      using open = openSense(name, LEAST[name]);
      const made = open.client.query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
      expect(tables.map((table) => table.name).sort()).toEqual(made.map((table) => table.name).sort());
      for (const table of tables) {
        const columns = open.client
          .query<{ name: string; type: string; notnull: number; pk: number }, [string]>(
            "SELECT * FROM pragma_table_info(?)",
          )
          .all(table.name);
        expect(
          table.columns.map((column) => [
            column.name,
            column.getSQLType().toUpperCase(),
            column.notNull && !column.primary,
          ]),
        ).toEqual(columns.map((column) => [column.name, column.type, column.notnull === 1]));
      }
    });

    test("exports the numbers that the page draws, and its README says so", () => {
      const { series } = sense.load() as { series: { numbers: object } | undefined };
      if (series === undefined) return expect(WITHOUT_SERIES).toContain(name);
      expect(readFileSync(join(folder, "README.md"), "utf8")).toContain("**Series**");
      using open = openSense(name, { ...LEAST[name], ...WITH_NUMBERS[name] });
      const found = seriesOf({ name, folder: null }, series, open.client.filename);
      expect(found).toMatchObject({ ok: true, value: { table: "samples", at: "at" } });
      const { payload } = sense.load() as { payload: unknown };
      const definition = definitionIn(payload as never, open.options);
      // What is handed in from outside is its sender's own.
      if (definition === null) return expect(name).toBe("push");
      const declared = fieldsOf(definition as object);
      for (const column of Object.keys(series.numbers)) expect(declared).toContain(column);
    });
  });
});
