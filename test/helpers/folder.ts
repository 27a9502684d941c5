/** A temporary folder that is gone when the test is over. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Folder extends Disposable {
  readonly path: string;
  /** A path inside it. */
  file(...parts: string[]): string;
}

export function temporaryFolder(): Folder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "nerve-test-")));
  return {
    path,
    file: (...parts) => join(path, ...parts),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
