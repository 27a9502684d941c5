/** Headers are read whatever bytes they are. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { readHeaders } from "../../src/fleet/nats/headers.ts";

const read = (text: string) => readHeaders(new TextEncoder().encode(text));

test("names, values and the status of a server are read", () => {
  const { code, description, headers } = read("NATS/1.0 408 Request Timeout\r\nNats-Pending: 3\r\nA:b:c\r\n\r\n");
  expect({ code, description, headers: Object.fromEntries(headers) }).toEqual({
    code: 408,
    description: "Request Timeout",
    headers: { "Nats-Pending": ["3"], A: ["b:c"] },
  });
  expect(read("NATS/1.0 100 Idle Heartbeat\r\n\r\n").code).toBe(100);
  expect(read("NATS/1.0 404\r\n\r\n").code).toBe(404);
  expect(read("NATS/1.0\r\n\r\n").code).toBe(0);
});

test("of many values of one name the first and the last one stay", () => {
  expect(read(`NATS/1.0\r\n${[1, 2, 3].map((value) => `A: ${value}\r\n`).join("")}\r\n`).values("A")).toEqual([
    "1",
    "3",
  ]);
});

test("no bytes are refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: "binary" }), (bytes, text) => {
      readHeaders(bytes);
      expect(read(`NATS/1.0\r\nNerve-To: 1\r\n${text}`).get("Nerve-To")).toBe("1");
    }),
  );
});
