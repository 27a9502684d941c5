/** Where in a stack the files of whoever wrote a sense or a workflow stand: the frames around them are nerve's. */

export interface Frame {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Innermost first. Frames of nerve and of Bun have no absolute path. */
export const authorFrames = (stack: string | null): Frame[] =>
  [...(stack ?? "").matchAll(/[\s(](?:file:\/\/)?(\/[^()\n]*?):(\d+):(\d+)\)?$/gm)].map(
    ([, file = "", line, column]) => ({ file, line: Number(line), column: Number(column) }),
  );
