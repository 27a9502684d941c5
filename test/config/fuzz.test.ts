// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax under test
/**
 * Mutated configurations: never a crash, always a configuration or problems, never much slower than sound ones, never a filled-in value in a message.
 * `NERVE_FUZZ=200000` runs more, `NERVE_FUZZ_SEED=N` repeats a run.
 */
import { expect, test } from "bun:test";
import { parseNerveConfig, parseWholeContract } from "../../src/config/parse.ts";
import { around } from "../helpers/config.ts";
import { elapsedMs, timesSlower } from "../helpers/growth.ts";
import { CONTRACT_EXAMPLE } from "./example.ts";

const TRIALS = Number(process.env.NERVE_FUZZ ?? 20_000);
const SEED = Number(process.env.NERVE_FUZZ_SEED ?? Date.now() % 1_000_000_000);
/** So many times what the longest sound configuration costs. */
const TIMES_SLOWER = 60;
const SECRET = "planted-SECRET";

const CORPUS: readonly string[] = [
  CONTRACT_EXAMPLE,
  "senses:\n  load:\nreflexes:\n  - { sense: load, interval: 10s }\n",
  'data: ${S}\nsenses: { a: { with: { b: "${S}", c: ["x${S}", 1, true, ~] } }, b: { use: "${S}" } }\n',
  "senses: { a: , b: , c: }\nreflexes:\n- {sense: a, on: [b]}\n- {sense: b, on: [c]}\n- {sense: c, on: [a]}\n",
  "# comment\n---\nsenses:\n  'quoted':\n    with:\n      text: |\n        several\n        lines\n      folded: >-\n        more\n",
  "reflexes:\n  - name: x\n    sense: a\n    on: [a]\n    when: { p: number > 5 }\n    clear: { p: number < 3 }\n    edge: rising\n    count: { n: 3, within: 1h }\n    debounce: { wait: 1s, max: 5s }\n    key: a.b\n",
];
const PIECES: readonly string[] = [
  "{",
  "}",
  "[",
  "]",
  ":",
  ": ",
  ",",
  "- ",
  "? ",
  "&a ",
  "*a ",
  "!t ",
  "<<: ",
  "---\n",
  "...\n",
  "%YAML 1.1\n",
  "|\n",
  ">\n",
  "\n",
  "\t",
  "  ",
  "#",
  '"',
  "'",
  "\0",
  "\r",
  "\u2028",
  "\ue000",
  "\ud800",
  "\ufeff",
  "💥",
  "${S}",
  "${",
  "$${",
  "${S:-",
  "${credential:s}",
  "${N:?m}",
  "__proto__",
  "constructor: 1\n",
  "0",
  "-1",
  "1e999",
  "0x10",
  ".inf",
  ".nan",
  "~",
  "null",
  "true",
  "senses:",
  "reflexes:\n- ",
  "include: [x]\n",
  "\\",
  "\u0085",
  "=",
  "@",
  "`",
];

/** mulberry32: small, good enough to spread mutations, and the same everywhere. */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function mutate(text: string, below: (limit: number) => number): string {
  let result = text;
  for (let count = 1 + below(5); count > 0; count--) {
    const at = below(result.length + 1);
    const end = Math.min(result.length, at + below(12));
    const from = below(result.length + 1);
    const slice = result.slice(from, from + below(60));
    const piece = PIECES[below(PIECES.length)] ?? "";
    const choices = [
      () => result.slice(0, at) + piece + result.slice(at),
      () => result.slice(0, at) + result.slice(end),
      () => result.slice(0, at) + piece + result.slice(end),
      () => result.slice(0, at) + slice + result.slice(at),
      () => result.slice(0, at) + String.fromCharCode(below(128)) + result.slice(at + 1),
      () => result.slice(0, at) + piece.repeat(below(40)) + result.slice(at),
    ];
    result = choices[below(choices.length)]?.() ?? result;
  }
  return result;
}

test(
  `${TRIALS} mutated configurations, seed ${SEED}`,
  () => {
    const below = random(SEED);
    const source = around({ environment: { S: SECRET }, credential: () => SECRET });
    const sound = (): unknown => parseWholeContract(CONTRACT_EXAMPLE, source);
    const usualMs = Math.min(...Array.from({ length: 5 }, () => elapsedMs(sound)));
    let accepted = 0;
    let slowest = 0;
    for (let trial = 0; trial < TRIALS; trial++) {
      const text = mutate(CORPUS[below(CORPUS.length)] ?? "", below);
      const parse = trial % 2 === 0 ? parseNerveConfig : parseWholeContract;
      const started = performance.now();
      const result = parse(text, source);
      // Another process may have had the processor: what is slow by itself is slow beside a sound one, too.
      if (performance.now() - started > TIMES_SLOWER * usualMs) {
        slowest = Math.max(
          slowest,
          timesSlower(() => parse(text, source), sound, 1, TIMES_SLOWER),
        );
      }
      if (result.ok) accepted++;
      else {
        const wrong =
          result.error.length === 0 ||
          result.error.some(
            ({ kind, message, line, column }) => kind === "" || message === "" || (line ?? 1) < 1 || (column ?? 1) < 1,
          ) ||
          JSON.stringify(result.error).includes(SECRET);
        if (wrong) throw new Error(`seed ${SEED}, trial ${trial}: ${JSON.stringify({ text, error: result.error })}`);
      }
    }
    console.log(JSON.stringify({ test: "config-fuzz", seed: SEED, trials: TRIALS, accepted, slowest }));
    expect(slowest).toBeLessThan(TIMES_SLOWER);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
    if (TRIALS >= 1_000) expect(accepted).toBeGreaterThan(0);
  },
  10 * 60_000,
);
