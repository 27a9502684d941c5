/** The executables that are measured: nerve's own, and small ones compiled just as it is, once a run. */
import { join } from "node:path";
import { BINARY, BUNDLE, build, isStale } from "../build.ts";

export interface Programs {
  readonly nerve: string;
  readonly floor: string;
  readonly empty: string;
  readonly hello: string;
  readonly echo: string;
  readonly arktype: string;
}

const HELPERS = {
  floor: "main.ts",
  empty: "empty.ts",
  hello: "hello.ts",
  echo: "echo.ts",
  arktype: "arktype.ts",
} as const;

async function compile(source: string, outfile: string): Promise<string> {
  await Bun.build({
    ...BUNDLE,
    entrypoints: [join(import.meta.dir, "floor", source)],
    bytecode: true,
    sourcemap: "inline",
    compile: {
      outfile,
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: true,
    },
  });
  return outfile;
}

/** `$NERVE_BINARY`, else `./nerve` unless a source is newer, else one built for this run. */
async function findNerve(folder: string): Promise<string> {
  const { NERVE_BINARY: given = "" } = process.env;
  if (given !== "") return given;
  if (!isStale(BINARY)) return BINARY;
  const built = join(folder, "nerve");
  await build(built);
  return built;
}

export async function preparePrograms(folder: string): Promise<Programs> {
  const nerve = await findNerve(folder);
  const built: Record<string, string> = {};
  for (const [name, source] of Object.entries(HELPERS)) built[name] = await compile(source, join(folder, name));
  return { nerve, ...(built as Record<keyof typeof HELPERS, string>) };
}
