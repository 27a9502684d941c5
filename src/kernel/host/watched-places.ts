/**
 * Owns where a watched path has to be looked at: the folder of a file, the folders of the links on the way to it, and the
 * nearest folder that is there where the path is not. Nothing here waits in the kernel: a file system that does not answer
 * holds up nobody else.
 */
import { lstat, readlink, realpath, stat, statfs } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { blindSpotOf } from "../../base/inotify-limits.ts";
import type { WatchedPath } from "../world.ts";

/** One folder, and the name in it that matters: null, whatever the pattern of the path lets through. */
export interface Place {
  readonly folder: string;
  readonly name: string | null;
}

export interface Places {
  readonly places: readonly Place[];
  /** What cannot be seen there, in words. */
  readonly limits: readonly string[];
}

const MOST_LINKS = 10;

/** `data`: the data directory. What lies in it is never watched. */
export async function placesOf({ path, match }: WatchedPath, data: string): Promise<Places> {
  const found = match === null ? await placesOfFile(path) : await placesOfFolder(path);
  const limits: string[] = [];
  const places: Place[] = [];
  for (const place of found) {
    if (await liesIn(place.folder, data)) limits.push(`${place.folder} is in nerve's own data, and is not watched`);
    else places.push(place);
  }
  for (const folder of new Set(places.map((place) => place.folder))) {
    const blind = await blindness(folder);
    if (blind !== null) limits.push(`${folder} ${blind}`);
  }
  return { places, limits };
}

async function placesOfFile(path: string): Promise<Place[]> {
  const places: Place[] = [];
  let at = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    const folder = dirname(at);
    if (!(await isFolder(folder))) return [...places, await nearest(folder)];
    places.push({ folder, name: basename(at) });
    const target = await targetOf(at);
    if (target === null) return places;
    at = resolve(folder, target);
  }
  return places;
}

async function placesOfFolder(path: string): Promise<Place[]> {
  const parents = await placesOfFile(path);
  return (await isFolder(path)) ? [...parents, { folder: path, name: null }] : parents;
}

/** The nearest folder above `folder` that is there, and what is missing in it. */
async function nearest(folder: string): Promise<Place> {
  let at = folder;
  while (at !== "/" && !(await isFolder(dirname(at)))) at = dirname(at);
  return { folder: dirname(at), name: basename(at) };
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );

async function targetOf(path: string): Promise<string | null> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : null;
  } catch {
    return null;
  }
}

async function liesIn(folder: string, data: string): Promise<boolean> {
  const [real, own] = await Promise.all([folder, data].map((path) => realpath(path).catch(() => path)));
  return `${real}/`.startsWith(join(own ?? data, "/"));
}

const blindness = (folder: string): Promise<string | null> =>
  statfs(folder).then(
    ({ type }) => blindSpotOf(type),
    () => null,
  );

/** What a folder is known by, so that another one at the same path is noticed. */
export const identityOf = (folder: string): Promise<string | null> =>
  stat(folder).then(
    ({ dev, ino }) => `${dev}:${ino}`,
    () => null,
  );
