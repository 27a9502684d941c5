/** Owns the form of a lack: who lacks what, and the remedy. */
import { type Problem, problem } from "../../model/problem.ts";
import { shellWord } from "../screen/shell-word.ts";
import type { Account } from "./account.ts";

export const lack = (who: string, message: string, hint: string): Problem =>
  problem("host-lacks", `${who}: ${message}`, hint);

/** `found`: the part of `path` that `account` may not use. */
export function closed(who: string, found: string, path: string, { name }: Account, rights = "rw"): Problem {
  const where = found === path ? path : `${found}, which leads to ${path}`;
  const right = found === path ? rights : "x";
  return lack(who, `the user ${name} may not use ${where}`, `setfacl -m u:${name}:${right} ${shellWord(found)}`);
}
