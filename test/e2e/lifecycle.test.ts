/** The daemon's own life: one a data directory, how it stops, what a reload changes, and what a killed one leaves (G1, G4, G9). */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { NERVE, type Nerve, type Project, project, projects, runNerve, startNerve } from "../helpers/nerve.ts";
import { marked, sendSignal } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const PULSE = "senses: { pulse: {} }\nreflexes: [{ sense: pulse, interval: 100ms }]";

/** Signals keep coming from each of `senses`. */
async function goOn(nerve: Nerve, ...senses: string[]): Promise<void> {
  for (const sense of senses) {
    const before = nerve.signals(sense).length;
    await until(`${sense} emits twice more`, () => nerve.signals(sense).length >= before + 2);
  }
}

const pidOf = async (nerve: Nerve, group: string): Promise<number> =>
  until(`group ${group} is up`, async () => {
    const { state, pid } = await nerve.group(group);
    return state === "up" && pid;
  });

test.concurrent("a second kernel on the same data directory ends with 75 and names the first; the first goes on", async () => {
  using folder = project({ "nerve.yaml": PULSE }, { pulse: "e2e/pulse" });
  await using nerve = await startNerve(folder.path);
  await goOn(nerve, "pulse");
  const worker = await pidOf(nerve, "default");
  const { code, stderr } = await runNerve(folder.path, ["nerve.yaml"]);
  expect({ code, stderr }).toEqual({ code: 75, stderr: expect.stringContaining(`is in use by process ${nerve.pid}`) });
  await goOn(nerve, "pulse");
  expect(await pidOf(nerve, "default")).toBe(worker);
});

test.concurrent("a logs.db that a newer build has written ends the start with 78 and stays as it is", async () => {
  using folder = project({ "nerve.yaml": PULSE }, { pulse: "e2e/pulse" });
  {
    await using nerve = await startNerve(folder.path);
    await goOn(nerve, "pulse");
  }
  const file = join(folder.path, "data/logs.db");
  const add = new Database(file);
  add.run("INSERT INTO _migrations VALUES ('9999_of_the_future.sql', 0, '')");
  add.close(true);
  const { code, stderr } = await runNerve(folder.path, ["nerve.yaml"]);
  expect({ code, stderr }).toEqual({ code: 78, stderr: expect.stringContaining("9999_of_the_future.sql") });
  expect(stderr).toContain(file);
  expect(marked(join(folder.path, "data"))).toEqual([]);
});

const SPINNING = `
  senses:
    spins: { timeout: 60s, group: hot }
    naps: { use: slow, timeout: 60s, with: { ms: 60000, obedient: true } }
  reflexes: [{ sense: spins, on_start: true }, { sense: naps, on_start: true }]`;

/** A daemon whose two senses are under way: one spins, the other waits for its end. */
async function busy(folder: Project): Promise<Nerve> {
  const nerve = await startNerve(folder.path);
  await until("every group is up", async () => (await nerve.status()).groups.every(({ state }) => state === "up"));
  return nerve;
}

/** Milliseconds from the first word of a stop to the last, as the daemon logs them. */
function stopMs(nerve: Nerve): number {
  const [stopping, stopped] = ["kernel.stopping", "kernel.stopped"].map((event) => nerve.logs({ event })[0]?.at);
  return (stopped ?? Number.NaN) - (stopping ?? Number.NaN);
}

test.concurrent("SIGTERM ends it with 0 also while a sense spins, a second one at once; what is aborted is no failure", async () => {
  using folders = projects();
  const make = (): Project => {
    const folder = folders.make({ "nerve.yaml": SPINNING });
    folder.sense("spins", "bad-senses/spins");
    folder.sense("slow", "e2e/slow");
    return folder;
  };
  await using asked = await busy(make());
  await using hurried = await busy(make());
  for (const nerve of [asked, hurried]) nerve.kill("SIGTERM");
  await until("it says that it stops", () => hurried.logs({ event: "kernel.stopping" }).length === 1);
  hurried.kill("SIGTERM");
  for (const nerve of [asked, hurried]) {
    expect(await nerve.exited).toBe(0);
    expect(nerve.logs({ event: "compute.failed" })).toEqual([]);
    expect(nerve.logs({ event: "compute.killed" })).toEqual([]);
  }
  expect(stopMs(hurried)).toBeLessThan(stopMs(asked) / 2);
});

