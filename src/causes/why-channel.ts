/** Owns why nobody is told over a channel. */
import { withoutChannel } from "../model/channel.ts";
import { aboutName, notDone, type Scene, type Why } from "./scene.ts";
import { moment, short } from "./words.ts";

export function whyChannel({ status, now }: Scene, name: string): Why {
  const channel = status?.channels.find((one) => one.name === name) ?? null;
  const failed = channel?.last_failed ?? null;
  const told = channel?.last_told ?? null;
  const at = failed === null ? "" : ` at ${moment(failed, now)}`;
  const because = channel?.reason == null ? "" : `: ${short(withoutChannel(name, channel.reason))}`;
  return {
    about: aboutName("channel", name),
    isWrong: channel?.state === "failing",
    since: failed,
    signal: null,
    what: [`Channel ${name} did not take the newest message${at}${because}.`],
    cause: [],
    done: told === null ? [] : [`The channel took its last message at ${moment(told, now)}.`],
    notDone: [notDone("no-channel", `Nobody is told over ${name} until it takes messages again.`)],
    coming: [],
    next: [
      { command: `nerve notify ${name}`, does: "tries the channel, and prints its answer" },
      { command: "nerve runs --state failed", does: "the runs that failed, each of which `nerve retry` repeats" },
    ],
  };
}
