/** The real file systems among the mounts of /proc/self/mountinfo (proc_pid_mountinfo(5)): each once, however often it is mounted. */
import { hostRoot, readProc } from "nerve/proc";

export interface Mount {
  readonly path: string;
  readonly device: string;
  readonly type: string;
  /** True where the file system itself, or this mount of it, cannot be written. */
  readonly read_only: boolean;
}

/** Images that are full from the day on that they were made. */
const IMAGES = new Set(["squashfs", "iso9660", "udf", "erofs", "cramfs", "romfs"]);
/** The kernel calls these `nodev`, because they hold several devices. */
const POOLS = new Set(["zfs"]);

/** Of the host, where that is mounted elsewhere. */
export function readMounts(): readonly Mount[] {
  const file = hostRoot() === "" ? "/proc/self/mountinfo" : "/proc/1/mountinfo";
  return realMounts(readProc(file), readProc("/proc/filesystems"));
}

interface Line extends Mount {
  readonly number: string;
  /** What of the file system is mounted here; `/` for all of it. */
  readonly root: string;
}

export function realMounts(mountinfo: string, filesystems: string): readonly Mount[] {
  const onDevices = new Set(
    filesystems
      .split("\n")
      .filter((line) => !line.startsWith("nodev"))
      .map((line) => line.trim()),
  );
  const isReal = ({ type }: Mount): boolean => (onDevices.has(type) || POOLS.has(type)) && !IMAGES.has(type);
  // What is mounted last at a path hides what was mounted there before.
  const visible = new Map(
    mountinfo
      .split("\n")
      .flatMap((line) => parse(line))
      .map((mount) => [mount.path, mount]),
  );
  const best = new Map<string, Line>();
  for (const mount of [...visible.values()].filter(isReal)) {
    const other = best.get(mount.number);
    if (other === undefined || isBetter(mount, other)) best.set(mount.number, mount);
  }
  return [...best.values()]
    .map(({ path, device, type, read_only }) => ({ path, device, type, read_only }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The whole file system is shown rather than a folder of it, and a short path rather than a long one. */
const isBetter = (mount: Line, other: Line): boolean =>
  (mount.root === "/") === (other.root === "/") ? mount.path.length < other.path.length : mount.root === "/";

/** `27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw`: none for a line of another kind. */
function parse(line: string): Line[] {
  const [before = "", after = ""] = line.split(" - ");
  const [, , number, root, path, flags] = before.split(" ");
  const [type, device = "", superFlags = ""] = after.split(" ");
  if (number === undefined || root === undefined || path === undefined || flags === undefined || !type) return [];
  const isReadOnly = [flags, superFlags].some((list) => list.split(",").includes("ro"));
  return [{ number, root, path: plain(path), device: plain(device), type, read_only: isReadOnly }];
}

/** A space, tab, line end and backslash stand there as three octal digits; the bytes are UTF-8. */
const plain = (text: string): string =>
  Buffer.from(
    text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
    "latin1",
  ).toString();
