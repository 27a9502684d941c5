/**
 * What a user's `import` finds inside the executable: one exact entry a specifier, each loaded at its first import, so
 * that a worker pays for ArkType or Drizzle only when a module asks for it. Wins over a `node_modules` of the same name.
 */
import { plugin } from "bun";
import { BUILT_IN_SENSES } from "../../senses/index.ts";

type Namespace = Record<string, unknown>;

/** Each `require` is written out, so that the bundler embeds what it names. */
const EMBEDDED: Readonly<Record<string, () => Namespace>> = {
  nerve: () => require("../sdk/index.ts"),
  "drizzle-orm": () => require("drizzle-orm"),
  "drizzle-orm/sqlite-core": () => require("drizzle-orm/sqlite-core"),
  "drizzle-orm/bun-sqlite": () => require("drizzle-orm/bun-sqlite"),
  arktype: () => {
    // Interpreted instead of compiled checks: ArkType loads in less than half the time.
    (require("arktype/config") as typeof import("arktype/config")).configure({ jitless: true });
    return require("arktype");
  },
};

/** Names a user's module may import without a `node_modules`. */
export const embeddedSpecifiers = (): string[] => [
  ...Object.keys(EMBEDDED),
  ...Object.entries(BUILT_IN_SENSES)
    .filter(([, sense]) => sense.schema !== null)
    .map(([name]) => `nerve/senses/${name}`),
];

/** From source a `require` of a name in the table would find the table itself: it is resolved to a path before. */
function loaders(): [string, () => Namespace][] {
  if (Bun.isStandaloneExecutable) return Object.entries(EMBEDDED);
  return Object.entries(EMBEDDED).map(([specifier, load]) => {
    if (specifier === "nerve") return [specifier, load];
    const path = Bun.resolveSync(specifier, import.meta.dir);
    return [specifier, () => require(path) as Namespace];
  });
}

/** Registers the table with Bun's module loader. Once per process, before user code is imported. */
export function embedModules(): void {
  const modules = loaders();
  plugin({
    name: "nerve",
    setup(build) {
      for (const [specifier, load] of modules) {
        build.module(specifier, () => ({ exports: load(), loader: "object" }));
      }
      for (const [name, sense] of Object.entries(BUILT_IN_SENSES)) {
        const { schema } = sense;
        if (schema) build.module(`nerve/senses/${name}`, () => ({ exports: schema(), loader: "object" }));
      }
    },
  });
}
