// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax under test
/** The warning on a workflow that asks for an incident, and that no reflex with `incident` starts. */
import { expect, test } from "bun:test";
import { readNerveConfig } from "../../src/config/parse.ts";
import { around } from "../helpers/config.ts";

const SENSES = "senses: { load: }\n";
const TELL = 'tell: { use: exec, with: { command: [logger, --, "{{ incident.summary }}", "{{ incident.id }}"] } }';

const warningsOf = (reflexes: string, workflows: string, own: readonly string[] = []) => {
  const text = `${SENSES}reflexes:\n  - { sense: load, interval: 10s }\n${reflexes}workflows:\n  ${workflows}\n`;
  const { problems, warnings } = readNerveConfig(text, around({ isOwnWorkflow: (use) => own.includes(use) }));
  expect(problems).toEqual([]);
  return warnings;
};

const PLAIN = '  - { workflow: tell, on: [load], when: { load1: "number > 8" } }\n';
const INCIDENT = '  - { workflow: tell, on: [load], when: { load1: "number > 8" }, incident: {} }\n';
const ESCALATES =
  '  - { workflow: page, on: [load], when: { load1: "number > 8" }, incident: { escalate: [{ after: 1h, workflow: tell }] } }\n';

test("a workflow that only reflexes without `incident` start is named once, with the place of the text", () => {
  expect(warningsOf(PLAIN, TELL)).toMatchObject([
    {
      kind: "no-incident",
      line: 6,
      message:
        "`workflows.tell.with.command[2]` asks for an incident, and no reflex with `incident` starts `tell`: its runs fail there",
      hint: "write `incident: { … }` in the reflex that starts it, or ask for `payload` instead",
    },
  ]);
});

test("a workflow that reports incidents, or escalates them, asks for nothing that is not there", () => {
  expect(warningsOf(INCIDENT, TELL)).toEqual([]);
  expect(warningsOf(ESCALATES, `${TELL}\n  page: { use: exec, with: { command: [true] } }`)).toEqual([]);
});

test("a text of a workflow of one's own means what its code makes of it", () => {
  expect(warningsOf(PLAIN, TELL, ["exec"])).toEqual([]);
});
