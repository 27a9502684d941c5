/** Owns the numbers in the newest payload of each sense that `metrics` asks for. A payload is read once, however often a scraper comes. */
import { readJson } from "../base/json.ts";
import type { MetricsLook } from "../control/metrics-look.ts";
import type { MetricPaths, NerveConfig } from "../model/config.ts";
import type { StoreReader } from "../store/open-reader.ts";
import { type Numbers, numbersOf } from "./values.ts";

/** The time that reading may take. */
export interface ReadingTime {
  readonly isOver: boolean;
  /** Others go on, where it is their turn. */
  rest(): Promise<void>;
}

interface Read {
  readonly signal: number;
  readonly paths: MetricPaths;
  readonly numbers: Numbers;
}

export class NewestNumbers {
  #read: ReadonlyMap<string, Read> = new Map();

  /**
   * By sense, in order; null: its payload is large, or those before it were, and the time is over. The next call has it. Senses that are
   * not well are left out: what such a sense saw last may be true no longer.
   */
  async of(
    { senses }: MetricsLook,
    config: NerveConfig,
    store: Pick<StoreReader, "signals">,
    time: ReadingTime,
  ): Promise<Map<string, Numbers | null>> {
    const read = new Map<string, Read>();
    const numbers = new Map<string, Numbers | null>();
    for (const { name, isWell, last_signal } of senses) {
      const paths = config.senses.get(name)?.metrics ?? null;
      if (paths === null || !isWell || last_signal === null) continue;
      const { id: signal } = last_signal;
      const known = this.#read.get(name);
      const isSame = known !== undefined && known.signal === signal && known.paths === paths;
      const payload = (): string => store.signals.byId(signal)?.payload ?? "null";
      const found = isSame ? known.numbers : time.isOver ? null : numbersOf(readJson(payload()) ?? null, paths);
      numbers.set(name, found);
      if (found !== null) read.set(name, { signal, paths, numbers: found });
      if (!isSame) await time.rest();
    }
    this.#read = read;
    return numbers;
  }
}
