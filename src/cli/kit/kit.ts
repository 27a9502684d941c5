/**
 * The author's kit: declarations, schema and settings for an editor, and for `check`. Embedded as one compressed file; from
 * source a script of the checkout makes it.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KIT, VERSION } from "../../version.ts";

const FILE = "author-kit.bin";

/** Path in `.nerve/` → text. */
export type KitFiles = Readonly<Record<string, string>>;

/** What the kit of this build is called in `.nerve/version`. */
export const KIT_NAME = `nerve ${VERSION}, kit ${KIT}`;

export async function readKit(): Promise<KitFiles> {
  const packed = Bun.isStandaloneExecutable ? await embedded() : fromSource();
  return JSON.parse(Bun.zstdDecompressSync(packed).toString()) as KitFiles;
}

async function embedded(): Promise<Uint8Array> {
  const file = Bun.embeddedFiles.find((one) => (one as File).name === FILE);
  if (file === undefined) throw new Error(`this executable was built without ${FILE}`);
  return await file.bytes();
}

function fromSource(): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "nerve-kit-"));
  try {
    const script = Bun.fileURLToPath(new URL("../../../scripts/kit/kit.ts", import.meta.url));
    const made = Bun.spawnSync([process.execPath, script, join(folder, FILE)], { stderr: "pipe" });
    if (made.exitCode !== 0) throw new Error(`${script} fails: ${made.stderr.toString()}`);
    return readFileSync(join(folder, FILE));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
