/** A folder of its own for a test, gone afterwards. Lies under the temporary folder, which is sticky and so a fine parent. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface TestFolder extends Disposable {
  readonly path: string;
  /** Writes a file, and the folders above it; its path. */
  readonly write: (name: string, content: string | Uint8Array) => string;
  readonly makeFolder: (name: string) => string;
}

export function testFolder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), "nerve-config-"));
  const makeFolder = (name: string): string => {
    mkdirSync(join(path, name), { recursive: true, mode: 0o755 });
    return join(path, name);
  };
  return {
    path,
    makeFolder,
    write: (name, content) => {
      makeFolder(dirname(name));
      writeFileSync(join(path, name), content, { mode: 0o644 });
      return join(path, name);
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
