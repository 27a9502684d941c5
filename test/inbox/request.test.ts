/** What a request to an inbox says: its items, its key, its trace, and why it is refused. */
import { expect, test } from "bun:test";
import type { Given } from "../../src/inbox/given.ts";
import { givenBy, traceOf } from "../../src/inbox/request.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`;
const NDJSON = { "content-type": "application/x-ndjson" };
const EVENT = { "content-type": "application/cloudevents+json; charset=utf-8" };

const given = (headers: Record<string, string>, body: string) => givenBy(new Headers(headers), body);

const taken = (headers: Record<string, string>, body: string): Given => {
  const read = given(headers, body);
  if (!read.ok) throw new Error(read.error.message);
  return read.value;
};

const refusedWith = (headers: Record<string, string>, body: string): string => {
  const read = given(headers, body);
  return read.ok ? "taken" : `${read.error.status} ${read.error.message}`;
};

const PLAIN = { key: null, identity: null, type: null, trace: null };

test("one JSON value is one item, with or without a content type", () => {
  expect(taken({}, ' {"a": [1, "ü"]}\n')).toEqual({ ...PLAIN, bodies: ['{"a":[1,"ü"]}'] });
  expect(taken({ "content-type": "Application/JSON; charset=utf-8" }, "null").bodies).toEqual(["null"]);
});

test("JSON lines are an item each, empty lines none", () => {
  expect(taken(NDJSON, '1\n\n"two"\r\n{"three":3}').bodies).toEqual(["1", '"two"', '{"three":3}']);
});

test("a line that is wrong is named, and refuses all", () => {
  expect(refusedWith(NDJSON, "1\n{oops\n3")).toBe("400 line 2 is no JSON");
  expect(refusedWith(NDJSON, '1\n{"a":{"__proto__":1}}')).toBe(
    "400 line 2 is refused: a.__proto__: the key __proto__ is refused",
  );
  expect(refusedWith(NDJSON, "\n\n")).toBe("400 the body is empty");
});

test("what is too large is 413: an item over 64 KiB as UTF-8, and over 1,000 items", () => {
  const fits = JSON.stringify("x".repeat(64 * 1024 - 2));
  expect(taken({}, fits).bodies).toEqual([fits]);
  expect(refusedWith({}, JSON.stringify("x".repeat(64 * 1024 - 1)))).toBe("413 the body is over 64 KiB");
  expect(refusedWith({}, JSON.stringify("ü".repeat(32 * 1024)))).toBe("413 the body is over 64 KiB");
  expect(taken(NDJSON, "1\n".repeat(1_000)).bodies.length).toBe(1_000);
  expect(refusedWith(NDJSON, "1\n".repeat(1_001))).toBe("413 the request has over 1000 items");
});

test("other content types are 415, and the message names what is taken", () => {
  expect(refusedWith({ "content-type": "application/x-www-form-urlencoded" }, "a=1")).toBe(
    "415 an inbox takes no `application/x-www-form-urlencoded`",
  );
  expect(refusedWith({ "content-type": "application/cloudevents-batch+json" }, "[]")).toStartWith("415 ");
});

test("a key is Idempotency-Key, else webhook-id; all items of the request have the key", () => {
  const both = { "idempotency-key": "a", "webhook-id": "b" };
  expect(taken({ ...NDJSON, ...both }, "1\n2")).toEqual({ ...PLAIN, bodies: ["1", "2"], key: "a", identity: "a" });
  expect(taken({ "webhook-id": "b" }, "1").key).toBe("b");
  expect(taken({ "idempotency-key": "k".repeat(255) }, "1").key).toBe("k".repeat(255));
  expect(refusedWith({ "idempotency-key": "k".repeat(256) }, "1")).toBe("400 `idempotency-key` is over 255 bytes");
});

test("a delivery of GitHub has its id as key and its event as type, so that a redelivery is the same item", () => {
  const headers = { "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958", "x-github-event": "push" };
  expect(taken(headers, "1")).toEqual({
    ...PLAIN,
    bodies: ["1"],
    key: headers["x-github-delivery"],
    identity: headers["x-github-delivery"],
    type: "push",
  });
  expect(refusedWith({ "x-github-event": "e".repeat(256) }, "1")).toBe("400 `x-github-event` is over 255 bytes");
});

test("a CloudEvent gives its data, its id as key, its type; id and source together are its identity", () => {
  const event = {
    specversion: "1.0",
    id: "7",
    source: "/deploys",
    type: "done",
    data: { ok: true },
    traceparent: TRACEPARENT,
  };
  const read = taken(EVENT, JSON.stringify(event));
  expect(read).toEqual({ bodies: ['{"ok":true}'], key: "7", identity: '["/deploys","7"]', type: "done", trace: TRACE });
  const headers = {
    "ce-specversion": "1.0",
    "ce-id": "7",
    "ce-source": "/deploys",
    "ce-type": "done",
    traceparent: TRACEPARENT,
  };
  expect(taken(headers, '{"ok":true}')).toEqual(read);
});

test("two events are the same only where both source and id are", () => {
  const identity = (source: string, id: string) =>
    taken(EVENT, JSON.stringify({ specversion: "1.0", id, source, type: "t", data: 1 })).identity;
  expect(identity("a", "b c")).not.toBe(identity("a b", "c"));
  expect(identity("a", "b")).not.toBe(identity("b", "a"));
});

test("an event that is none is refused by what it lacks", () => {
  const event = (fields: object) =>
    refusedWith(EVENT, JSON.stringify({ specversion: "1.0", id: "1", source: "s", type: "t", ...fields }));
  expect(event({ specversion: "0.3" })).toBe("400 `specversion` is not 1.0");
  expect(event({ id: "" })).toBe("400 the event has no `id`");
  expect(event({ source: 5 })).toBe("400 the event has no `source`");
  expect(event({ type: "t".repeat(256) })).toBe("400 `type` is over 255 bytes");
  expect(event({ data_base64: "AA==" })).toBe("400 the event has `data_base64`");
  expect(refusedWith(EVENT, "[]")).toBe("400 the body is no CloudEvent: no JSON object");
});

test("a trace is read where W3C Trace Context has it, and nowhere else", () => {
  expect(traceOf(TRACEPARENT)).toBe(TRACE);
  expect(traceOf(`cc-${TRACE}-b7ad6b7169203331-01-later`)).toBe(TRACE);
  for (const none of [
    null,
    "",
    TRACE,
    `00-${TRACE}`,
    `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
    TRACEPARENT.toUpperCase(),
  ])
    expect(traceOf(none)).toBeNull();
});
