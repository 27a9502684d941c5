/** The parts of this executable, in words. */
import { COMMIT, VERSION } from "../version.ts";

export const ABOUT = {
  version: VERSION,
  bun: Bun.version,
  sqlite: process.versions.sqlite ?? "unknown",
  commit: COMMIT,
} as const;

export const aboutText = (): string =>
  `nerve ${ABOUT.version} (commit ${ABOUT.commit})\nBun ${ABOUT.bun}\nSQLite ${ABOUT.sqlite}\n`;

/** For `nerve --version` without further words, which needs nothing of the command line. False where stdout does not take the text. */
export async function showAbout(): Promise<boolean> {
  try {
    await Bun.write(Bun.stdout, aboutText());
    return true;
  } catch {
    // The command says why.
    return false;
  }
}
