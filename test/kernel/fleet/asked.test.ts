// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax of nerve.yaml
/** What this host answers when another one asks how it is. */
import { expect, test } from "bun:test";
import { Secrets } from "../../../src/base/secrets.ts";
import { hostWords } from "../../../src/cli/fleet/host-words.ts";
import type { Status } from "../../../src/control/contract.ts";
import { answerTo, statusIn } from "../../../src/kernel/daemon/asked.ts";

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
  const cut = statusIn(text);
  expect(cut.ok && hostWords(cut.value)).toBe("1 incident open; not well: sense-0");
});

test("an answer that is no status of nerve is not understood, whatever stands in it, and is never well", () => {
  const kernel = { version: "0.9.0" };
  const junk = [
    "",
    "nothing",
    "[]",
    "{}",
    '{"senses":"\u2026","hello":1}',
    JSON.stringify({ senses: [] }),
    JSON.stringify({ kernel, senses: "all well" }),
    JSON.stringify({ kernel, senses: [{ name: "load" }] }),
    JSON.stringify({ kernel: "0.1.0", senses: [] }),
    `${"[".repeat(30_000)}${"]".repeat(30_000)}`,
    `{"kernel":{"version":"1"},"senses":[],"x":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
  ];
  for (const text of junk) {
    const read = statusIn(text);
    expect([text.slice(0, 60), read.ok ? "read" : read.error]).toEqual([
      text.slice(0, 60),
      expect.stringContaining("was not understood"),
    ]);
  }
});

test("what another host says of itself is as bad as the worst of it, and one line", () => {
  const wordsOf = (status: object): string => {
    const read = statusIn(JSON.stringify({ kernel: { version: "9.0.0", store: "ok" }, ...status }));
    if (!read.ok) throw new Error(read.error);
    return hostWords(read.value);
  };
  const ok = { name: "load", state: "ok" };
  expect(wordsOf({ senses: [ok, ok] })).toBe("2 senses, all well");
  const fleet = { out: { state: "blocked", why: "the stream is full" } };
  expect(wordsOf({ senses: [ok], fleet })).toBe("nothing leaves it (blocked); 1 sense, all well");
  expect(wordsOf({ senses: [ok], fleet: { out: { state: "connected" } } })).toBe("1 sense, all well");
  expect(wordsOf({ senses: [], left_out: 700 })).toBe("700 senses, all well");
  expect(wordsOf({ senses: [ok], incidents: { open: 2 } })).toBe("2 incidents open; 1 sense, all well");
  expect(wordsOf({ kernel: { version: "1", store: "disk\n full" }, senses: [ok] })).toBe(
    "begins nothing new (disk full); 1 sense, all well",
  );
  // A state that a later version may have is not taken for a good one.
  expect(wordsOf({ senses: [{ name: "a\u202eb\n", state: "weary" }, ok] })).toBe("not well: ab");
  expect(wordsOf({})).toBe("it says nothing of its senses, of which there are too many");
});
