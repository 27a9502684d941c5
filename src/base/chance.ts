/** Chance, injected. */
import { randomBytes } from "node:crypto";

export interface Chance {
  /** From 0 up to 1, which it never is. */
  share(): number;
  bytes(count: number): Buffer;
}

export const SYSTEM_CHANCE: Chance = { share: Math.random, bytes: randomBytes };
