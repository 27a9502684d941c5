/** The regular files of one folder, with what they are known by. */
import { type FileHandle, lstat, open, opendir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";

export interface Entry {
  readonly path: string;
  readonly name: string;
  /** `DEVICE:INODE`. */
  readonly identity: string;
  readonly bytes: number;
  /** Unix milliseconds of its last change. */
  readonly changed_at: number;
  /** Where the name is a link: the path of the file behind it. */
  readonly target: string | null;
}

const MOST_NAMES = 20_000;

/** Throws where the folder may not be read, or holds too much. A folder that is not there has no names. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of await opendir(folder)) {
      names.push(name);
      if (names.length > MOST_NAMES)
        throw new Error(`more than ${MOST_NAMES} names are in ${folder}: give logs a folder`);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw refusal(error, folder);
  }
  return names.sort();
}

/** Null where it is gone, or is no regular file. */
export async function entryAt(folder: string, name: string): Promise<Entry | null> {
  const path = join(folder, name);
  try {
    const named = await lstat(path, { bigint: true });
    const isLink = named.isSymbolicLink();
    const found = isLink ? await stat(path, { bigint: true }) : named;
    if (!found.isFile()) return null;
    const target = isLink ? await realpath(path) : null;
    const changed_at = Number(found.mtimeMs);
    return { path, name, identity: `${found.dev}:${found.ino}`, bytes: Number(found.size), changed_at, target };
  } catch (error) {
    if (["ENOENT", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw refusal(error, path);
  }
}

/** What `act` makes of the open file; null where another file has its name by now. Throws `Refused`. */
export async function withFile<T>({ path, identity }: Entry, act: (file: FileHandle) => Promise<T>): Promise<T | null> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw refusal(error, path);
  });
  if (file === null) return null;
  try {
    const { dev, ino } = await file.stat({ bigint: true });
    return `${dev}:${ino}` === identity ? await act(file) : null;
  } finally {
    await file.close();
  }
}

/** A file or a folder that nerve's user may not read. */
export class Refused extends Error {
  readonly path: string;

  constructor(path: string, code: string) {
    super(`${path} may not be read by nerve's user (${code}): add it to the group of the file, such as \`adm\``);
    this.path = path;
  }
}

/** What `act` resolves to, or what refused it. */
export const orRefused = <T>(act: Promise<T>): Promise<T | Refused> =>
  act.catch((error: unknown) => {
    if (error instanceof Refused) return error;
    throw error;
  });

function refusal(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code === "EACCES" || code === "EPERM" ? new Refused(path, code) : error;
}
