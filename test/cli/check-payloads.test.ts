/** `check` holds what rules and templates ask of payloads against what senses, built in ones too, declare theirs to be. */
import { afterAll, expect, test } from "bun:test";
import { projects, runNerve } from "../helpers/nerve.ts";

const everywhere = projects();
afterAll(() => everywhere[Symbol.dispose]());

async function check(config: string, files: Readonly<Record<string, string>> = {}) {
  const folder = everywhere.make({ "nerve.yaml": config, ...files });
  const { code, stderr } = await runNerve(folder.path, ["check", "--json"]);
  const errors = stderr.trim().split("\n").filter(Boolean);
  return {
    code,
    errors: errors.map((line) => JSON.parse(line).error).map(({ file: _, ...error }) => error),
  };
}

const DISK_FIELDS =
  "the payload of `disk-usage` has available_bytes, inodes_total, inodes_used, inodes_used_percent, path, total_bytes, used_bytes, used_percent";

test("a misspelt or impossible field of a `when` on a built-in sense is found, with the nearest", async () => {
  const { code, errors } = await check(`
reflexes:
  - { sense: disk-usage, interval: 1m }
  - { name: mistyped, workflow: page, on: [disk-usage], when: { use_percent: number > 90 } }
  - { name: impossible, workflow: page, on: [disk-usage], when: { used_percent: "'90'" } }
  - { name: fine, workflow: page, on: [disk-usage], when: { used_percent: number > 90 }, clear: { used_percent: number < 80 } }
workflows: { page: { use: exec, with: { command: ["true"] } } }
`);
  expect(code).toBe(1);
  expect(errors).toEqual([
    {
      kind: "pattern-unknown-field",
      message: "reflex `mistyped`: `when` asks for `use_percent`, which the payload of `disk-usage` does not declare",
      hint: `did you mean \`used_percent\`? ${DISK_FIELDS}`,
      line: 4,
      column: 65,
    },
    {
      kind: "pattern-never-matches",
      message:
        "reflex `impossible`: `when.used_percent` is \"'90'\", which matches no payload of `disk-usage`: there it is number <= 100 & >= 0 | null",
      hint: DISK_FIELDS,
      line: 5,
      column: 81,
    },
  ]);
});

