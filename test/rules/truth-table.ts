/**
 * What each word does, as rows that are run as tests and stand in docs/reflexes.md. `bun test/rules/truth-table.ts`
 * prints them as they have to stand there.
 */
export interface Row {
  /** The words as in nerve.yaml; `A` and `B` stand for patterns. */
  readonly words: string;
  /**
   * Second and mark of each signal: ✓ matches `when`, ✗ does not, ○ matches `clear`, ● both. A letter before the mark is the
   * value at the key `k`, with `$sense` and `$one` the sense. With `each` there may be several, and `-` for an empty list.
   */
  readonly signals: string;
  /**
   * `SECOND` when the signal of that second fired, `SECOND of SECOND` when it fired for an earlier one; `-` for never. With
   * keys the letter follows the second.
   */
  readonly fires: string;
  readonly because: string;
}

const row = (words: string, signals: string, fires: string, because: string): Row => ({
  words,
  signals,
  fires,
  because,
});

export const TRUTH_TABLE: readonly Row[] = [
  row("(none)", "0✓ 1✓", "0, 1", "every signal"),
  row("when: A", "0✗ 1✓ 2✓ 3✗ 4✓", "1, 2, 4", "every matching signal (`edge: level`)"),
  row("when: A, edge: rising", "0✗ 1✓ 2✓ 3✗ 4✓", "1, 4", "when matching begins"),
  row("when: A, edge: rising", "0✓", "0", "a key begins as not matching"),
  row("when: A, edge: falling", "0✗ 1✓ 2✓ 3✗ 4✗", "3", "when matching ends, with the signal that ended it"),
  row("when: A, clear: B", "0✓ 1✗ 2✓ 3○ 4✗ 5✓", "0, 5", "hysteresis: between the two nothing changes (`edge: rising`)"),
  row("when: A, clear: B, edge: level", "0✓ 1✗ 2○ 3✗ 4✓", "0, 1, 4", "matching lasts until `clear`"),
  row("when: A, clear: B, edge: falling", "0✓ 1✗ 2○ 3○", "2", "`clear` ends it, not matching `when` does not"),
  row("when: A, clear: B", "0● 1✓ 2● 3✓", "1, 3", "when both match, `clear` wins"),
  row("when: A, for: 30s", "0✓ 10✓ 20✓ 40✓", "30 of 20", "when the time is up, for the latest matching signal; once"),
  row("when: A, for: 30s", "0✓", "30 of 0", "no news is no change"),
  row("when: A, for: 30s", "0✓ 10✗ 20✓ 60✓", "50 of 20", "an end begins it anew"),
  row("when: A, for: 30s", "0✓ 30✗", "30 of 0", "the deadline comes before a signal of the same moment"),
  row("when: A, clear: B, for: 30s", "0✓ 10✗ 20✗", "30 of 20", "with `clear` it is still matching at 10"),
  row("when: A, for: 30s, edge: falling", "0✓ 10✗ 20✗", "40 of 10", "off for 30 s"),
  row("when: A, for: 30s, edge: falling", "0✓ 10✗ 20✓ 25✗ 60✗", "55 of 25", "was not off long enough at first"),
  row("when: A, for: 30s, edge: falling", "0✗ 60✗", "-", "what never began cannot end"),
  row("count: { n: 3, within: 10s }", "0✓ 4✓ 8✓ 9✓ 10✓ 11✓", "8, 11", "the third within 10 s, then counts anew"),
  row("count: { n: 3, within: 10s }", "0✓ 6✓ 12✓ 13✓", "13", "the window slides"),
  row("count: { n: 2, within: 10s }", "0✓ 10✓", "10", "the window holds both its ends"),
  row("when: A, count: { n: 2, within: 10s }", "0✓ 1✗ 2✗ 3✓", "3", "only what passed so far counts"),
  row(
    "when: A, edge: rising, count: { n: 3, within: 1m }",
    "0✓ 5✗ 10✓ 11✓ 15✗ 20✓",
    "20",
    "began three times within a minute: flapping",
  ),
  row("debounce: { wait: 5s }", "0✓ 3✓ 6✓ 20✓", "11 of 6, 25 of 20", "once signals have paused, for the latest"),
  row("debounce: { wait: 5s }", "0✓ 5✓", "5 of 0, 10 of 5", "a pause of exactly `wait` is a pause"),
  row(
    "debounce: { wait: 5s, max: 12s }",
    "0✓ 4✓ 8✓ 11✓ 13✓",
    "12 of 11, 18 of 13",
    "at the latest `max` after the first",
  ),
  row("throttle: 10s", "0✓ 5✓ 10✓ 15✓", "0, 10", "at most one in 10 s; the rest is discarded"),
  row("throttle: 10s", "0✓ 5✓", "0", "what was discarded does not come back"),
  row(
    "when: A, for: 5s, throttle: 1m",
    "0✓ 6✗ 10✓ 16✗ 60✓",
    "5 of 0, 65 of 60",
    "the second one is within the minute, the third just not",
  ),
  row(
    "debounce: { wait: 2s }, throttle: 10s",
    "0✓ 5✓ 12✓",
    "2 of 0, 14 of 12",
    "throttled is what is left after the pause",
  ),
  row("when: A, for: 10s, debounce: { wait: 15s }", "0✓ 11✗ 12✓", "37 of 12", "`for` at 10 and 22, one burst"),
  row(
    "count: { n: 2, within: 1m }, debounce: { wait: 5s }, throttle: 30s",
    "0✓ 1✓ 2✓ 3✓ 20✓ 21✓",
    "8 of 3",
    "two pairs, one pause; the third pair is throttled",
  ),
  row("key: k, when: A, edge: rising", "0a✓ 1b✓ 2a✓ 3b✗ 4b✓", "0a, 1b, 4b", "each value has a state of its own"),
  row("key: k, throttle: 10s", "0a✓ 1b✓ 5a✓ 10a✓", "0a, 1b, 10a", "and a throttle of its own"),
  row("key: $sense, when: A, edge: rising", "0a✓ 1b✗ 2a✓", "0a", "each sense has a state of its own"),
  row("key: $one, when: A, edge: rising", "0a✓ 1b✗ 2a✓", "0, 2", "one state: b ends what a began"),
  row("each: list, key: k, when: A", "0a✓b✗ 1a✓b✓", "0a, 1a, 1b", "every element, in the order of the list"),
  row("each: list, key: k, when: A, edge: rising", "0a✓b✗ 1a✓b✓", "0a, 1b", "each element has a state of its own"),
  row("each: list, key: k, when: A, edge: falling", "0a✓b✓ 1a✓ 2a✓", "1b", "b is gone: that is not matching"),
  row("each: list, key: k, when: A, clear: B, edge: falling", "0a✓ 1a✗ 2-", "2a", "what is gone needs no `clear`"),
  row("each: list, key: k, when: A, for: 30s", "0a✓b✓ 10a✓ 40a✓", "30a of 10", "b is gone before its time is up"),
  row("each: list, key: k, when: A, for: 30s, edge: falling", "0a✓ 10- 20-", "40a of 10", "gone for 30 s"),
  row("each: list, key: k, when: A", "0a✓a✗ 1a✗a✓", "0a", "of two elements with one key the first counts"),
];

/** The rows as they stand in docs/reflexes.md. */
export const markdown = (): string =>
  [
    "| words | signals (second, mark) | fires at second (of the signal) | |",
    "|---|---|---|---|",
    ...TRUTH_TABLE.map(({ words, signals, fires, because }) => `| \`${words}\` | ${signals} | ${fires} | ${because} |`),
  ].join("\n");

if (import.meta.main) console.log(markdown());
