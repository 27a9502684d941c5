/** Completion as shells drive it: bash's COMPREPLY, zsh's own completion in a terminal, fish's. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_CHANCE } from "../../../src/base/chance.ts";
import { traceIds } from "../../../src/base/trace-id.ts";
import { SCRIPTS, SHELLS } from "../../../src/cli/completion/scripts.ts";
import { openStore } from "../../../src/store/open.ts";
import { NERVE, project, runNerve } from "../../helpers/nerve.ts";
import { BY_HAND, runWriter } from "../../helpers/runs.ts";

setDefaultTimeout(60_000);

const CONFIG = `senses: { load: , memory: , page: { use: load } }
reflexes:
  - { sense: load, interval: 1s }
  - { name: tell-load, workflow: page, on: [load] }
workflows: { page: { use: exec, with: { command: ["true"] } }, tell: { use: exec, with: { command: ["true"] } } }
`;
const folder = project({
  "nerve.yaml": CONFIG,
  "other.yaml": "senses: { uptime: { use: load } }\n",
  "broken.yaml": "senses: { load: , memory: { intervall: 4 } }\n",
  "bin/nerve": `#!/bin/sh\nexec ${NERVE.map((word) => `'${word}'`).join(" ")} "$@"\n`,
});
chmodSync(join(folder.path, "bin/nerve"), 0o755);
for (const shell of SHELLS) folder.write(`nerve.${shell}`, SCRIPTS[shell]);
const environment = { PATH: `${folder.path}/bin:${process.env.PATH}` };

beforeAll(() => {
  const data = join(folder.path, "data");
  mkdirSync(data, { mode: 0o700 });
  const opened = openStore(data, "normal", "boot", Date.now());
  if (!opened.ok) throw new Error(opened.error.message);
  const { value: store } = opened;
  const runs = runWriter(store);
  const at = Date.now();
  const about = { workflow: "page", at, input: null, trigger: BY_HAND, retry_of: null };
  for (const _ of [1, 2]) runs.queue({ ...about, trace: traceIds(SYSTEM_CHANCE)(at) });
  runs.event(1, at, "run.cancelled", { error: "by hand" });
  store.close();
});
afterAll(() => folder[Symbol.dispose]());

/** The candidates alone; the last word is the one under the cursor. */
async function fits(...words: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await runNerve(folder.path, ["__complete", ...words]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split("\t")[0] ?? "");
}

describe("what fits", () => {
  test.each<[line: string[], expected: string[]]>([
    [["sig"], ["signals", ":files"]],
    [
      ["signals", ""],
      ["load", "memory", "page"],
    ],
    [["signals", "load", "m"], ["memory"]],
    [["signals", "--sense", "l"], ["load"]],
    [["-c", "other.yaml", "signals", ""], ["uptime"]],
    [["signals", "-c", "other.yaml", ""], ["uptime"]],
    [["signals", "--config=other.yaml", ""], ["uptime"]],
    [["signals", "-c", "broken.yaml", "l"], ["load"]],
    [["signals", "-c", "missing.yaml", ""], []],
    [["runs", "--state", "t"], ["timed-out"]],
    [
      ["logs", "--level", ""],
      ["debug", "info", "warn", "error"],
    ],
    [["incidents", "--state", "a"], ["acked"]],
    [
      ["why", "tel"],
      ["tell-load", "tell"],
    ],
    [["logs", "--source", "reflex:t"], ["reflex:tell-load"]],
    [["logs", "--un"], ["--until"]],
    [["silence", "--c"], ["--config"]],
    [
      ["explain", ""],
      ["load#1", "tell-load"],
    ],
    [
      ["run", ""],
      ["page", "tell", "load", "memory", "workflow:page", "workflow:tell", "sense:load", "sense:memory", "sense:page"],
    ],
    [["trigger", "sense:m"], ["sense:memory"]],
    [["enable", "reflex:l"], ["reflex:load#1"]],
    [
      ["library", "disk-"],
      ["disk-usage", "disk-io"],
    ],
    [
      ["show", ""],
      ["2", "1"],
    ],
    [["cancel", ""], ["2"]],
    [["retry", ""], ["1"]],
    [["check", ""], [":files"]],
    [["run", "page", "--input", ""], [":files"]],
    [
      ["archive", ""],
      ["ls", "verify", "run"],
    ],
    [["version", ""], []],
    [["nosuchverb", ""], []],
  ])("%j", async (line, expected) => expect(await fits(...line)).toEqual(expected));

  test("a verb that is being typed, with no former name among them", async () => {
    expect(await fits("tri")).toEqual([":files"]);
    expect(await fits("")).toContain("completion");
  });
});

