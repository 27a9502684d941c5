/** Bodies: what is announced, what is held, and what is kept. */
import { expect, test } from "bun:test";
import { announced, Budget, readEnd, readWhole } from "../../src/push/body.ts";

const stays = (): AbortSignal => new AbortController().signal;

function asked(pieces: readonly string[], headers: Record<string, string> = {}, ends = true): Request {
  const body = new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      if (ends) controller.close();
    },
  });
  return new Request("http://localhost/", { method: "POST", body, headers });
}

const textOf = (read: Awaited<ReturnType<typeof readWhole>>): string =>
  read.kind === "whole" ? new TextDecoder().decode(read.bytes) : read.kind;

test("a body is read whole up to its limit", async () => {
  expect(textOf(await readWhole(asked(["ab", "c"]), 3, stays()))).toBe("abc");
  expect(textOf(await readWhole(asked(["ab", "cd"]), 3, stays()))).toBe("too-large");
  expect(textOf(await readWhole(new Request("http://localhost/"), 3, stays()))).toBe("");
});

test("of a body of any length the end is kept, however it is cut into pieces", async () => {
  const text = Array.from({ length: 200 }, (_, at) => String.fromCharCode(97 + (at % 26))).join("");
  for (const size of [1, 3, 7, 64, 200]) {
    const pieces = Array.from({ length: Math.ceil(200 / size) }, (_, at) => text.slice(at * size, (at + 1) * size));
    expect(textOf(await readEnd(asked(pieces), 10, stays()))).toBe(text.slice(-10));
  }
  expect(textOf(await readEnd(asked(["short"]), 10, stays()))).toBe("short");
});

test("a body that does not end is given up when its time is over", async () => {
  const late = new AbortController();
  const reading = [
    readWhole(asked(["a"], {}, false), 10, late.signal),
    readEnd(asked(["a"], {}, false), 10, late.signal),
  ];
  late.abort();
  expect((await Promise.all(reading)).map(textOf)).toEqual(["too-slow", "too-slow"]);
});

test("what is announced counts, and a body that announces nothing counts as the limit", () => {
  expect(announced(new Request("http://localhost/"), 100)).toBe(0);
  expect(announced(asked(["a"], { "content-length": "7" }), 100)).toBe(7);
  expect([announced(asked(["a"]), 100), announced(asked(["a"], { "content-length": "-1" }), 100)]).toEqual([100, 100]);
});

test("the budget is given out once, and comes back", () => {
  const budget = new Budget(10);
  const first = budget.take(6);
  expect([first === null, budget.take(5)]).toEqual([false, null]);
  first?.[Symbol.dispose]();
  expect(budget.take(10)).not.toBeNull();
});