test("a `key` that no payload has, or that is no scalar there, is found", async () => {
  const { code, errors } = await check(`
reflexes:
  - { sense: host-health, interval: 1m }
  - { name: mistyped, workflow: page, on: [host-health], key: hots, throttle: 1m }
  - { name: a-list, workflow: page, on: [host-health], key: checks, throttle: 1m }
  - { name: fine, workflow: page, on: [host-health], key: status, throttle: 1m }
workflows: { page: { use: exec, with: { command: ["true"] } } }
`);
  expect(code).toBe(1);
  expect(errors).toMatchObject([
    {
      kind: "key-unknown-field",
      message: "reflex `mistyped`: `key` asks for `hots`, which the payload of `host-health` does not declare",
      hint: expect.stringMatching(/^did you mean `host`\? the payload of `host-health` has checks, host, /),
      line: 4,
      column: 63,
    },
    {
      kind: "key-never-matches",
      message: expect.stringMatching(
        /^reflex `a-list`: `key` is "checks", which is a text, number or boolean in no payload of `host-health`: there it is \{/,
      ),
      line: 5,
      column: 61,
    },
  ]);
});

test("of `each` the list, and of its items the pattern, the keys and the templates, are held against what is declared", async () => {
  const { code, errors } = await check(`
reflexes:
  - { sense: host-health, interval: 1m }
  - { name: right, workflow: page, on: [host-health], each: checks, key: [$sense, sense, check], when: { status: "'critical'" } }
  - { name: wrong, workflow: page, on: [host-health], each: checks, key: [sense, chek], when: { status: "'crit'" } }
  - { name: no-list, workflow: page, on: [host-health], each: status, key: status }
  - { name: no-field, workflow: page, on: [host-health], each: cheks, key: sense }
workflows:
  page: { use: exec, with: { command: [echo, --, "{{ payload.value }} {{ signal.host }}", "{{ payload.host }}", "{{ signal.value }}"] } }
`);
  expect(code).toBe(1);
  const of = (reflex: string): string => `workflow \`page\`, which reflex \`${reflex}\` starts:`;
  const item = "an item of `checks` in the payload of `host-health`";
  expect(errors.map(({ message, line, column }) => `${line}:${column} ${message}`)).toEqual([
    '5:105 reflex `wrong`: `when.status` is "\'crit\'", which matches no item of `checks` in a payload of `host-health`: there it is "critical" | "ok" | "warning"',
    `5:82 reflex \`wrong\`: \`key[1]\` asks for \`chek\`, which ${item} does not declare`,
    '6:63 reflex `no-list`: `each` is "status", which is a list in no payload of `host-health`: there it is "critical" | "ok" | "warning"',
    "7:64 reflex `no-field`: `each` asks for `cheks`, which the payload of `host-health` does not declare",
    `9:91 ${of("right")} \`with.command[3]\` asks for \`host\`, which ${item} does not declare`,
    `9:113 ${of("right")} \`with.command[4]\` asks for \`value\`, which the payload of \`host-health\` does not declare`,
    `9:91 ${of("wrong")} \`with.command[3]\` asks for \`host\`, which ${item} does not declare`,
    `9:113 ${of("wrong")} \`with.command[4]\` asks for \`value\`, which the payload of \`host-health\` does not declare`,
    `9:113 ${of("no-list")} \`with.command[4]\` asks for \`value\`, which the payload of \`host-health\` does not declare`,
    `9:113 ${of("no-field")} \`with.command[4]\` asks for \`value\`, which the payload of \`host-health\` does not declare`,
  ]);
  expect(errors[1].hint).toBe(
    "did you mean `check`? an item of `checks` in the payload of `host-health` has check, critical, sense, status, value, warning",
  );
});

test("a template for what no payload has is found at its argument, for each sense that starts the workflow", async () => {
  const { code, errors } = await check(`
senses: { memory: , nagios: { use: exec, with: { command: ["true"], parse: nagios } } }
reflexes:
  - { sense: host-health, interval: 1m }
  - { name: told, workflow: page, on: [host-health, memory] }
  - { name: other, workflow: page, on: [nagios] }
workflows:
  page:
    use: exec
    with: { command: [echo, --, "{{ payload.statu }} on {{ sense }}", "{{ payload.status }}", "{{ payload.checks.0.sense }}"] }
`);
  expect(code).toBe(1);
  expect(errors.map(({ kind, message, line, column }) => ({ kind, message, at: `${line}:${column}` }))).toEqual(
    [
      ["told", "with.command[2]", "statu", "host-health", "10:33"],
      ["told", "with.command[2]", "statu", "memory", "10:33"],
      ["told", "with.command[3]", "status", "memory", "10:71"],
      ["told", "with.command[4]", "checks", "memory", "10:95"],
      ["other", "with.command[2]", "statu", "nagios", "10:33"],
      ["other", "with.command[4]", "checks", "nagios", "10:95"],
    ].map(([reflex, at, path, sense, place]) => ({
      kind: "template-unknown-field",
      message: `workflow \`page\`, which reflex \`${reflex}\` starts: \`${at}\` asks for \`${path}\`, which the payload of \`${sense}\` does not declare`,
      at: place ?? "",
    })),
  );
});

test("nothing is said of what a program prints as JSON, of a workflow of one's own, or of a device by its name", async () => {
  const { code, errors } = await check(
    `
senses: { mine: { use: exec, with: { command: ["true"] } } }
reflexes:
  - { sense: disk-io, interval: 1m }
  - { workflow: page, on: [mine], when: { anything: string }, key: what.ever, throttle: 1m }
  - { workflow: own, on: [disk-io] }
  - { workflow: page, on: [disk-io], when: { devices: { sda: { busy_percent: number > 90 } } } }
workflows:
  page: { use: exec, with: { command: [echo, "x{{ payload }}"] } }
  own: { with: { text: "{{ payload.nowhere }}" } }
`,
    {
      "workflows/own/index.ts":
        'import { record, text } from "nerve/options";\nexport const options = record({ text: text() });\nexport const run = () => null;\n',
    },
  );
  expect({ code, errors }).toEqual({ code: 0, errors: [] });
});

test("an author's declaration is held against rules too, and one that is no definition is a bad export", async () => {
  const sense = (definition: string) =>
    `import { declaration } from "nerve/payload";
export const payload = declaration(${definition});
export const compute = () => ({ anything: "goes at run time" });\n`;
  const { code, errors } = await check(
    `
senses: { good: , bad: }
reflexes:
  - { name: r, workflow: page, on: [good], when: { hots: string } }
  - { workflow: page, on: [bad], when: { host: string } }
workflows: { page: { use: exec, with: { command: ["true"] } } }
`,
    {
      "senses/good/index.ts": sense('{ host: "string", "used?": "number >= 0" }'),
      "senses/bad/index.ts": sense('{ host: "strin" }'),
    },
  );
  expect(code).toBe(1);
  expect(errors).toMatchObject([
    {
      kind: "bad-export",
      message: expect.stringMatching(/^sense "bad" declares a payload that is no ArkType definition: .*strin/),
    },
    {
      kind: "pattern-unknown-field",
      hint: "did you mean `host`? the payload of `good` has host, used",
    },
  ]);
});

test("options that are refused have their place in the file that holds them", async () => {
  const folder = everywhere.make({
    "nerve.yaml":
      "include: [more.yaml]\nsenses:\n  d: { use: disk-usage, with: { pth: / } }\n  e: { use: exec, with: { parse: json } }\n",
    "more.yaml":
      'senses:\n  f: { use: exec, with: { command: [echo, [1]] } }\nworkflows:\n  w:\n    use: webhook\n    with: { url: "http://127.0.0.1", retry: { limit: -1 } }\n',
  });
  const { code, stderr } = await runNerve(folder.path, ["check", "--json"]);
  expect(code).toBe(1);
  const errors = stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).error);
  expect(
    errors.map(
      ({ message, file, line, column }) => `${file.slice(folder.path.length + 1)}:${line}:${column} ${message}`,
    ),
  ).toEqual([
    "nerve.yaml:3:33 the options of sense `d` are refused: pth is not an option: did you mean `path`?",
    "nerve.yaml:4:25 the options of sense `e` are refused: command is required: a list of texts",
    "more.yaml:2:43 the options of sense `f` are refused: command[1] must be text (was a list)",
    "more.yaml:6:54 the options of workflow `w` are refused: retry.limit must be a whole number from 0 to 1000 (was a number)",
  ]);
});

