/** `key`: which of a reflex's states a signal belongs to. */
import { createHash } from "node:crypto";
import type { Json } from "../base/json.ts";
import { fieldOf } from "./field.ts";

export interface Key {
  readonly key: string;
  /** The payload has no scalar there, so the signal shares one key with all others of that kind. */
  readonly isMissing: boolean;
}

/** The key of a reflex without `key`. */
export const ONLY_KEY = "";
const MISSING_KEY = "null";
const MAX_LENGTH = 128;
const DIGEST = "sha256:";

/** A key as people and programs meet it: the scalar itself, or the digest of a long text. */
export const shownKey = (key: string): Json => (key.startsWith(DIGEST) ? key : (JSON.parse(key) as Json));

/** Keys one reflex remembers at a time: what they hold stays within some megabytes. */
export const MAX_KEYS = 16_384;

/**
 * The scalar as JSON, so that `5` and `"5"` are two keys; a long text as its digest, which no JSON text equals.
 * `path` is dotted; null is the absence of `key`.
 */
export function keyOf(path: string | null, payload: Json): Key {
  if (path === null) return { key: ONLY_KEY, isMissing: false };
  const value = path.split(".").reduce<Json | undefined>(fieldOf, payload);
  if (value === undefined || value === null || typeof value === "object") return { key: MISSING_KEY, isMissing: true };
  const text = JSON.stringify(value);
  if (text.length <= MAX_LENGTH) return { key: text, isMissing: false };
  return { key: `${DIGEST}${createHash("sha256").update(text).digest("hex")}`, isMissing: false };
}
