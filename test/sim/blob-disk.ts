/**
 * `data/blobs` of a simulated host, as workers put into it: real files, whose times are those of the machine. What a put
 * leaves when its process dies lies there too.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Json } from "../../src/base/json.ts";
import type { Machine } from "./machine.ts";

const DIGEST = /([0-9a-f]{2})\/([0-9a-f]{62})\.leaving$/;

export interface BlobWatcher {
  put(digest: string): void;
  /** The kernel has just removed it. */
  removed(digest: string): void;
}

export class BlobDisk {
  readonly #folder: string;
  readonly #machine: Machine;
  readonly #watcher: BlobWatcher;

  constructor(data: string, machine: Machine, watcher: BlobWatcher) {
    this.#folder = join(data, "blobs", "sha256");
    this.#machine = machine;
    this.#watcher = watcher;
  }

  /** The reference that goes into a payload. `dies`: whoever puts it dies before the file has its name. */
  put(text: string, dies: boolean): Json {
    const digest = createHash("sha256").update(text).digest("hex");
    const path = this.pathOf(digest);
    const isThere = existsSync(path);
    const written = dies ? `${path}.00000000d1e5.tmp` : path;
    if (!isThere || dies) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(written, text);
    }
    const at = this.#machine.wallMs / 1_000;
    utimesSync(written, at, at);
    if (!dies) this.#watcher.put(digest);
    return { $blob: digest, size: text.length, type: "text/plain" };
  }

  pathOf(digest: string): string {
    return join(this.#folder, digest.slice(0, 2), digest.slice(2));
  }

  /** The kernel has removed the file at `path`. */
  gone(path: string): void {
    const [, prefix, rest] = DIGEST.exec(path) ?? [];
    if (prefix === undefined || rest === undefined) return;
    const digest = prefix + rest;
    // A kernel died while it removed the file, and somebody has put it since: what goes is what lay aside.
    if (!existsSync(this.pathOf(digest))) this.#watcher.removed(digest);
  }
}
