/** Hosts that are joined by a real nats-server: what one makes the other stores and has reflexes for, and what goes wrong is said once. */
import { expect, setDefaultTimeout, test } from "bun:test";
import {
  changeStream,
  deleteStream,
  GENEROUS,
  HAS_NATS,
  keysOf,
  type NatsServer,
  natsServer,
  streamOn,
} from "../helpers/nats.ts";
import { type Nerve, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { childrenOf, commandOf, sendSignal } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";
import { type Address, bearer, freeAddress, get, tokenIn } from "../helpers/web.ts";

setDefaultTimeout(60_000);

const withNats = test.if(HAS_NATS);

const sender = (url: string, host = "web1"): Project =>
  project({
    "nerve.yaml": `host: ${host}
fleet: { servers: ["${url}"], nkey: ${keysOf(host).seed}, send: [pulse], every: 250ms, beat: 1s }
senses: { pulse: {}, secret: { use: pulse } }
reflexes:
  - { sense: pulse, interval: 100ms }
  - { sense: secret, interval: 100ms }
`,
    "senses/pulse/index.ts": "let n = 0;\nexport const compute = () => ({ n: n++, text: 'é' });\n",
  });

const hub = (url: string, page: Address): Project =>
  project({
    "nerve.yaml": `host: hub
http: "${page.text}"
fleet: { servers: ["${url}"], nkey: ${keysOf("hub").seed}, receive: ["*/pulse"], every: 250ms, beat: 1s, silent_after: 3s }
senses: { local: {} }
workflows: { note: {} }
reflexes:
  - { name: seen, workflow: note, on: ["*/pulse"], key: $host, throttle: 1h }
  - { name: gone, workflow: note, on: ["*/presence"], key: $host, when: { state: "'silent'" } }
`,
    "senses/local/index.ts": "export const compute = () => null;\n",
    "workflows/note/index.ts": "export const run = (thread) => thread.trigger.host;\n",
  });

interface Row {
  readonly id: number;
  readonly origin: string | null;
  readonly origin_id: number | null;
  readonly origin_at: number | null;
  readonly at: number;
  readonly sense: string;
  readonly trace: string;
  readonly payload: unknown;
}

const rowsOf = (nerve: Nerve): readonly Row[] => nerve.signals() as unknown as Row[];
const came = (nerve: Nerve, host = "web1"): readonly Row[] =>
  rowsOf(nerve).filter(({ origin, sense }) => origin === host && sense === "pulse");
const made = (nerve: Nerve): readonly Row[] =>
  rowsOf(nerve).filter(({ origin, sense }) => origin === null && sense === "pulse");

const runsOf = async (
  folder: Project,
): Promise<readonly { reflex: string; key: string | null; state: string; output: unknown }[]> => {
  const { stdout } = await runNerve(folder.path, ["runs", "--json"]);
  return stdout
    .trim()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
};

const fleetOf = (nerve: Nerve): number | undefined =>
  childrenOf(nerve.pid).find((pid) => commandOf(pid).includes("__fleet"));

async function together(
  act: (
    server: NatsServer,
    web: Nerve,
    hub: Nerve,
    folders: { web: Project; hub: Project; page: Address },
  ) => Promise<void>,
) {
  await using server = await natsServer();
  await streamOn(server.url);
  using webFolder = sender(server.url);
  const page = await freeAddress();
  using hubFolder = hub(server.url, page);
  await using web = await startNerve(webFolder.path);
  await using atHub = await startNerve(hubFolder.path);
  await until("a signal of web1 is at the hub", () => came(atHub).length > 0);
  await act(server, web, atHub, { web: webFolder, hub: hubFolder, page });
}

withNats(
  "what `send` names arrives whole and in order, one rule sees each host, and a killed fleet process costs nothing",
  () =>
    together(async (_, web, atHub, folders) => {
      for (const nerve of [web, atHub]) {
        const pid = await until("there is a fleet process", () => fleetOf(nerve) ?? null);
        sendSignal(pid, "SIGKILL");
        await until("there is another one", () => (fleetOf(nerve) ?? pid) !== pid);
      }
      const reached = made(web).at(-1)?.id ?? 0;
      await until("what was made until now has arrived", () => (came(atHub).at(-1)?.origin_id ?? 0) >= reached);
      const there = came(atHub);
      const here = made(web).slice(0, there.length);
      expect(there.map(({ origin_id, origin_at, trace, payload }) => [origin_id, origin_at, trace, payload])).toEqual(
        here.map(({ id, at, trace, payload }) => [id, at, trace, payload]),
      );
      expect(rowsOf(atHub).filter(({ sense }) => sense === "secret")).toEqual([]);
      const seen = await until("the rule has run", async () => {
        const runs = await runsOf(folders.hub);
        return runs.some(({ reflex, state }) => reflex === "seen" && state === "completed") ? runs : null;
      });
      expect(seen.filter(({ reflex }) => reflex === "seen").map(({ key, output }) => [key, output])).toEqual([
        ["web1", "web1"],
      ]);
      // The fleet process of the hub may just have begun.
      const live = await until("web1 answers the hub", async () => {
        const { stdout } = await runNerve(folders.hub.path, ["fleet", "status", "--live", "--json"]);
        const answer = JSON.parse(stdout);
        return answer.why === null && answer;
      });
      expect(live).toMatchObject({ host: "web1", state: "up" });
      expect(live.status.senses.map(({ name }: { name: string }) => name)).toEqual(["pulse", "secret"]);
      const shown = await runNerve(folders.hub.path, ["fleet", "status", "--live"]);
      expect(shown.stdout).toContain("2 senses, all well");
      const listed = await runNerve(folders.hub.path, ["signals", "web1/pulse", "--json"]);
      expect(listed.stdout.split("\n").length).toBeGreaterThan(1);
    }),
);

withNats("a host that falls silent is a signal, and its return is another one", () =>
  together(async (_, web, atHub, folders) => {
    await web.stop();
    const silent = await until(
      "the hub knows",
      () =>
        rowsOf(atHub).find(
          ({ sense, payload }) => sense === "presence" && (payload as { state: string }).state === "silent",
        ) ?? null,
    );
    expect(silent.payload).toMatchObject({ host: "web1", state: "silent" });
    await until("the rule has run", async () =>
      (await runsOf(folders.hub)).some(({ reflex, key }) => reflex === "gone" && key === "web1"),
    );
    await until("the status says so", async () =>
      /web1 +silent/.test((await runNerve(folders.hub.path, ["fleet", "status"])).stdout),
    );
    const asked = async (path: string): Promise<string> =>
      (await get(folders.page, path, bearer(tokenIn(atHub.data, "page")))).body;
    const { fleet, hosts } = await until("the API says so", async () => {
      const answer = JSON.parse(await asked("/api/v1/hosts?state=silent"));
      return answer.hosts.length === 1 && answer.fleet?.origins.silent === 1 ? answer : null;
    });
    expect(hosts[0]).toMatchObject({ host: "web1", state: "silent", signals: came(atHub).length, missing: 0 });
    expect(fleet).toMatchObject({ in: { state: "connected" }, origins: { up: 0, silent: 1 } });
    const counts = (await asked("/metrics")).split("\n");
    expect(counts).toContain('nerve_fleet_link_up{direction="in"} 1');
    expect(counts).toContain('nerve_fleet_hosts{state="silent"} 1');
    expect(counts).toContain(`nerve_fleet_signals_received_total ${came(atHub).length}`);
    expect(counts).toContain(`nerve_host_last_heard_timestamp_seconds{host="web1"} ${hosts[0].last_heard / 1_000}`);
    await using again = await startNerve(folders.web.path);
    await until("web1 is back", () =>
      rowsOf(atHub).some(
        ({ id, sense, payload }) =>
          id > silent.id && sense === "presence" && (payload as { state: string }).state === "up",
      ),
    );
    expect(again.logs({ event: "fleet.conflict" })).toEqual([]);
    await again.stop();
    await until("web1 is silent again", async () =>
      /web1 +silent/.test((await runNerve(folders.hub.path, ["fleet", "status"])).stdout),
    );
    const forgotten = await runNerve(folders.hub.path, ["fleet", "forget", "web1"]);
    expect([forgotten.code, forgotten.stdout]).toEqual([0, expect.stringContaining("web1 is forgotten")]);
    expect((await runNerve(folders.hub.path, ["fleet", "status"])).stdout).not.toContain("web1");
    const unknown = await runNerve(folders.hub.path, ["fleet", "forget", "web1"]);
    expect([unknown.code === 0, unknown.stderr]).toEqual([
      false,
      expect.stringContaining("nothing was ever heard of `web1`"),
    ]);
  }),
);

withNats("a server that is away, and a stream that is deleted, are said once each, and nothing is lost", () =>
  together(async (server, web, atHub, folders) => {
    await server.kill();
    await until("both say so", () => [web, atHub].every((nerve) => nerve.logs({ event: "fleet.offline" }).length > 0));
    await until("the hub says of its list that it is not of this moment", async () => {
      const { stderr } = await runNerve(folders.hub.path, ["fleet", "status"]);
      return /this host has heard no other host for .*the states are those of then/.test(stderr);
    });
    expect((await runNerve(folders.hub.path, ["why"])).stdout).toContain("a host that falls silent is not noticed");
    const out = await until("the reason is that of the newest try", async () => {
      const side = (await web.status()).fleet?.out;
      return side?.why?.includes("refuses connections") ? side : null;
    });
    expect(out.state).toBe("offline");
    expect(out.last_try).toBeGreaterThanOrEqual(out.since);
    expect(out.next_try).toBeGreaterThan(out.last_try ?? 0);
    const behind = made(web).at(-1)?.id ?? 0;
    await until("web1 goes on", () => (made(web).at(-1)?.id ?? 0) > behind + 5);
    expect(web.logs({ event: "fleet.offline" }).length).toBe(1);
    await server.start();
    await until("what was made meanwhile has arrived", () => (came(atHub).at(-1)?.origin_id ?? 0) > behind + 5);
    await deleteStream(server.url);
    const blocked = await until("web1 is refused", () => web.logs({ event: "fleet.blocked" }).at(0) ?? null);
    expect(blocked.message).toContain("nerve fleet init");
    await streamOn(server.url, { ...GENEROUS, maxBytes: 1_024 });
    await until("the check on web1 says that the stream is full", async () => {
      const { code, stdout } = await runNerve(folders.web.path, ["fleet", "check"]);
      return code === 1 && /failed {2}what leaves, as the daemon says: blocked for .* is full/.test(stdout);
    });
    await changeStream(server.url, { max_bytes: GENEROUS.maxBytes });
    const deletedAt = made(web).at(-1)?.id ?? 0;
    await until("all goes on", () => (came(atHub).at(-1)?.origin_id ?? 0) > deletedAt);
    const there = came(atHub);
    expect(there.map(({ origin_id }) => origin_id)).toEqual(
      made(web)
        .slice(0, there.length)
        .map(({ id }) => id),
    );
    expect(atHub.logs({ event: "fleet.gap" })).toEqual([]);
  }),
);

withNats("two kernels with one host name are both named", async () => {
  await using server = await natsServer();
  await streamOn(server.url);
  using first = sender(server.url);
  using second = sender(server.url);
  await using one = await startNerve(first.path);
  await using other = await startNerve(second.path);
  for (const nerve of [one, other]) {
    const conflict = await until("it is named", () => nerve.logs({ event: "fleet.conflict" }).at(0) ?? null);
    expect(conflict.message).toContain("another kernel sends as web1");
  }
});

withNats("a host that is restored from a backup goes on under its name, and the hub has each signal once", () =>
  together(async (_, web, atHub, folders) => {
    const copied = await runNerve(folders.web.path, ["backup", "backup"]);
    expect(copied).toMatchObject({ code: 0, stderr: "" });
    const reached = made(web).at(-1)?.id ?? 0;
    await until("more has arrived than the backup has", () => (came(atHub).at(-1)?.origin_id ?? 0) > reached);
    await web.stop();
    const moved = Bun.spawnSync(["mv", "data", "old"], { cwd: folders.web.path });
    expect(moved.exitCode).toBe(0);
    expect(await runNerve(folders.web.path, ["restore", "backup"])).toMatchObject({ code: 0 });
    const before = came(atHub).length;
    await using again = await startNerve(folders.web.path);
    await until("it sends again", () => came(atHub).length > before + 5);
    const traces = came(atHub).map(({ trace }) => trace);
    expect(new Set(traces).size).toBe(traces.length);
    expect(again.logs({ event: "fleet.conflict" })).toEqual([]);
    expect(atHub.logs({ event: "fleet.gap" })).toEqual([]);
  }),
);
