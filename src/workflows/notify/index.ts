/** Tells people what started the run, each channel in a step of its own; without channels it tells the log. */
import type { Run, Trigger } from "nerve";
import { type Infer, record, wordOrWords } from "nerve/options";
import { adviceOf, withAdvice } from "nerve/retry";

export const options = record({ to: wordOrWords([]), fallback: wordOrWords([]) });

const RETRY = { retry: { limit: 5 } };

/** Where another channel can take the message, a channel that asks for a longer pause is not waited for. */
const LONGEST_PAUSE_MS = 30_000;

const LEVELS = { info: "info", warning: "warn", critical: "error" } as const;

/** Characters of a line of the log. */
const MAX_LINE = 4_000;

/** The line of the log, where there is no channel. */
function line(trigger: Trigger): string {
  const { items = [], more = 0 } = trigger.batch ?? {};
  if (items.length + more < 2) return lineOf(items[0] ?? trigger);
  const lines = items.map(lineOf);
  let shown = lines.length;
  while (shown > 1 && lines.slice(0, shown).join("; ").length > MAX_LINE) shown--;
  const others = more + lines.length - shown;
  return `${lines.length + more} messages: ${lines.slice(0, shown).join("; ")}${others === 0 ? "" : `; and ${others} more`}`;
}

function lineOf({ incident, reflex, key, sense, payload }: Trigger): string {
  if (incident !== null) return `${incident.notification}: ${incident.summary} (${incident.severity})`;
  const of = key === null ? "" : `: ${JSON.stringify(key)}`;
  const by = reflex === null ? "by hand" : `${reflex}${of}${sense === null ? "" : ` (${sense})`}`;
  return `${by}: ${JSON.stringify(payload)}`.slice(0, 1_000);
}

/** The gravest of what is told. */
function levelOf(trigger: Trigger): "info" | "warn" | "error" {
  const levels = (trigger.batch?.items ?? [trigger]).map(({ incident }) =>
    incident?.notification === "resolved" ? "info" : LEVELS[incident?.severity ?? "warning"],
  );
  return levels.find((level) => level === "error") ?? levels.find((level) => level === "warn") ?? "info";
}

/** Throws `error`. A channel that asks for a long pause has failed for good where another channel comes next. */
function rejects(error: Error, hasNext: boolean): never {
  const { again, waitMs } = adviceOf(error);
  if (again && hasNext && waitMs > LONGEST_PAUSE_MS) throw withAdvice(error, { again: false, waitMs: 0 });
  throw error;
}

export const run: Run<Infer<typeof options>> = async (thread, { options: { to, fallback }, notify }) => {
  if (to.length === 0 && fallback.length === 0) {
    thread.log(levelOf(thread.trigger), line(thread.trigger));
    return { told: [], failed: [] };
  }
  const told: string[] = [];
  const failed: { readonly channel: string; readonly error: string }[] = [];
  const tell = async (channel: string, hasNext: boolean): Promise<void> => {
    try {
      await thread.step(channel, () => notify(channel).catch((error) => rejects(error, hasNext)), RETRY);
      told.push(channel);
    } catch (error) {
      failed.push({ channel, error: (error as Error).message });
    }
  };
  const others = [...new Set(fallback).difference(new Set(to))];
  await Promise.all([...new Set(to)].map((channel) => tell(channel, others.length > 0)));
  const isShort = failed.length > 0 || to.length === 0;
  // One after the other, until one has taken it.
  for (const [index, channel] of isShort ? others.entries() : []) {
    const before = told.length;
    await tell(channel, index < others.length - 1);
    if (told.length > before) break;
  }
  if (told.length === 0) throw new Error(`no channel took it: ${failed.map(({ error }) => error).join("; ")}`);
  for (const { error } of failed) thread.log("warn", `nobody was told over ${error}`);
  return { told, failed };
};
