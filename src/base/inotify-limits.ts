/** Owns what inotify cannot see, and how many instances and watches a user may have and has. Reads files of the host only. */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";

const NET_HELPS = "only the interval of the reflex finds that";
/** By the number that `statfs` gives. */
const BLIND: Readonly<Record<number, string>> = {
  26985: `is on NFS: what other hosts write is not seen, ${NET_HELPS}`,
  4283649346: `is on CIFS: what other hosts write is not seen, ${NET_HELPS}`,
  4266872130: `is on SMB: what other hosts write is not seen, ${NET_HELPS}`,
  1702057286: `is on a FUSE file system: what is written behind it is not seen, ${NET_HELPS}`,
  16914839: `is on a 9p file system: what is written behind it is not seen, ${NET_HELPS}`,
  40864: `is in /proc, where changes are not seen: ${NET_HELPS}`,
  1650812274: `is in /sys, where most changes are not seen: ${NET_HELPS}`,
};

/** What inotify does not see on a file system of this type, which `statfs` gives; null where it sees all. */
export const blindSpotOf = (type: number | bigint): string | null =>
  // The type is a number of 32 bits, which some systems give with a sign.
  BLIND[Number(type) >>> 0] ?? null;

export interface InotifyCount {
  readonly instances: number;
  readonly watches: number;
}

function numberIn(file: string): number {
  try {
    const number = Number(readFileSync(file, "utf8"));
    return Number.isSafeInteger(number) ? number : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** What one user may have; infinite where that is not known. */
export const inotifyLimits = (): InotifyCount => ({
  instances: numberIn("/proc/sys/fs/inotify/max_user_instances"),
  watches: numberIn("/proc/sys/fs/inotify/max_user_watches"),
});

/** What processes of the user `uid` have, those that run the program `but` left out. What this process may not see counts as nothing. */
export function inotifyInUse(uid: number, but: string): InotifyCount {
  const found = { instances: 0, watches: 0 };
  for (const pid of entriesOf("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (statSync(`/proc/${pid}`).uid !== uid || readlinkSync(`/proc/${pid}/exe`) === but) continue;
    } catch {
      continue;
    }
    for (const descriptor of entriesOf(`/proc/${pid}/fd`)) {
      const watches = watchesOf(pid, descriptor);
      if (watches === null) continue;
      found.instances++;
      found.watches += watches;
    }
  }
  return found;
}

/** The watches of one descriptor; null where it is no instance of inotify. */
function watchesOf(pid: string, descriptor: string): number | null {
  try {
    if (readlinkSync(`/proc/${pid}/fd/${descriptor}`) !== "anon_inode:inotify") return null;
    return readFileSync(`/proc/${pid}/fdinfo/${descriptor}`, "utf8").match(/^inotify /gm)?.length ?? 0;
  } catch {
    return null;
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
