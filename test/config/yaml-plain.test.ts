// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax under test
/**
 * The reading of plain YAML beside the parser's: for random texts, and for random changes to them, both give the same nodes at the
 * same places wherever the plain reading gives any. `NERVE_FUZZ=1000000` runs more, `NERVE_FUZZ_SEED=N` repeats a run.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { createReport } from "../../src/config/report.ts";
import { composeYaml } from "../../src/config/yaml-guard.ts";
import { MAX_NODES } from "../../src/config/yaml-node.ts";
import { readPlainYaml } from "../../src/config/yaml-plain.ts";

const TRIALS = Number(process.env.NERVE_FUZZ ?? 20_000);
const SEED = Number(process.env.NERVE_FUZZ_SEED ?? Date.now() % 1_000_000_000);
const ROOT = join(import.meta.dir, "../..");

const lines = (text: string): string[] => text.trim().split("\n");

/** Words that a reader of YAML may take for something else than text. */
const WORDS = [
  ...lines(`
a
load
1s
10
-5
0.5
1e3
1.
.5
+7
0x1F
0o17
1_000
1:30
true
null
Null
~
.inf
-.Inf
.nan
number > 9
number | 'x'
a b  c
http://x:80/y
x#y
a #c
a# c
it's
-x
--
---
...
?
? x
:x
k:
x: y
a:b
x, y
[a
{b
a]
*/5 * * * *
@daily
&a
*a
!t
|
>
<<
%x
\`x
"q"
's'
"a: b"
'it''s'
"a\\nb \\"c\\" \\/"
"\\u0041"
"tab\\t"
'#'
"}"
''
""
é ü 💥
`),
  "${A}",
  "$${B}",
  "a\u2028b",
  "\ue000",
];
const KEYS = ["a", "load", "use", "on_start", "a.b", "A-1", '"q k"', "'s k'", "'é'", "_x"];
const ODD_KEYS = ["1", "true", "~", "x y", "-k", "é", "<<", "${K}", "a/b", '""', "Null"];
const PIECES = [..."\n\n  :-#{}[],'\"&*!|>%@`?~ab1\t\r\\.$", "\n  ", "\n- ", ": ", " #", "${"];

/** A small generator, so that a run can be repeated. */
class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#state / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  happens(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  several(most: number, make: () => string): string[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }
}

class Texts {
  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  next(): string {
    const chance = this.#chance;
    let text = this.#block(0, 0);
    if (chance.happens(0.5)) for (let changes = chance.below(4); changes > 0; changes--) text = this.#changed(text);
    if (chance.happens(0.05)) text = `# words\n\n${text}`;
    return chance.happens(0.05) ? text.trimEnd() : text;
  }

  #changed(text: string): string {
    const at = this.#chance.below(text.length + 1);
    const piece = this.#chance.happens(0.6) ? this.#chance.pick(PIECES) : "";
    return text.slice(0, at) + piece + text.slice(at + (this.#chance.happens(0.5) ? 0 : 1 + this.#chance.below(3)));
  }

  #space(): string {
    return this.#chance.happens(0.9) ? " " : this.#chance.pick(["", "  "]);
  }

