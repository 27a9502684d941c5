/** A payload on one line: what a person reads of it, and that nothing in it reaches the terminal raw. */

import { expect, test } from "bun:test";
import type { Json } from "../../../src/base/json.ts";
import { parseStored } from "../../../src/base/json.ts";
import { payloadSpans } from "../../../src/cli/screen/payload.ts";
import { PIPE, type Screen } from "../../../src/cli/screen/terminal.ts";

const line = (payload: Json, screen: Screen = PIPE): string =>
  payloadSpans(payload, screen)
    .map(({ text }) => text)
    .join("");

const CASES: [string, Json, string][] = [
  ["fields with their values", { usage_percent: 3.1, cores: 2 }, "usage_percent 3.1 · cores 2"],
  [
    "numbers rounded to what is read",
    { a: 2.71428, b: 0.000123456, c: -1234.5678, d: 1e21 },
    "a 2.71 · b 0.000123 · c -1234.57 · d 1e+21",
  ],
  ["nested fields under their path", { disk: { root: { used: 1 } } }, "disk.root.used 1"],
  ["plain lists in full", { list: [1, "a", null] }, "list [1, a, null]"],
  ["lists of objects by their length", { list: [{ a: 1 }, { a: 2 }] }, "list [2]"],
  [
    "words bare and the rest quoted",
    { a: "ok", b: "two words", c: "", d: "42", e: "naïve" },
    'a ok · b "two words" · c "" · d "42" · e naïve',
  ],
  ["empty objects", { a: {}, b: [] }, "a {} · b []"],
  ["a payload that is no object", 42, "42"],
  ["a list as payload", [1, 2], "[1, 2]"],
  ["an empty payload", {}, "{}"],
  ["true and false", { up: true, down: false }, "up true · down false"],
];

for (const [title, payload, expected] of CASES) test(`shows ${title}`, () => expect(line(payload)).toBe(expected));

const TERMINAL: Screen = { terminal: true, colours: false, width: 80 };

test("on a terminal percentages and verdicts come first, and numbers have the unit of their name", () => {
  expect(line({ total_bytes: 25276514304, used_bytes: 1024, used_percent: 83.126 }, TERMINAL)).toBe(
    "used_percent 83.13 % · total_bytes 23.5 GB · used_bytes 1.0 KB",
  );
  expect(
    line({ host: "a", status: "ok", rx_bytes_per_second: 2048, wait_ms: 1500, uptime_seconds: 7200 }, TERMINAL),
  ).toBe("status ok · host a · rx_bytes_per_second 2.0 KB/s · wait_ms 1.5s · uptime_seconds 2h");
  expect(line({ swap_percent: null, disk: { inodes_used_percent: 4 }, drift_ms: -3 }, TERMINAL)).toBe(
    "disk.inodes_used_percent 4 % · swap_percent null · drift_ms -3",
  );
});

test("on a terminal the stretch, slower averages and what was left out come last", () => {
  const rates = { seconds: 9.995, rx_bytes_per_second: 0, interfaces_omitted: 0, tx_bytes_per_second: 2048 };
  expect(line(rates, TERMINAL)).toBe(
    "rx_bytes_per_second 0 B/s · tx_bytes_per_second 2.0 KB/s · seconds 10s · interfaces_omitted 0",
  );
  const pressure = { cpu_some_avg10_percent: 1, cpu_some_avg60_percent: 2, io_some_avg10_percent: 3 };
  expect(line(pressure, TERMINAL)).toBe(
    "cpu_some_avg10_percent 1 % · io_some_avg10_percent 3 % · cpu_some_avg60_percent 2 %",
  );
});

test("no control, bidirectional or format character of a payload gets through", () => {
  const hostile = { "\x1b[2J": "\x1b]52;c;AAAA\x07", "\u202e": "\u200b\r\n\x9b31m", list: ["\x1b[31m"] };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  expect(line(hostile)).not.toMatch(/[\x00-\x1f\x7f-\x9f\u200b\u202e]/);
});

test("a huge payload is shown in part", () => {
  const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`k${index}`, index]));
  expect(line(wide).length).toBeLessThan(2_000);
  expect(line({ long: "x".repeat(60_000) }).length).toBeLessThan(500);
});

test("stored text that is no JSON is shown as it is", () => {
  expect(parseStored("{")).toBe("{");
});

test("what is stored is read as what it is, null too, and shown as it stands where it is damaged", () => {
  expect(["null", "0", '{"a":1}', "{a"].map(parseStored)).toEqual([null, 0, { a: 1 }, "{a"]);
});
