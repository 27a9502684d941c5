/** Chance, injected. */

export interface Chance {
  /** From 0 up to 1, which it never is. */
  share(): number;
  bytes(count: number): Buffer;
}

/** The system gives at most so many at once. */
const MOST_AT_ONCE = 65_536;

export function randomBytes(count: number): Buffer {
  const bytes = Buffer.allocUnsafe(count);
  for (let at = 0; at < count; at += MOST_AT_ONCE) crypto.getRandomValues(bytes.subarray(at, at + MOST_AT_ONCE));
  return bytes;
}

export const SYSTEM_CHANCE: Chance = { share: Math.random, bytes: randomBytes };
