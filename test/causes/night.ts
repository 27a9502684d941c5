/** What a night is made of. */
import type { StoryBench } from "../helpers/story-bench.ts";

export interface Night {
  readonly title: string;
  readonly config: string;
  /** The word behind `nerve why` of each command; null: none. */
  readonly asked: readonly (string | null)[];
  make(bench: StoryBench): Promise<void>;
}
