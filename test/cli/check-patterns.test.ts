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
      message: 'reflex `wrong-text`: `when.status` matches no payload of `health`: there it is "critical" | "ok"',
      hint,
    },
    {
      kind: "pattern-never-matches",
      message: expect.stringContaining("reflex `wrong-number`: `clear.disk.used` matches no payload of `health`"),
      hint,
    },
    {
      kind: "pattern-unknown-field",
      message: "reflex `mistyped`: `when` asks for `stauts`, which the payload of `health` does not declare",
      hint: `did you mean \`status\`? ${hint}`,
    },
  ]);
});

test("one that a signal of another of its senses can match, or may match, is none", async () => {
  const fine = await check(`
  - { workflow: page, on: [up, down], when: { kind: "'down'" }, clear: { kind: "'up'" } }
  - { workflow: page, on: [up, silent], when: { kind: "'down'" } }
  - { sense: silent, on: [down], when: { kind: "'down'" } }
`);
  expect(fine).toEqual({ code: 0, ok: true, errors: [] });
  const { code, errors } = await check(`
  - { name: neither, sense: silent, on: [up, down], when: { kind: "'off'" } }
`);
  expect(code).toBe(1);
  expect(errors.map(({ message }) => message)).toEqual([
    'reflex `neither`: `when.kind` matches no payload of `up`: there it is "up"',
    'reflex `neither`: `when.kind` matches no payload of `down`: there it is "down"',
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
    message: 'sense "odd" exports payload that is no ArkType type',
  });
});
