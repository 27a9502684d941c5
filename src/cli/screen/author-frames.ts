/** Owns the search for the frames of an author's files in a stack. The other frames of the stack are nerve's. */

export interface Frame {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Innermost frame first. Frames of nerve and of Bun have no absolute path. */
export const authorFrames = (stack: string | null): Frame[] =>
  [...(stack ?? "").matchAll(/[\s(](?:file:\/\/)?(\/[^()\n]*?):(\d+):(\d+)\)?$/gm)].map(
    ([, file = "", line, column]) => ({ file, line: Number(line), column: Number(column) }),
  );
