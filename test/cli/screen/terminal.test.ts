/** Lines are cut and coloured for terminals, and left alone for pipes. */
import { expect, test } from "bun:test";
import {
  escapeLines,
  PIPE,
  renderLine,
  renderLines,
  type Screen,
  span,
  wrapLines,
} from "../../../src/cli/screen/terminal.ts";

const narrow = (width: number, colours = false): Screen => ({ terminal: true, colours, width });

test("a line that fits is as it is", () => {
  expect(renderLine([span("abc"), span("def", "red")], narrow(6))).toBe("abcdef");
});

test("a line that does not fit ends in an ellipsis, and is as wide as the terminal", () => {
  expect(renderLine([span("abc"), span("def", "red")], narrow(5))).toBe("abcd…");
  expect(renderLine([span("abc"), span("def"), span("ghi")], narrow(7))).toBe("abcdef…");
  expect(renderLine([span("abcdef"), span("g")], narrow(6))).toBe("abcde…");
  expect(renderLine([span("abcdef")], narrow(1))).toBe("…");
});

test("a wide character is not cut in half", () => {
  const line = renderLine([span("日本語日本語")], narrow(6));
  expect(Bun.stringWidth(line)).toBeLessThanOrEqual(6);
  expect(line).toBe("日本…");
});

test("colours wrap each span whole, cut or not", () => {
  expect(renderLine([span("abc", "red"), span("def", "dim")], narrow(5, true))).toBe(
    "\x1b[31mabc\x1b[0m\x1b[2md\x1b[0m\x1b[2m…\x1b[0m",
  );
});

test("a pipe gets everything, and no colour", () => {
  const long = "x".repeat(5_000);
  expect(renderLine([span(long, "red")], PIPE)).toBe(long);
});

test("a text of several lines is indented below its first, each line cut by itself", () => {
  expect(renderLines([span("tar: "), span("one\ntwo three")], PIPE)).toEqual(["tar: one", "    two three"]);
  expect(renderLines([span("tar: "), span("one\ntwo three")], narrow(9))).toEqual(["tar: one", "    two…"]);
});

test("lines keep their ends, and all else in them that is unsafe is escaped", () => {
  expect(escapeLines("a\r\nb\x1b[2J\n\n")).toBe("a\nb\\u{1b}[2J");
});

test("a story wraps at spaces below its own beginning, and loses nothing", () => {
  const text = "failed: POST to http://127.0.0.1:8080/hook answered 500 four times";
  const lines = wrapLines([span("+1 s "), span(text)], [span("  ")], narrow(30));
  expect(lines).toEqual(["+1 s failed: POST to", "  http://127.0.0.1:8080/hook", "  answered 500 four times"]);
  for (const line of lines) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(30);
  expect(
    wrapLines([span("x".repeat(70))], [span("  ")], narrow(30))
      .join("")
      .replaceAll(" ", ""),
  ).toBe("x".repeat(70));
  expect(wrapLines([span(text)], [], PIPE)).toEqual([text]);
});