  #comment(): string {
    return this.#chance.happens(0.1) ? this.#chance.pick([" # note", "  # a: b", "#x", " #"]) : "";
  }

  #key(): string {
    return this.#chance.pick(this.#chance.happens(0.95) ? KEYS : ODD_KEYS);
  }

  #flow(depth: number): string {
    const chance = this.#chance;
    if (depth > 3 || chance.happens(0.45)) return chance.pick(WORDS);
    const gap = (): string => (chance.happens(0.8) ? "" : chance.pick([" ", "\n    ", "\n", " # c\n      ", "  "]));
    const last = chance.happens(0.1) ? "," : "";
    if (chance.happens(0.4)) return `[${gap()}${chance.several(4, () => this.#flow(depth + 1) + gap())}${last}]`;
    const entry = (): string => {
      if (chance.happens(0.1)) return this.#key() + gap();
      return `${this.#key()}:${this.#space()}${chance.happens(0.1) ? "" : this.#flow(depth + 1)}${gap()}`;
    };
    return `{${gap()}${chance.several(4, entry).join(`,${this.#space()}${gap()}`)}${last}${this.#space()}}`;
  }

  #block(column: number, depth: number): string {
    if (depth > 0 && this.#chance.happens(0.3)) return this.#list(column, depth);
    return [this.#entry(column, depth), ...this.#chance.several(3, () => this.#entry(column, depth))].join("");
  }

  #entry(column: number, depth: number): string {
    const chance = this.#chance;
    const key = `${" ".repeat(column)}${this.#key()}:`;
    const inside = column + (chance.happens(0.9) ? 2 : chance.pick([0, 1, 3, 4]));
    const kind = chance.next();
    if (kind < 0.05) return `${" ".repeat(chance.below(6))}# words\n${chance.pick(["", "\n"])}`;
    if (kind < 0.4 || depth > 3) return `${key}${this.#space()}${chance.pick(WORDS)}${this.#comment()}\n`;
    if (kind < 0.6) return `${key}${this.#space()}${this.#flow(depth)}${this.#comment()}\n`;
    if (kind < 0.67) return `${key}${chance.pick(["", " "])}${this.#comment()}\n`;
    if (kind < 0.7) return `${key} ${chance.pick(["|", ">", "|-"])}\n${" ".repeat(column + 2)}text\n`;
    if (kind < 0.72) return `${key} ${chance.pick(WORDS)}\n${" ".repeat(column + chance.below(4))}more\n`;
    if (kind < 0.85) return `${key}${this.#comment()}\n${this.#list(chance.pick([column, column + 2]), depth + 1)}`;
    return `${key}${this.#comment()}\n${this.#block(inside, depth + 1)}`;
  }

  #list(column: number, depth: number): string {
    const item = (): string => {
      const dash = `${" ".repeat(column)}-${this.#space()}`;
      const kind = this.#chance.next();
      if (kind < 0.3 || depth > 3) return `${dash}${this.#chance.pick(WORDS)}${this.#comment()}\n`;
      if (kind < 0.55) return `${dash}${this.#flow(depth)}${this.#comment()}\n`;
      if (kind < 0.6) return `${" ".repeat(column)}-\n${this.#block(column + 2, depth + 1)}`;
      return dash + this.#block(column + 2, depth + 1).trimStart();
    };
    return [item(), ...this.#chance.several(2, item)].join("");
  }
}

/** What the parser makes of `text`, and its complaints. */
function parsed(text: string) {
  const report = createReport("f");
  const composed = composeYaml(text, (offset) => ({ file: "f", line: 1, column: offset + 1 }), report);
  return { composed, problems: report.problems() };
}

test("wherever random text is plain, the parser gives the same nodes at the same places, and has no complaint", () => {
  const texts = new Texts(new Chance(SEED));
  let plain = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    const text = texts.next();
    const contents = readPlainYaml(text);
    if (contents === null) continue;
    plain++;
    expect({ SEED, text, ...parsed(text) }).toEqual({
      SEED,
      text,
      composed: { contents, hasMask: false },
      problems: [],
    });
  }
  expect(plain).toBeGreaterThan(TRIALS / 20);
});

test("the configs of the docs, of the first minute and of the fixtures are plain, but for few", () => {
  const pages = ["README.md", ...new Glob("docs/*.md").scanSync(ROOT)].flatMap((page) =>
    [...readFileSync(join(ROOT, page), "utf8").matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = ""]) => text),
  );
  const files = ["nerve.yaml", ...new Glob("test/fixtures/**/*.yaml").scanSync(ROOT)];
  const texts = [...pages, ...files.map((file) => readFileSync(join(ROOT, file), "utf8"))];
  const others = texts.filter((text) => readPlainYaml(text) === null);
  expect(texts.length).toBeGreaterThan(40);
  expect(others.length).toBeLessThanOrEqual(texts.length / 10);
  for (const text of texts) {
    const contents = readPlainYaml(text);
    if (contents !== null) expect(parsed(text).composed).toEqual({ contents, hasMask: false });
  }
});

test("what is too large or too deep is left to the parser, which says so", () => {
  expect(readPlainYaml(`a: [${"1, ".repeat(MAX_NODES)}1]\n`)).toBeNull();
  expect(readPlainYaml(`a: ${"[".repeat(30)}${"]".repeat(30)}\n`)).toBeNull();
  const nested = Array.from({ length: 25 }, (_, depth) => `${" ".repeat(depth)}a:\n`).join("");
  expect(readPlainYaml(nested)).toBeNull();
});
