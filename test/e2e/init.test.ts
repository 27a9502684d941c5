/** `nerve init` as a stranger meets it: an empty folder, or one that is another's already. */
import { afterEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { configSchema } from "../../scripts/kit/schema.ts";
import { parseNerveConfig } from "../../src/config/parse.ts";
import { NERVE, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

const LONG_MS = 120_000;
const BARE = { bare: true } as const;
const UNSHARE = Bun.which("unshare") ?? "unshare";
const canBeAlone =
  Bun.which("unshare") !== null && Bun.spawnSync([UNSHARE, "--net", "--mount", "--map-root-user", "true"]).success;
/** In a network of its own, with nothing in it, where the machine lets a test have one. */
const OFFLINE = { ...BARE, command: canBeAlone ? [UNSHARE, "--net", "--map-root-user", ...NERVE] : NERVE };

let made: Project[] = [];
afterEach(() => {
  for (const one of made) one[Symbol.dispose]();
  made = [];
});

function folderWith(files: Readonly<Record<string, string>>): Project {
  const one = project(files);
  made.push(one);
  return one;
}

/** Path → text of every file that is not nerve's own. */
const filesOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    [...new Glob("**/*").scanSync({ cwd: folder, dot: true })]
      .filter((path) => !path.startsWith(".nerve/"))
      .sort()
      .map((path) => [path, readFileSync(join(folder, path), "utf8")]),
  );

const OWN = [".gitignore", "nerve.yaml", "senses/hello/index.ts", "tsconfig.json", "workflows/note/index.ts"];

test(
  "an empty folder, no environment, no network: init, run, and the stranger's own sense has a signal; an edit is checked and taken over",
  async () => {
    const { path } = folderWith({});
    const init = await runNerve(path, ["init"], OFFLINE);
    expect(init).toMatchObject({ code: 0, stderr: "" });
    expect(Object.keys(filesOf(path))).toEqual(OWN);
    const nerve = await startNerve(path, OFFLINE);
    await using _ = nerve;
    await until("the sense of one's own has a signal", () => nerve.signals("hello").length > 0);
    expect(nerve.signals("hello")[0]?.payload.hello).toBe("world");
    await until("the built-in senses have signals", () =>
      ["memory", "load", "disk-usage"].every((sense) => nerve.signals(sense).length > 0),
    );
    await until("the host is judged by its CPU", () =>
      (nerve.signals("host-health").at(-1)?.payload.checks ?? []).some(
        ({ check }: { check: string }) => check === "cpu_percent",
      ),
    );

    const sense = join(path, "senses/hello/index.ts");
    const text = readFileSync(sense, "utf8");
    writeFileSync(sense, text.replace("return {", "const unsent = {"));
    const wrong = await runNerve(path, ["check"], OFFLINE);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain(`${sense}:4:14: Type '() => Promise<void>' is not assignable to type 'Compute`);
    writeFileSync(sense, text.replace('"world"', '"stranger"'));
    expect(await runNerve(path, ["check"], OFFLINE)).toMatchObject({ code: 0, stderr: "" });
    expect(await runNerve(path, ["reload"], BARE)).toMatchObject({ code: 0 });
    expect(await runNerve(path, ["run", "sense:hello"], BARE)).toMatchObject({ code: 0 });
    await until("the edit has a signal", () => nerve.signals("hello").at(-1)?.payload.hello === "stranger");
  },
  LONG_MS,
);

test(
  "a sense of one's own is one file of at most eight lines, and the config has no warning",
  async () => {
    const { path } = folderWith({});
    await runNerve(path, ["init", "a b"], BARE);
    const folder = join(path, "a b");
    expect(
      readFileSync(join(folder, "senses/hello/index.ts"), "utf8").trimEnd().split("\n").length,
    ).toBeLessThanOrEqual(8);
    const { code, stderr } = await runNerve(folder, ["check"], BARE);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(readFileSync(join(folder, ".nerve/nerve.schema.json"), "utf8"))).toEqual(configSchema());
  },
  LONG_MS,
);

test(
  "in a folder with a space in its name, types are checked and the next command can be pasted",
  async () => {
    const { path } = folderWith({});
    const { stdout } = await runNerve(path, ["init", "a b"], BARE);
    expect(stdout).toContain("cd 'a b'");
    writeFileSync(join(path, "a b/senses/hello/index.ts"), "export const compute: number = 'x';\n");
    const { code, stderr } = await runNerve(path, ["check", "a b/nerve.yaml"], BARE);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `${path}/a b/senses/hello/index.ts:1:14: Type 'string' is not assignable to type 'number'. (TS2322)`,
    );
  },
  LONG_MS,
);

