/** Whose a frame is, by the table. */
import { expect, test } from "bun:test";
import { authorFrames } from "../../../src/cli/screen/author-frames.ts";

test("an author's frames are those with an absolute path; nerve's and Bun's have none", () => {
  const stack = `Error: no /such:1:1 thing
    at lookUp (/etc/nerve/workflows/page/owner.ts:7:12)
    at fill (src/workflows/exec/template.ts:53:17)
    at replaceAll (unknown)
    at <anonymous> (file:///etc/nerve/my workflows/page/index.ts:3:40)
    at /etc/nerve/workflows/page/index.ts:2:1
    at run (node:async_hooks:144:29)`;
  expect(authorFrames(stack)).toEqual([
    { file: "/etc/nerve/workflows/page/owner.ts", line: 7, column: 12 },
    { file: "/etc/nerve/my workflows/page/index.ts", line: 3, column: 40 },
    { file: "/etc/nerve/workflows/page/index.ts", line: 2, column: 1 },
  ]);
  expect(authorFrames(null)).toEqual([]);
});
