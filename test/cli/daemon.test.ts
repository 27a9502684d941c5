/** Commands against a real daemon, and the daemon's own face: what it prints, and how it ends. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { jsonOf, NERVE, type Nerve, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const CONFIG = `senses:
  load:
  picky: {}
  quiet: {}
  fails: {}
  slow: { throttle: 10ms }
reflexes:
  - { sense: load, interval: 1s, on_start: true }
  - { name: chain, sense: picky, on: [load] }
`;
const PICKY = 'export const compute = () => ({ evil: "\\x1b[2J", list: [1, 2] });\n';

const folder = project({
  "nerve.yaml": CONFIG,
  "senses/picky/index.ts": PICKY,
  "senses/quiet/index.ts": "export const compute = () => null;\n",
  "senses/fails/index.ts": 'export const compute = () => { throw new Error("boom"); };\n',
  "senses/slow/index.ts": "export const compute = async () => { await Bun.sleep(400); return { slept: true }; };\n",
});

let daemon: Nerve;
beforeAll(async () => {
  daemon = await startNerve(folder.path);
  await until("picky has computed", async () => (await daemon.sense("picky")).computes > 0);
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const nerve = (...args: string[]) => runNerve(folder.path, args);
const json = (...args: string[]) => jsonOf(folder.path, args);

describe("status", () => {
  test("has the contract's keys with --json", async () => {
    const { code, value } = await json("status");
    expect(code).toBe(0);
    expect(value.kernel).toMatchObject({ pid: daemon.pid, data: daemon.data });
    expect(value.groups[0]).toMatchObject({ name: "default", state: "up", restarts: 0 });
    expect(value.senses.find(({ name }: { name: string }) => name === "load")).toMatchObject({
      state: "ok",
      errors: 0,
    });
    expect(value.reflexes.map(({ name }: { name: string }) => name)).toEqual(["load#1", "chain"]);
  });

  test("with -f looks again, until it is stopped or the daemon is gone", async () => {
    const child = Bun.spawn([...NERVE, "status", "-f", "--json"], {
      cwd: folder.path,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    for await (const chunk of child.stdout) {
      output += Buffer.from(chunk).toString();
      if (output.split("\n").length > 2) break;
    }
    child.kill("SIGKILL");
    await child.exited;
    for (const line of output.trimEnd().split("\n")) expect(JSON.parse(line).kernel.pid).toBe(daemon.pid);
  });

  test("shows the kernel, its groups, senses and reflexes to people", async () => {
    const { stdout } = await nerve("status");
    const [first] = stdout.split("\n");
    expect(first).toContain(`pid ${daemon.pid} · up `);
    expect(stdout).toMatch(/^GROUP +STATE +PID/m);
    expect(stdout).toMatch(/^load +ok +default +\d+ /m);
    expect(stdout).toMatch(/^chain +enabled +sense:picky +\d+/m);
  });
});

describe("trigger", () => {
  test("answers with the trace, and how to see what came of it", async () => {
    const { code, stdout } = await nerve("trigger", "picky");
    expect(code).toBe(0);
    const [, trace = ""] = /nerve show ([0-9a-f]{32})/.exec(stdout) ?? [];
    await until("a signal carries the trace", () => daemon.signals("picky").some((row) => row.trace === trace));
    expect((await nerve("show", trace)).stdout).toContain("picky #");
  });

  test("--wait answers with the signal", async () => {
    const { code, value } = await json("trigger", "slow", "--wait");
    expect(code).toBe(0);
    expect(value).toMatchObject({ sense: "slow", outcome: "signal", signal: { payload: { slept: true } }, log: null });
    expect(value.signal.trace).toBe(value.trace);
  });

  test("--wait tells a compute without a signal", async () => {
    expect(await json("trigger", "quiet", "--wait")).toMatchObject({ code: 0, value: { outcome: "no-signal" } });
  });

  test("--wait tells a failure, also one the log only counts", async () => {
    for (let round = 0; round < 2; round++) {
      const { code, value, error } = await json("trigger", "fails", "--wait");
      expect(code).toBe(1);
      expect(value.outcome).toBe("failed");
      expect(error.kind).toBe("compute.failed");
      expect(error.hint).toBe("see `nerve logs --sense fails`");
    }
  });

  test("an unknown sense is 2, with the nearest name", async () => {
    const { code, error } = await json("trigger", "piky");
    expect(code).toBe(2);
    expect(error.hint).toBe("did you mean `picky`?");
  });
});

describe("enable and disable", () => {
  test("switch a sense, and a disabled one refuses a trigger with 1", async () => {
    expect(await json("disable", "quiet")).toMatchObject({ code: 0, value: { name: "sense:quiet", enabled: false } });
    expect((await daemon.sense("quiet")).state).toBe("disabled");
    expect(await json("trigger", "quiet")).toMatchObject({ code: 1, error: { kind: "sense-disabled" } });
    expect((await nerve("enable", "sense:quiet")).stdout).toBe("sense:quiet is enabled\n");
    expect((await daemon.sense("quiet")).state).toBe("ok");
  });

  test("switch a reflex", async () => {
    expect((await nerve("disable", "reflex:chain")).stdout).toBe("reflex:chain is disabled\n");
    expect((await nerve("enable", "chain")).stdout).toBe("reflex:chain is enabled\n");
  });

  test("an unknown name is 2", async () => {
    for (const name of ["nope", "sense:nope", "reflex:nope"]) expect((await json("disable", name)).code).toBe(2);
  });
});

test("a sense that does not load has its place in status", async () => {
  folder.write("nerve.yaml", CONFIG.replace("picky: {}", "picky: {}\n  broke: { group: own }"));
  folder.write("senses/broke/index.ts", "export const compute = () => {\n");
  try {
    expect((await nerve("reload")).code).toBe(1);
    const { state, place } = await daemon.sense("broke");
    expect(state).toBe("failed");
    expect(place).toStartWith(`${folder.path}/senses/broke/index.ts:`);
    expect((await nerve("status")).stdout).toContain(`\nbroke: ${place}: `);
  } finally {
    folder.write("nerve.yaml", CONFIG);
    expect((await nerve("reload")).code).toBe(0);
    folder.remove("senses/broke");
  }
});

describe("a sense that has failed and not succeeded since", () => {
  const flaky = (body: string): string => `export const compute = () => ${body};\n`;

  test("is failing in status, with its reason, until a compute succeeds", async () => {
    folder.write("nerve.yaml", CONFIG.replace("picky: {}", "picky: {}\n  flaky: { group: own }"));
    folder.write("senses/flaky/index.ts", flaky("{ throw new Error('the gate is shut'); }"));
    try {
      expect((await nerve("reload")).code).toBe(0);
      expect(await daemon.sense("flaky")).toMatchObject({ state: "ok", reason: null });
      expect((await json("trigger", "flaky", "--wait")).code).toBe(1);
      expect(await daemon.sense("flaky")).toMatchObject({
        state: "failing",
        reason: "Error: the gate is shut",
        errors: 1,
      });
      expect((await nerve("status")).stdout).toMatch(/^flaky +failing /m);
      expect((await nerve("status")).stdout).toContain("flaky: Error: the gate is shut");
      expect((await json("trigger", "flaky")).code).toBe(0);
      folder.write("senses/flaky/index.ts", flaky("null"));
      expect((await nerve("reload")).code).toBe(0);
      expect((await json("trigger", "flaky", "--wait")).code).toBe(0);
      expect(await daemon.sense("flaky")).toMatchObject({ state: "ok", reason: null });
    } finally {
      folder.write("nerve.yaml", CONFIG);
      expect((await nerve("reload")).code).toBe(0);
      folder.remove("senses/flaky");
    }
  });
});

test("a timeout and a kill make a sense failing too", async () => {
  folder.write(
    "nerve.yaml",
    CONFIG.replace(
      "picky: {}",
      "picky: {}\n  late: { group: own, timeout: 50ms }\n  spins: { group: other, timeout: 50ms, grace_period: 0 }",
    ),
  );
  folder.write("senses/late/index.ts", "export const compute = () => Bun.sleep(400).then(() => null);\n");
  folder.write("senses/spins/index.ts", "export const compute = () => { for (;;); };\n");
  try {
    expect((await nerve("reload")).code).toBe(0);
    for (const [name, reason] of [
      ["late", "the compute passed its timeout of 50ms"],
      ["spins", "its worker died"],
    ] as const) {
      expect((await json("trigger", name)).code).toBe(0);
      await until(`${name} is failing`, async () => {
        const sense = await daemon.sense(name);
        return sense.state === "failing" && sense.reason?.includes(reason) === true;
      });
    }
  } finally {
    folder.write("nerve.yaml", CONFIG);
    expect((await nerve("reload")).code).toBe(0);
    for (const name of ["late", "spins"]) folder.remove(`senses/${name}`);
  }
});

describe("run takes a sense too", () => {
  test("by its bare name where no workflow has it, and by `sense:NAME`", async () => {
    expect(await json("run", "picky")).toMatchObject({ code: 0, value: { sense: "picky", trace: expect.any(String) } });
    expect(await json("run", "sense:quiet", "--wait")).toMatchObject({ code: 0, value: { outcome: "no-signal" } });
    expect((await json("run", "fails", "--wait")).code).toBe(1);
  });

  test("refuses an input for a sense, and names what neither is", async () => {
    expect(await json("run", "picky", "{}")).toMatchObject({ code: 2, error: { kind: "usage" } });
    expect(await json("run", "workflow:picky")).toMatchObject({ code: 2, error: { kind: "unknown-workflow" } });
    expect(await json("run", "piky")).toMatchObject({ code: 2, error: { hint: "did you mean `picky`?" } });
  });
});

test("where a workflow and a sense share a name, run takes the workflow and trigger the sense", async () => {
  folder.write("nerve.yaml", `${CONFIG}workflows: { picky: { use: exec, with: { command: ["true"] } } }\n`);
  try {
    expect((await nerve("reload")).code).toBe(0);
    expect(await json("run", "picky")).toMatchObject({ code: 0, value: { workflow: "picky" } });
    expect(await json("run", "sense:picky")).toMatchObject({ code: 0, value: { sense: "picky" } });
    expect(await json("trigger", "picky")).toMatchObject({ code: 0, value: { sense: "picky" } });
    expect(await json("trigger", "workflow:picky")).toMatchObject({ code: 0, value: { workflow: "picky" } });
  } finally {
    folder.write("nerve.yaml", CONFIG);
    expect((await nerve("reload")).code).toBe(0);
  }
});

test("to disable a workflow names the reflexes that start it, and silence", async () => {
  folder.write(
    "nerve.yaml",
    `${CONFIG}  - { name: tell-of-load, workflow: tell, on: [load] }\nworkflows: { tell: { use: exec, with: { command: ["true"] } } }\n`,
  );
  try {
    expect((await nerve("reload")).code).toBe(0);
    const { code, error } = await json("disable", "tell");
    expect(code).toBe(2);
    expect(error.hint).toContain("started by reflex:tell-of-load");
    expect(error.hint).toContain("nerve silence");
  } finally {
    folder.write("nerve.yaml", CONFIG);
    expect((await nerve("reload")).code).toBe(0);
  }
});

test("release, as enable, says whether there was a quarantine", async () => {
  expect(await json("release", "picky")).toMatchObject({ code: 0, value: { sense: "picky", released: false } });
  expect((await json("release", "nope")).code).toBe(2);
});

describe("reload", () => {
  test("tells what changed", async () => {
    expect((await nerve("reload")).stdout).toBe("reloaded: no group, reflex or workflow changed\n");
    folder.write("nerve.yaml", CONFIG.replace("interval: 1s", "interval: 2s"));
    expect(await json("reload")).toMatchObject({ code: 0, value: { groups: [], needs_restart: [] } });
    folder.write("nerve.yaml", CONFIG);
    expect((await nerve("reload")).stdout).toContain("reflexes changed: load#1");
    folder.write("nerve.yaml", `${CONFIG}workflows: { page: { use: exec, with: { command: [ls] } } }\n`);
    expect((await nerve("reload")).stdout).toBe("reloaded; workflows changed: page\n");
    folder.write("nerve.yaml", CONFIG);
    expect(await json("reload")).toMatchObject({ code: 0, value: { groups: [], reflexes: [], workflows: ["page"] } });
    folder.write(
      "nerve.yaml",
      `${CONFIG}channels: { phone: { ntfy: "http://127.0.0.1:1/t" } }\nretention: { logs: 3d }\n`,
    );
    expect((await nerve("reload")).stdout).toBe("reloaded; settings changed: channels, retention\n");
    folder.write("nerve.yaml", CONFIG);
    expect(await json("reload")).toMatchObject({ code: 0, value: { settings: ["channels", "retention"] } });
  });

  test("is 1 with the words of check where a rule asks for what no payload has", async () => {
    const rule = "  - { sense: picky, on: [load], when: { load_1: number > 5 } }\n";
    folder.write("nerve.yaml", `${CONFIG.trimEnd()}\n${rule}`);
    try {
      const { code, stderr } = await nerve("reload");
      const checked = await nerve("check");
      expect(code).toBe(1);
      expect(checked.stderr).toEndWith(stderr);
      expect(stderr).toContain("`load_1`");
    } finally {
      folder.write("nerve.yaml", CONFIG);
      expect((await nerve("reload")).code).toBe(0);
    }
  });

  test("waits for what it starts anew, and is 1 with the words of check where a sense or workflow does not load", async () => {
    const whole = folder.write("senses/picky/index.ts", PICKY);
    folder.write("senses/picky/index.ts", "export const compute = () => {\n");
    folder.write("workflows/broke/index.ts", "export const run = () => {\n");
    folder.write("nerve.yaml", `${CONFIG}workflows: { broke: {} }\n`);
    try {
      const { code, stdout, stderr } = await nerve("reload");
      expect({ code, stdout }).toEqual({
        code: 1,
        stdout: "reloaded; started anew: default; workflows changed: broke\n",
      });
      const checked = await nerve("check");
      expect(checked.code).toBe(1);
      expect(stderr.trim().split("\n")).toEqual(checked.stderr.split("\n").filter((line) => line.startsWith("error:")));
      expect(stderr).toContain(`${whole}:1:31: sense \`picky\``);
      expect(stderr).toContain("workflows/broke/index.ts:1:27: workflow `broke`");
      expect(await daemon.sense("picky")).toMatchObject({ state: "failed" });
      const again = await nerve("reload", "--json");
      expect(again.code).toBe(1);
      expect(again.stderr.trim().split("\n")).toHaveLength(2);
      expect(JSON.parse(again.stdout)).toMatchObject({
        groups: ["default"],
        workflows: [],
        failed: [{ file: whole, line: 1 }, {}],
      });
    } finally {
      folder.write("senses/picky/index.ts", PICKY);
      folder.write("nerve.yaml", CONFIG);
      folder.remove("workflows");
    }
    expect(await nerve("reload")).toMatchObject({ code: 0, stderr: "" });
    expect(await daemon.sense("picky")).toMatchObject({ state: "ok", reason: null });
  });

  test("a sense whose worker dies while it loads is named", async () => {
    folder.write("nerve.yaml", CONFIG.replace("picky: {}", "picky: {}\n  fatal: { group: own }"));
    folder.write("senses/fatal/index.ts", "process.exit(3);\n");
    try {
      const { code, stderr } = await nerve("reload");
      expect(code).toBe(1);
      expect(stderr).toContain("the worker of group `own` died while it loaded fatal");
    } finally {
      folder.write("nerve.yaml", CONFIG);
      expect((await nerve("reload")).code).toBe(0);
      folder.remove("senses/fatal");
    }
  });

  test("many at once are few: one under way, and one for all that ask until it has rested", async () => {
    const before = daemon.logs({ event: "config.reloaded" }).length;
    const codes = await Promise.all(Array.from({ length: 40 }, () => daemon.post("/reload")));
    expect(codes.every(({ status }) => status === 200)).toBe(true);
    const reloads = (): number => daemon.logs({ event: "config.reloaded" }).length - before;
    await until("the reloads are logged", () => reloads() > 0);
    expect(reloads()).toBeLessThanOrEqual(4);
  });

  test("a refused config is 78 with every problem, and other commands go on", async () => {
    folder.write("nerve.yaml", `${CONFIG}unknown: 1\nother: 2\n`);
    try {
      const { code, stderr } = await nerve("reload");
      expect(code).toBe(78);
      expect(stderr).toContain("`unknown`");
      expect(stderr).toContain("`other`");
      const status = await nerve("status");
      expect(status.code).toBe(0);
      expect(status.stderr).toContain("has problems since the daemon read it");
      expect((await nerve("signals", "--limit", "1")).code).toBe(0);
      expect((await json("trigger", "picky")).code).toBe(0);
    } finally {
      folder.write("nerve.yaml", CONFIG);
    }
  });

  test("one that is no YAML is refused by the daemon too, which says so in its log", async () => {
    const before = daemon.logs({ event: "config.refused" }).length;
    folder.write("nerve.yaml", `senses: { load: {\n${CONFIG}data: ./data\n`);
    try {
      const { code, stderr } = await nerve("reload");
      expect(code).toBe(78);
      expect(stderr).toContain("this is not valid YAML");
      expect((await nerve("status")).code).toBe(0);
      expect((await json("trigger", "picky")).code).toBe(0);
    } finally {
      folder.write("nerve.yaml", CONFIG);
    }
    expect(daemon.logs({ event: "config.refused" })).toHaveLength(before + 1);
  });

  test("another `data` is no reason to start a second daemon", async () => {
    folder.write("nerve.yaml", `${CONFIG}data: ./other\n`);
    try {
      const { code, error } = await json("reload");
      expect(code).toBe(3);
      expect(error).toMatchObject({
        message: `no nerve daemon answers on ${folder.path}/other`,
        hint: `where \`data\` was changed in this config, restart the daemon; where no daemon runs, start it with \`nerve ${folder.path}/nerve.yaml\``,
      });
      expect((await json("status")).error.hint).toBe(`start it with \`nerve ${folder.path}/nerve.yaml\``);
    } finally {
      folder.write("nerve.yaml", CONFIG);
    }
  });
});

test("a second daemon on the data is refused with 75 and the pid of the first", async () => {
  const { code, stderr } = await nerve("nerve.yaml");
  expect(code).toBe(75);
  expect(stderr).toContain(`process ${daemon.pid}`);
});

describe("the daemon's own face", () => {
  const begin = (...args: string[]) => {
    const other = project({
      "nerve.yaml": "senses: { picky: }\nreflexes: [{ sense: picky, interval: 1s, on_start: true }]\n",
      "senses/picky/index.ts": PICKY,
    });
    const child = Bun.spawn([...NERVE, ...args], { cwd: other.path, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const reading = (async () => {
      for await (const chunk of child.stderr) output += Buffer.from(chunk).toString("utf8");
    })();
    return {
      child,
      path: other.path,
      output: () => output,
      lines: () => output.split("\n").filter(Boolean),
      async [Symbol.asyncDispose]() {
        child.kill("SIGKILL");
        await Promise.all([child.exited, reading]);
        other[Symbol.dispose]();
      },
    };
  };

  test("JSON lines where nobody reads, without the signals", async () => {
    await using run = begin("nerve.yaml");
    await until("the worker is announced", () => run.output().includes('"worker.started"'));
    for (const line of run.lines()) {
      expect(JSON.parse(line)).toMatchObject({ time: expect.any(String), level: "info", source: expect.any(String) });
    }
    run.child.kill("SIGTERM");
    expect(await run.child.exited).toBe(0);
    expect(run.output()).not.toContain('"event":"signal"');
  });

  test("signals among them on demand", async () => {
    await using run = begin("start", "nerve.yaml", "--show-signals");
    const found = await until(
      "the signal is announced",
      () => run.lines().find((line) => line.includes('"event":"signal"')) ?? null,
    );
    expect(JSON.parse(found)).toMatchObject({
      event: "signal",
      source: "sense:picky",
      signal: { id: 1, sense: "picky", payload: { evil: "\x1b[2J", list: [1, 2] } },
    });
  });

  test("for people it says where things are and how to look, and shows signals as lines", async () => {
    await using run = begin("start", "--pretty", "--show-signals");
    await until("the first signal is announced", () => run.output().includes("picky #1"));
    expect(run.output()).toContain(
      `keeps its data in ${run.path}/data; look with: nerve status -c ${run.path}/nerve.yaml`,
    );
    const line = run.lines().find((text) => text.includes("picky #1")) ?? "";
    expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}picky #1 +evil "\\u001b\[2J" · list \[1, 2\]$/);
    expect(run.output()).not.toContain("\x1b");
  });

  test("SIGINT ends it with 0, SIGHUP re-reads the config", async () => {
    await using run = begin("nerve.yaml");
    await until("the worker is announced", () => run.output().includes('"worker.started"'));
    run.child.kill("SIGHUP");
    await until("the reload is announced", () => run.output().includes('"config.reloaded"'));
    run.child.kill("SIGINT");
    expect(await run.child.exited).toBe(0);
    expect(run.output()).toContain('"kernel.stopped"');
  });
});

test("a daemon that is stopped is said to be silent, not absent", async () => {
  using other = project({ "nerve.yaml": CONFIG });
  await using stopped = await startNerve(other.path);
  stopped.kill("SIGSTOP");
  const { code, value, error } = await jsonOf(other.path, ["status"]);
  stopped.kill("SIGCONT");
  expect([code, value]).toEqual([3, null]);
  expect(error).toMatchObject({ kind: "unreachable", message: expect.stringContaining("has not answered for 10s") });
});
