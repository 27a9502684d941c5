/** Tells people what started the run, each channel in a step of its own; without channels it tells the log. */
import type { Run, Trigger } from "nerve";
import { type Infer, record, wordOrWords } from "nerve/options";

export const options = record({ to: wordOrWords([]), fallback: wordOrWords([]) });

const RETRY = { retry: { limit: 5 } };

const LEVELS = { info: "info", warning: "warn", critical: "error" } as const;

/** Without a channel. */
function line({ incident, reflex, key, sense, payload }: Trigger): string {
  if (incident !== null) return `${incident.notification}: ${incident.summary} (${incident.severity})`;
  const of = key === null ? "" : `: ${JSON.stringify(key)}`;
  const by = reflex === null ? "by hand" : `${reflex}${of}${sense === null ? "" : ` (${sense})`}`;
  return `${by}: ${JSON.stringify(payload)}`.slice(0, 1_000);
}

export const run: Run<Infer<typeof options>> = async (thread, { options: { to, fallback }, notify }) => {
  const { incident } = thread.trigger;
  if (to.length === 0 && fallback.length === 0) {
    const isOver = incident?.notification === "resolved";
    thread.log(isOver ? "info" : LEVELS[incident?.severity ?? "warning"], line(thread.trigger));
    return { told: [], failed: [] };
  }
  const told: string[] = [];
  const failed: { readonly channel: string; readonly error: string }[] = [];
  const tell = async (channel: string): Promise<void> => {
    try {
      await thread.step(channel, () => notify(channel), RETRY);
      told.push(channel);
    } catch (error) {
      failed.push({ channel, error: (error as Error).message });
    }
  };
  await Promise.all([...new Set(to)].map(tell));
  const isShort = failed.length > 0 || to.length === 0;
  // One after the other, until one has taken it.
  for (const channel of isShort ? new Set(fallback).difference(new Set(to)) : []) {
    const before = told.length;
    await tell(channel);
    if (told.length > before) break;
  }
  if (told.length === 0) throw new Error(`no channel took it: ${failed.map(({ error }) => error).join("; ")}`);
  for (const { error } of failed) thread.log("warn", `nobody was told over ${error}`);
  return { told, failed };
};
