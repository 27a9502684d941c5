/**
 * Owns the recognition of groups that hold only one user. Most systems give each user such a group, and a umask of 002 is
 * then safe. The host's own files are the source. A group that only another source knows counts as private where its
 * number is the number of its owner.
 */
import { readFileSync } from "node:fs";

export interface Accounts {
  /** The text of /etc/passwd. */
  readonly users: string;
  /** The text of /etc/group. */
  readonly groups: string;
}

const rowsOf = (text: string): string[][] =>
  text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));

/** Group 0 is never private: programs of every kind run with this group. */
const ROOT_GROUP = 0;

/** Whether nobody but the user `uid` is in the group `gid`. */
export function isPrivateGroup(gid: number, uid: number, { users, groups }: Accounts): boolean {
  if (gid === ROOT_GROUP) return false;
  const accounts = rowsOf(users).map(([name = "", , id, group]) => ({ name, uid: Number(id), gid: Number(group) }));
  const group = rowsOf(groups).find(([, , id]) => Number(id) === gid);
  const others = accounts.filter((account) => account.uid !== uid);
  if (others.some((account) => account.gid === gid)) return false;
  if (group === undefined) return gid === uid;
  const names = new Set(accounts.filter((account) => account.uid === uid).map(({ name }) => name));
  const members = (group[3] ?? "").split(",").filter((name) => name !== "");
  return members.every((name) => names.has(name));
}

let known: Accounts | null = null;

/** The accounts of this host. They are read once, since the process asks about every file of a configuration. */
export function hostAccounts(): Accounts {
  known ??= { users: textOf("/etc/passwd"), groups: textOf("/etc/group") };
  return known;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