const GROUPS = `
  senses:
    pulse: { group: one }
    keys: { group: two }
  reflexes:
    - { sense: pulse, interval: 100ms }
    - { sense: keys, interval: 100ms }`;

test.concurrent("SIGHUP starts what changed anew and leaves the rest alone; peers see what came and went", async () => {
  using folder = project({ "nerve.yaml": GROUPS }, { pulse: "e2e/pulse", keys: "e2e/keys" });
  await using nerve = await startNerve(folder.path);
  await goOn(nerve, "pulse", "keys");
  const [one, two] = [await pidOf(nerve, "one"), await pidOf(nerve, "two")];
  const reloaded = async (times: number, event = "config.reloaded"): Promise<void> => {
    nerve.kill("SIGHUP");
    await until(`${event} is logged ${times} times`, () => nerve.logs({ event }).length === times);
  };
  const seen = () => nerve.signals("keys").at(-1)?.payload.peers;
  expect(seen()).toEqual(["pulse"]);

  folder.write("senses/pulse/index.ts", "export const compute = () => ({ version: 2 });\n");
  await reloaded(1);
  await until("the new code of pulse runs", () => nerve.signals("pulse").at(-1)?.payload.version === 2);
  const changed = await pidOf(nerve, "one");
  expect(changed).not.toBe(one);
  expect(await pidOf(nerve, "two")).toBe(two);

  folder.write(
    "nerve.yaml",
    GROUPS.replace("keys: { group: two }", "keys: { group: two }\n    tick: { group: three }"),
  );
  folder.sense("tick", "e2e/tick");
  await reloaded(2);
  await until("two rows are seen", () => seen()?.length === 2);
  expect(seen()).toEqual(["pulse", "tick"]);
  expect((await nerve.post("/trigger", { name: "tick" })).status).toBe(200);
  await until("tick has emitted", () => nerve.signals("tick").length === 1);

  folder.write("nerve.yaml", `${GROUPS}\n    - { sense: nobody, interval: 1x }`);
  await reloaded(1, "config.refused");
  const [refused] = nerve.logs({ event: "config.refused" });
  expect(refused?.message).toContain("nerve.yaml:");
  await goOn(nerve, "pulse", "keys");

  folder.write("nerve.yaml", GROUPS);
  await reloaded(3);
  await until("one row is seen", () => seen()?.length === 1);
  await until("there are two groups", async () => (await nerve.status()).groups.length === 2);
  expect([await pidOf(nerve, "one"), await pidOf(nerve, "two")]).toEqual([changed, two]);
  expect((await nerve.status()).senses.map(({ name }) => name).sort()).toEqual(["keys", "pulse"]);
  const due = nerve
    .signals("keys")
    .map(({ payload }, index, all) => (all[index]?.at ?? 0) - (all[index - 1]?.at ?? 0) && payload);
  expect(due.length).toBe(nerve.signals("keys").length);
  expect(nerve.logs({ event: "worker.exited" })).toEqual([]);
});

