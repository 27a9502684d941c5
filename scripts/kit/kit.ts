/**
 * The author's kit: what `nerve init` puts into `.nerve/`, so that an editor and `nerve check` know this build's types. One
 * compressed file of the executable. `bun scripts/kit/kit.ts FILE` writes it, for a nerve that runs from source.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { declarations } from "./declarations.ts";
import { configSchema } from "./schema.ts";

/** As it is named inside the executable. */
export const KIT_FILE = "author-kit.bin";

/** Where a checker finds what is embedded. An author's own packages are found as ever. */
const TSCONFIG = {
  compilerOptions: {
    target: "ESNext",
    module: "Preserve",
    moduleResolution: "bundler",
    moduleDetection: "force",
    lib: ["ESNext"],
    typeRoots: ["./types/node_modules"],
    types: ["bun-types"],
    strict: true,
    noUncheckedIndexedAccess: true,
    allowImportingTsExtensions: true,
    resolveJsonModule: true,
    noEmit: true,
    skipLibCheck: true,
    paths: {
      nerve: ["./types/node_modules/nerve/src/sdk/index.d.ts"],
      "nerve/senses/*": ["./types/node_modules/nerve/senses/*/schema.d.ts"],
      "nerve/*": ["./types/node_modules/nerve/src/sdk/*.d.ts"],
      "drizzle-orm": ["./types/node_modules/drizzle-orm/index.d.ts"],
      "drizzle-orm/*": ["./types/node_modules/drizzle-orm/*/index.d.ts"],
      arktype: ["./types/node_modules/arktype/out/index.d.ts"],
    },
  },
  include: ["../senses/**/*", "../workflows/**/*"],
};

/** Path in `.nerve/` → text. */
export async function kitFiles(): Promise<Readonly<Record<string, string>>> {
  const types = Object.entries(await declarations());
  return {
    "nerve.schema.json": `${JSON.stringify(configSchema(), null, 1)}\n`,
    "tsconfig.json": `${JSON.stringify(TSCONFIG, null, 2)}\n`,
    ...Object.fromEntries(types.map(([path, text]) => [`types/node_modules/${path}`, text])),
  };
}

/** Writes the kit to `file`; what identifies it. */
export async function writeKit(file: string): Promise<string> {
  const bytes = Bun.zstdCompressSync(Buffer.from(JSON.stringify(await kitFiles())), { level: 12 });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return Bun.hash(bytes).toString(16);
}

if (import.meta.main) await writeKit(process.argv[2] ?? KIT_FILE);
