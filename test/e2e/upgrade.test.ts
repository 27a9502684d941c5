/**
 * An upgrade of a daemon that was started by hand: with a new migration forward and back, and a new build that fails at each
 * stage. Whatever happens, one version runs, and every signal that was committed is there.
 */
import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Home } from "../../src/upgrade/home.ts";
import { VERSION } from "../../src/version.ts";
import { COMPILED, type Project, project } from "../helpers/nerve.ts";
import { smallDisk, whyNoSmallDisk } from "../helpers/small-disk.ts";
import { until } from "../helpers/until.ts";
import { release, sha256, UpgradeSite } from "../helpers/upgrade.ts";
import { FAULT, type Fault, VARIANT_MIGRATION, VARIANT_VERSION, variant } from "../helpers/variant.ts";

setDefaultTimeout(300_000);

const CONFIG = `
senses: { load: , memory: }
reflexes:
  - { sense: load, interval: 20ms }
  - { sense: memory, interval: 20ms }
  - { workflow: note, on: [load], throttle: 200ms }
workflows: { note: { use: exec, with: { command: ["true"] } } }
`;

interface Row {
  readonly id: number;
  readonly sense: string;
  readonly payload: string;
}

const ask = <T>(data: string, sql: string): T[] => {
  const db = new Database(join(data, "logs.db"), { readonly: true });
  try {
    return db.query<T, []>(sql).all();
  } finally {
    db.close(true);
  }
};

const signals = (data: string): Row[] => ask<Row>(data, "SELECT id, sense, payload FROM signals ORDER BY id");
const ENDINGS = "('run.completed', 'run.failed', 'run.cancelled', 'run.timed-out', 'run.dropped')";

/** What must hold of the data whoever runs on it. */
async function faultsOf(site: UpgradeSite, before: readonly Row[]): Promise<string[]> {
  const after = new Map(signals(site.data).map((row) => [row.id, row]));
  const lost = before.filter(({ id, payload }) => after.get(id)?.payload !== payload);
  const twice = ask<{ run: number }>(
    site.data,
    `SELECT run FROM logs WHERE event IN ${ENDINGS} GROUP BY run HAVING count(*) > 1`,
  );
  const rebuilt = await site.run(["rebuild", "--check"]);
  return [
    ...lost.map(({ id }) => `signal ${id} is lost or changed`),
    ...twice.map(({ run }) => `run ${run} has ended twice`),
    ...(rebuilt.code === 0 ? [] : [`rebuild --check: ${rebuilt.stderr}`]),
  ];
}

/** Of a size in KB or MB, as a message shows it. */
const bytesOf = (size: string): number => Number.parseFloat(size) * (size.endsWith("KB") ? 1024 : 1024 ** 2);

// Each in the place of what lies there.

function folderAt(path: string): void {
  rmSync(path);
  mkdirSync(path);
}

function fileAt(path: string): void {
  rmSync(path, { recursive: true });
  writeFileSync(path, "");
}

function pipeAt(file: string): void {
  rmSync(file);
  expect(Bun.spawnSync(["mkfifo", file]).exitCode).toBe(0);
}