test.concurrent("a reload brings back a group that had no sense to start, and one that was waiting to be started again", async () => {
  using folder = project(
    {
      "nerve.yaml": `
        senses: { missing: { group: none }, killed: { group: down }, pulse: {} }
        reflexes:
          - { sense: missing, interval: 100ms }
          - { sense: killed, interval: 100ms }
          - { sense: pulse, interval: 100ms }`,
    },
    { pulse: "e2e/pulse", killed: "e2e/pulse" },
  );
  await using nerve = await startNerve(folder.path);
  // The wait doubles with each death, until it is long enough to be seen.
  await until("the group waits before its next start", async () => {
    const { state, pid } = await nerve.group("down");
    if (state === "up" && pid !== null) sendSignal(pid, "SIGKILL");
    return state === "backoff";
  });
  expect(await nerve.group("none")).toMatchObject({ pid: null });
  folder.sense("missing", "e2e/pulse");
  folder.write("senses/killed/index.ts", "export const compute = () => ({ well: true });\n");
  expect((await nerve.post("/reload")).status).toBe(200);
  await goOn(nerve, "missing", "killed", "pulse");
  const { senses } = await nerve.status();
  expect(senses.map(({ name, state, reason }) => ({ name, state, reason }))).toEqual(
    senses.map(({ name }) => ({ name, state: "ok", reason: null })),
  );
});

test.concurrent("a quarantined sense stays so over a reload and a restart of its group, and can be released after it", async () => {
  using folder = project(
    {
      "nerve.yaml":
        "senses: { exits: {}, pulse: {} }\nreflexes: [{ sense: exits, interval: 100ms }, { sense: pulse, interval: 100ms }]",
    },
    { pulse: "e2e/pulse", exits: "bad-senses/exits" },
  );
  await using nerve = await startNerve(folder.path);
  await until("exits is quarantined", async () => (await nerve.sense("exits")).state === "quarantined");
  await goOn(nerve, "pulse");
  folder.write("senses/exits/index.ts", "export const compute = () => ({ well: true });\n");
  expect((await nerve.post("/reload")).status).toBe(200);
  await goOn(nerve, "pulse");
  expect((await nerve.sense("exits")).state).toBe("quarantined");
  expect((await nerve.post("/release", { name: "exits" })).body).toEqual({ sense: "exits", released: true });
  await goOn(nerve, "pulse", "exits");
});

test.concurrent("one second after SIGKILL of the kernel no worker and none of their children lives, deaf and orphaned ones too", async () => {
  const kinds = ["child", "orphan"];
  using folder = project(
    {
      "nerve.yaml": `
        senses:
          ${kinds.map((kind) => `${kind}: { use: spawns, group: ${kind}, with: { kind: ${kind} } }`).join("\n          ")}
          spins: { timeout: 60s, group: hot }
        reflexes:
          ${[...kinds, "spins"].map((sense) => `- { sense: ${sense}, on_start: true }`).join("\n          ")}`,
    },
    { spawns: "bad-senses/spawns", spins: "bad-senses/spins" },
  );
  await using nerve = await startNerve(folder.path);
  await until("both signals are committed", () => nerve.signals().length === 2);
  await until("there are three workers and a shell of each spawner", () => marked(nerve.data).length >= 5);
  nerve.kill("SIGKILL");
  await until("every process of nerve is gone", () => marked(nerve.data).length === 0);
});

test.concurrent("a child that left its process group is ended at the next start, and that is said", async () => {
  using folder = project(
    {
      "nerve.yaml":
        "senses: { session: { use: spawns, with: { kind: session } } }\nreflexes: [{ sense: session, on_start: true }]",
    },
    { spawns: "bad-senses/spawns" },
  );
  const first = await startNerve(folder.path);
  await until("the first signal is committed", () => first.signals().length === 1);
  first.kill("SIGKILL");
  await first.exited;
  const left = await until(
    "processes of nerve are left over",
    () => marked(first.data).length > 0 && marked(first.data),
  );
  folder.write("nerve.yaml", "senses: { pulse: {} }\nreflexes: [{ sense: pulse, interval: 100ms }]");
  folder.sense("pulse", "e2e/pulse");
  await using nerve = await startNerve(folder.path);
  const [swept] = nerve.logs({ event: "kernel.swept" });
  expect(swept?.message).toMatch(/^ended \d+ process(es)? an earlier kernel had left: /);
  await until("the left-over processes are gone", () => left.every((pid) => !marked(nerve.data).includes(pid)));
  await goOn(nerve, "pulse");
});

