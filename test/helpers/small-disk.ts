/** A small disk of its own, and how to fill it. */
import { closeSync, mkdtempSync, openSync, realpathSync, rmdirSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SmallDisk {
  readonly path: string;
  resize(megabytes: number): void;
  unmount(): void;
}

/** Mounted at a new folder, or why there can be none. */
export function smallDisk(megabytes: number): SmallDisk | string {
  if (process.getuid?.() !== 0) return "only root may mount one";
  const path = realpathSync(mkdtempSync(join(tmpdir(), "nerve-disk-")));
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${megabytes}m,mode=700`, "tmpfs", path]);
  if (mounted.exitCode !== 0) {
    rmdirSync(path);
    return `mount says ${mounted.stderr.toString().trim()}`;
  }
  return {
    path,
    resize(to) {
      const remounted = Bun.spawnSync(["mount", "-o", `remount,size=${to}m`, path]);
      if (remounted.exitCode !== 0) throw new Error(`mount says ${remounted.stderr.toString().trim()}`);
    },
    unmount() {
      Bun.spawnSync(["umount", "-l", path]);
      rmdirSync(path);
    },
  };
}

/** Why tests that need one cannot run here, or null. */
export function whyNoSmallDisk(): string | null {
  const probe = smallDisk(1);
  if (typeof probe === "string") return probe;
  probe.unmount();
  return null;
}

/** Fills what is left, to the last block; returns the file that does. */
export function fill(folder: string): string {
  const file = join(folder, "filler");
  const block = Buffer.alloc(4096, 1);
  const fd = openSync(file, "w");
  try {
    for (;;) writeSync(fd, block);
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOSPC") throw error;
  } finally {
    closeSync(fd);
  }
  return file;
}
