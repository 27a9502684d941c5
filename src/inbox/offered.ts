/** Owns what comes of a request to an inbox, and how that is said by HTTP. Pure. */
import { isName } from "../model/name.ts";
import type { Problem } from "../model/problem.ts";
import { problem } from "../model/problem.ts";

export type Offered =
  /** They are committed. For a request that came before: the ids of the first time. */
  | { readonly kind: "accepted"; readonly ids: readonly number[] }
  | { readonly kind: "full"; readonly retryAfterS: number }
  /** The disk is nearly full, or the store cannot be written. */
  | { readonly kind: "low-space" }
  | { readonly kind: "no-inbox" }
  /** An earlier request with this key had another body. */
  | { readonly kind: "reused"; readonly key: string };

/** An answer to a request, before it is HTTP. */
export interface OfferAnswer {
  readonly status: 202 | 404 | 422 | 429 | 503;
  /** Null where the items were accepted. */
  readonly problem: Problem | null;
  readonly ids: readonly number[];
  /** Seconds after which the same request may succeed, or null. */
  readonly retryAfterS: number | null;
}

const LOW_SPACE_RETRY_S = 30;

const refusal = (status: OfferAnswer["status"], found: Problem, retryAfterS: number | null = null): OfferAnswer => ({
  status,
  problem: found,
  ids: [],
  retryAfterS,
});

export function answerTo(sense: string, offered: Offered): OfferAnswer {
  switch (offered.kind) {
    case "accepted":
      return { status: 202, problem: null, ids: offered.ids, retryAfterS: null };
    case "full": {
      const hint = `send it again later; \`nerve inbox ${sense}\` lists what waits`;
      return refusal(429, problem("inbox-full", `the inbox of \`${sense}\` is full`, hint), offered.retryAfterS);
    }
    case "low-space": {
      const hint = "send it again later; `nerve status` says why";
      return refusal(503, problem("low-space", "nerve takes nothing in at the moment", hint), LOW_SPACE_RETRY_S);
    }
    case "no-inbox": {
      const hint = isName(sense) ? `write \`inbox: {}\` under \`senses.${sense}\`` : null;
      return refusal(404, problem("no-inbox", `there is no inbox \`${sense}\``, hint));
    }
    case "reused": {
      const what = `the key \`${offered.key}\` came before, with another body`;
      return refusal(422, problem("key-reused", what, "give each item a key of its own"));
    }
  }
}
