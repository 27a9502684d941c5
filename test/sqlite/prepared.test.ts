import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { prepared } from "../../src/sqlite/prepared.ts";

test("a statement is prepared at its first use, once, whatever else the connection has run", () => {
  using db = new Database(":memory:");
  const later = prepared(db, "SELECT name FROM made_later");
  // More than Bun's own cache holds.
  for (let other = 0; other < 50; other++) db.query(`SELECT ${other}`).get();
  db.run("CREATE TABLE made_later (name TEXT)");
  db.run("INSERT INTO made_later VALUES ('first')");
  const first = later();
  expect(first.all()).toEqual([{ name: "first" }]);
  expect(later()).toBe(first);
});
