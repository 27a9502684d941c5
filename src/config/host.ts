/** Owns the name of this host: what stands under `host`, else what the machine calls itself. */

import type { ReflexConfig } from "../model/config.ts";
import { isRemote } from "../model/full-name.ts";
import { isName } from "../model/name.ts";
import { isByHost } from "../rules/key.ts";
import { namesHost } from "../rules/summary.ts";

/** For a machine whose own name leaves nothing that is a name here. */
const NAMELESS = "localhost";

/** `Web_1.example.org` → `web-1`: the first label, made a name. */
export function hostNamed(machine: string): string {
  const label = machine.split(".")[0]?.toLowerCase() ?? "";
  const name = label
    .replace(/[^a-z0-9-]/g, "-")
    .replace(/^-+/, "")
    .slice(0, 63);
  return isName(name) ? name : NAMELESS;
}

/** `reflex`, which knows what `$host` and `{{ host }}` stand for where it looks at senses of this host. */
export const withHost = <R extends ReflexConfig>(reflex: R, host: string): R =>
  (isByHost(reflex.key) || reportsHost(reflex)) && !reflex.on.every(isRemote) ? { ...reflex, host } : reflex;

const reportsHost = (reflex: ReflexConfig): boolean =>
  reflex.kind === "workflow" &&
  reflex.incident !== null &&
  [reflex.incident.summary, reflex.incident.severity].some(namesHost);
