/** Rows of what processes stand on: ground, nouns, contracts, the store, how workers are started. */
import type { Layers } from "../arrows.ts";
import { NOUNS } from "./shared.ts";

export const GROUND: Layers = {
  // Ground: knows no word of nerve's.
  "src/base": [],
  "src/base/libc.ts": ["bun:ffi"],
  "src/base/shared-page.ts": ["bun:ffi"],
  "src/base/pipes.ts": ["bun:ffi"],
  "src/base/line-writer.ts": ["bun:ffi"],
  "src/sqlite": ["src/base", "bun:sqlite"],
  // Nouns and contracts.
  "src/model": ["src/base"],
  "src/config": ["src/base", "src/model", "src/rules", "senses/names.ts", "yaml"],
  "src/ipc": ["src/base"],
  "src/ipc/definitions.ts": ["type arktype"],
  "src/ipc/watchdog-definitions.ts": ["type arktype"],
  "src/ipc/workflow-definitions.ts": ["type arktype"],
  "src/ipc/web-definitions.ts": ["type arktype"],
  "src/ipc/push-definitions.ts": ["type arktype"],
  "src/ipc/fleet-definitions.ts": ["type arktype"],
  "src/ipc/otlp-definitions.ts": ["type arktype"],
  // The decisions of reflexes. Pure: no I/O, no clock.
  "src/rules": ["src/base", "src/model", "arktype"],
  // The needs of the senses and workflows of a configuration. Pure; loads none of their code.
  "src/needs": ["src/base", "src/model", "senses/names.ts", "src/workflows/names.ts"],
  "src/control": ["src/base", "src/model", "src/inbox"],
  // The files of `data/tokens`, and what is signed with a token.
  "src/tokens": ["src/base", "src/model"],
  // What the two processes that listen on TCP have in common.
  "src/http": ["src/base", "src/model"],
  // What a request to an inbox says. Pure.
  "src/inbox": ["src/base", "src/model"],
  // The sums and the signature of a release. The release script uses them as well.
  "src/release": ["src/base", "src/model"],
  // The modules of an author: `nerve`, `nerve/options`, `nerve/proc` …
  "src/sdk": ["src/base", "src/model", "type drizzle-orm"],
  "src/sdk/status.ts": ["type src/control/contract.ts"],
  "src/store": ["src/base", "src/model", "src/sqlite", "migrations", "type bun:sqlite"],
  // The tables as they should be, made in memory.
  "src/store/soundness.ts": ["bun:sqlite"],
  // How workers are started, and where modules lie. Both the kernel and the commands start workers.
  "src/spawn": ["src/base", "src/model", "src/config", "src/ipc", "senses/names.ts", "src/workflows/names.ts"],
  // Why a reflex fired or did not, and the story of a signal, a run or an incident: read from the store, for verbs and for the page.
  "src/replays": ["src/base", "src/model", "src/config", "src/rules", "src/store"],
  "src/stories": [...NOUNS, "src/store"],
  // Why something is so, and why something else is not: the one way to find causes.
  "src/causes": [
    ...NOUNS,
    "src/config/defaults.ts",
    "type src/control",
    "src/rules",
    "src/store",
    "src/replays",
    "src/stories",
  ],
};
