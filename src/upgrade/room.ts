/** Owns how much room an upgrade needs: for the copy beside the executable, and for the backup in the data directory. */
import { existsSync, rmSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { SENSES, STORE, sensesIn } from "../backup/layout.ts";
import { formatSize } from "../base/size.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { Home } from "./home.ts";

/** A daemon goes on with this much room, or with this share of a small file system. */
const RESERVE_BYTES = 64 * 1024 * 1024;
const RESERVE_SHARE = 1 / 8;

const NO_ROOM: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT"]);

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** Null where `data` has room for copies of its databases and for a daemon beside them. Otherwise the missing room. */
export function noRoomForBackup(data: string): Problem | null {
  if (!existsSync(join(data, STORE))) return null;
  const files = [STORE, ...sensesIn(data).map((name) => `${SENSES}/${name}.db`)];
  const copied = files.reduce((sum, path) => sum + sizeOf(join(data, path)), 0);
  const { blocks, bavail, bsize } = statfsSync(data);
  const reserve = Math.min(RESERVE_BYTES, Math.floor(blocks * bsize * RESERVE_SHARE));
  const free = bavail * bsize;
  if (free >= copied + reserve) return null;
  const needed = formatSize(copied + reserve);
  const parts = `${formatSize(copied)} for the backup before the swap, and ${formatSize(reserve)} that the daemon keeps free`;
  const message = `an upgrade needs ${needed} in ${data} (${parts}), and ${formatSize(free)} are free`;
  return problem("no-room", message, `have at least ${needed} free there`, data);
}

/** Copies `file` beside the executable. Returns null, or the missing room. Throws other errors of the file system. */
export function stage(home: Home, file: string): Problem | null {
  try {
    home.stage(file);
    return null;
  } catch (error) {
    if (!NO_ROOM.has((error as NodeJS.ErrnoException).code)) throw error;
    rmSync(home.staged, { force: true });
    return noRoomForCopy(file, home.folder);
  }
}

function noRoomForCopy(file: string, folder: string): Problem {
  const { bavail, bsize } = statfsSync(folder);
  const [needed, free] = [formatSize(sizeOf(file)), formatSize(bavail * bsize)];
  const message = `the copy of ${file} beside the executable needs ${needed} in ${folder}, and ${free} are free`;
  return problem("no-room", message, `have at least ${needed} free there`, folder);
}
