/** What a server refuses, in words that name the remedy of the place where this host is. */
import { expect, test } from "bun:test";
import { unheardBy } from "../../src/fleet/nats/words.ts";

const PARTIES = { host: "web1", server: "tls://leaf:4222", stream: "NERVE", identity: null };

test("silence behind a leaf node names the leaf node, and silence of the hub's server how a stream is made", () => {
  const behind = unheardBy("nerve.web1.signals", { ...PARTIES, domain: "hub" });
  expect(behind.why).toStartWith("tls://leaf:4222 reaches no stream NERVE in the domain hub: the leaf node has lost");
  expect(behind.why).not.toContain("fleet init");
  const direct = unheardBy("nerve.web1.signals", { ...PARTIES, domain: null });
  expect(direct.why).toContain("`nerve fleet init` makes the stream");
});
