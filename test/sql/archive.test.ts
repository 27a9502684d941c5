import { expect, test } from "bun:test";
import { choose } from "../../src/sql/archive.ts";
import type { ArchiveFile } from "../../src/store/archive-names.ts";

const NOON = Date.UTC(2025, 5, 30, 12);

const file = (day: string, bytes: number, first: number): ArchiveFile => ({
  file: `${day}.jsonl`,
  day,
  first_id: first,
  last_id: first + 9,
  rows: 10,
  bytes,
  sha256: "",
  at: 0,
  after_id: null,
});
const FILES = [file("2025-06-28", 40, 1), file("2025-06-29", 40, 11), file("2025-06-30", 40, 21)];
const chosen = (days: number, most: number) => {
  const { files, cut } = choose(FILES, days, NOON, most);
  return { days: files.map(({ day }) => day), cut };
};

test("so many days of UTC, today included", () => {
  expect(chosen(1, 1_000)).toEqual({ days: ["2025-06-30"], cut: null });
  expect(chosen(2, 1_000).days).toEqual(["2025-06-29", "2025-06-30"]);
  expect(chosen(7, 1_000).days).toHaveLength(3);
});

test("the newest files up to the limit, and what is left out is named", () => {
  const { days, cut } = chosen(7, 80);
  expect(days).toEqual(["2025-06-29", "2025-06-30"]);
  expect(cut).toContain("the logs from id 11 (2025-06-29) on");
  expect(chosen(7, 10)).toMatchObject({ days: [], cut: expect.stringContaining("holds nothing") });
});
