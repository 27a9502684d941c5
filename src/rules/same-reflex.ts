/** Which reflexes are the same: the digest that what is stored of one is bound to. */
import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "../base/json.ts";
import type { ReflexConfig } from "../model/config.ts";
import { ruleOf } from "./rule.ts";

/** Changes with what is kept of a reflex, too. */
const FORMAT = "3";

/** The same for two ways to write the same reflex. */
export function definitionOf(config: ReflexConfig): string {
  const same = { ...config, on: [...new Set(config.on)].sort(), edge: ruleOf(config).edge };
  return createHash("sha256")
    .update(FORMAT + canonicalJson(same as unknown as Json))
    .digest("hex")
    .slice(0, 16);
}
