/** What a release is made of: a commit, its time, and who made it. Everything that a build could read from its surroundings. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { giveUp, ROOT } from "../toolchain.ts";

export interface Source {
  readonly version: string;
  readonly commit: string;
  /** Of the commit, in seconds; `SOURCE_DATE_EPOCH` where that is set. */
  readonly timeS: number;
  /** `Name <address>`: the committer, whom the Debian package names. */
  readonly maintainer: string;
}

function git(...args: readonly string[]): string {
  const child = Bun.spawnSync(["git", ...args], { cwd: ROOT, stderr: "pipe" });
  if (child.exitCode !== 0) giveUp(`a release is made from a commit: ${child.stderr.toString().trim()}`);
  return child.stdout.toString().trim();
}

/** `mayBeChanged`: a try, of files that no commit has. */
export function sourceOf(mayBeChanged: boolean): Source {
  const changed = git("status", "--porcelain");
  if (changed !== "" && !mayBeChanged) {
    giveUp(
      `a release is made from a commit, and these files differ from it (--try makes one all the same):\n${changed}`,
    );
  }
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  const [commit = "", committed = "", maintainer = ""] = git("log", "-1", "--format=%H%n%ct%n%cn <%ce>").split("\n");
  return { version, commit, timeS: Number(process.env.SOURCE_DATE_EPOCH ?? committed), maintainer };
}
