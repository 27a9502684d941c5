/** Sends what started the run to a web server: a POST, tried again until the server takes it. */
import type { Run, Trigger } from "nerve";
import {
  anything,
  choice,
  duration,
  flag,
  type Infer,
  mapping,
  number,
  orNull,
  record,
  text,
  where,
  whole,
  wordOrWords,
} from "nerve/options";
import { withAdvice } from "nerve/retry";
import { isTemplate, TEMPLATE_WORDS, textsIn } from "nerve/template";
import { contentOf } from "./content.ts";
import { deliver } from "./deliver.ts";
import { areHeaders, filledAddress, filledHeaders, hasOwnOrigin, isWebAddress } from "./request.ts";
import { isSecret } from "./signature.ts";

const WAIT = { min: "10ms", max: "1d" };
const AS_WORDS = `fill in only ${TEMPLATE_WORDS}`;

const address = where(where(text(), isWebAddress, "be an http or https URL"), isTemplate, AS_WORDS);

export const options = record(
  {
    url: where(address, hasOwnOrigin, "have its scheme, host and port as they are: `{{ }}` may stand behind them"),
    headers: where(mapping(), areHeaders, "be headers of a request, other than those nerve sets itself"),
    body: where(anything(null), (body) => textsIn(body).every(isTemplate), AS_WORDS),
    body_text: orNull(where(text(), isTemplate, AS_WORDS)),
    type: orNull(text()),
    format: choice(["nerve", "cloudevents"], "nerve"),
    secret: where(
      wordOrWords([]),
      (secrets) => secrets.every(isSecret),
      "be `whsec_` and 24 to 64 bytes in base64, or a list of such",
    ),
    traceparent: flag(false),
    timeout: duration("10s", { min: "10ms", max: "10m" }),
    retry: record({
      limit: whole(5, { min: 0, max: 1000 }),
      interval: duration("5s", WAIT),
      backoff: number(2, { min: 1, max: 100 }),
      max_interval: duration("5m", WAIT),
    }),
  },
  ({ body, body_text, type, format }) => {
    if (body_text === null)
      return type === null ? null : { key: "type", problem: "has no meaning without `body_text`" };
    if (body !== null) return { key: "body_text", problem: "does not go with `body`" };
    return format === "nerve" ? null : { key: "body_text", problem: "does not go with a CloudEvent: write `body`" };
  },
);

export type Options = Infer<typeof options>;

/** What started the run stays what it is: where something is missing in it, another try changes nothing. */
export function filledIn(
  { url, headers, ...rest }: Options,
  trigger: Trigger,
  about: { id: string; traceparent: string | null },
) {
  try {
    return {
      url: filledAddress(url, trigger),
      headers: filledHeaders(headers, trigger),
      content: contentOf(rest, trigger, about),
    };
  } catch (error) {
    throw withAdvice(error as Error, { again: false, waitMs: 0 });
  }
}

export const run: Run<Options> = (thread, { options: given }) => {
  const { secret, timeout, retry } = given;
  return thread.step(
    "webhook",
    ({ id, signal }) => {
      const traceparent = given.traceparent ? `00-${thread.trace}-${id.slice(0, 16)}-01` : null;
      const { url, headers, content } = filledIn(given, thread.trigger, { id, traceparent });
      const server = `POST to ${new URL(url).origin}`;
      return deliver({ url, server, headers, content, id, traceparent, secrets: secret, timeoutMs: timeout }, signal);
    },
    // A long `interval` is not cut short by a `max_interval` nobody wrote.
    { retry: { ...retry, max_interval: Math.max(retry.interval, retry.max_interval) } },
  );
};
