/**
 * The licences of everything that the executable holds, for `nerve version --licences`: one compressed file of the executable.
 * `bun scripts/licences/licences.ts FILE` writes the file, for a nerve that runs from source.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../toolchain.ts";
import { embeddedPackages, type Package } from "./packages.ts";

/** As it is named inside the executable. */
export const LICENCES_FILE = "licences.bin";

export interface Licence {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly text: string;
}

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8").trim();

/** Bun's own page on what Bun links, from the package of this very version. */
const BUN_PAGE = "node_modules/bun-types/docs/project/license.mdx";

const withoutHead = (page: string): string => page.replace(/^---\n[\s\S]*?\n---\n/, "").trim();

const SQLITE = `The authors of SQLite dedicate the code to the public domain. SQLite is part of Bun.`;

/** The text of the package itself, else that of its licence. */
function textOf({ name, licence }: Package): string {
  if (name === "bun-types") return "Part of Bun, whose licence stands above.";
  const folder = join("node_modules", name);
  const file = readdirSync(join(ROOT, folder)).find((entry) => /^licen[cs]e(\.(md|txt))?$/i.test(entry));
  if (file !== undefined) return read(join(folder, file));
  const general = join("scripts/licences", `${licence}.txt`);
  if (existsSync(join(ROOT, general))) return read(general);
  throw new Error(`${name} has no file with its licence, and there is no ${general}`);
}

export async function licences(): Promise<readonly Licence[]> {
  const { version, license } = JSON.parse(read("package.json"));
  const packages = await embeddedPackages();
  return [
    { name: "nerve", version, licence: license, text: read("LICENSE") },
    { name: "Bun", version: Bun.version, licence: "MIT", text: withoutHead(read(BUN_PAGE)) },
    { name: "SQLite", version: process.versions.sqlite ?? "unknown", licence: "public domain", text: SQLITE },
    ...packages.map((one) => ({ name: one.name, version: one.version, licence: one.licence, text: textOf(one) })),
  ];
}

export async function writeLicences(file: string): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, Bun.zstdCompressSync(Buffer.from(JSON.stringify(await licences())), { level: 12 }));
}

if (import.meta.main) await writeLicences(process.argv[2] ?? LICENCES_FILE);
