/** What `context.notify` of a run does: reads what the author hands over, and hands it to the channel. */
import { hostname } from "node:os";
import { meantOr } from "../base/nearest.ts";
import { oneLine } from "../base/one-line.ts";
import type { Words } from "../channels/notice.ts";
import type { Sending } from "../channels/send.ts";
import { SEVERITIES } from "../model/incident.ts";
import type { Cause } from "../model/notice.ts";
import { withAdvice } from "../model/retry-advice.ts";
import { fromHost } from "../model/trigger.ts";
import type { Answer, Message, RunContext, Trigger } from "../sdk/index.ts";
import { author } from "./author.ts";
import { givenTo } from "./given.ts";
import type { RunRequest, Setting } from "./setting.ts";

/** Most runs tell nobody. */
const load = (): typeof import("../channels/index.ts") => require("../channels/index.ts");

const NOBODY_TOLD = "nobody was told";

/** A mistake of the author's: another try would make it again. */
const mistake = (what: string): Error =>
  withAdvice(new TypeError(`${what}: ${NOBODY_TOLD}`), { again: false, waitMs: 0 });

function wordsOf(message: unknown): Words {
  const { title, text, severity } = Object(message) as Readonly<Record<string, unknown>>;
  if (typeof title !== "string" || title === "") throw mistake("the message of notify needs a `title`, a text");
  if (typeof text !== "string") throw mistake("the message of notify needs a `text`, a text");
  const known = SEVERITIES.find((one) => one === severity);
  if (known === undefined) throw mistake(`the message of notify needs a \`severity\`, one of ${SEVERITIES.join(", ")}`);
  return { title, text, severity: known };
}

/** By hand and to author's words there is no more than the payload. */
const triggerOf = (message: Message): Trigger =>
  fromHost(
    {
      ...{ id: null, sense: null, at: null, payload: message, reflex: null, key: null },
      ...{ due: null, signal: null, incident: null, batch: null },
    },
    hostname(),
  );

const ERROR_CHARS = 500;

export function notifyOf(
  { channels: { all, epoch }, sending: { tell } }: Pick<Setting, "channels" | "sending">,
  request: RunRequest,
  signal: AbortSignal,
): RunContext["notify"] {
  const { run } = request;
  const told = givenTo(request);
  return async (name: string, message?: Message): Promise<Answer> => {
    const id = author.getStore()?.id?.value ?? null;
    if (id === null) throw mistake("notify is called between steps: call it in a step");
    const channel = all.get(name);
    if (channel === undefined) {
      const names = [...all.keys()];
      const listed = names.length === 0 ? "nerve.yaml has no `channels`" : `there are ${names.join(", ")}`;
      throw mistake(`there is no channel \`${String(name).slice(0, 80)}\` (${meantOr(String(name), names, listed)})`);
    }
    const { noticeOf, noticeOfWords, send } = load();
    const host = hostname();
    const teller = { host, scope: `nerve/${host}/${epoch}`, now: Date.now() };
    const notice =
      message === undefined
        ? noticeOf(teller, request.run, told, request.cause as Cause | null)
        : noticeOfWords(teller, id, wordsOf(message));
    const handed: Sending = { trigger: message === undefined ? told : triggerOf(message), trace: request.trace, id };
    try {
      const answer = await send(channel, notice, handed, signal);
      tell({ type: "notified", run, channel: name, error: null }, 0);
      return answer;
    } catch (error) {
      // A run that is stopped says nothing of the channel.
      if (!signal.aborted) {
        tell({ type: "notified", run, channel: name, error: oneLine((error as Error).message, ERROR_CHARS) }, 0);
      }
      throw error;
    }
  };
}
