/**
 * Transcripts: cases of files and commands, and what the executable answers. A transcript is both the list of what is tried
 * and what is expected, so that it can be read as prose.
 */
import { NERVE, type Nerve, type Project, project, startNerve } from "../helpers/nerve.ts";

/** One command line of a case, and all of its output with its exit code. */
export interface Exchange {
  readonly command: string;
  readonly answer: string;
}

export interface Case {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  readonly exchanges: readonly Exchange[];
}

export interface Transcript {
  /** What stands above the first case. */
  readonly preface: string;
  readonly cases: readonly Case[];
}

/** Its files are those of every other case. */
export const EVERY_CASE = "every case";

const PROMPT = "$ ";

export function parseTranscript(text: string): Transcript {
  const [preface = "", ...sections] = text.split(/^## /m);
  return { preface, cases: sections.map(parseCase) };
}

function parseCase(section: string): Case {
  const lines = section.trimEnd().split("\n");
  const files: Record<string, string> = {};
  const exchanges: { command: string; answer: string }[] = [];
  let file: string | null = null;
  for (const line of lines.slice(1)) {
    const last = exchanges.at(-1);
    if (line.startsWith(PROMPT)) exchanges.push({ command: line.slice(PROMPT.length), answer: "" });
    else if (last !== undefined) last.answer += `${line}\n`;
    else if (line.startsWith("--- ")) {
      file = line.slice("--- ".length);
      files[file] = "";
    } else if (file !== null) files[file] += `${line}\n`;
  }
  return { title: lines[0] ?? "", files, exchanges };
}

export function formatTranscript({ preface, cases }: Transcript): string {
  const sections = cases.map(({ title, files, exchanges }) =>
    [
      `## ${title}\n`,
      ...Object.entries(files).map(([name, content]) => `--- ${name}\n${content}`),
      ...exchanges.map(({ command, answer }) => `${PROMPT}${command}\n${answer}`),
    ].join(""),
  );
  return `${preface}${sections.join("\n")}`;
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** `nerve` in a command line is what the tests run. */
const SHELL = `nerve() { ${NERVE.map(quoted).join(" ")} "$@"; }`;

/** What differs from machine to machine and from run to run. */
const neutral = (text: string, folder: string): string =>
  text
    .replaceAll(folder, "/etc/nerve")
    .replace(/^took .*$/gm, "took N ms")
    .replace(/\bgroup "([\w-]+)" \d+\b/g, 'group "$1" N')
    .replace(/\b(worker|process) \d+\b/g, "$1 N")
    .replace(/ {3,}/g, "   ")
    .replace(/\b0[0-9a-f]{31}\b/g, "TRACE");

/** What a person sees who types `command` in the folder, and the exit code in a last line of its own. */
export async function ask(folder: Project, command: string): Promise<string> {
  const child = Bun.spawn(["sh", "-c", `${SHELL}\nexec 2>&1\n${command}`], {
    cwd: folder.path,
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: "/root", TZ: "UTC", TMPDIR: folder.path },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  return `${neutral(output, folder.path)}exit ${code}\n`;
}

/** Starts a daemon, which runs until the case ends. */
const START = "nerve nerve.yaml &";

/** The case with what is answered now. */
export async function replay(
  { title, files, exchanges }: Case,
  common: Readonly<Record<string, string>>,
): Promise<Case> {
  using folder = project({ ...common, ...files });
  const answered: Exchange[] = [];
  let daemon: Nerve | null = null;
  try {
    for (const { command } of exchanges) {
      if (command === START) daemon = await startNerve(folder.path);
      answered.push({ command, answer: command === START ? "" : await ask(folder, command) });
    }
  } finally {
    await daemon?.[Symbol.asyncDispose]();
  }
  return { title, files, exchanges: answered };
}
