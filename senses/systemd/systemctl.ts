/** The one call of systemctl that a look makes. */
import { exitError, runCommand } from "nerve/exec";
import { PROPERTIES, parseShow, type Unit } from "./show.ts";

/** The kinds of units that can fail, and not the thousands of devices and slices. */
const KINDS = ["service", "timer", "mount", "automount", "socket", "path", "swap", "target"];

/** `nginx` is `nginx.service`, as for systemctl. */
export const fullName = (name: string): string =>
  name.includes("*") || [...KINDS, "slice", "scope", "device"].some((kind) => name.endsWith(`.${kind}`))
    ? name
    : `${name}.service`;

/** All units of one call. Times are in UTC, so that they can be read whatever the zone of the host is. */
export async function show(named: readonly string[], signal: AbortSignal): Promise<readonly Unit[]> {
  const exact = named.filter((name) => !name.includes("*"));
  const patterns = [...KINDS.map((kind) => `*.${kind}`), ...exact];
  const command = ["systemctl", "show", "--no-pager", `--property=${PROPERTIES.join(",")}`, "--", ...patterns];
  const finished = await runCommand({ command, env: { TZ: "UTC", LC_ALL: "C" }, cwd: null }, signal, null);
  if (finished.code !== 0) throw exitError("systemctl", finished);
  const units = new Map(parseShow(finished.stdout).map((unit) => [unit.unit, unit]));
  return [...units.values()].sort((a, b) => (a.unit < b.unit ? -1 : 1));
}
