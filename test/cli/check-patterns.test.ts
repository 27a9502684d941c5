// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax under test
/** `check` holds `when` and `clear` against what the senses they listen to declare as their payload. */
import { afterAll, expect, test } from "bun:test";
import { projects, runNerve } from "../helpers/nerve.ts";

const everywhere = projects();
afterAll(() => everywhere[Symbol.dispose]());

const declares = (type: string) => `import { type } from "arktype";
import type { Compute } from "nerve";
export const payload = type(${type});
export const compute: Compute = () => null;
`;
const SENSES = {
  "senses/health/index.ts": declares(`{ status: "'ok' | 'critical'", "disk?": { used: "0 <= number <= 100" } }`),
  "senses/up/index.ts": declares(`{ kind: "'up'" }`),
  "senses/down/index.ts": declares(`{ kind: "'down'" }`),
  "senses/silent/index.ts": "export const compute = () => null;\n",
  "workflows/page/index.ts": "export const run = () => null;\n",
};

async function check(reflexes: string) {
  const head = "senses: { health: {}, up: {}, down: {}, silent: {} }\nworkflows: { page: {} }\nreflexes:\n";
  const folder = everywhere.make({ "nerve.yaml": `${head}${reflexes}`, ...SENSES });
  const { code, stdout, stderr } = await runNerve(folder.path, ["check", "--json"]);
  const errors = stderr.trim().split("\n").filter(Boolean);
  return { code, ok: JSON.parse(stdout).ok as boolean, errors: errors.map((line) => JSON.parse(line).error) };
}

test("one that no payload matches is a finding that names reflex, field, what is declared there, and the fields", async () => {
  const { code, ok, errors } = await check(`
  - { name: wrong-text, workflow: page, on: [health], when: { status: "'crit'" } }
  - { name: wrong-number, workflow: page, on: [health], when: { disk: { used: "number > 50" } }, clear: { disk: { used: "number > 100" } } }
  - { name: mistyped, workflow: page, on: [health], when: { stauts: "'ok'" } }
  - { name: fine, workflow: page, on: [health], when: { status: "'critical'", "other?": string } }
`);
  expect({ code, ok }).toEqual({ code: 1, ok: false });
  const hint = "the payload of `health` has disk, disk.used, status";
  expect(errors).toMatchObject([
    {
      kind: "pattern-never-matches",
      message:
        'reflex `wrong-text`: `when.status` is "\'crit\'", which matches no payload of `health`: there it is "critical" | "ok"',
      hint,
      line: 5,
      column: 71,
    },
    {
      kind: "pattern-never-matches",
      message: expect.stringContaining(
        'reflex `wrong-number`: `clear.disk.used` is "number > 100", which matches no payload of `health`',
      ),
      hint,
      line: 6,
    },
    {
      kind: "pattern-unknown-field",
      message: "reflex `mistyped`: `when` asks for `stauts`, which the payload of `health` does not declare",
      hint: `did you mean \`status\`? ${hint}`,
      line: 7,
      column: 61,
    },
  ]);
});

test("everything that is wrong with one is said, each at its place, and what was filled in as it is written", async () => {
  const folder = everywhere.make({
    "nerve.yaml": "include: [more.yaml]\nsenses: { health: {} }\nworkflows: { page: {} }\n",
    "more.yaml":
      'reflexes:\n  - name: r\n    workflow: page\n    on: [health]\n    when:\n      status: "\'${SECRET}\'"\n      usd: number\n      disk: { used: "number < 0" }\n',
    ...SENSES,
  });
  const { code, stderr } = await runNerve(folder.path, ["check", "--json"], { environment: { SECRET: "hunter2" } });
  expect(code).toBe(1);
  expect(stderr).not.toContain("hunter2");
  const errors = stderr.trim().split("\n");
  expect(errors.map((line) => JSON.parse(line).error)).toMatchObject([
    {
      kind: "pattern-never-matches",
      message: expect.stringContaining("`when.status` is the value of `'${SECRET}'`, which matches no payload"),
      file: `${folder.path}/more.yaml`,
      line: 6,
      column: 15,
    },
    { kind: "pattern-unknown-field", file: `${folder.path}/more.yaml`, line: 7, column: 7 },
    { kind: "pattern-never-matches", message: expect.stringContaining("`when.disk.used`"), line: 8, column: 21 },
  ]);
});

test("one is held against payloads whatever else is wrong with the config, even a name given twice", async () => {
  const folder = everywhere.make({
    "nerve.yaml": `senses: { health: {} }
workflows: { page: {} }
reflexes:
  - { name: twice, workflow: page, on: [health], when: { status: "'crit'" } }
  - { name: twice, workflow: page, on: [health], when: { disk: crit } }
  - { name: twice, workflow: page, on: [health], when: { stauts: string } }
`,
    ...SENSES,
  });
  const { code, stderr } = await runNerve(folder.path, ["check", "--json"]);
  const errors = stderr.trim().split("\n");
  expect(code).toBe(78);
  expect(errors.map((line) => JSON.parse(line).error).map(({ kind, line }) => `${kind} ${line}`)).toEqual([
    "duplicate-name 5",
    "bad-pattern 5",
    "duplicate-name 6",
    "pattern-never-matches 4",
    "pattern-unknown-field 6",
  ]);
});

test("one that a signal of another of its senses can match, or may match, is none", async () => {
  const fine = await check(`
  - { workflow: page, on: [up, down], key: $one, when: { kind: "'down'" }, clear: { kind: "'up'" } }
  - { workflow: page, on: [up, silent], when: { kind: "'down'" } }
  - { sense: silent, on: [down], when: { kind: "'down'" } }
`);
  expect(fine).toEqual({ code: 0, ok: true, errors: [] });
  const { code, errors } = await check(`
  - { name: neither, sense: silent, on: [up, down], when: { kind: "'off'" } }
`);
  expect(code).toBe(1);
  expect(errors.map(({ message }) => message)).toEqual([
    'reflex `neither`: `when.kind` is "\'off\'", which matches no payload of `up`: there it is "up"',
    'reflex `neither`: `when.kind` is "\'off\'", which matches no payload of `down`: there it is "down"',
  ]);
});

test("a sense that exports a payload which is no type does not load", async () => {
  const folder = everywhere.make({
    "nerve.yaml": "senses: { odd: {} }\n",
    "senses/odd/index.ts": 'export const payload = { a: "string" };\nexport const compute = () => null;\n',
  });
  const { code, stderr } = await runNerve(folder.path, ["check", "--json"]);
  expect(code).toBe(1);
  expect(JSON.parse(stderr).error).toMatchObject({
    kind: "bad-export",
    message: "sense `odd` exports `payload`, which is not an ArkType type",
  });
});
