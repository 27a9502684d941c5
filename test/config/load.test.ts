// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax under test
/** A configuration from disk: what can be wrong with the file itself, includes, credentials. */
import { describe, expect, test } from "bun:test";
import { chmodSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { loadNerveConfig, loadWithStandIns } from "../../src/config/load.ts";
import { formatProblem } from "../../src/model/problem.ts";
import { testFolder } from "./folder.ts";

/** The loaded problems, with the test's folder written as `DIR`. */
const told = (folder: string, file: string, environment: Record<string, string> = {}): string[] => {
  const result = loadNerveConfig(file, environment);
  return result.ok ? [] : result.error.map((problem) => formatProblem(problem).replaceAll(folder, "DIR"));
};

describe("the file itself", () => {
  test("is missing, a folder, a pipe, too large or not text", () => {
    using folder = testFolder();
    const pipe = join(folder.path, "pipe");
    expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
    folder.write("large.yaml", "#".repeat(256 * 1024 + 1));
    folder.write("latin1.yaml", new Uint8Array([0x64, 0xe4]));
    folder.write("nul.yaml", "data: a\0b");
    expect(
      ["none.yaml", "", "pipe", "large.yaml", "latin1.yaml"].flatMap((name) =>
        told(folder.path, join(folder.path, name)),
      ),
    ).toEqual([
      "DIR/none.yaml: there is no such file; name another with -c FILE, or write one",
      "DIR: this is a folder; name the file in it: DIR/nerve.yaml",
      "DIR/pipe: this is not a regular file; copy it into one",
      "DIR/large.yaml: the file is larger than 256 KiB; split it with `include`",
      "DIR/latin1.yaml: the file is not UTF-8 text; save it as UTF-8",
    ]);
    expect(told(folder.path, "a\0b")).toHaveLength(1);
  });

  test("is refused when others could have written it", () => {
    using folder = testFolder();
    const file = folder.write("nerve.yaml", "senses: { load: }");
    expect(told(folder.path, file)).toEqual([]);
    chmodSync(file, 0o664);
    expect(told(folder.path, file)).toEqual([
      "DIR/nerve.yaml: this file can be written to by its group or by others (mode 0664); chmod go-w DIR/nerve.yaml",
    ]);
  });
});

describe("include", () => {
  test("merges the matching files in name order", () => {
    using folder = testFolder();
    const file = folder.write(
      "nerve.yaml",
      "include: [conf.d/*.yaml, more.yaml]\nreflexes: [{ sense: b, interval: 1s }]\n",
    );
    folder.write(
      "conf.d/20-b.yaml",
      "senses: { b: }\nreflexes: [{ sense: a, interval: 2s }]\nretention: { signals: 1d }\n",
    );
    folder.write("conf.d/10-a.yaml", "senses: { a: }\nreflexes: [{ sense: a, interval: 1s }]\n");
    folder.write("conf.d/notes.txt", "not yaml: [");
    folder.write("conf.d/30-empty.yaml", "# nothing yet\n");
    folder.write("more.yaml", "senses:\ngroups: { default: { memory: 1gb } }\n");
    const result = loadNerveConfig(file, {});
    if (!result.ok) throw new Error(result.error.map(formatProblem).join("\n"));
    expect([...result.value.senses.keys()]).toEqual(["a", "b"]);
    expect(result.value.reflexes.map((reflex) => reflex.name)).toEqual(["b#1", "a#1", "a#2"]);
    expect(result.value.retention.signalsMs).toBe(86_400_000);
    expect(result.value.data).toBe(join(folder.path, "data"));
  });

  test("tells the same name twice with both places, and reports every file's own problems", () => {
    using folder = testFolder();
    const file = folder.write("nerve.yaml", "include: [conf.d/*.yaml]\ndata: ./x\nsenses: { a: }\n");
    folder.write("conf.d/1.yaml", "data: ./y\nsenses: { a: , b: { grop: x } }\n");
    folder.write("conf.d/2.yaml", "include: [3.yaml]\nsenses: [a]\nreflexes: [{ sense: bb, interval: 1s }]\n");
    expect(told(folder.path, file)).toEqual([
      "DIR/conf.d/1.yaml:1:1: `data` is given twice, first at DIR/nerve.yaml:2:1; keep one of them",
      "DIR/conf.d/1.yaml:2:11: `senses.a` is given twice, first at DIR/nerve.yaml:3:11; keep one of them",
      "DIR/conf.d/1.yaml:2:21: `senses.b.grop` is not a known key; did you mean `group`?",
      "DIR/conf.d/2.yaml:1:1: an included file cannot include others; list it in the main file's `include`",
      "DIR/conf.d/2.yaml:2:9: `senses` must be a map, found a list",
      'DIR/conf.d/2.yaml:3:21: `reflexes[0].sense` is "bb", and there is no sense of that name; did you mean `b`?',
    ]);
  });

  test("is silent about a pattern without matches, and not about a file that is not there", () => {
    using folder = testFolder();
    const file = folder.write("nerve.yaml", "include: [conf.d/*.yaml, none.yaml]\nsenses: { a: }\n");
    expect(told(folder.path, file)).toEqual(["DIR/nerve.yaml:1:26: there is no file DIR/none.yaml to include"]);
  });

  test("says nothing about references while a file that may define them cannot be read", () => {
    using folder = testFolder();
    const file = folder.write("nerve.yaml", "include: [a.yaml]\nreflexes: [{ sense: load, interval: 1s }]\n");
    folder.write("a.yaml", "senses: [");
    expect(told(folder.path, file)).toEqual(["DIR/a.yaml:1:10: this is not valid YAML: the [ in line 1 is not closed"]);
  });

  test("takes each file once, never the main file, and refuses unsafe ones by their path", () => {
    using folder = testFolder();
    const file = folder.write("nerve.yaml", 'include: ["*.yaml", "[ab].yaml"]\n');
    const a = folder.write("a.yaml", "senses: { a: }\n");
    symlinkSync(a, join(folder.path, "b.txt"));
    expect(told(folder.path, file)).toEqual([]);
    chmodSync(a, 0o666);
    expect(told(folder.path, file)).toEqual([
      "DIR/a.yaml: this file can be written to by its group or by others (mode 0666); chmod go-w DIR/a.yaml",
    ]);
  });

  test("stops at 256 files", () => {
    using folder = testFolder();
    const file = folder.write("nerve.yaml", "include: [c/*.yaml]\n");
    for (let index = 0; index < 300; index++) folder.write(`c/${index}.yaml`, "");
    expect(told(folder.path, file)).toEqual([
      "DIR/nerve.yaml:1:11: the pattern matches more than 256 files; narrow it",
    ]);
  });
});

describe("credentials", () => {
  test("come from the folder systemd names, without their last newline", () => {
    using folder = testFolder();
    folder.write("credentials/token", "s3cret\n");
    const file = folder.write("nerve.yaml", 'senses: { a: { with: { token: "${credential:token}" } } }\n');
    const result = loadNerveConfig(file, { CREDENTIALS_DIRECTORY: join(folder.path, "credentials") });
    expect(result.ok && result.value.senses.get("a")?.with).toEqual({ token: "s3cret" });
    const expected = [
      "DIR/nerve.yaml:1:31: there is no credential token; pass it with LoadCredential=token:/path in the systemd unit",
    ];
    expect(told(folder.path, file)).toEqual(expected);
    expect(told(folder.path, file, { CREDENTIALS_DIRECTORY: folder.path })).toEqual(expected);
  });
});

test("read without the daemon's variables and credentials, a config names those that are missing and keeps defaults", () => {
  using folder = testFolder();
  const text =
    'senses: { a: { with: { b: "${credential:token}", c: "${UNSET}", d: "${UNSET:?say}", e: "${OTHER:-kept}", f: "${HERE}" } } }\n';
  const { read, missing } = loadWithStandIns(folder.write("nerve.yaml", text), { HERE: "here" }, true);
  expect(read.problems).toEqual([]);
  expect(missing).toEqual(["${credential:token}", "${UNSET}"]);
  expect(read.config?.senses.get("a")?.with).toMatchObject({ e: "kept", f: "here" });
});
