/** What is in a `.tar.zst`: the executable, its licences, completions and manual, in a folder of its own. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SCRIPTS } from "../../src/cli/completion/scripts.ts";
import { ROOT } from "../toolchain.ts";
import { manPage } from "./man.ts";
import type { Source } from "./source.ts";
import { type Entry, tar } from "./tar.ts";

export function tarball(folder: string, executable: Uint8Array, { version, timeS }: Source): Uint8Array {
  const inFolder = (path: string): Entry => ({ kind: "folder", path: `${folder}/${path}`, mode: 0o755 });
  const file = (path: string, content: string, mode = 0o644): Entry => ({
    kind: "file",
    path: `${folder}/${path}`,
    mode,
    content: Buffer.from(content),
  });
  return tar(
    [
      inFolder(""),
      file("LICENSE", readFileSync(join(ROOT, "LICENSE"), "utf8")),
      inFolder("completions"),
      file("completions/_nerve", SCRIPTS.zsh),
      file("completions/nerve.bash", SCRIPTS.bash),
      file("completions/nerve.fish", SCRIPTS.fish),
      { kind: "file", path: `${folder}/nerve`, mode: 0o755, content: executable },
      file("nerve.1", manPage(version, timeS)),
    ],
    timeS,
  );
}
