/** The output of a real `systemctl show`, recorded. The real one: test/e2e/systemd.test.ts. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { judge } from "../../senses/systemd/judge.ts";
import { parseShow, type Unit } from "../../senses/systemd/show.ts";
import { show } from "../../senses/systemd/systemctl.ts";
import { openSense, validate } from "../helpers/compute.ts";

const RECORDED = readFileSync(join(import.meta.dir, "../fixtures/senses/systemd/show.txt"), "utf8");

describe("the output of systemctl show", () => {
  const units = new Map(parseShow(RECORDED).map((unit) => [unit.unit, unit]));

  test("has every unit once, each with what it has", () => {
    expect(units.size).toBe(new Set(RECORDED.match(/^Id=.*$/gm)).size);
    expect(units.get("broken.service")).toEqual({
      unit: "broken.service",
      loaded: true,
      state: "failed",
      sub: "failed",
      result: "exit-code",
      exit_status: 3,
      restarts: 0,
      since: Date.UTC(2026, 10, 28, 17, 52, 49),
      memory_bytes: null,
      cpu_seconds: 0.002,
      timer: null,
    });
    expect(units.get("flappy.service")).toMatchObject({ state: "failed", restarts: 5 });
    expect(units.get("web@a.service")).toMatchObject({ state: "active", sub: "running", restarts: 0 });
    expect(units.get("nothere.service")).toMatchObject({ loaded: false, state: "inactive", since: null });
  });

  test("has timers with their times; one that counts from another moment has no next", () => {
    expect(units.get("job.timer")?.timer).toEqual({
      triggers: "job.service",
      next: Date.UTC(2026, 10, 29),
      last: null,
    });
    expect(units.get("mono.timer")?.timer).toEqual({
      triggers: "job.service",
      next: null,
      last: Date.UTC(2026, 10, 28, 17, 52, 49),
    });
    expect(units.get("-.mount")?.timer).toBeNull();
  });

  test("that is empty, cut or strange has no unit that is none", () => {
    expect(parseShow("")).toEqual([]);
    expect(parseShow("nonsense\n\nMemoryCurrent=1\n")).toEqual([]);
    expect(parseShow("Id=a.service\nMemoryCurrent=18446744073709551615\nNRestarts=x\n")[0]).toMatchObject({
      memory_bytes: null,
      restarts: null,
    });
  });
});

const units = (text = RECORDED) => parseShow(text);
const QUESTION = { named: [], lateAfterMs: 300_000, now: Date.UTC(2026, 10, 28, 18) };

describe("a look", () => {
  test("lists what has failed, and restarts from the second look on", () => {
    using sense = openSense("systemd", {});
    const first = judge(sense.db, units(), QUESTION);
    expect(first.failed).toEqual([
      { unit: "broken.service", result: "exit-code", exit_status: 3, since: expect.any(Number) },
      { unit: "flappy.service", result: "exit-code", exit_status: 1, since: expect.any(Number) },
    ]);
    expect(first).toMatchObject({ failed_count: 2, restarted: [], restarted_count: 0, late: [], late_count: 0 });
    const count = (restarts: number) => units(RECORDED.replace("NRestarts=5", `NRestarts=${restarts}`));
    const restarted = (restarts: number) => judge(sense.db, count(restarts), QUESTION).restarted;
    expect(restarted(8)).toEqual([{ unit: "flappy.service", restarts: 3, total: 8 }]);
    // Somebody started it, which counts from 0 again; then systemd started it twice.
    expect(restarted(2)).toEqual([{ unit: "flappy.service", restarts: 2, total: 2 }]);
    expect(restarted(2)).toEqual([]);
    // A unit that goes and comes again is a new one.
    expect(judge(sense.db, [], QUESTION).restarted).toEqual([]);
    expect(restarted(7)).toEqual([]);
  });

  test("describes the units that are named, one that there is none of too", () => {
    using sense = openSense("systemd", {});
    const found = judge(sense.db, units(), { ...QUESTION, named: ["nothere.service", "web@*"] });
    expect(found.units).toMatchObject([
      { unit: "nothere.service", loaded: false, state: "inactive" },
      { unit: "web@a.service", loaded: true, state: "active", sub: "running" },
    ]);
    expect(found.units?.[0]).not.toHaveProperty("timer");
  });

  test("knows a timer of the calendar that is behind its time", () => {
    using sense = openSense("systemd", {});
    const due = Date.UTC(2026, 10, 29);
    const late = (now: number) =>
      judge(sense.db, units(), { ...QUESTION, now }).late.filter(({ unit }) => unit === "job.timer");
    expect(late(due + 299_000)).toEqual([]);
    expect(late(due + 600_000)).toEqual([
      { unit: "job.timer", triggers: "job.service", late_seconds: 600, last: null },
    ]);
  });

  test("cuts lists at a hundred, and counts all", () => {
    using sense = openSense("systemd", {});
    const [broken] = units("Id=broken.service\nActiveState=failed\n");
    const many = Array.from({ length: 250 }, (_, index) => ({ ...(broken as Unit), unit: `u${index}.service` }));
    const found = judge(sense.db, many, QUESTION);
    expect([found.failed.length, found.failed_count]).toEqual([100, 250]);
  });
});

describe("systemctl", () => {
  const folder = mkdtempSync(join(tmpdir(), "nerve-systemd-"));
  const path = process.env.PATH;
  const says = (text: string, code: number): void => {
    writeFileSync(join(folder, "said"), text);
    const program = `#!/bin/sh\nprintf '%s\\n' "$TZ" "$@" > ${folder}/asked\ncat ${folder}/said\necho no bus >&2\nexit ${code}\n`;
    writeFileSync(join(folder, "systemctl"), program, { mode: 0o755 });
    process.env.PATH = `${folder}:${path}`;
  };
  afterAll(() => {
    process.env.PATH = path;
    rmSync(folder, { recursive: true, force: true });
  });

  test("is asked once, in UTC, for the kinds of units that can fail, and for what is named behind `--`", async () => {
    says(RECORDED, 0);
    const found = await show(["--force.service", "web@*"], new AbortController().signal);
    expect(found.map(({ unit }) => unit)).toContain("web@a.service");
    const [zone, verb, , properties, ...patterns] = readFileSync(join(folder, "asked"), "utf8").trim().split("\n");
    expect([zone, verb]).toEqual(["UTC", "show"]);
    expect(properties).toStartWith("--property=Id,LoadState,ActiveState,");
    expect(patterns).toEqual([
      "--",
      ...["service", "timer", "mount", "automount", "socket", "path", "swap", "target"].map((kind) => `*.${kind}`),
      "--force.service",
    ]);
  });

  test("that refuses is an error with its words", async () => {
    says("", 1);
    expect(show([], new AbortController().signal)).rejects.toThrow("systemctl exited with 1: no bus");
  });
});

const IS_BOOTED = existsSync("/run/systemd/system");

test.skipIf(IS_BOOTED)("a host without systemd is said once, and is no signal", async () => {
  using sense = openSense("systemd", {});
  expect(await sense.compute()).toBeNull();
  expect(await sense.compute()).toBeNull();
  expect(sense.logs).toEqual([expect.stringMatching(/^info: systemd is not the init system here/)]);
});

test("options: names of units only", () => {
  expect(validate("systemd", { units: ["--force"] })).toHaveProperty("value");
  expect(validate("systemd", { units: ["a b"] })).toEqual({
    problems: ["units must be names of units, such as nginx.service or *.mount"],
  });
  expect(validate("systemd", { except: ["a/b"] })).toHaveProperty("problems");
});
