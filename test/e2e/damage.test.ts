/** What befalls the files of a nerve that runs: it is named, it stops what it befalls, and nothing committed is lost (G2, G9). */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Nerve, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const KEEPER = `export const compute = async (db, peers, { now }) => {
  db.$client.query("INSERT INTO beats (at) VALUES (?)").run(now);
  return { beats: db.$client.query("SELECT count(*) AS n FROM beats").get().n };
};`;

/** Two senses of one group that each keep a row a compute. */
function keepers(): Project {
  const folder = project({
    "nerve.yaml":
      "senses: { one: {}, two: {} }\nreflexes: [{ sense: one, interval: 300ms }, { sense: two, interval: 300ms }]",
  });
  for (const name of ["one", "two"]) {
    folder.write(`senses/${name}/index.ts`, KEEPER);
    folder.write(`senses/${name}/migrations/1.sql`, "CREATE TABLE beats (id INTEGER PRIMARY KEY, at INTEGER);\n");
  }
  return folder;
}

async function goOn(nerve: Nerve, ...senses: string[]): Promise<void> {
  for (const sense of senses) {
    const before = nerve.signals(sense).length;
    await until(`${sense} emits twice more`, () => nerve.signals(sense).length >= before + 2);
  }
}

const LOSSES: readonly (readonly [how: string, act: (file: string) => void])[] = [
  ["was removed", (file) => rmSync(file)],
  ["was cut off", (file) => truncateSync(file, 0)],
  [
    "was replaced by another",
    (file) => {
      copyFileSync(file, `${file}.copy`);
      renameSync(`${file}.copy`, file);
    },
  ],
];

test.concurrent.each(LOSSES)(
  "a sense's database that %s under nerve stops that sense, which names it; the others go on",
  async (how, act) => {
    using folder = keepers();
    await using nerve = await startNerve(folder.path);
    await goOn(nerve, "one", "two");
    const file = join(nerve.data, "senses", "one.db");
    act(file);
    const { reason } = await until("it has failed", async () => {
      const sense = await nerve.sense("one");
      return sense.state === "failed" && sense;
    });
    expect(reason).toContain(`${file} ${how} while nerve ran`);
    expect(reason).toContain("`nerve reload`");
    const { length } = nerve.signals("one");
    await goOn(nerve, "two");
    expect(nerve.signals("one").length).toBe(length);
    for (const ending of ["", "-wal", "-shm"]) rmSync(`${file}${ending}`, { force: true });
    const { code } = await runNerve(folder.path, ["reload"]);
    expect(code).toBe(0);
    await goOn(nerve, "one", "two");
    expect(nerve.logs({ source: "sense:one" }).map(({ message }) => message)).toContainEqual(
      expect.stringContaining(`${file} is gone: the sense begins anew`),
    );
  },
);

test.concurrent("an outbox whose counter somebody sets back under nerve loses no signal, and that is said", async () => {
  using folder = keepers();
  await using nerve = await startNerve(folder.path);
  await goOn(nerve, "one");
  const db = new Database(join(nerve.data, "senses", "one.db"));
  db.run("PRAGMA busy_timeout = 10000");
  db.run("UPDATE sqlite_sequence SET seq = 0 WHERE name = '_outbox'");
  db.run("DELETE FROM _outbox");
  db.close(true);
  await until("that is said", () =>
    nerve
      .logs({ source: "sense:one" })
      .some(({ message }) => message.includes("set back the counter of the table _outbox")),
  );
  await goOn(nerve, "one");
  expect(await nerve.stop()).toBe(0);
  using kept = new Database(join(nerve.data, "senses", "one.db"), { readonly: true });
  const beats = kept.query<{ n: number }, []>("SELECT count(*) AS n FROM beats").get()?.n ?? 0;
  const told = nerve.signals("one").map(({ payload }) => payload.beats);
  expect(told).toEqual(Array.from({ length: beats }, (_, index) => index + 1));
});

const RUINS: readonly (readonly [how: string, act: (file: string) => void])[] = [
  ["was cut off", (file) => truncateSync(file, 0)],
  ["was written over", (file) => writeFileSync(file, Buffer.alloc(statSync(file).size, "garbage "))],
];

test.concurrent.each(RUINS)(
  "a logs.db that %s under nerve ends it with 78 and a line; so do a start and a list after it",
  async (how, act) => {
    using folder = keepers();
    {
      // What this one commits is in the file, and not in its write-ahead log alone.
      await using first = await startNerve(folder.path);
      await goOn(first, "one");
    }
    const nerve = await startNerve(folder.path);
    await goOn(nerve, "one");
    const file = join(nerve.data, "logs.db");
    act(file);
    expect(await nerve.exited).toBe(78);
    expect(nerve.stderr()).toContain("store.damaged");
    expect(nerve.stderr()).toContain(`${file}: the file ${how} while nerve ran`);
    for (const args of [["nerve.yaml"], ["signals"]]) {
      const { code, stderr } = await runNerve(folder.path, args);
      expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining(file) });
    }
  },
);