test("an option that could not be read is reported once, and not refused by its sense as well", async () => {
  const { code, errors } = await check(`
senses: { e: { use: exec, with: { command: [echo, "\${NOT_SET_ANYWHERE}"] } } }
`);
  expect(code).toBe(78);
  expect(errors.map(({ kind, line }) => `${kind} ${line}`)).toEqual(["missing-variable 2"]);
});

test("a field that the texts of an incident fill in and that no payload has is found", async () => {
  const { code, errors } = await check(`
reflexes:
  - { sense: disk-usage, interval: 1m }
  - name: full
    workflow: page
    on: [disk-usage]
    key: path
    when: { used_percent: number > 90 }
    incident: { severity: "{{ payload.level }}", summary: "{{ payload.pth }} is {{ payload.used_percent }} % full" }
workflows: { page: { use: exec, with: { command: ["true"] } } }
`);
  expect(code).toBe(1);
  expect(errors.map(({ message }) => message)).toEqual([
    "reflex `full`: `incident.severity` asks for `level`, which the payload of `disk-usage` does not declare",
    "reflex `full`: `incident.summary` asks for `pth`, which the payload of `disk-usage` does not declare",
  ]);
});

test("`watch: true` on a sense whose module watches nothing is found; on the sense nerve it is fine", async () => {
  const { code, errors } = await check(`
reflexes:
  - { name: idle, sense: load, watch: true }
  - { sense: nerve, watch: true }
`);
  expect(code).toBe(1);
  expect(errors).toMatchObject([
    {
      kind: "missing-export",
      message: "sense `load`: `watch: true` of reflex `idle` wakes nothing: the module exports no `watch`",
      hint: "write `export const watch = () => ({ kernel: true })`, or remove `watch`",
      line: 3,
      column: 39,
    },
  ]);
});
