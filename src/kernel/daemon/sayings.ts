/** What a kernel says of its own beginning, and of the clock. */
import { counted } from "../../base/counted.ts";
import type { NerveConfig } from "../../model/config.ts";
import type { Store } from "../../store/open.ts";
import { VERSION } from "../../version.ts";
import type { Journal } from "../commits/journal.ts";
import type { Voice } from "../commits/voice.ts";
import type { Lifetime } from "../time/lifetime.ts";

/** `swept`: processes that an earlier kernel had left, and that were ended. */
export function sayBeginning(
  journal: Journal,
  { senses, groups, file }: NerveConfig,
  { began }: Lifetime,
  store: Store,
  swept: readonly number[],
): void {
  const { elapsedMs, wallMs } = began;
  const message = `nerve ${VERSION} started with ${counted(senses.size, "sense")} in ${counted(groups.size, "group")} from ${file}`;
  const data = { ahead_ms: wallMs - elapsedMs, last_signal: store.signals.lastId() };
  // Deadlines that passed while nerve was down act at this moment.
  journal.ofMoment(wallMs, "kernel").info("kernel.started", message, data);
  const voice = journal.of("kernel");
  if (swept.length > 0) {
    const ended = `ended ${counted(swept.length, "process", "processes")} an earlier kernel had left: ${swept.join(", ")}`;
    voice.warn("kernel.swept", ended, null);
  }
  for (const { event, message: notice } of store.notices) voice.error(event, notice, null);
}

export function sayClockStepped(voice: Voice, byMs: number, aheadMs: number): void {
  const seconds = (Math.abs(byMs) / 1000).toFixed(1);
  const data = { by_ms: Math.round(byMs), ahead_ms: aheadMs };
  voice.warn("clock.stepped", `the wall clock was set ${seconds} s ${byMs > 0 ? "ahead" : "back"}`, data);
}
