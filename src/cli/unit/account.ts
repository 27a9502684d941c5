/** Owns the user that nerve runs as: its groups, and what the modes of files let it do. */
import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** The user that nerve runs as. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gids: ReadonlySet<number>;
}

const rows = (file: string): string[][] => {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
};

export const groupId = (name: string): number | null => {
  const row = rows("/etc/group").find(([group]) => group === name);
  return row === undefined ? null : Number(row[2]);
};

export const groupName = (gid: number): string | null =>
  rows("/etc/group").find(([, , id]) => Number(id) === gid)?.[0] ?? null;

/** Null where /etc/passwd has no such user. */
export function accountOf(user: string, moreGroups: readonly string[]): Account | null {
  const row = rows("/etc/passwd").find(([name, , uid]) => name === user || uid === user);
  if (row === undefined) return null;
  const [name = user, , uid, gid] = row;
  const member = rows("/etc/group").filter(([, , , members]) => members?.split(",").includes(name) === true);
  const more = moreGroups.map(groupId).filter((id) => id !== null);
  return { name, uid: Number(uid), gids: new Set([Number(gid), ...member.map(([, , id]) => Number(id)), ...more]) };
}

type Right = 4 | 2 | 1;

function may(account: Account, path: string, right: Right): boolean {
  if (account.uid === 0) return true;
  const { uid, gid, mode } = statSync(path);
  const bits = uid === account.uid ? mode >> 6 : account.gids.has(gid) ? mode >> 3 : mode;
  return (bits & right) === right;
}

/** The first part of `path` that `account` may not pass or use with `right`. Null where there is none, or where this is unknown. */
export function barrier(account: Account, path: string, right: Right | null): string | null {
  try {
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      if (!may(account, folder, 1)) return folder;
      if (folder === "/") break;
    }
    return right === null || may(account, path, right) ? null : path;
  } catch {
    return null;
  }
}
