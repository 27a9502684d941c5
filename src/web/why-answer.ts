/** Owns the answer about what is wrong: the judgement of `nerve why`, once for each look at the kernel. */
import { systemClock } from "../base/clock.ts";
import { ok, type Result } from "../base/result.ts";
import { answerNow } from "../causes/answer.ts";
import { answerJson } from "../causes/answer-json.ts";
import { worstFirst } from "../causes/shown-trouble.ts";
import type { WebLook } from "../control/web-look.ts";
import { Lifetime } from "../kernel/time/lifetime.ts";
import type { Problem } from "../model/problem.ts";
import type { StoreReader } from "../store/open-reader.ts";
import type { WhyAnswer } from "./contract-host.ts";
import type { KernelLink } from "./kernel-link.ts";
import type { Place } from "./place.ts";

/** A page reads no more; how many more there are is a number. */
const MOST = 100;

const judged = new WeakMap<WebLook, WhyAnswer>();

function judge({ config }: Place, look: WebLook | null, store: StoreReader): Result<WhyAnswer, Problem> {
  const now = Date.now();
  const axis = new Lifetime(systemClock(), store.meta);
  const found = answerNow({ store, config, status: look?.status ?? null, isRunning: true, axis, now });
  if (!found.ok) return found;
  const { trouble, others, wrong, since, what, cause, done, not_done, coming, next, text } = answerJson(
    found.value,
    "",
  );
  const troubles = worstFirst(trouble === null ? others : [trouble, ...others]);
  const answer = { at: now, wrong, since, what, cause, done, not_done, coming, next, text };
  return ok({ ...answer, troubles: troubles.slice(0, MOST), more: Math.max(0, troubles.length - MOST) });
}

export async function whyAnswer(
  place: Place,
  link: KernelLink,
  store: StoreReader,
): Promise<Result<WhyAnswer, Problem>> {
  const look = await link.look();
  const known = look === null ? undefined : judged.get(look);
  if (known !== undefined) return ok(known);
  const made = judge(place, look, store);
  if (made.ok && look !== null) judged.set(look, made.value);
  return made;
}