describe.skipIf(COMPILED === null)("an upgrade", () => {
  let folder: Project;
  let site: UpgradeSite;
  let next: string;
  beforeEach(() => {
    folder = project({ "nerve.yaml": CONFIG });
    site = new UpgradeSite(folder.path);
    next = release(variant(), join(folder.path, "release"));
  });
  afterEach(async () => {
    await site.stop();
    folder[Symbol.dispose]();
  });

  /** Signals that are committed while the daemon goes on. */
  const more = (): Promise<unknown> => {
    const from = signals(site.data).length;
    return until("more signals are committed", () => signals(site.data).length > from + 20);
  };

  const columns = (): string[] =>
    ask<{ name: string }>(site.data, "SELECT name FROM pragma_table_info('signals')").map(({ name }) => name);

  test("runs the new version on the same data, and back again the old one keeps what the new one has committed", async () => {
    await site.start();
    await more();
    const old = sha256(site.executable);
    const before = signals(site.data);
    const up = await site.run(["upgrade", next]);
    expect([up.code, up.stderr]).toEqual([0, ""]);
    expect(up.stdout).toContain(VARIANT_MIGRATION);
    expect(await site.version()).toBe(VARIANT_VERSION);
    expect(sha256(site.executable)).toBe(sha256(next));
    expect(columns()).toContain("variant");
    expect(await faultsOf(site, before)).toEqual([]);
    const older = Bun.spawnSync([COMPILED ?? "", "check"], { cwd: folder.path, stderr: "pipe" });
    expect([older.exitCode, older.stderr.toString()]).toEqual([1, expect.stringContaining("written by a newer nerve")]);
    await more();
    const meanwhile = signals(site.data);
    const back = await site.run(["upgrade", "--rollback"]);
    expect([back.code, back.stderr]).toEqual([0, ""]);
    expect(back.stdout).toContain("every row that was committed since");
    expect(await site.version()).toBe(VERSION);
    expect(sha256(site.executable)).toBe(old);
    expect(columns()).not.toContain("variant");
    await more();
    expect(await faultsOf(site, meanwhile)).toEqual([]);
    // What was replaced lies beside it, whole.
    const aside = new Database(join(site.data, "after-upgrade/1/logs.db"), { readonly: true });
    const [kept] = aside.query<{ n: number }, []>("SELECT count(*) AS n FROM signals").all();
    aside.close(true);
    expect(kept?.n).toBeGreaterThanOrEqual(meanwhile.length);
    const again = await site.run(["upgrade", "--rollback"]);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("in place already")]);
  });

  test("with --check changes nothing and leaves nothing; the version in place is no upgrade", async () => {
    await site.start();
    const old = sha256(site.executable);
    const { code, stdout } = await site.run(["upgrade", next, "--check"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`logs.db ${VARIANT_MIGRATION}`)]);
    expect(sha256(site.executable)).toBe(old);
    expect(await site.version()).toBe(VERSION);
    expect(columns()).not.toContain("variant");
    expect(readdirSync(site.data).filter((name) => name.includes("upgrade"))).toEqual([]);
    expect(existsSync(join(folder.path, "bin/.nerve.upgrade/new"))).toBe(false);
    const same = await site.run(["upgrade", release(site.executable, join(folder.path, "same"))]);
    expect([same.code, same.stdout]).toEqual([0, `nerve ${VERSION} is in place already\n`]);
  });

  test("where no daemon runs swaps the executable, and starts none", async () => {
    await site.start();
    await more();
    await site.stop();
    const before = signals(site.data);
    const { code, stdout } = await site.run(["upgrade", next]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("no daemon ran")]);
    expect(await site.version()).toBe(null);
    await site.start();
    expect(await site.version()).toBe(VARIANT_VERSION);
    expect(await faultsOf(site, before)).toEqual([]);
    expect((await site.run(["upgrade", "--rollback"])).code).toBe(0);
    expect(await site.version()).toBe(VERSION);
    expect(await faultsOf(site, before)).toEqual([]);
  });

  test.skipIf(whyNoSmallDisk() !== null)(
    "is refused where the backup would find no room, and nothing is stopped",
    async () => {
      const disk = smallDisk(40);
      if (typeof disk === "string") throw new Error(disk);
      site = new UpgradeSite(folder.path, join(disk.path, "data"));
      folder.write("nerve.yaml", `data: ${site.data}\n${CONFIG}`);
      try {
        await site.start();
        const pid = readFileSync(join(site.data, "nerve.pid"), "utf8");
        // A small file system is no obstacle by itself.
        expect((await site.run(["upgrade", next, "--check"])).code).toBe(0);
        const { bavail, bsize } = statfsSync(disk.path);
        writeFileSync(join(disk.path, "filler"), Buffer.alloc(bavail * bsize - 4 * 1024 ** 2, 1));
        const { code, stderr } = await site.run(["upgrade", next]);
        expect([code, stderr]).toEqual([1, expect.stringContaining(`in ${site.data} (`)]);
        const [, needed = "", copied = "", reserve = ""] =
          /needs (.+ MB) in .*\((.+ [KM]B) for the backup before the swap, and (.+ MB) that the daemon/.exec(stderr) ??
          [];
        expect(reserve).toBe("5.0 MB");
        expect(bytesOf(needed)).toBeGreaterThan(bytesOf(reserve));
        expect(Math.abs(bytesOf(needed) - bytesOf(copied) - bytesOf(reserve))).toBeLessThan(0.2 * 1024 ** 2);
        expect(stderr).toContain(`have at least ${needed} free there`);
        expect(readFileSync(join(site.data, "nerve.pid"), "utf8")).toBe(pid);
        expect(await site.version()).toBe(VERSION);
      } finally {
        await site.stop();
        disk.unmount();
      }
    },
  );

  test.skipIf(whyNoSmallDisk() !== null)("says how much room the copy beside the executable wants", async () => {
    const megabytes = Math.ceil(statSync(site.executable).size / 1024 ** 2);
    const disk = smallDisk(megabytes + 8);
    if (typeof disk === "string") throw new Error(disk);
    try {
      const small = new UpgradeSite(disk.path);
      writeFileSync(join(disk.path, "nerve.yaml"), `data: ${site.data}\n${CONFIG}`);
      const { code, stderr } = await small.run(["upgrade", next]);
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/the copy of .* needs \d+ MB in .*, and [\d.]+ MB are free/),
      ]);
      expect(stderr).toContain(next);
      expect(stderr).not.toContain("goes on");
      expect(existsSync(join(disk.path, "bin/.nerve.upgrade/new"))).toBe(false);
    } finally {
      disk.unmount();
    }
  });

  describe("ends by a signal while it has changed nothing, and leaves nothing:", () => {
    const signals = [
      ["SIGTERM", 143, ["--check"]],
      ["SIGINT", 130, []],
      ["SIGHUP", 129, []],
    ] as const;
    test.each(signals)("%s", async (signal, code, more) => {
      await site.start();
      // A nerve whose check says that it has begun, and does not end.
      const begun = join(folder.path, "begun");
      const slow = join(folder.path, "slow");
      const version = JSON.stringify({ version: VARIANT_VERSION, commit: "c" });
      writeFileSync(
        slow,
        `#!/bin/sh\nif [ "$1" = version ]; then echo '${version}'; exit; fi\necho $$ > ${begun}\nexec sleep 1000\n`,
      );
      chmodSync(slow, 0o755);
      const file = release(slow, join(folder.path, "other"));
      const child = Bun.spawn([site.executable, "upgrade", file, ...more], {
        cwd: folder.path,
        stdio: ["ignore", "ignore", "pipe"],
      });
      await until("the check has begun", () => existsSync(begun) && readFileSync(begun, "utf8").endsWith("\n"));
      child.kill(signal);
      expect(await new Response(child.stderr).text()).toContain("ended before it changed anything");
      expect(await child.exited).toBe(code);
      expect(existsSync(`/proc/${readFileSync(begun, "utf8").trim()}`)).toBe(false);
      expect(existsSync(join(site.data, "upgrade-check"))).toBe(false);
      expect(readdirSync(join(folder.path, "bin/.nerve.upgrade"))).toEqual(["lock"]);
      expect(await site.version()).toBe(VERSION);
    });
  });

  test("shows what the check of another version says, whatever fields it has", async () => {
    await site.start();
    const script = join(folder.path, "script");
    const version = JSON.stringify({ version: VARIANT_VERSION, commit: "c" });
    const said: readonly (readonly [stderr: string, shown: string])[] = [
      ['{"error":{"message":"bad config"}}', "error: bad config"],
      ['{"error":{"kind":7,"message":{"is":"an object"},"line":"3"}}', '{"is":"an object"}'],
      ['{"error":"a text"}', 'ended with 78: {"error":"a text"}'],
      ["null", "ended with 78: null"],
      ["panic: no config", "ended with 78: panic: no config"],
    ];
    for (const [stderr, shown] of said) {
      writeFileSync(
        script,
        `#!/bin/sh\n[ "$1" = version ] && echo '${version}' && exit\necho '${stderr}' >&2\nexit 78\n`,
      );
      chmodSync(script, 0o755);
      const verb = await site.run(["upgrade", release(script, join(folder.path, "other"))]);
      expect([verb.code, verb.stderr]).toEqual([1, expect.stringContaining(shown)]);
      expect(verb.stderr).not.toContain("TypeError");
    }
    const pending = JSON.stringify({ store: { pending: ["1.sql", 2] }, senses: { name: "no list" } });
    writeFileSync(script, `#!/bin/sh\n[ "$1" = version ] && echo '${version}' && exit\necho '${pending}'\n`);
    const file = release(script, join(folder.path, "other"));
    const { code, stdout } = await site.run(["upgrade", file, "--check"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("logs.db 1.sql, logs.db 2")]);
  });

  test("removes what a kill left beside the executable", async () => {
    const home = join(folder.path, "bin/.nerve.upgrade");
    mkdirSync(home);
    for (const name of ["previous.tmp", "again", "journal.json.tmp", "new"]) writeFileSync(join(home, name), "");
    expect((await site.run(["upgrade", "--rollback"])).code).toBe(2);
    expect(readdirSync(home)).toEqual(["lock"]);
    // The executable that is in place may be the previous one already.
    const of = new Home(site.executable);
    of.keepPrevious();
    of.keepPrevious();
    of.putPreviousInPlace();
    expect(readdirSync(home).sort()).toEqual(["lock", "previous"]);
  });

  describe("of a file that is not to be trusted is refused by name before anything runs it:", () => {
    const refusals: readonly (readonly [what: string, spoil: (file: string) => void, words: string])[] = [
      [
        "one bit is another",
        (file) => {
          const bytes = readFileSync(file);
          rmSync(file);
          bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
          writeFileSync(file, bytes);
        },
        "is not the file that was released",
      ],
      ["no sums lie beside it", (file) => rmSync(join(file, "../SHA256SUMS")), "SHA256SUMS cannot be read"],
      [
        "the sums do not name it",
        (file) => writeFileSync(join(file, "../SHA256SUMS"), `${"0".repeat(64)}  other\n`),
        "SHA256SUMS does not name nerve",
      ],
      ["its sums are a named pipe", (file) => pipeAt(join(file, "../SHA256SUMS")), "SHA256SUMS is a named pipe"],
    ];
    test.each(refusals)("%s", async (_, spoil, words) => {
      await site.start();
      spoil(next);
      const { code, stderr } = await site.run(["upgrade", next]);
      expect([code, stderr]).toEqual([1, expect.stringContaining(words)]);
      expect(stderr).toContain(dirname(next));
      expect(stderr).not.toContain("goes on");
      expect(await site.version()).toBe(VERSION);
    });

    const absent: readonly (readonly [what: string, spoil: (file: string) => void, words: (file: string) => string])[] =
      [
        ["it is not there", (file) => rmSync(file), (file) => `there is no file ${file}`],
        ["it is a folder", (file) => folderAt(file), (file) => `${file} is a folder`],
        ["it is a named pipe", pipeAt, (file) => `${file} is a named pipe`],
        ["it lies under a file", (file) => fileAt(dirname(file)), (file) => `there is no file ${file}`],
      ];
    test.each(absent)("%s, which is wrong usage", async (_, spoil, words) => {
      spoil(next);
      for (const more of [[], ["--check"]]) {
        const { code, stderr } = await site.run(["upgrade", next, ...more]);
        expect([code, stderr.split("\n")[0]]).toEqual([2, expect.stringContaining(words(next))]);
        expect(stderr).not.toContain("goes on");
      }
    });

    test("it is no nerve", async () => {
      await site.start();
      const script = join(folder.path, "script");
      writeFileSync(script, "#!/bin/sh\necho no nerve >&2; exit 3\n");
      chmodSync(script, 0o755);
      const file = release(script, join(folder.path, "other"));
      const { code, stderr } = await site.run(["upgrade", file]);
      expect([code, stderr]).toEqual([1, expect.stringContaining(`${file} does not run as nerve here: no nerve`)]);
      expect(await site.version()).toBe(VERSION);
    });
  });

  test("back from a version that wrote what the old one cannot read throws nothing away unasked", async () => {
    await site.start();
    await more();
    const before = signals(site.data);
    expect((await site.run(["upgrade", next])).code).toBe(0);
    await more();
    const db = new Database(join(site.data, "logs.db"));
    db.run("PRAGMA busy_timeout = 10000");
    db.run("INSERT OR REPLACE INTO meta VALUES ('blobs_read_logs', 'of another kind')");
    db.close(true);
    const meanwhile = signals(site.data);
    const stuck = await site.run(["upgrade", "--rollback"]);
    expect([stuck.code, stuck.stderr]).toEqual([1, expect.stringContaining("--rollback --discard")]);
    expect(await site.version()).toBe(null);
    const { code, stdout } = await site.run(["upgrade", "--rollback", "--discard"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("with the data of before the upgrade")]);
    expect(await site.version()).toBe(VERSION);
    expect(await faultsOf(site, before)).toEqual([]);
    const folders = readdirSync(join(site.data, "after-upgrade"));
    const kept = folders.map((name) => {
      const aside = new Database(join(site.data, "after-upgrade", name, "logs.db"), { readonly: true });
      const [row] = aside.query<{ last: number }, []>("SELECT max(id) AS last FROM signals").all();
      aside.close(true);
      return row?.last ?? 0;
    });
    expect(Math.max(...kept)).toBeGreaterThanOrEqual(meanwhile.length);
  });

  const journalFile = (): string => join(folder.path, "bin/.nerve.upgrade/journal.json");
  /** The journal as a kill, or an earlier nerve, leaves it. */
  const leave = (state: object): void => {
    const journal = JSON.parse(readFileSync(journalFile(), "utf8")) as object;
    writeFileSync(journalFile(), JSON.stringify({ ...journal, ...state }));
  };
  const pid = (): string => readFileSync(join(site.data, "nerve.pid"), "utf8");

  test("back to a version that cannot have its config throws nothing away, then or ever after", async () => {
    await site.start({ [FAULT]: "config" });
    await more();
    const before = signals(site.data);
    const config = join(folder.path, "nerve.yaml");
    const { code, stdout, stderr } = await site.run(["upgrade", next]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${config}: there is no such file`)]);
    expect(stderr).toContain("`nerve upgrade --rollback` goes on");
    expect(stdout).not.toContain("trying the");
    renameSync(`${config}.off`, config);
    await site.start();
    await more();
    const lived = pid();
    const meanwhile = signals(site.data);
    const finished = await site.run(["upgrade", "--rollback"]);
    expect([finished.code, finished.stderr]).toEqual([0, ""]);
    expect(finished.stdout).toContain("the way back is finished with the data as they are");
    expect(pid()).toBe(lived);
    await site.stop();
    leave({ step: "going-back", rung: "backup", mayDiscard: true });
    const again = await site.run(["upgrade", "--rollback"]);
    expect([again.code, again.stderr]).toEqual([0, ""]);
    expect(again.stdout).toContain("with the data as it is");
    expect(await site.version()).toBe(VERSION);
    expect(await faultsOf(site, [...before, ...meanwhile])).toEqual([]);
  });

  test("after a way back that was killed goes on with the file, or is refused before a daemon is stopped", async () => {
    await site.start();
    expect((await site.run(["upgrade", next])).code).toBe(0);
    leave({ step: "going-back", reason: "a person asked for it" });
    const lived = pid();
    const refused = await site.run(["upgrade", next]);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining("`nerve upgrade --rollback` finishes it"),
    ]);
    expect([pid(), await site.version()]).toEqual([lived, VARIANT_VERSION]);
    expect((await site.run(["upgrade", "--rollback"])).code).toBe(0);
    expect(await site.version()).toBe(VERSION);
    await more();
    const before = signals(site.data);
    leave({ step: "going-back" });
    const { code, stdout, stderr } = await site.run(["upgrade", next]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("it is finished first");
    expect(stdout).toContain("the way back is finished with the data as they are");
    expect(stdout).not.toContain("going back to");
    expect(stdout).toContain(`upgraded from nerve ${VERSION} to ${VARIANT_VERSION}`);
    expect(await faultsOf(site, before)).toEqual([]);
  });

  test("that was killed after the swap is finished before another file is looked at", async () => {
    await site.start();
    const other = release(site.executable, join(folder.path, "other"));
    expect((await site.run(["upgrade", next])).code).toBe(0);
    leave({ step: "watching" });
    const lived = pid();
    const { code, stdout, stderr } = await site.run(["upgrade", other]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("written by a newer nerve")]);
    expect(stdout).toContain("the daemon runs and commits");
    expect([pid(), await site.version()]).toEqual([lived, VARIANT_VERSION]);
  });

  const STAGES: readonly (readonly [fault: Fault, changes: boolean, words: RegExp])[] = [
    ["check", false, /the check of nerve 99\.0\.0 ended with 1/],
    ["migration", false, /migration 0100_bad\.sql failed/],
    ["crash", true, /did not stay: the daemon ended with code 70/],
    ["hang", true, /did not stay: it has committed nothing within 5 s/],
    ["late", true, /did not stay: (it had committed, and then ended|the daemon ended with code 70)/],
  ];
  test.each(STAGES)(
    "to a build that fails (%s) leaves the old one running with every row",
    async (fault, changes, words) => {
      await site.start({ [FAULT]: fault });
      await more();
      const before = signals(site.data);
      const old = sha256(site.executable);
      // Only what never commits is given up early.
      const within = fault === "hang" ? ["--within", "5s"] : [];
      const { code, stderr } = await site.run(["upgrade", next, ...within]);
      expect([code, stderr]).toEqual([1, expect.stringMatching(words)]);
      expect(sha256(site.executable)).toBe(old);
      expect(await site.version()).toBe(VERSION);
      expect(columns()).not.toContain("variant");
      expect(existsSync(join(site.data, "after-upgrade"))).toBe(changes);
      await more();
      expect(await faultsOf(site, before)).toEqual([]);
    },
  );
});

test.skipIf(COMPILED === null)("an upgrade is asked for in one way only", async () => {
  using folder = project({ "nerve.yaml": CONFIG });
  const site = new UpgradeSite(folder.path);
  const wrong = async (...args: string[]) => {
    const { code, stderr } = await site.run(["upgrade", ...args]);
    return [code, stderr.split("\n")[0]];
  };
  expect(await wrong()).toEqual([2, "error: `nerve upgrade` needs <file>"]);
  expect(await wrong("x", "--rollback")).toEqual([2, "error: `--rollback` takes no file, and no `--check`"]);
  expect(await wrong("x", "--discard")).toEqual([2, "error: `--discard` has no meaning without `--rollback`"]);
  expect(await wrong("x", "--within", "soon")).toEqual([2, "error: `--within` takes a duration such as 90s or 10m"]);
  expect(await wrong("--rollback")).toEqual([2, `error: no upgrade of ${site.executable} is known`]);
});
