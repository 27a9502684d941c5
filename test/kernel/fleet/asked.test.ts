// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax of nerve.yaml
/** What this host answers when another one asks how it is. */
import { expect, test } from "bun:test";
import { Secrets } from "../../../src/base/secrets.ts";
import type { Status } from "../../../src/control/contract.ts";
import { answerTo } from "../../../src/kernel/daemon/asked.ts";

/** A status with so many senses, one of which is not well. */
function statusOf(senses: number): Status {
  const sense = (nth: number) => ({
    name: `sense-${nth}`,
    state: nth === 0 ? "failing" : "ok",
    reason: "key-5f3a9c is bad",
  });
  const some = {
    kernel: { pid: 1, version: "0.1.0", started_at: 1, data: "/data", store: "ok" },
    senses: Array.from({ length: senses }, (_, nth) => sense(nth)),
    incidents: { open: 1, acked: 0 },
    fleet: null,
  };
  return some as unknown as Status;
}

test("it is the whole status where one message holds that, and what is not well otherwise; what was filled in stays here", () => {
  const secrets = new Secrets();
  secrets.learn([{ written: "${KEY}", value: "key-5f3a9c" }]);
  const few = JSON.parse(answerTo(statusOf(10), secrets)) as Status;
  expect([few.senses.length, few.senses[0]?.reason]).toEqual([10, "${KEY} is bad"]);
  const text = answerTo(statusOf(5_000), secrets);
  expect(Buffer.byteLength(text)).toBeLessThan(64 * 1024);
  expect((JSON.parse(text) as Status).senses.map(({ name }) => name)).toEqual(["sense-0"]);
});
