/** Many hosts that fall silent together: one rule over all of them, and one message with all their names. NERVE_CRASH=full: a hundred. */
import { expect, test } from "bun:test";
import { isTrouble } from "../../src/fleet/engine/engine.ts";
import { packFrame, signalText } from "../../src/fleet/frame.ts";
import { Nats } from "../../src/fleet/nats/session.ts";
import { HAS_NATS, keysOf, natsServer, printed, streamOn } from "../helpers/nats.ts";
import { project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

const COUNT = process.env.NERVE_CRASH === "full" ? 100 : 20;
const HOSTS = Array.from({ length: COUNT }, (_, at) => `web${String(at).padStart(3, "0")}`);
const FILES = { creds: null, ca: null, cert: null, key: null };

/** One frame of `host`, and nothing more. */
async function say(url: string, host: string): Promise<void> {
  const nkey = keysOf(host).seed;
  const session = await new Nats({ ...FILES, nkey, host, servers: [url], domain: null, stream: "NERVE" }).connect();
  if (isTrouble(session)) throw new Error(session.why);
  const signal = { id: 1, sense: "pulse", at: Date.now(), trace: "ab".repeat(16), payload: '{"n":1}' };
  const body = packFrame({ epoch: "ab", from: 0, to: 1, lost: 0 }, [signalText(signal)]);
  expect((await session.append(body, { epoch: "ab", to: 1 }, 0)).kind).toBe("appended");
  await session.close();
}

interface Run {
  readonly state: string;
  readonly key: string | null;
  readonly output: { readonly names: readonly string[] } | null;
}

test.if(HAS_NATS)(
  `${COUNT} hosts fall silent together: a decision for each, and one message with ${COUNT} names`,
  async () => {
    await using server = await natsServer(printed({ hubs: ["hub"], hosts: HOSTS, sites: {} }));
    await streamOn(server.url);
    using folder = project({
      "nerve.yaml": `host: hub
fleet: { servers: ["${server.url}"], nkey: ${keysOf("hub").seed}, receive: ["*/pulse"], beat: 1s, silent_after: 2s }
workflows: { tell: { batch: { wait: 5s } } }
reflexes:
  - { name: silent, workflow: tell, on: ["*/presence"], key: $host, when: { state: "'silent'" } }
`,
      "workflows/tell/index.ts":
        "export const run = (thread) => ({ names: (thread.trigger.batch?.items ?? []).map(({ key }) => key) });\n",
    });
    await using hub = await startNerve(folder.path);
    await until("the hub receives", async () => (await hub.status()).fleet?.in?.state === "connected");
    await Promise.all(HOSTS.map((host) => say(server.url, host)));
    const runs = await until("one run has told of them", async () => {
      const { stdout } = await runNerve(folder.path, ["runs", "--json", "-n", "500"]);
      const all = stdout
        .trim()
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Run);
      return all.some(({ state }) => state === "completed") ? all : null;
    });
    const told = runs.filter(({ state }) => state === "completed");
    expect(told.length).toBe(1);
    expect([...(told[0]?.output?.names ?? [])].sort()).toEqual(HOSTS);
    expect(runs.map(({ key }) => key).sort()).toEqual(HOSTS);
    const silent = hub.signals().filter(({ sense }) => sense === "presence");
    expect(silent.length).toBe(HOSTS.length);
  },
);
