/** Entries as a real journalctl printed them, and a program in its place that prints them. The real one: test/e2e/systemd.test.ts. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEntry } from "../../senses/journal/entry.ts";
import { commandOf } from "../../senses/journal/journalctl.ts";
import { openSense, validate } from "../helpers/compute.ts";

const LINES = readFileSync(join(import.meta.dir, "../fixtures/senses/journal/export.jsonl"), "utf8")
  .trim()
  .split("\n");
const entryWith = (text: string) => parseEntry(LINES.find((line) => line.includes(text)) ?? "");

describe("an entry", () => {
  test("of systemd about a unit, of a program, and one of bytes that are no text", () => {
    expect(entryWith("Failed with result")).toEqual({
      cursor: expect.stringMatching(/^s=[0-9a-f]+;i=a4;/),
      at: 1795888371536,
      unit: "flappy.service",
      identifier: "systemd",
      priority: 4,
      pid: 1,
      message: "flappy.service: Failed with result 'exit-code'.",
      cut: false,
    });
    expect(entryWith("Failed password")).toMatchObject({ unit: null, identifier: "sshd", priority: 4, pid: 196 });
    expect(entryWith("umlaut")).toMatchObject({ message: 'umlaut ä "x"', priority: 3 });
    expect(entryWith('"raw"')).toMatchObject({ message: "bin\u0001ary", identifier: "raw" });
  });

  test("that is strange is read as far as it goes, or is none", () => {
    const cursor = '"__CURSOR":"c"';
    expect(parseEntry(`{${cursor}}`)).toMatchObject({ message: "", unit: null, priority: 6, pid: null, at: 0 });
    expect(parseEntry(`{${cursor},"MESSAGE":["one","two"],"PRIORITY":"x"}`)).toMatchObject({
      message: "one",
      priority: 6,
    });
    expect(parseEntry(`{${cursor},"MESSAGE":null}`)).toMatchObject({ message: "" });
    expect(parseEntry(JSON.stringify({ __CURSOR: "c", MESSAGE: "x".repeat(9_000) }))).toMatchObject({ cut: true });
    for (const line of ["", "nonsense", "[]", "null", "{}", "-- No entries --"]) expect(parseEntry(line)).toBeNull();
  });
});

test("the command names the cursor, the units and the priority, each in one word", () => {
  const choice = { file: null, units: ["ssh", "web@*"], priority: "err" };
  const begin = [
    "journalctl",
    "--output=json",
    "--all",
    "--no-pager",
    expect.stringMatching(/^--output-fields=MESSAGE,/),
  ];
  expect(commandOf(choice, "s=1;i=2")).toEqual([
    ...begin,
    ...["--after-cursor=s=1;i=2", "--unit=ssh", "--unit=web@*", "--priority=err"],
  ]);
  expect(commandOf({ ...choice, file: "/x.journal" }, null)).toEqual([...begin, "--file=/x.journal", "--lines=1"]);
});

describe("a look", () => {
  const folder = mkdtempSync(join(tmpdir(), "nerve-journal-"));
  const path = process.env.PATH;
  const pid = join(folder, "pid");
  /** journalctl prints what is behind the cursor in `lines`; `more` is shell, run at its end. */
  const journal = (lines: readonly string[], more = ""): void => {
    writeFileSync(join(folder, "lines"), lines.map((line) => `${line}\n`).join(""));
    const program = `#!/bin/sh
echo $$ > ${pid}
for word; do case "$word" in --lines=1) tail -n 1 ${folder}/lines; exit 0;; --after-cursor=*) cursor="\${word#--after-cursor=}";; esac; done
if [ -z "$cursor" ]; then cat ${folder}/lines; else awk -v c="$cursor" 'seen; index($0, "\\"" c "\\"") { seen = 1 }' ${folder}/lines; fi
${more}
`;
    writeFileSync(join(folder, "journalctl"), program, { mode: 0o755 });
    process.env.PATH = `${folder}:${path}`;
  };
  afterAll(() => {
    process.env.PATH = path;
    rmSync(folder, { recursive: true, force: true });
  });
  const made = (count: number, from = 0): string[] =>
    Array.from({ length: count }, (_, index) =>
      JSON.stringify({
        __CURSOR: `s=${from + index};`,
        __REALTIME_TIMESTAMP: "1000",
        MESSAGE: `m ${from + index}`,
        PRIORITY: "3",
      }),
    );

  test("begins behind what is there, and gives each entry once", async () => {
    journal(LINES.slice(0, 4));
    using sense = openSense("journal");
    expect(await sense.compute()).toBeNull();
    expect(await sense.compute()).toEqual([]);
    journal(LINES);
    const found = await sense.compute();
    expect(found).toHaveLength(LINES.length - 4);
    expect(found[0]).toEqual({
      at: expect.any(Number),
      unit: "flappy.service",
      identifier: "systemd",
      priority: 6,
      pid: 1,
      message: "flappy.service: Scheduled restart job, restart counter is at 5.",
      cut: false,
      fields: {},
    });
    expect(await sense.compute()).toEqual([]);
    expect(sense.client.query("SELECT entries, matched FROM samples").values()).toEqual([[8, 8]]);
  });

  test("with `from: start` begins with what is there; what fails comes again", async () => {
    journal(made(2));
    using sense = openSense("journal", { from: "start" });
    expect(sense.compute({ signal: AbortSignal.abort(new Error("stopped")) })).rejects.toThrow("stopped");
    expect((await sense.compute()).map(({ message }: { message: string }) => message)).toEqual(["m 0", "m 1"]);
    expect(await sense.compute()).toEqual([]);
  });

  test("matches the message, with groups by name, and sums up", async () => {
    journal(LINES);
    const match = "Failed password for (?<user>\\S+) from (?<address>\\S+)";
    using sense = openSense("journal", { from: "start", match });
    expect(await sense.compute()).toMatchObject([{ fields: { user: "root", address: "192.0.2.1" } }]);
    using all = openSense("journal", { from: "start", match: "a", summary: true });
    expect(await all.compute()).toMatchObject({ entries: LINES.length, matched: 12, errors: 2, warnings: 4 });
    expect(await all.compute()).toBeNull();
  });

  test("takes as many as fit, and leaves the rest and ends journalctl", async () => {
    journal(made(1_234));
    using sense = openSense("journal", { from: "start" });
    const parts = [await sense.compute(), await sense.compute(), await sense.compute(), await sense.compute()];
    expect(parts.map(({ length }) => length)).toEqual([500, 500, 234, 0]);
    expect(parts.flat().map(({ message }) => message)).toEqual(made(1_234).map((_, index) => `m ${index}`));
    journal(made(600), "exec sleep 1000");
    using other = openSense("journal", { from: "start" });
    expect(await other.compute()).toHaveLength(500);
    expect(existsSync(`/proc/${readFileSync(pid, "utf8").trim()}`)).toBe(false);
  });

  test("a journal that is empty at first is read from its first entry on", async () => {
    journal([]);
    using sense = openSense("journal");
    expect(await sense.compute()).toBeNull();
    journal(made(2));
    expect(await sense.compute()).toHaveLength(2);
  });

  test("of a host without a journal is said once; rights that lack, and what journalctl says, are errors", async () => {
    journal([]);
    const empty = openSense("journal", {});
    expect(await empty.compute()).toBeNull();
    expect(await empty.compute()).toEqual([]);
    expect(empty.logs).toEqual([expect.stringMatching(/^info: the journal of systemd holds no entry yet/)]);
    journal(LINES.slice(0, 1));
    expect(await empty.compute()).toHaveLength(1);
    empty[Symbol.dispose]();
    journal([], "echo 'No journal files were found.' >&2");
    using none = openSense("journal", { from: "start" });
    expect(await none.compute()).toBeNull();
    expect(await none.compute()).toBeNull();
    expect(none.logs).toEqual([expect.stringMatching(/^info: there is no journal of systemd here/)]);
    using sense = openSense("journal", { from: "start" });
    journal([], "echo 'Hint: You are currently not seeing messages from other users and the system.' >&2");
    expect(sense.compute()).rejects.toThrow("add it to the group `systemd-journal`");
    await sense.compute().catch(() => {});
    journal([], "echo 'Failed to seek' >&2; exit 1");
    expect(sense.compute()).rejects.toThrow("journalctl exited with 1: Failed to seek");
    await sense.compute().catch(() => {});
  });

  test("that is stopped ends journalctl", async () => {
    journal([], "exec sleep 1000");
    using sense = openSense("journal", { from: "start" });
    rmSync(pid, { force: true });
    const controller = new AbortController();
    const compute = sense.compute({ signal: controller.signal });
    compute.catch(() => {});
    while (!existsSync(pid)) await Bun.sleep(5);
    controller.abort(new Error("stopped"));
    expect(compute).rejects.toThrow("stopped");
    await compute.catch(() => {});
    expect(existsSync(`/proc/${readFileSync(pid, "utf8").trim()}`)).toBe(false);
  });
});

test("options: units by name, a priority that is one", () => {
  expect(validate("journal", { unit: "ssh" })).toMatchObject({ value: { unit: ["ssh"] } });
  expect(validate("journal", { unit: "a b" })).toHaveProperty("problems");
  expect(validate("journal", { priority: "error" })).toEqual({
    problems: ["priority must be emerg, alert, crit, err, warning, notice, info or debug (was a text)"],
  });
});
