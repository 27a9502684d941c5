/** User code has no handle on the worker's channel and sees nothing of the kernel's environment or configuration. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { project, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

test.concurrent("a sense cannot send on the channel, hear it, speak on it, or make its worker deaf", async () => {
  using folder = project(
    {
      "nerve.yaml": `
        senses: { handles: {}, left: {} }
        reflexes:
          - { sense: handles, interval: 100ms }
          - { sense: left, interval: 100ms }`,
    },
    { handles: "e2e/handles", left: "e2e/pulse" },
  );
  await using nerve = await startNerve(folder.path, { environment: { SECRET_TOKEN: "secret" } });
  await until("handles has emitted four times", () => nerve.signals("handles").length >= 4);
  const payloads = nerve.signals("handles").map(({ payload }) => payload);
  expect(payloads).toEqual(
    payloads.map((_, index) => ({
      computes: index + 1,
      heard: 0,
      send: "undefined",
      disconnect: "undefined",
      channel: "undefined",
      connected: "undefined",
      environment: [],
      arguments: [],
    })),
  );
  const left = nerve.signals("left").length;
  await until("left has emitted three more times", () => nerve.signals("left").length >= left + 3);
  expect((await nerve.group("default")).restarts).toBe(0);
  expect(nerve.logs({ event: "worker.malformed" })).toEqual([]);
  expect(await nerve.stop()).toBe(0);
});
