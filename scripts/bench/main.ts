/**
 * How fast nerve is, as multiples of the least code that does its job (`floor/`), both in turn in one run.
 *
 *     bun run bench [signals react kinds compute workflows reflexes idle start archive push keys followers fleet rows] [peers] [--quick] [--json]
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { giveUp } from "../toolchain.ts";
import { type Figure, jsonFigure, printFigures } from "./figures.ts";
import { preparePrograms } from "./programs.ts";
import type { Setting } from "./setting.ts";
import { archive } from "./suites/archive.ts";
import { compute } from "./suites/compute.ts";
import { fleet } from "./suites/fleet.ts";
import { followed } from "./suites/followers.ts";
import { idle } from "./suites/idle.ts";
import { keys } from "./suites/keys.ts";
import { kinds } from "./suites/kinds.ts";
import { peers } from "./suites/peers.ts";
import { push } from "./suites/push.ts";
import { react } from "./suites/react.ts";
import { reflexes } from "./suites/reflexes.ts";
import { rows } from "./suites/rows.ts";
import { signals } from "./suites/signals.ts";
import { start } from "./suites/start.ts";
import { workflows } from "./suites/workflows.ts";

const SUITES: Readonly<Record<string, (setting: Setting) => Promise<Figure[]>>> = {
  signals,
  react,
  kinds,
  compute,
  workflows,
  reflexes,
  idle,
  start,
  archive,
  push,
  keys,
  followers: followed,
  fleet,
  rows,
  peers,
};

/** They need what a run without a name does not: packages from outside. */
const BY_NAME: ReadonlySet<string> = new Set(["peers"]);

const words = process.argv.slice(2);
const flags = new Set(words.filter((word) => word.startsWith("--")));
const chosen = words.filter((word) => !word.startsWith("--"));
const unknown = [
  ...chosen.filter((name) => !(name in SUITES)),
  ...[...flags].filter((flag) => !["--quick", "--json"].includes(flag)),
];
if (unknown.length > 0)
  giveUp(`no suite or flag ${unknown.join(", ")}; there are ${Object.keys(SUITES).join(", ")}, --quick, --json`);

const quick = flags.has("--quick");
const json = flags.has("--json");
const folder = realpathSync(mkdtempSync(join(tmpdir(), "nerve-bench-programs-")));
try {
  const setting: Setting = {
    programs: await preparePrograms(folder),
    // The JIT of nerve's executable is reluctant until a process is busy (src/base/jit.ts): it takes seconds to settle.
    spans: quick ? { warmMs: 2_000, windowMs: 1_000 } : { warmMs: 5_000, windowMs: 2_500 },
    rounds: quick ? 1 : 3,
    shortRounds: quick ? 5 : 15,
    idleSeconds: quick ? 6 : 20,
    manyRuns: quick ? 200_000 : 1_000_000,
    manyKeys: quick ? 120_000 : 300_000,
  };
  for (const [name, suite] of Object.entries(SUITES)) {
    if (chosen.length > 0 ? !chosen.includes(name) : BY_NAME.has(name)) continue;
    const figures = await suite(setting);
    if (json) for (const figure of figures) console.log(jsonFigure(figure));
    else printFigures(figures);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
