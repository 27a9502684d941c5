/**
 * Records which functions a start uses, into `functions.order`: run this after large changes to what a daemon runs.
 *
 *     bun scripts/bytecode/record.ts
 *
 * A daemon with senses, a workflow and an open web server runs for a few seconds, and the commands that people type most run
 * once. Each process writes what it used when it ends.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BYTECODE_ORDER, compile, explain, writeEmbedded } from "../build.ts";
import { ensureInstalled, giveUp } from "../toolchain.ts";
import { functionsOf, ORDER_FILE, ORDER_HEAD } from "./profile.ts";

const SENSES = ["cpu-usage", "memory", "load", "pressure", "disk-io", "network-io", "processes"];

const config = (port: number): string => `
http: 127.0.0.1:${port}
senses:
${SENSES.map((sense) => `  ${sense}: {}`).join("\n")}
workflows: { note: { use: exec, with: { command: [/bin/true] } } }
reflexes:
${SENSES.map((sense) => `  - { sense: ${sense}, interval: 1s }`).join("\n")}
  - { on: [load], workflow: note }
`;
/** As long as a daemon takes until nothing is new: senses run, a run ends, the upkeep looks around. */
const RUNS_MS = 8_000;

/** A worker gets its variables by an allow-list. In this executable the list has one name more. */
const PASSES_ON: Bun.BunPlugin = {
  name: "pass the name of the profile on to workers",
  setup(builder) {
    builder.onLoad({ filter: /src\/spawn\/environment\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      const contents = source.replace('"PATH",', `"PATH", "${ORDER_FILE}",`);
      if (contents === source) throw new Error(`${path} has no list that begins with PATH`);
      return { loader: "ts", contents };
    });
  },
};

/** A port of loopback that is free at this moment. */
function freePort(): number {
  using listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  return listener.port;
}

async function run(nerve: string, folder: string): Promise<void> {
  const file = join(folder, "nerve.yaml");
  writeFileSync(file, config(freePort()), { mode: 0o600 });
  const env = { PATH: "/usr/bin:/bin", [ORDER_FILE]: join(folder, "profiles", "%p") };
  const daemon = Bun.spawn([nerve, file], { cwd: folder, env, stdio: ["ignore", "ignore", "ignore"] });
  await Bun.sleep(RUNS_MS);
  for (const verb of ["version", "status", "signals", "logs"]) {
    const words = verb === "version" ? [verb] : [verb, "-c", file];
    await Bun.spawn([nerve, ...words], { cwd: folder, env, stdio: ["ignore", "ignore", "inherit"] }).exited;
  }
  daemon.kill("SIGTERM");
  const code = await daemon.exited;
  if (code !== 0) throw new Error(`the daemon ended with ${code}`);
}

/** The functions of all processes: those of the longest profile, which is the kernel's, come first. */
function merged(folder: string): string[] {
  const files = readdirSync(folder).map((name) => join(folder, name));
  const longestFirst = files.sort((a, b) => statSync(b).size - statSync(a).size);
  return [...new Set(longestFirst.flatMap((file) => functionsOf(readFileSync(file, "latin1"))))];
}

await ensureInstalled();
const folder = mkdtempSync(join(tmpdir(), "nerve-bytecode-"));
try {
  const nerve = join(folder, "bin", "nerve");
  for (const name of ["bin", "profiles"]) mkdirSync(join(folder, name));
  const embedded = await writeEmbedded();
  await compile({ outfile: nerve, embedded, commit: "unknown", foreign: null, plugins: [PASSES_ON] });
  await run(nerve, folder);
  const functions = merged(join(folder, "profiles"));
  writeFileSync(BYTECODE_ORDER, `${[ORDER_HEAD, ...functions].join("\n")}\n`);
  console.log(`${functions.length} functions in ${BYTECODE_ORDER}`);
} catch (error) {
  giveUp(explain(error));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
