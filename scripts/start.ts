/** From a fresh clone to a running nerve: installs and builds what is missing or stale, then becomes `./nerve nerve.yaml`. */
import { BINARY, build, explain, isStale } from "./build.ts";
import { ensureInstalled, giveUp, ROOT } from "./toolchain.ts";

await ensureInstalled();
if (isStale(BINARY)) await build(BINARY).catch((error: unknown) => giveUp(explain(error)));

// Replacing this process leaves nobody in between: signals, terminal and exit code are nerve's own.
process.chdir(ROOT);
process.execve?.(BINARY, [BINARY, "nerve.yaml", "--show-signals", ...process.argv.slice(2)], process.env);
giveUp("this system cannot replace a process by another: run ./nerve nerve.yaml");