test.concurrent("a compute owed to a signal survives SIGKILL of the kernel, and keeps its cause and trace", async () => {
  using folder = project(
    {
      "nerve.yaml": `
        senses: { pulse: {}, slow: { group: other, timeout: 10m, with: { ms: 600000 } } }
        reflexes: [{ sense: pulse, on_start: true }, { sense: slow, on: [pulse] }]`,
    },
    { pulse: "e2e/pulse", slow: "e2e/slow" },
  );
  const first = await startNerve(folder.path);
  const [pulse] = await until("pulse has emitted", () => first.signals("pulse").length === 1 && first.signals("pulse"));
  await until("the other group is up", async () => (await first.group("other")).state === "up");
  first.kill("SIGKILL");
  expect(await first.exited).toBe("SIGKILL");
  expect(first.signals("slow")).toEqual([]);
  // Nothing triggers anything in the second life, and nothing takes long.
  const config = await Bun.file(join(folder.path, "nerve.yaml")).text();
  folder.write("nerve.yaml", config.replace("on_start: true", "interval: 1h").replace("ms: 600000", "ms: 1"));
  await using nerve = await startNerve(folder.path);
  const [slow] = await until("slow has emitted", () => nerve.signals("slow").length === 1 && nerve.signals("slow"));
  expect(slow).toMatchObject({ cause: pulse?.id, trace: pulse?.trace });
  await nerve.stop();
  expect(nerve.signals("slow").length).toBe(1);
});

test.concurrent("signals that arrive during a compute are answered by one more, which names those it stands for", async () => {
  using folder = project(
    {
      "nerve.yaml": `
        senses: { pulse: {}, slow: { group: other, with: { ms: 500 } } }
        reflexes: [{ sense: pulse, interval: 100ms }, { sense: slow, on: [pulse] }]`,
    },
    { pulse: "e2e/pulse", slow: "e2e/slow" },
  );
  await using nerve = await startNerve(folder.path);
  await until("slow has emitted three times", () => nerve.signals("slow").length >= 3);
  await nerve.stop();
  const answered = nerve.signals("slow").map(({ cause }) => cause);
  const stoodFor = nerve
    .logs({ source: "sense:slow", event: "compute.coalesced" })
    .flatMap(({ data }) => data.causes as number[]);
  expect(stoodFor.length).toBeGreaterThan(0);
  const all = [...answered, ...stoodFor].sort((a, b) => Number(a) - Number(b));
  expect(new Set(all).size).toBe(all.length);
  const pulses = nerve.signals("pulse").map(({ id }) => id);
  // Every pulse up to the newest answered one is answered or stood for.
  expect(all.filter((id) => Number(id) <= Number(answered.at(-1)))).toEqual(
    pulses.filter((id) => id <= Number(answered.at(-1))),
  );
});

test.concurrent("a folder whose data was removed is begun anew", async () => {
  using folder = project({ "nerve.yaml": PULSE }, { pulse: "e2e/pulse" });
  {
    await using nerve = await startNerve(folder.path);
    await goOn(nerve, "pulse");
  }
  rmSync(join(folder.path, "data"), { recursive: true });
  await using nerve = await startNerve(folder.path);
  await goOn(nerve, "pulse");
  expect(nerve.signals()[0]?.id).toBe(1);
});

test.concurrent("a reader of stderr that stops reading costs lines and nothing else; SIGTERM ends it all the same", async () => {
  const chatty = `let n = 0;
    export const compute = async () => { for (let line = 0; line < 50; line++) console.log("x".repeat(2000)); return { n: ++n }; };`;
  using folder = project(
    {
      "nerve.yaml": `groups: { quiet: {}, loud: {} }
senses: { pulse: { group: quiet }, chatty: { group: loud } }
reflexes: [{ sense: pulse, interval: 100ms }, { sense: chatty, interval: 100ms }]`,
      "senses/chatty/index.ts": chatty,
    },
    { pulse: "e2e/pulse" },
  );
  Bun.spawnSync(["mkfifo", join(folder.path, "unread")]);
  const command = ["sh", "-c", 'exec 2<>unread; exec "$@"', "sh", ...NERVE];
  await using nerve = await startNerve(folder.path, { command });
  // Many times what a pipe holds, and what waits beside it.
  await until("a megabyte was printed", () => nerve.logs({ source: "sense:chatty", event: "output" }).length > 500);
  await goOn(nerve, "pulse", "chatty");
  expect(await nerve.stop()).toBe(0);
});

