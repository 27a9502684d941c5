/** Owns the hints on keys that people write beside a sense or workflow, and that belong in a reflex or under `with`. */
import { nearest } from "../base/nearest.ts";
import { REFLEX } from "./reflex-fields.ts";
import { shown } from "./tree.ts";

const EXAMPLES: Readonly<Record<string, string>> = { interval: "10s", cron: '"0 3 * * *"', on_start: "true" };

/** The remedy for a key that an entry of `senses` or `workflows` does not have; null where the key is only misspelt. */
export const hintOfMisplaced =
  (kind: "sense" | "workflow", name: string, keys: readonly string[]) =>
  (key: string): string | null => {
    if (Object.hasOwn(REFLEX, key)) {
      const example = `${kind}: ${shown(name)}, ${key}: ${EXAMPLES[key] ?? "…"}`;
      return `\`${key}\` belongs in a reflex: \`reflexes: [{ ${example} }]\``;
    }
    if (nearest(key, keys) !== null) return null;
    return `options of the ${kind} itself belong under \`with\`; valid here: ${keys.join(", ")}`;
  };
