/** `expect_every`: what does not come is stale, in the log, in the status and in the sense `nerve`, over a kill. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { project, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

test("a sense and a workflow are stale, once, until something comes", async () => {
  using folder = project(
    {
      "nerve.yaml": `
        senses: { tick: { expect_every: 2s }, nerve: {} }
        reflexes: [{ sense: nerve, watch: true }]
        workflows: { backup: { use: exec, with: { command: ["true"] }, expect_every: 2s } }`,
    },
    { tick: "e2e/tick" },
  );
  {
    await using nerve = await startNerve(folder.path);
    await until("the sense `nerve` has seen both", () =>
      nerve.signals("nerve").some(({ payload }) => payload.stale.length + payload.stale_workflows.length === 2),
    );
    const tick = await nerve.sense("tick");
    expect([tick.state, tick.reason]).toEqual(["stale", expect.stringContaining("no signal and no item for")]);
    expect((await nerve.status()).workflows).toMatchObject([{ name: "backup", stale: true }]);
    nerve.kill("SIGKILL");
  }
  await using nerve = await startNerve(folder.path);
  expect((await nerve.sense("tick")).state).toBe("stale");
  await nerve.post("/trigger", { name: "tick" });
  await until("tick has emitted", () => nerve.signals("tick").length === 1);
  await until("tick is well", async () => (await nerve.sense("tick")).state === "ok");
  await until("tick is stale again", () => nerve.logs({ event: "sense.stale" }).length === 2);
  expect(nerve.logs({ event: "workflow.stale" })).toHaveLength(1);
});
