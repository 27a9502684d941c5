/** A compute is one transaction: its rows and its signal are kept together or not at all (G7). */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Nerve, project, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

function read<T>(nerve: Nerve, sense: string, sql: string): T[] {
  using db = new Database(join(nerve.data, "senses", `${sense}.db`), { readonly: true });
  return db.query<T, []>(sql).all();
}

const textsOf = (nerve: Nerve, sense: string): string[] =>
  read<{ text: string }>(nerve, sense, "SELECT text FROM entries ORDER BY id").map(({ text }) => text);

const outboxOf = (nerve: Nerve, sense: string): number => read(nerve, sense, "SELECT id FROM _outbox").length;

function keepers(modes: readonly string[], reflexes: readonly string[]) {
  const folder = project({}, { keeper: "e2e/keeper" });
  folder.write(
    "nerve.yaml",
    `
      senses:
        ${modes.map((mode) => `${mode}: { use: keeper, timeout: ${mode === "times-out" ? "100ms" : "5s"}, with: { mode: ${mode} } }`).join("\n        ")}
      reflexes:
        ${reflexes.join("\n        ")}`,
  );
  return folder;
}

test.concurrent("a compute that throws, rejects or times out leaves no row and no signal", async () => {
  const modes = ["throws", "rejects", "times-out"];
  using folder = keepers(
    modes,
    modes.map((mode) => `- { sense: ${mode}, interval: 200ms }`),
  );
  await using nerve = await startNerve(folder.path);
  await until("every sense has failed three times", async () => {
    const { senses } = await nerve.status();
    return senses.every(({ errors, timeouts }) => errors + timeouts >= 3);
  });
  for (const mode of modes) expect({ mode, texts: textsOf(nerve, mode) }).toEqual({ mode, texts: [] });
  expect(nerve.signals()).toEqual([]);
  const { errors, timeouts } = await nerve.sense("times-out");
  expect({ errors, timedOut: timeouts > 0 }).toEqual({ errors: 0, timedOut: true });
});

test.concurrent("a compute that returns null keeps its rows; the author's own transaction is a savepoint in it", async () => {
  using folder = keepers(
    ["keeps-silently", "savepoints"],
    ["- { sense: keeps-silently, on_start: true }", "- { sense: savepoints, on_start: true }"],
  );
  await using nerve = await startNerve(folder.path);
  const [signal] = await until(
    "savepoints has emitted",
    () => nerve.signals("savepoints").length === 1 && nerve.signals("savepoints"),
  );
  expect(signal?.payload).toEqual({ inner: "only the inner one", texts: ["before", "within", "after"] });
  expect(textsOf(nerve, "savepoints")).toEqual(["before", "within", "after"]);
  await until("keeps-silently has computed", async () => (await nerve.sense("keeps-silently")).nulls === 1);
  expect(textsOf(nerve, "keeps-silently")).toEqual(["kept"]);
  expect(nerve.signals("keeps-silently")).toEqual([]);
  expect(outboxOf(nerve, "keeps-silently")).toBe(0);
});

test.concurrent("rows and signals agree one to one, and the outbox is drained", async () => {
  using folder = keepers(["mixed"], ["- { sense: mixed, interval: 20ms }"]);
  await using nerve = await startNerve(folder.path);
  await until("sixty signals of mixed are committed", () => nerve.signals("mixed").length >= 60);
  expect(outboxOf(nerve, "mixed")).toBeLessThanOrEqual(2);
  expect(await nerve.stop()).toBe(0);
  const ids = read<{ id: number }>(nerve, "mixed", "SELECT id FROM entries ORDER BY id").map(({ id }) => id);
  expect(nerve.signals("mixed").map(({ payload }) => payload.id)).toEqual(ids);
  expect(nerve.logs({ source: "sense:mixed", event: "compute.failed" }).length).toBeGreaterThan(0);
  expect(outboxOf(nerve, "mixed")).toBeLessThanOrEqual(1);
});

test.concurrent("a handle kept beyond its compute is refused, also while the next compute runs", async () => {
  using folder = keepers(["strays"], ["- { sense: strays, on_start: true }"]);
  await using nerve = await startNerve(folder.path);
  await until("the stray's line is logged", () => nerve.logs({ source: "sense:strays", event: "log" }).length === 1);
  await nerve.post("/trigger", { name: "strays" });
  const [, second] = await until(
    "strays has emitted twice",
    () => nerve.signals("strays").length === 2 && nerve.signals("strays"),
  );
  const refused = "the sense's database can only be used while its compute runs";
  expect(second?.payload).toEqual({ stray: refused, during_next: refused });
  expect(textsOf(nerve, "strays")).toEqual([]);
});

test.concurrent("a compute cannot end, leave or attach to its transaction; what it wrote is kept with its signal", async () => {
  using folder = keepers(["breaks-out"], ["- { sense: breaks-out, on_start: true }"]);
  await using nerve = await startNerve(folder.path);
  const [signal] = await until(
    "breaks-out has emitted",
    () => nerve.signals("breaks-out").length === 1 && nerve.signals("breaks-out"),
  );
  const { tried, rows } = signal?.payload ?? {};
  for (const { statement, came } of tried) {
    const expected = statement.includes(";")
      ? "only one statement at a time: the ones after the first would be ignored"
      : `${/[A-Z]+/.exec(statement.replace("/* quiet */", "").trim().toUpperCase())} is not allowed: a compute is one transaction, kept when it returns`;
    expect({ statement, came }).toEqual({ statement, came: expected });
  }
  expect(rows).toBe(1);
  expect(textsOf(nerve, "breaks-out")).toEqual(["kept"]);
  expect(existsSync(join(folder.path, "elsewhere.db")) || existsSync(join(nerve.data, "elsewhere.db"))).toBe(false);
});
