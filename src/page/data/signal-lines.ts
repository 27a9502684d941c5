/** The line of a word that a sense says, as `status`: read off the payloads of its newest signals. */
import type { ShownSignal, SignalsAnswer } from "../../web/contract.ts";
import type { SeriesLine } from "../../web/contract-host.ts";
import { unitOf } from "../words/numbers.ts";
import { drawn, isObject, LEVEL } from "../words/payload.ts";
import { type Answer, apiPath, get, type Query } from "./api.ts";

export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly stepMs: number;
}

/** Each pixel that has a value once, with the lowest and the highest. Pure. */
export function linesOf(
  fields: readonly string[],
  rows: readonly ShownSignal[],
  { from, stepMs }: Stretch,
): readonly SeriesLine[] {
  const rising = [...rows].sort((a, b) => a.at - b.at);
  return fields.map((field) => {
    const at: number[] = [];
    const min: number[] = [];
    const max: number[] = [];
    let unit = unitOf(field);
    for (const row of rising) {
      const found = isObject(row.payload) ? row.payload[field] : null;
      const value = drawn(found);
      if (value === null || row.at < from) continue;
      if (typeof found === "string") unit = LEVEL;
      const pixel = from + Math.floor((row.at - from) / stepMs) * stepMs;
      const last = at.length - 1;
      if (at[last] === pixel) {
        min[last] = Math.min(min[last] ?? value, value);
        max[last] = Math.max(max[last] ?? value, value);
      } else {
        at.push(pixel);
        min.push(value);
        max.push(value);
      }
    }
    return { field, unit, of: null, at, min, max };
  });
}

const LIMIT = 200;

/** Of the newest signals of the stretch; null: given up. */
export async function askSignalLines(
  sense: string,
  fields: readonly string[],
  stretch: Stretch,
  given: AbortSignal,
): Promise<Answer<readonly SeriesLine[]> | null> {
  const query: Query = { sense, since: stretch.from, until: stretch.to, limit: LIMIT };
  const answer: Answer<SignalsAnswer> | null = await get<SignalsAnswer>(apiPath("signals", query), {}, given);
  return answer?.ok === true ? { ok: true, value: linesOf(fields, answer.value.rows, stretch) } : answer;
}
