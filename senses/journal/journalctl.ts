/** One run of journalctl, entry by entry. It ends with whoever reads, however that ends. */
import { FIELDS } from "./entry.ts";

/** What is chosen of the journal by journalctl itself. */
export interface Choice {
  /** A journal file in place of the host's journal; or null. */
  readonly file: string | null;
  readonly units: readonly string[];
  /** The least grave one; null for all. */
  readonly priority: string | null;
}

const STDERR_BYTES = 2_048;
/** A longer line is passed over: no message is that long. */
const LONGEST_LINE = 4 * 1024 * 1024;

/** The command for what lies behind `cursor`, for all with an empty one, and for the newest entry alone with null. */
export function commandOf({ file, units, priority }: Choice, cursor: string | null): string[] {
  const source = file === null ? [] : [`--file=${file}`];
  const which =
    cursor === null
      ? ["--lines=1"]
      : [
          ...(cursor === "" ? [] : [`--after-cursor=${cursor}`]),
          ...units.map((unit) => `--unit=${unit}`),
          ...(priority === null ? [] : [`--priority=${priority}`]),
        ];
  return [
    "journalctl",
    "--output=json",
    "--all",
    "--no-pager",
    `--output-fields=${FIELDS.join(",")}`,
    ...source,
    ...which,
  ];
}

/** `take` gets each line, and ends the run by false. Throws where journalctl refuses, and where `signal` fires. */
export async function readJournal(
  command: readonly string[],
  signal: AbortSignal,
  take: (line: string) => boolean,
): Promise<"read" | "no journal"> {
  signal.throwIfAborted();
  const child = Bun.spawn([...command], {
    env: { ...process.env, LC_ALL: "C", SYSTEMD_COLORS: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = (): void => child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  const errors = endOf(child.stderr);
  try {
    const isWhole = await eachLine(child.stdout, take);
    signal.throwIfAborted();
    if (!isWhole) return "read";
    const code = await child.exited;
    return judge(code, await errors);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
    await child.exited;
  }
}

function judge(code: number, said: string): "read" | "no journal" {
  if (/No journal files were found/i.test(said)) return "no journal";
  if (/insufficient permissions|not seeing messages from other users/i.test(said)) {
    throw new Error("nerve's user may not read the journal: add it to the group `systemd-journal`");
  }
  if (code !== 0) throw new Error(`journalctl exited with ${code}${said === "" ? "" : `: ${said}`}`);
  return "read";
}

/** True where the stream was read to its end. */
async function eachLine(stream: ReadableStream<Uint8Array>, take: (line: string) => boolean): Promise<boolean> {
  const decoder = new TextDecoder();
  let rest = "";
  let isSkipping = false;
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!isSkipping && !take(line)) return false;
      isSkipping = false;
    }
    if (rest.length > LONGEST_LINE) {
      isSkipping = true;
      rest = "";
    }
  }
  return true;
}

async function endOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) text = (text + decoder.decode(chunk, { stream: true })).slice(-STDERR_BYTES);
  return text.trim();
}
