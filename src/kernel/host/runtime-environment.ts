/**
 * Owns the refusal of variables that change the code of the kernel's runtime. A person who sets them does not mean nerve.
 */
import { type Problem, problem } from "../../model/problem.ts";

const REFUSED = /^BUN_(OPTIONS$|INSPECT)/;

/** Why the kernel does not run in this environment, or null. */
export function refusedEnvironment(environment: Readonly<Record<string, string | undefined>>): Problem | null {
  const names = Object.keys(environment).filter((name) => REFUSED.test(name) && environment[name] !== "");
  if (names.length === 0) return null;
  const [are, them] = names.length === 1 ? ["is", "it"] : ["are", "them"];
  const message = `${names.sort().join(", ")} ${are} set, which changes the code that nerve runs`;
  const hint = `unset ${them}: nerve starts without; a systemd unit has UnsetEnvironment= for that`;
  return problem("runtime-environment", message, hint);
}
