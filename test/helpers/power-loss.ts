/**
 * A power loss, made from a record: strace writes down every change that a run of nerve makes to its files, and an image
 * is what a disk may hold when the power goes at one of those changes. What was synced is in the image. Of the later
 * writes a random part is in the image, in any combination; of the later changes of names a prefix, as a journalling file
 * system keeps their order.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const CALLS = "openat,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat";

/** argv to put before a command: its changes, and those of its children, are written to `record`. The command keeps its pid. */
export const recordedTo = (record: string): string[] => [
  ...["strace", "-D", "-f", "-y", "-xx", "-ttt", "-q", "-s", "1000000", "-e", `trace=${CALLS}`],
  ...["-e", "signal=none", "-o", record],
];

/** Files that hold nothing to lose: made anew at a start, or shared memory. */
const IS_LEFT_OUT = /(?:-shm|\/ballast|\/nerve\.pid|\/nerve\.sock|\.lock|\/locks\/.*)$/;

type Write = { readonly offset: number; readonly bytes: Buffer } | { readonly truncateTo: number };
type Naming =
  | { readonly kind: "create"; readonly path: string; readonly inode: number }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "remove"; readonly path: string };

/** One change, in the order of completion. */
type Change = { readonly atMs: number } & (
  | { readonly kind: "write"; readonly inode: number; readonly write: Write }
  | { readonly kind: "name"; readonly naming: Naming }
  | { readonly kind: "sync"; readonly inode: number | null; readonly path: string }
);

export interface Recording {
  readonly changes: readonly Change[];
  /** Indexes of the syncs: just before one, the most is at stake. */
  readonly syncs: readonly number[];
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll("\\x", ""), "hex");
const LINE = /^(\d+) +(\d+\.\d+) (?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)$/;
const RETURNED = /\) += (-?\d+)(?:<([^>]*)>)?/;
const FD = /^(\d+)<([^>]*)>/;
const TEXTS = /"([^"]*)"/g;

/** What `record` tells of the files under `data`; `before` is a copy of that folder from before the record began, or null. */
export function readRecording(record: string, data: string, before: string | null): Recording {
  const changes: Change[] = [];
  const syncs: number[] = [];
  const inodes = new Map<string, number>();
  const ends = new Map<number, number>();
  const unfinished = new Map<string, string>();
  let lastInode = 0;
  const isOurs = (path: string): boolean => path.startsWith(`${data}/`) && !IS_LEFT_OUT.test(path);
  for (const name of before === null ? [] : readdirSync(before, { recursive: true })) {
    const path = join(data, String(name));
    const file = join(before ?? "", String(name));
    if (!isOurs(path) || !statSync(file).isFile()) continue;
    const inode = ++lastInode;
    inodes.set(path, inode);
    const bytes = readFileSync(file);
    changes.push({ kind: "name", atMs: 0, naming: { kind: "create", path, inode } });
    changes.push({ kind: "write", atMs: 0, inode, write: { offset: 0, bytes } });
    changes.push({ kind: "sync", atMs: 0, inode, path });
  }

  const opened = (atMs: number, path: string, flags: string): void => {
    const known = inodes.get(path);
    if (known === undefined) {
      if (!flags.includes("O_CREAT")) return;
      const inode = ++lastInode;
      inodes.set(path, inode);
      ends.set(inode, 0);
      changes.push({ kind: "name", atMs, naming: { kind: "create", path, inode } });
      return;
    }
    if (flags.includes("O_TRUNC")) {
      changes.push({ kind: "write", atMs, inode: known, write: { truncateTo: 0 } });
      ends.set(known, 0);
    }
  };

  const wrote = (atMs: number, path: string, bytes: Buffer, given: number | null): void => {
    const inode = inodes.get(path);
    if (inode === undefined) return;
    const offset = given ?? ends.get(inode) ?? 0;
    if (given === null) ends.set(inode, offset + bytes.length);
    changes.push({ kind: "write", atMs, inode, write: { offset, bytes } });
  };

  const take = (atMs: number, call: string, rest: string): void => {
    const returned = RETURNED.exec(rest.slice(-400)) ?? RETURNED.exec(rest);
    if (returned === null || Number(returned[1]) < 0) return;
    if (call === "openat") {
      const path = hex(returned[2] ?? "").toString();
      if (isOurs(path)) opened(atMs, path, rest);
      return;
    }
    if (call.startsWith("rename") || call.startsWith("unlink")) {
      const [from = "", to = ""] = [...rest.matchAll(TEXTS)].map(([, text = ""]) => hex(text).toString());
      const inode = inodes.get(from);
      if (!isOurs(from) || inode === undefined) return;
      inodes.delete(from);
      if (call.startsWith("unlink")) {
        changes.push({ kind: "name", atMs, naming: { kind: "remove", path: from } });
        return;
      }
      inodes.set(to, inode);
      changes.push({ kind: "name", atMs, naming: { kind: "rename", from, to } });
      return;
    }
    const path = hex(FD.exec(rest)?.[2] ?? "").toString();
    if (call === "fsync" || call === "fdatasync") {
      if (path !== data && !isOurs(path)) return;
      syncs.push(changes.length);
      changes.push({ kind: "sync", atMs, inode: inodes.get(path) ?? null, path });
      return;
    }
    if (!isOurs(path)) return;
    if (call === "ftruncate") {
      const inode = inodes.get(path);
      const truncateTo = Number(/, (\d+)\)/.exec(rest)?.[1]);
      if (inode !== undefined) changes.push({ kind: "write", atMs, inode, write: { truncateTo } });
      return;
    }
    const bytes = hex(/"([^"]*)"/.exec(rest)?.[1] ?? "").subarray(0, Number(returned[1]));
    const offset = call === "pwrite64" ? Number(/, (\d+)\) += /.exec(rest)?.[1]) : null;
    wrote(atMs, path, bytes, offset);
  };

  for (const line of readFileSync(record, "latin1").split("\n")) {
    const parts = LINE.exec(line);
    if (parts === null) continue;
    const [, pid = "", seconds = "", resumed, begun, rest = ""] = parts;
    const atMs = Number(seconds) * 1_000;
    if (begun !== undefined && rest.endsWith("<unfinished ...>")) {
      unfinished.set(pid, rest.slice(0, -"<unfinished ...>".length).trimEnd());
      continue;
    }
    if (begun !== undefined) take(atMs, begun, rest);
    else if (resumed !== undefined) take(atMs, resumed, (unfinished.get(pid) ?? "") + rest);
  }
  return { changes, syncs };
}

