/**
 * The examples of a page: its fenced blocks, and what an HTML comment before a block says of it. `not run: REASON` leaves a
 * block out; `given: CODE` is what the reader has besides the block; `input: JSON` is what a run of it gets,
 * and `setup: COMMAND` makes a file of the host that the block reads.
 */

export interface Example {
  readonly page: string;
  /** Of the line with the fence. */
  readonly line: number;
  /** The nearest heading of the second level. */
  readonly section: string;
  /** `ts`, `yaml`, `sql`, `sh`, `console`; empty for a picture in letters. */
  readonly language: string;
  readonly text: string;
  /** The file that a comment in its first line names. */
  readonly file: string | null;
  readonly notRun: string | null;
  readonly given: string | null;
  readonly input: string | null;
  readonly setup: string | null;
}

const FENCE = /^```(\w*)$/;
const FILE = /^(?:\/\/|#|--) ((?:[\w.-]+\/)*[\w-]+\.(?:ts|yaml|sql))$/;

/** What the comment that ends right before a block says of it. */
function marksOf(before: string): Pick<Example, "notRun" | "given" | "input" | "setup"> {
  const [, comment = ""] = /<!--((?:(?!-->)[\s\S])*)-->\s*$/.exec(before) ?? [];
  const mark = (name: string): string | null => {
    const [, value = null] = new RegExp(`^\\s*${name}:\\s*([\\s\\S]*?)\\s*$`).exec(comment) ?? [];
    return value;
  };
  return { notRun: mark("not run"), given: mark("given"), input: mark("input"), setup: mark("setup") };
}

export function examplesOf(page: string, markdown: string): readonly Example[] {
  const lines = markdown.split("\n");
  const found: Example[] = [];
  let section = "";
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (line.startsWith("## ")) section = line.slice(3);
    const [fence, language = ""] = FENCE.exec(line) ?? [];
    if (fence === undefined) continue;
    const end = lines.indexOf("```", index + 1);
    if (end < 0) throw new Error(`${page}:${index + 1}: this block has no end`);
    const body = lines.slice(index + 1, end);
    const [, file = null] = FILE.exec(body[0] ?? "") ?? [];
    const marks = marksOf(lines.slice(0, index).join("\n"));
    found.push({ page, line: index + 1, section, language, text: `${body.join("\n")}\n`, file, ...marks });
    index = end;
  }
  return found;
}

/** A command of a `sh` block, without its comment. */
export interface CommandLine {
  readonly command: string;
  /** 0 unless the comment says `exits with N`. */
  readonly code: number;
}

export function commandsOf(text: string): readonly CommandLine[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const [command = "", comment = ""] = line.split(/\s+# /);
      const [, code = "0"] = /exits with (\d+)/.exec(comment) ?? [];
      return { command, code: Number(code) };
    });
}

/** A `console` block: each command after `$ `, with the output that is shown for it. */
export function sessionsOf(text: string): readonly { readonly command: string; readonly output: readonly string[] }[] {
  const sessions: { command: string; output: string[] }[] = [];
  for (const line of text.trimEnd().split("\n")) {
    if (line.startsWith("$ ")) sessions.push({ command: line.slice(2), output: [] });
    else sessions.at(-1)?.output.push(line);
  }
  return sessions;
}

/** What a shown line may look like: numbers are any numbers, spaces any spaces, `…` is anything. */
export function shapeOf(line: string): RegExp {
  const escaped = line.trim().replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const loose = escaped
    .replaceAll("…", ".*")
    .replace(/\d+(?:\\\.\d+)?/g, "\\d+(?:\\.\\d+)?")
    .replace(/\s+/g, "\\s+");
  return new RegExp(`^\\s*${loose}\\s*$`);
}