const has = (program: string): boolean => Bun.which(program) !== null;

/** `script` in a shell whose folder is the project's; its stdout. */
async function inShell(command: readonly string[], script: string): Promise<string> {
  const child = Bun.spawn([...command, script], {
    cwd: folder.path,
    env: { ...process.env, ...environment, HOME: folder.path, TERM: "dumb" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect({ code: await child.exited, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

/** What bash is offered for a line with the cursor at its end. */
const reply = (line: string): Promise<string> =>
  inShell(
    ["bash", "--norc", "-c"],
    `source nerve.bash
     COMP_LINE=${JSON.stringify(line)} COMP_POINT=${line.length}
     complete -p nerve >/dev/null && _nerve
     printf '%s\\n' "\${COMPREPLY[@]}"`,
  );

describe.skipIf(!has("bash"))("bash", () => {
  test.each<[line: string, expected: string[]]>([
    ["nerve sig", ["signals"]],
    ["nerve signals ", ["load", "memory", "page"]],
    ["nerve -c other.yaml signals ", ["uptime"]],
    // Bash has cut the word at its colon, and wants what follows.
    ["nerve enable sense:l", ["load"]],
    ["nerve enable reflex:", ["load#1", "tell-load"]],
    ["nerve check oth", ["other.yaml"]],
    ["nerve runs --state fa", ["failed"]],
    ["nerve explain nothing-like-it", []],
  ])("is offered what fits `%s`", async (line, expected) => {
    const offered = (await reply(line)).split("\n").filter(Boolean);
    expect(offered).toEqual(expected);
  });
});

describe.skipIf(!has("zsh"))("zsh", () => {
  /** Types `line` and a tab into a zsh that runs in a terminal; what then stands on its command line. */
  const typed = (line: string): Promise<string> =>
    inShell(
      ["zsh", "-f", "-c"],
      `zmodload zsh/zpty
       zpty shell "PS1= TERM=dumb zsh -f -i"
       zpty -w shell 'unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; source ./nerve.zsh; show() { print -r -- "<<$BUFFER>>" }; zle -N show; bindkey "^X" show; print READ""Y'
       while zpty -r shell out; do [[ "$out" == *READY* ]] && break; done
       zpty -w -n shell ${JSON.stringify(line)}$'\\t\\C-X'
       while zpty -r -m shell out '*>>*'; do print -r -- "$out"; break; done
       zpty -d shell`,
    );

  test.each<[line: string, expected: string]>([
    ["nerve sig", "<<nerve signals >>"],
    ["nerve signals mem", "<<nerve signals memory >>"],
    ["nerve enable reflex:t", "<<nerve enable reflex:tell-load >>"],
    ["nerve check oth", "<<nerve check other.yaml >>"],
    ["nerve logs --unt", "<<nerve logs --until >>"],
  ])("completes `%s`", async (line, expected) => expect(await typed(line)).toContain(expected));
});

describe.skipIf(!has("fish"))("fish", () => {
  test("takes the script, and offers what fits", async () => {
    await inShell(["fish", "--no-config", "--no-execute"], "nerve.fish");
    const offered = await inShell(["fish", "--no-config", "-c"], "source nerve.fish; complete -C 'nerve signals '");
    expect(offered.split("\n").filter(Boolean)).toEqual(["load\tsense", "memory\tsense", "page\tsense"]);
    expect(await inShell(["fish", "--no-config", "-c"], "source nerve.fish; complete -C 'nerve check oth'")).toContain(
      "other.yaml",
    );
  });
});

describe("the verb", () => {
  test.each(SHELLS)("prints the script of %s", async (shell) => {
    const { code, stdout } = await runNerve(folder.path, ["completion", shell]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: SCRIPTS[shell] });
  });

  test("refuses another shell", async () => {
    expect((await runNerve(folder.path, ["completion", "tcsh"])).code).toBe(2);
  });
});