/** Bytes of one inode: what is durable, and the writes since. */
interface Content {
  bytes: Buffer;
  pending: Write[];
}

function apply(content: Content, write: Write): void {
  if ("truncateTo" in write) {
    const longer = Buffer.alloc(Math.max(0, write.truncateTo - content.bytes.length));
    content.bytes = Buffer.concat([content.bytes.subarray(0, write.truncateTo), longer]);
    return;
  }
  const end = write.offset + write.bytes.length;
  if (end > content.bytes.length) {
    content.bytes = Buffer.concat([content.bytes, Buffer.alloc(end - content.bytes.length)]);
  }
  write.bytes.copy(content.bytes, write.offset);
}

/** Puts into `folder` what a disk may hold of `data` when the power goes before change `cut`. */
export function makeImage(
  { changes }: Recording,
  cut: number,
  random: () => number,
  data: string,
  folder: string,
): void {
  const contents = new Map<number, Content>();
  const namings: Naming[] = [];
  let durableNames = 0;
  const contentOf = (inode: number): Content => {
    const known = contents.get(inode) ?? { bytes: Buffer.alloc(0), pending: [] };
    contents.set(inode, known);
    return known;
  };
  for (const change of changes.slice(0, cut)) {
    if (change.kind === "name") namings.push(change.naming);
    else if (change.kind === "write") contentOf(change.inode).pending.push(change.write);
    else {
      // A synced file or folder takes the journal of names along.
      durableNames = namings.length;
      if (change.inode === null) continue;
      const content = contentOf(change.inode);
      for (const write of content.pending) apply(content, write);
      content.pending = [];
    }
  }
  const share = [0, 0.5, 0.9, 1][Math.floor(random() * 4)] ?? 0;
  for (const content of contents.values()) {
    for (const write of content.pending) if (random() < share) apply(content, write);
  }
  const kept = durableNames + Math.floor(random() * (namings.length - durableNames + 1));
  const names = new Map<string, number>();
  for (const naming of namings.slice(0, kept)) {
    if (naming.kind === "create") names.set(naming.path, naming.inode);
    else if (naming.kind === "remove") names.delete(naming.path);
    else {
      const inode = names.get(naming.from);
      names.delete(naming.from);
      if (inode !== undefined) names.set(naming.to, inode);
    }
  }
  for (const [path, inode] of names) {
    const file = join(folder, path.slice(data.length + 1));
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, contents.get(inode)?.bytes ?? Buffer.alloc(0), { mode: 0o600 });
  }
}