test(
  "again it refreshes .nerve/ and nothing else, and brings nothing back",
  async () => {
    const one = folderWith({});
    await runNerve(one.path, ["init"], BARE);
    one.write("nerve.yaml", "senses: { load: }\nreflexes: [{ sense: load, interval: 1s }]\n");
    one.remove("workflows");
    one.remove("tsconfig.json");
    one.write(".nerve/types/node_modules/nerve/left-over.d.ts", "");
    one.write(".nerve/dev-data/logs.db", "");
    const before = filesOf(one.path);
    const { code, stdout } = await runNerve(one.path, ["init"], BARE);
    expect(code).toBe(0);
    expect(stdout).toStartWith(`refreshed in ${one.path}:`);
    expect(filesOf(one.path)).toEqual(before);
    expect(existsSync(join(one.path, ".nerve/types/node_modules/nerve/left-over.d.ts"))).toBe(false);
    expect(existsSync(join(one.path, ".nerve/dev-data/logs.db"))).toBe(true);
  },
  LONG_MS,
);

test(
  "a folder that has a nerve.yaml keeps it, gets no sense, and hears of the line for its editor",
  async () => {
    const config = "senses: { load: }\nreflexes: [{ sense: load, interval: 1s }]\n";
    const { path } = folderWith({ "nerve.yaml": config });
    const { code, stdout } = await runNerve(path, ["init"], BARE);
    expect(code).toBe(0);
    expect(Object.keys(filesOf(path))).toEqual([".gitignore", "nerve.yaml", "tsconfig.json"]);
    expect(filesOf(path)["nerve.yaml"]).toBe(config);
    expect(stdout).toContain("# yaml-language-server: $schema=./.nerve/nerve.schema.json");
    expect(await runNerve(path, ["check"], BARE)).toMatchObject({ code: 0, stderr: "" });
  },
  LONG_MS,
);

const FOREIGN = {
  "package.json": '{ "type": "commonjs", "scripts": { "check": "touch ran-script" } }',
  "tsconfig.json": '{ "compilerOptions": { "strict": false, "types": ["nothing"] }, "include": ["nowhere"] }',
  "bunfig.toml": 'preload = ["./preload.ts"]\n',
  "preload.ts": 'require("node:fs").writeFileSync(import.meta.dir + "/ran-preload", "");\n',
  ".env": "BUN_OPTIONS=--preload=./preload.ts\n",
  ".gitignore": "node_modules\n",
};

test(
  "beside a foreign package.json, tsconfig.json, bunfig.toml and .env: none is changed, none takes part in a check",
  async () => {
    const { path } = folderWith(FOREIGN);
    const { code, stdout } = await runNerve(path, ["init"], BARE);
    expect(code).toBe(0);
    expect(filesOf(path)).toMatchObject(FOREIGN);
    expect(stdout).toContain('"extends": "./.nerve/tsconfig.json"');
    expect(await runNerve(path, ["check"], BARE)).toMatchObject({ code: 0, stderr: "" });
    writeFileSync(join(path, "senses/hello/index.ts"), "export const compute = (a) => a;\n");
    const wrong = await runNerve(path, ["check"], BARE);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain("implicitly has an 'any' type");
    expect(readdirSync(path).filter((name) => name.startsWith("ran-"))).toEqual([]);
  },
  LONG_MS,
);

test(
  "a tsconfig.json above the folder has no say",
  async () => {
    const { path } = folderWith({ "tsconfig.json": FOREIGN["tsconfig.json"], "package.json": FOREIGN["package.json"] });
    await runNerve(path, ["init", "inner"], BARE);
    writeFileSync(join(path, "inner/senses/hello/index.ts"), "export const compute = (a) => a;\n");
    const { code, stderr } = await runNerve(join(path, "inner"), ["check"], BARE);
    expect(code).toBe(1);
    expect(stderr).toContain("implicitly has an 'any' type");
    expect(existsSync(join(path, "ran-script"))).toBe(false);
  },
  LONG_MS,
);

test(
  "a variable BUN_… of the caller changes nothing of a check",
  async () => {
    const one = folderWith({ "preload.ts": FOREIGN["preload.ts"] });
    await runNerve(one.path, ["init"], BARE);
    one.write("senses/hello/index.ts", "export const compute: number = 'x';\n");
    const environment = { BUN_INSPECT: "1", BUN_CONFIG_VERBOSE_FETCH: "1", HOME: one.path };
    one.write(".bunfig.toml", FOREIGN["bunfig.toml"]);
    const { stderr } = await runNerve(one.path, ["check"], { bare: true, environment });
    expect(stderr).toContain("index.ts:1:14");
    expect(existsSync(join(one.path, "ran-preload"))).toBe(false);
  },
  LONG_MS,
);

