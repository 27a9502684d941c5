/** Codes and cookies: signed with the token, good for their time, and a code once. */
import { expect, test } from "bun:test";
import { CODE_MS, COOKIE_MS, cookieUntil, newCode, newCookie, UsedCodes } from "../../src/tokens/passes.ts";

const TOKEN = "t".repeat(43);
const NOW = 1_795_000_000_000;

test("a code is good once, for a minute, with the token that made it, and for a process that has lived since", () => {
  const codes = new UsedCodes(NOW);
  const code = newCode(TOKEN, NOW);
  expect(codes.use("x".repeat(43), code, NOW)).toBe(false);
  expect(codes.use(TOKEN, code, NOW + CODE_MS)).toBe(false);
  expect(codes.use(TOKEN, code, NOW + CODE_MS - 1)).toBe(true);
  expect(codes.use(TOKEN, code, NOW + 1)).toBe(false);
  expect(new UsedCodes(NOW + 1).use(TOKEN, code, NOW + 2)).toBe(false);
  expect(codes.use(TOKEN, newCookie(TOKEN, NOW), NOW)).toBe(false);
});

test("a cookie ends after 12 hours, and with its token", () => {
  const cookie = newCookie(TOKEN, NOW);
  expect(cookieUntil(TOKEN, cookie, NOW)).toBe(NOW + COOKIE_MS);
  expect(cookieUntil(TOKEN, cookie, NOW + COOKIE_MS)).toBeNull();
  expect(cookieUntil("x".repeat(43), cookie, NOW)).toBeNull();
  expect(cookieUntil(TOKEN, newCode(TOKEN, NOW), NOW)).toBeNull();
  expect(cookieUntil(TOKEN, `${cookie.slice(0, -1)}!`, NOW)).toBeNull();
});
