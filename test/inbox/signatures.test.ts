/** Who sent a request, by its signature. */
import { expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { isSigned, isSignedWith } from "../../src/inbox/signatures.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The example of the Standard Webhooks libraries. */
const STANDARD = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  body: '{"test": 2432232314}',
  at: 1_614_265_330_000,
  headers: {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  },
};

/** The example of GitHub's documentation. */
const GITHUB = {
  secret: "It's a Secret to Everybody",
  body: "Hello, World!",
  signature: "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
};

const standard = (changed: Record<string, string>, atMs: number = STANDARD.at, body: string = STANDARD.body): boolean =>
  isSignedWith(STANDARD.secret, new Headers({ ...STANDARD.headers, ...changed }), bytes(body), atMs);

test("the published example of Standard Webhooks is right, five minutes around its time", () => {
  expect(standard({})).toBe(true);
  expect([standard({}, STANDARD.at + 300_000), standard({}, STANDARD.at - 300_000)]).toEqual([true, true]);
  expect([standard({}, STANDARD.at + 300_001), standard({}, STANDARD.at - 300_001)]).toEqual([false, false]);
});

test("one right signature among several is enough, of whatever version the others are", () => {
  const { "webhook-signature": right } = STANDARD.headers;
  expect(standard({ "webhook-signature": `v1a,AAAA v1,AAAA ${right}` })).toBe(true);
  expect(standard({ "webhook-signature": right.replace("v1,", "v2,") })).toBe(false);
});

test("another body, id, time or secret is wrong", () => {
  expect(standard({}, STANDARD.at, `${STANDARD.body} `)).toBe(false);
  expect(standard({ "webhook-id": "msg_other" })).toBe(false);
  expect(standard({ "webhook-timestamp": "1614265331" })).toBe(false);
  expect(standard({ "webhook-timestamp": "1614265330.0" })).toBe(false);
  expect(isSignedWith("whsec_AAAA", new Headers(STANDARD.headers), bytes(STANDARD.body), STANDARD.at)).toBe(false);
});

test("a secret without `whsec_` is its own bytes", () => {
  const signature = createHmac("sha256", "plain").update("m.1614265330.{}").digest("base64");
  const headers = { "webhook-id": "m", "webhook-timestamp": "1614265330", "webhook-signature": `v1,${signature}` };
  expect(isSignedWith("plain", new Headers(headers), bytes("{}"), STANDARD.at)).toBe(true);
});

test("the published example of GitHub is right, and nothing near it", () => {
  const github = (signature: string, body: string = GITHUB.body): boolean =>
    isSignedWith(GITHUB.secret, new Headers({ "x-hub-signature-256": signature }), bytes(body), 0);
  expect(github(GITHUB.signature)).toBe(true);
  expect(github(GITHUB.signature, "Hello, World")).toBe(false);
  expect(github(GITHUB.signature.slice(0, -1))).toBe(false);
  expect(github(GITHUB.signature.replace("sha256=", "sha1="))).toBe(false);
});

test("a request without any signature is not signed", () => {
  expect(isSigned(new Headers({ "webhook-id": "m", "x-hub-signature": "sha1=00" }))).toBe(false);
  expect(isSigned(new Headers({ "webhook-signature": "v1,AA" }))).toBe(true);
  expect(isSigned(new Headers({ "x-hub-signature-256": "sha256=00" }))).toBe(true);
});
