/** A worker that was killed and does not go: what `nerve why` and the page say of its group, and that the group goes on once it is gone. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { project, runNerve, startNerve } from "../helpers/nerve.ts";
import { staying } from "../helpers/staying.ts";
import { whyNoStrace } from "../helpers/strace.ts";
import { until } from "../helpers/until.ts";
import { bearer, freeAddress, get, tokenIn } from "../helpers/web.ts";

setDefaultTimeout(120_000);

const noTrace = whyNoStrace();
if (noTrace !== null) console.error(`skipped: ${noTrace}`);

const HANGS = `import { existsSync } from "node:fs";
export const compute = () => { while (existsSync(import.meta.dir + "/hang")) {} return null; };
`;

test.skipIf(noTrace !== null)(
  "a group whose killed worker stays is what is wrong, on the page too, and goes on afterwards",
  async () => {
    const address = await freeAddress();
    using folder = project({
      "nerve.yaml": `http: "${address.text}"\nsenses: { hangs: { timeout: 1s, grace_period: 0s } }\n`,
      "senses/hangs/index.ts": HANGS,
      "senses/hangs/hang": "",
    });
    await using nerve = await startNerve(folder.path);
    await until("the page is up", async () => (await nerve.status()).listeners[0]?.state === "up");
    const group = await until("the worker is up", async () => {
      const found = await nerve.group("default");
      return found.state === "up" && found.pid !== null ? found : null;
    });
    {
      await using _ = await staying(group.pid ?? 0);
      await nerve.post("/trigger", { name: "hangs" });
      await until("the group is stuck", async () => (await nerve.group("default")).state === "stuck");
      const told = await runNerve(folder.path, ["why"]);
      const text = told.stdout.replaceAll(/\s+/g, " ");
      expect([told.code, text]).toEqual([0, expect.stringContaining("Group default is stuck: its worker was killed")]);
      expect(text).toContain("Nothing computes of hangs until then.");
      const token = bearer(tokenIn(nerve.data, "page"));
      const answer = await until("the page has looked since", async () => {
        const { body } = await get(address, "/api/v1/why", token);
        const { wrong, troubles } = JSON.parse(body);
        return wrong === true && troubles.length > 0 ? troubles : null;
      });
      expect(answer).toMatchObject([{ kind: "group", name: "default", state: "stuck" }]);
      folder.remove("senses/hangs/hang");
    }
    await until("another worker is up", async () => {
      const { state, pid } = await nerve.group("default");
      return state === "up" && pid !== group.pid;
    });
  },
);
