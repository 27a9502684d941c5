/**
 * What a user's `import` finds inside the executable: one exact entry a specifier, each loaded at its first import, so
 * that a worker pays for ArkType or Drizzle only when a module asks for it. Wins over a `node_modules` of the same name.
 */
import { plugin } from "bun";
import { BUILT_IN_SENSES } from "../../senses/index.ts";

type Namespace = Record<string, unknown>;
type Table = Readonly<Record<string, () => Namespace>>;

/** nerve's own. Each `require` is written out, so that the bundler embeds what it names. */
const OWN: Table = {
  nerve: () => require("../sdk/index.ts"),
  "nerve/certificates": () => require("../sdk/certificates.ts"),
  "nerve/checks": () => require("../sdk/checks.ts"),
  "nerve/exec": () => require("../sdk/exec.ts"),
  "nerve/fullness": () => require("../sdk/fullness.ts"),
  "nerve/glob": () => require("../sdk/glob.ts"),
  "nerve/options": () => require("../sdk/options.ts"),
  "nerve/pattern": () => require("../sdk/pattern.ts"),
  "nerve/payload": () => require("../sdk/payload.ts"),
  "nerve/proc": () => require("../sdk/proc.ts"),
  "nerve/retry": () => require("../sdk/retry.ts"),
  "nerve/sources": () => require("../sdk/sources.ts"),
  "nerve/status": () => require("../sdk/status.ts"),
  "nerve/template": () => require("../sdk/template.ts"),
};

const PACKAGES: Table = {
  "drizzle-orm": () => require("drizzle-orm"),
  "drizzle-orm/sqlite-core": () => require("drizzle-orm/sqlite-core"),
  "drizzle-orm/bun-sqlite": () => require("drizzle-orm/bun-sqlite"),
  arktype: () => {
    // Interpreted instead of compiled checks: ArkType loads in less than half the time.
    (require("arktype/config") as typeof import("arktype/config")).configure({ jitless: true });
    return require("arktype");
  },
};

/** The tables of the built-in senses. */
const schemas = (): Table =>
  Object.fromEntries(
    Object.entries(BUILT_IN_SENSES).flatMap(([name, { schema }]) =>
      schema === null ? [] : [[`nerve/senses/${name}`, schema]],
    ),
  );

/** Names a user's module may import without a `node_modules`. */
export const embeddedSpecifiers = (): string[] => Object.keys({ ...OWN, ...PACKAGES, ...schemas() });

/** From source a `require` of a package in the table would find the table itself: it is resolved to a path before. */
function packages(): Table {
  if (Bun.isStandaloneExecutable) return PACKAGES;
  const byPath = Object.keys(PACKAGES).map((specifier): [string, () => Namespace] => {
    const path = Bun.resolveSync(specifier, import.meta.dir);
    return [specifier, () => require(path) as Namespace];
  });
  return Object.fromEntries(byPath);
}

/** Registers the table with Bun's module loader. Once per process, before user code is imported. */
export function embedModules(): void {
  const modules = Object.entries({ ...OWN, ...packages(), ...schemas() });
  plugin({
    name: "nerve",
    setup(build) {
      for (const [specifier, load] of modules) build.module(specifier, () => ({ exports: load(), loader: "object" }));
    },
  });
}
