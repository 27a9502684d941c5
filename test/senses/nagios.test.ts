import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { type PerfData, parseNagios, parsePerf } from "../../senses/exec/nagios.ts";
import { openSense } from "../helpers/compute.ts";
import { costGrowth, LINEAR } from "../helpers/growth.ts";

const empty = { unit: null, warn: null, crit: null, min: null, max: null };

describe("performance data", () => {
  test.each([
    ["load1=0.390;1.000;2.000;0;", { load1: { ...empty, value: 0.39, warn: 1, crit: 2, min: 0 } }],
    ["/=2643MB;5948;5958;0;5968", { "/": { value: 2643, unit: "MB", warn: 5948, crit: 5958, min: 0, max: 5968 } }],
    ["time=0.002s", { time: { ...empty, value: 0.002, unit: "s" } }],
    ["'a b'=1 'it''s'=2", { "a b": { ...empty, value: 1 }, "it's": { ...empty, value: 2 } }],
    ["'C:\\ Used'=5%;;;0;100", { "C:\\ Used": { ...empty, value: 5, unit: "%", min: 0, max: 100 } }],
    ["gone=U;10;20", { gone: { ...empty, value: null, warn: 10, crit: 20 } }],
    ["t=-3;10:;~:20;;", { t: { ...empty, value: -3, warn: "10:", crit: "~:20" } }],
    ["t=3;@5:10;-1:1", { t: { ...empty, value: 3, warn: "@5:10", crit: "-1:1" } }],
    ["n=12c", { n: { ...empty, value: 12, unit: "c" } }],
    ["n=1.5e3", { n: { ...empty, value: 1500 } }],
    ["n=.5 m=5.", { n: { ...empty, value: 0.5 }, m: { ...empty, value: 5 } }],
    ["n=0,5s;0,9", { n: { ...empty, value: 0.5, unit: "s", warn: 0.9 } }],
    ["  a=1   \n b=2\t", { a: { ...empty, value: 1 }, b: { ...empty, value: 2 } }],
    ["a=1|b=2", { a: { ...empty, value: 1 }, b: { ...empty, value: 2 } }],
    ["n=5m2 o=1e3m3", { n: { ...empty, value: 5, unit: "m2" }, o: { ...empty, value: 1000, unit: "m3" } }],
    ["n=9007199254740992c", { n: { ...empty, value: 2 ** 53, unit: "c" } }],
    ["", {}],
  ])("%j", (text, expected) => {
    expect(parsePerf(text)).toEqual({ perf: expected as PerfData["perf"], unread: [] });
  });

  test.each([
    ["broken a=1 =3 b= c=x 'open=4 d=2", ["a", "d"], ["broken", "=3", "b=", "c=x", "'open=4"]],
    ["a=1.2.3 b=2", ["b"], ["a=1.2.3"]],
    ["bytes=9007199254740993c b=2", ["b"], ["bytes=9007199254740993c"]],
    ["b=2;;;0;18446744073709551615", [], ["b=2;;;0;18446744073709551615"]],
    ["__proto__=1", [], ["__proto__=1"]],
    [`${"x".repeat(100)} `.repeat(30), [], Array.from({ length: 20 }, () => "x".repeat(80))],
  ])("of %j what cannot be read is named", (text, read, unread) => {
    const found = parsePerf(text);
    expect(Object.keys(found.perf)).toEqual(read);
    expect(found.unread).toEqual(unread);
  });

  test.each(["'", "'a ", "a=", "=", "''", "a ", ";=", "1", "|", "a=1|"])(
    "%j, many times over, costs what reading it does",
    (text) => {
      expect(costGrowth(text.repeat(80_000 / text.length), parsePerf)).toBeLessThan(LINEAR);
    },
  );
});

describe("a plugin's output", () => {
  test.each([
    [0, "ok"],
    [1, "warning"],
    [2, "critical"],
    [3, "unknown"],
    [4, "unknown"],
    [127, "unknown"],
  ] as const)("exit code %d is %s", (code, status) => {
    expect(parseNagios({ stdout: "TEXT\n", stderr: "unimportant", code })).toEqual({
      status,
      code,
      message: "TEXT",
      perf: {},
    });
  });

  test("in several lines, as the guidelines show it", () => {
    const text = `DISK OK - free space: / 3326 MB (56%); | /=2643MB;5948;5958;0;5968
/ 15272 MB (77%);
/boot 68 MB (69%); | /boot=68MB;88;93;0;98
/home=69357MB;253404;253409;0;253414
`;
    const found = parseNagios({ stdout: text, stderr: "", code: 0 });
    expect(found).toMatchObject({
      message: "DISK OK - free space: / 3326 MB (56%);",
      details: "/ 15272 MB (77%);\n/boot 68 MB (69%);",
    });
    expect(Object.keys(found.perf)).toEqual(["/", "/boot", "/home"]);
  });

  test("nothing on stdout has the end of stderr as its message, and nothing at all an empty one", () => {
    const none = { status: "unknown" as const, code: 3, perf: {} };
    expect(parseNagios({ stdout: "\n", stderr: "no library", code: 3 })).toEqual({ ...none, message: "no library" });
    expect(parseNagios({ stdout: "", stderr: "", code: 3 })).toEqual({ ...none, message: "" });
  });

  test("blank lines before the first are none", () => {
    expect(parseNagios({ stdout: "\n \r\nDISK OK | a=1\nmore\n", stderr: "", code: 0 })).toMatchObject({
      message: "DISK OK",
      details: "more",
      perf: { a: { value: 1 } },
    });
  });

  test("performance data that cannot be read is in the payload", () => {
    const stdout = "OK | a=1 b=x\nmore | 9=\n";
    expect(parseNagios({ stdout, stderr: "", code: 0 })).toMatchObject({ details: "more", unread: ["b=x", "9="] });
  });
});

describe.if(existsSync("/usr/lib/nagios/plugins/check_dummy"))("real plugins", () => {
  const plugin = async (name: string, ...args: string[]) => {
    using sense = openSense("exec", { command: [`/usr/lib/nagios/plugins/${name}`, ...args], parse: "nagios" });
    return await sense.compute();
  };

  test.each([
    ["0", "ok", "OK: hello"],
    ["1", "warning", "WARNING: hello"],
    ["2", "critical", "CRITICAL: hello"],
    ["3", "unknown", "UNKNOWN: hello"],
  ])("check_dummy %s", async (code, status, message) => {
    expect(await plugin("check_dummy", code, "hello")).toEqual({ status, code: Number(code), message, perf: {} });
  });

  test("check_load", async () => {
    const { status, perf } = await plugin("check_load", "-w", "1000,1000,1000", "-c", "2000,2000,2000");
    expect(status).toBe("ok");
    expect(perf.load15).toEqual({ value: expect.any(Number), unit: null, warn: 1000, crit: 2000, min: 0, max: null });
  });

  test("check_disk", async () => {
    const { status, message, perf } = await plugin("check_disk", "-w", "100%", "-c", "0%", "-p", "/");
    expect({ status, message }).toEqual({ status: "warning", message: expect.stringContaining("DISK WARNING") });
    expect(perf["/"]).toMatchObject({ unit: expect.stringMatching(/B$/), min: 0, max: expect.any(Number) });
  });
});