test(
  "the rule that stands there as a comment is one when its # goes, and a slip in it is found",
  async () => {
    const one = folderWith({});
    await runNerve(one.path, ["init"], BARE);
    const config = filesOf(one.path)["nerve.yaml"] ?? "";
    const rule = config.replace(/^ {2}# (?=- | {2})/gm, "  ");
    expect(parseNerveConfig(rule).ok).toBe(true);
    one.write("nerve.yaml", rule);
    expect(await runNerve(one.path, ["check", "--no-types"], BARE)).toMatchObject({ code: 0, stderr: "" });
    one.write("nerve.yaml", rule.replace("when: { used_percent", "when: { used_precent"));
    const { code, stderr } = await runNerve(one.path, ["check", "--no-types"], BARE);
    expect(code).toBe(1);
    expect(stderr).toContain("did you mean `used_percent`?");
  },
  LONG_MS,
);

describe("under every umask nerve accepts what it made:", () => {
  test.each(["0000", "0002", "0022", "0077"])(
    "%s",
    async (umask) => {
      const { path } = folderWith({});
      const shell = `umask ${umask} && exec "$@"`;
      const command = ["/bin/sh", "-c", shell, "sh", ...NERVE];
      expect(await runNerve(path, ["init", "made"], { ...BARE, command })).toMatchObject({ code: 0 });
      expect(await runNerve(join(path, "made"), ["check", "--no-types"], BARE)).toMatchObject({ code: 0, stderr: "" });
      const { mode } = lstatSync(join(path, "made/senses/hello/index.ts"));
      expect(mode & 0o022).toBe(0);
      if (umask === "0077") expect(mode & 0o077).toBe(0);
    },
    LONG_MS,
  );
});

describe("a clear no, and nothing is left behind:", () => {
  test.skipIf(!canBeAlone)(
    "on a file system that is read-only",
    async () => {
      const { path } = folderWith({});
      const mount = 'mount -t tmpfs -o ro,mode=755 none "$0" && cd "$0" && exec "$@"';
      const command = [UNSHARE, "--mount", "--map-root-user", "/bin/sh", "-c", mount, path, ...NERVE];
      const { code, stderr } = await runNerve(path, ["init"], { environment: {}, command });
      expect(code).toBe(1);
      expect(stderr).toContain(`nothing can be made in ${path}: its file system is read-only`);
      expect(stderr).toContain("hint: name another folder: nerve init DIR");
    },
    LONG_MS,
  );

  // Root may write everywhere.
  test.skipIf(process.geteuid?.() === 0)(
    "in a folder that this user may not write to",
    async () => {
      const { path } = folderWith({});
      chmodSync(path, 0o555);
      const { code, stderr } = await runNerve(path, ["init"], BARE);
      chmodSync(path, 0o755);
      expect(code).toBe(1);
      expect(stderr).toContain(`nothing can be made in ${path}: this user may not write there`);
      expect(readdirSync(path)).toEqual([]);
    },
    LONG_MS,
  );

  test(
    "in a folder that others may write to, with the command that mends it",
    async () => {
      const { path } = folderWith({});
      chmodSync(path, 0o777);
      const { code, stderr } = await runNerve(path, ["init"], BARE);
      expect(code).toBe(1);
      expect(stderr).toContain(`chmod go-w ${path}`);
      expect(readdirSync(path)).toEqual([]);
    },
    LONG_MS,
  );

  test(
    "where .nerve is a link to elsewhere, or a path is no folder",
    async () => {
      const one = folderWith({ "elsewhere/types/precious": "", file: "" });
      mkdirSync(join(one.path, "inner"));
      symlinkSync(join(one.path, "elsewhere"), join(one.path, "inner/.nerve"));
      const linked = await runNerve(one.path, ["init", "inner"], BARE);
      expect(linked.code).toBe(1);
      expect(linked.stderr).toContain(".nerve is there, and is no folder");
      expect(existsSync(join(one.path, "elsewhere/types/precious"))).toBe(true);
      const file = await runNerve(one.path, ["init", "file"], BARE);
      expect(file.code).toBe(1);
      expect(file.stderr).toContain("there is a file of this name, and no folder");
    },
    LONG_MS,
  );

  test(
    "with -c, which names a config",
    async () => {
      const { path } = folderWith({});
      const { code, stderr } = await runNerve(path, ["init", "-c", "x.yaml"], BARE);
      expect(code).toBe(2);
      expect(stderr).toContain("nerve init DIR");
    },
    LONG_MS,
  );
});

test(
  "check warns of types of another build, or that are not whole, and --no-types leaves them out",
  async () => {
    const one = folderWith({});
    await runNerve(one.path, ["init"], BARE);
    one.write(".nerve/version", "nerve 0.0.1, kit 1\n");
    const stale = await runNerve(one.path, ["check"], BARE);
    expect(stale.code).toBe(0);
    expect(stale.stderr).toContain(".nerve is of another build: nerve 0.0.1, kit 1, and this is nerve ");
    expect(stale.stderr).toContain("hint: `nerve init` refreshes it");
    const { warnings } = JSON.parse((await runNerve(one.path, ["check", "--json"], BARE)).stdout);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ kind: "stale-types" });
    one.remove(".nerve/version");
    expect((await runNerve(one.path, ["check"], BARE)).stderr).toContain(".nerve is not whole");
    one.write("senses/hello/index.ts", "export const compute = async (): Promise<number> => 'x';\n");
    expect(await runNerve(one.path, ["check", "--no-types"], BARE)).toMatchObject({ code: 0, stderr: "" });
  },
  LONG_MS,
);
