/** Owns what this machine lacks for what comes in: systemd, its journal, docker, watched folders, logs, inotify. */
import { lstatSync, readdirSync, type Stats, statfsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { matches } from "../../base/glob.ts";
import { blindSpotOf, type InotifyCount, inotifyInUse, inotifyLimits } from "../../base/inotify-limits.ts";
import { isWatching } from "../../model/config.ts";
import type { Problem } from "../../model/problem.ts";
import { type Ask, LISTED } from "../../needs/asks.ts";
import { shellWord } from "../screen/shell-word.ts";
import { exists, findProgram } from "./absent.ts";
import { type Account, barrier, groupName } from "./account.ts";
import type { AskedConfig } from "./asked.ts";
import { lack } from "./lack.ts";

/** What a look at the host finds. */
export interface SourceFacts {
  readonly isSystemdRunning: boolean;
  readonly hasJournalctl: boolean;
  readonly hasJournal: boolean;
  readonly hasDocker: boolean;
  readonly inotifyLimits: InotifyCount;
  readonly inotifyInUse: (uid: number) => InotifyCount;
  /** What inotify does not see in a folder; null: it sees all. */
  readonly blindSpot: (folder: string) => string | null;
}

const JOURNALS = ["/run/log/journal", "/var/log/journal"];
const DOCKER_SOCKETS = ["/run/docker.sock", "/var/run/docker.sock"];

export const factsOfHost = (): SourceFacts => ({
  isSystemdRunning: exists("/run/systemd/system"),
  hasJournalctl: findProgram("journalctl") !== null,
  hasJournal: JOURNALS.some(holdsJournal),
  hasDocker: DOCKER_SOCKETS.some(exists),
  inotifyLimits: inotifyLimits(),
  inotifyInUse: (uid) => inotifyInUse(uid, process.execPath),
  blindSpot,
});

/** Each machine writes into a folder of its own. What this process may not look at counts as holding a journal. */
function holdsJournal(folder: string): boolean {
  try {
    return readdirSync(folder).some((machine) =>
      namesIn(join(folder, machine)).some((name) => name.endsWith(".journal")),
    );
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES";
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES" ? ["unknown.journal"] : [];
  }
}

function blindSpot(folder: string): string | null {
  try {
    return blindSpotOf(statfsSync(folder).type);
  } catch {
    return null;
  }
}

const START_OR_TAKE_OUT = "install and start it, or take this out of the config";

const noJournal = (who: string): Problem =>
  lack(who, `this machine has no journal: there is no *.journal in ${JOURNALS.join(" or ")}`, START_OR_TAKE_OUT);

/** The lack of the service of a well-known group: the group may exist where its service does not. */
export function serviceLack(who: string, group: string, facts: SourceFacts): Problem | null {
  if (group === "systemd-journal") return facts.hasJournal || !facts.hasJournalctl ? null : noJournal(who);
  if (group !== "docker" || facts.hasDocker) return null;
  return lack(who, `this machine has no docker: ${DOCKER_SOCKETS[0]} does not exist`, START_OR_TAKE_OUT);
}

/** The lack of systemd, for what asks it by `program`. */
export function systemdLack(who: string, program: string, { isSystemdRunning }: SourceFacts): Problem | null {
  if (basename(program) !== "systemctl" || isSystemdRunning || findProgram(program) === null) return null;
  const hint = "run nerve on a host that systemd has started, or take this out of the config";
  return lack(who, "systemd does not run on this machine", hint);
}

/** The folders that the kernel is to watch, each with who names it. */
function watchedFolders({ asks, config }: AskedConfig): readonly { readonly who: string; readonly path: string }[] {
  const woken = new Set(
    config.reflexes.flatMap((reflex) =>
      reflex.kind === "sense" && isWatching(reflex, "module") ? [`sense:${reflex.sense}`] : [],
    ),
  );
  return asks.flatMap(({ who, need, because }) =>
    need.kind === "path" && LISTED.has(because) && (who.startsWith("reflex:") || woken.has(who))
      ? [{ who, path: need.path }]
      : [],
  );
}

/** A sentence for each folder in which changes may happen that nobody sees. */
export const blindSpots = (asked: AskedConfig, facts: SourceFacts): string[] =>
  watchedFolders(asked).flatMap(({ who, path }) => {
    const spot = facts.blindSpot(path);
    return spot === null ? [] : [`${who}: ${path} ${spot}, so give the reflex an \`interval\` that is short enough`];
  });

/** `isFree`: modes do not matter to nerve. */
export function sourceLacks(asked: AskedConfig, account: Account, isFree: boolean, facts: SourceFacts): Problem[] {
  const journals = asked.config.reflexes.flatMap((reflex) =>
    isWatching(reflex, "journal") && !facts.hasJournal ? [noJournal(`reflex:${reflex.name}`)] : [],
  );
  return [...journals, ...logLacks(asked, account, isFree), ...inotifyLacks(asked, account, facts)];
}

/** The logs that `tail` is to follow, and cannot. A log that does not exist yet is none. */
function logLacks({ config, asks }: AskedConfig, account: Account, isFree: boolean): Problem[] {
  return [...config.senses.values()].flatMap(({ name, use, with: options }) => {
    const written = options?.path;
    const who = `sense:${name}`;
    const isBuiltIn = asks.some((ask: Ask) => ask.who === who && LISTED.has(ask.because));
    if (use !== "tail" || !isBuiltIn || typeof written !== "string") return [];
    const path = resolve(dirname(config.file), written);
    const folder = isFolder(path)
      ? [lack(who, `${path} is a folder, and tail follows files`, `name a file, or ${join(path, "*.log")}`)]
      : [];
    if (isFree || folder.length > 0) return folder;
    const shut = logsOf(path).find((file) => barrier(account, file, 4) === file);
    return shut === undefined
      ? []
      : [lack(who, `the user ${account.name} may not read ${shut}`, toRead(shut, account))];
  });
}

/** A group outlives a rotation; an entry for the user alone may not. */
function toRead(file: string, { name }: Account): string {
  const { gid, mode } = lstatSync(file);
  const group = (mode & 0o040) === 0 ? null : groupName(gid);
  if (group === null) return `setfacl -m u:${name}:r ${shellWord(file)}`;
  return `give the sense \`needs: { groups: [${group}] }\` and print the unit anew, or usermod -aG ${group} ${name}`;
}

function logsOf(path: string): readonly string[] {
  const folder = dirname(path);
  if (!path.includes("*")) return isFile(path) ? [path] : [];
  try {
    const names = readdirSync(folder).filter((name) => matches(basename(path), name));
    return names.map((name) => join(folder, name)).filter(isFile);
  } catch {
    return [];
  }
}

const statsOf = (path: string): Stats | null => {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
};

const isFile = (path: string): boolean => statsOf(path)?.isFile() === true;
const isFolder = (path: string): boolean => statsOf(path)?.isDirectory() === true;

/** The kernel has one instance of inotify, and a watch for each folder. */
function inotifyLacks(asked: AskedConfig, { uid, name }: Account, facts: SourceFacts): Problem[] {
  const folders = new Set(watchedFolders(asked).map(({ path }) => path));
  const isJournalWatched = asked.config.reflexes.some((reflex) => isWatching(reflex, "journal"));
  const watches = folders.size + (isJournalWatched ? JOURNALS.length : 0);
  if (watches === 0) return [];
  const used = facts.inotifyInUse(uid);
  const lackOf = (what: keyof InotifyCount, wanted: number): Problem[] => {
    const most = facts.inotifyLimits[what];
    if (used[what] + wanted <= most) return [];
    const key = `fs.inotify.max_user_${what}`;
    const message = `the user ${name} has ${used[what]} of ${most} inotify ${what}, and this config wants ${wanted} more: changes are found by intervals only`;
    return [
      lack("nerve itself", message, `sysctl -w ${key}=${Math.max(1024, 2 * most)}, and the same in /etc/sysctl.d`),
    ];
  };
  return [...lackOf("instances", 1), ...lackOf("watches", watches)];
}