test.concurrent("variables that change what the runtime runs are refused by name with 78; empty ones are none", async () => {
  using folder = project({ "nerve.yaml": PULSE }, { pulse: "e2e/pulse" });
  const environment = { BUN_OPTIONS: "--smol", BUN_INSTALL: "/opt/bun" };
  const { code, stderr } = await runNerve(folder.path, ["nerve.yaml"], { environment });
  expect(code).toBe(78);
  expect(stderr).toContain("BUN_OPTIONS is set");
  expect(stderr).not.toContain("BUN_INSTALL");
  await using nerve = await startNerve(folder.path, { environment: { BUN_OPTIONS: "", BUN_INSTALL: "/opt/bun" } });
  await goOn(nerve, "pulse");
});

const STRAY = "SIGUSR1 SIGUSR2 SIGALRM SIGVTALRM SIGPROF SIGXCPU SIGXFSZ SIGIO SIGSYS".split(" ");
/** SIGSTKFLT, SIGPWR, and real-time signals: the first, one between, the last. */
const UNNAMED = ["16", "30", "34", "47", "64"];

test.concurrent("a signal that means nothing to nerve is named once on stderr, and ends neither the kernel nor a worker", async () => {
  using folder = project({ "nerve.yaml": PULSE }, { pulse: "e2e/pulse" });
  await using nerve = await startNerve(folder.path);
  await goOn(nerve, "pulse");
  const worker = await pidOf(nerve, "default");
  for (const pid of [nerve.pid, worker]) {
    for (const signal of [...STRAY, ...STRAY, ...UNNAMED]) {
      expect(Bun.spawnSync(["kill", "-s", signal.replace("SIG", ""), String(pid)]).exitCode).toBe(0);
    }
  }
  for (const signal of STRAY) {
    await until(`${signal} is named`, () => nerve.stderr().includes(`${signal} means nothing`));
  }
  await goOn(nerve, "pulse");
  for (const signal of STRAY) expect(nerve.stderr().split(`${signal} means nothing`)).toHaveLength(2);
  expect(await pidOf(nerve, "default")).toBe(worker);
});

test.concurrent("SIGQUIT stops nerve as SIGTERM does", async () => {
  using folder = project({ "nerve.yaml": PULSE }, { pulse: "e2e/pulse" });
  await using nerve = await startNerve(folder.path);
  await goOn(nerve, "pulse");
  nerve.kill("SIGQUIT");
  expect(await nerve.exited).toBe(0);
  expect(nerve.stderr()).toContain("received SIGQUIT");
  expect(nerve.stderr()).toContain("kernel.stopped");
});

test.concurrent("a data directory that is removed under the kernel ends it with 75 and is named; another kernel may follow", async () => {
  using folder = project({ "nerve.yaml": PULSE }, { pulse: "e2e/pulse" });
  const first = await startNerve(folder.path);
  await goOn(first, "pulse");
  rmSync(first.data, { recursive: true });
  expect(await first.exited).toBe(75);
  expect(first.stderr()).toContain(`${first.data} was removed while nerve ran`);
  await using second = await startNerve(folder.path);
  await goOn(second, "pulse");
});

test.concurrent("a control socket that is removed is there again, and nothing else happens", async () => {
  using folder = project({ "nerve.yaml": PULSE }, { pulse: "e2e/pulse" });
  await using nerve = await startNerve(folder.path);
  rmSync(join(nerve.data, "nerve.sock"));
  await until("that is logged", () => nerve.logs({ event: "control.renewed" }).length === 1);
  expect((await nerve.sense("pulse")).state).toBe("ok");
  await goOn(nerve, "pulse");
});
