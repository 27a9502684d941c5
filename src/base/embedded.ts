/**
 * Owns the data that the build puts into the executable for people, editors and browsers: compressed JSON, read by name. When nerve
 * runs from source, a script of the checkout makes the same file.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** `script` is a path below `scripts/`. */
export async function readEmbedded(name: string, script: string): Promise<unknown> {
  const packed = Bun.isStandaloneExecutable ? await embedded(name) : fromSource(name, script);
  return JSON.parse(Bun.zstdDecompressSync(packed).toString());
}

async function embedded(name: string): Promise<Uint8Array> {
  const file = Bun.embeddedFiles.find((one) => (one as File).name === name);
  if (file === undefined) throw new Error(`this executable was built without ${name}`);
  return await file.bytes();
}

function fromSource(name: string, script: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "nerve-embedded-"));
  try {
    const path = Bun.fileURLToPath(new URL(`../../scripts/${script}`, import.meta.url));
    const made = Bun.spawnSync([process.execPath, path, join(folder, name)], { stderr: "pipe" });
    if (made.exitCode !== 0) throw new Error(`${path} fails: ${made.stderr.toString()}`);
    return readFileSync(join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
