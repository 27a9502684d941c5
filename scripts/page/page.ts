/**
 * Makes the page that a browser loads: one file of the executable, which holds each file of the page compressed.
 * `bun scripts/page/page.ts FILE` writes the file, for a nerve that runs from source.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../toolchain.ts";

/** As it is named inside the executable. */
export const PAGE_FILE = "page.bin";

const SOURCE = join(ROOT, "src/page");

const SMALLEST = { level: 12, library: "libdeflate" } as const;

interface Made {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** A file of the page, as the web process serves it. */
export interface PageFile {
  readonly type: string;
  readonly etag: string;
  /** Compressed, in base64. */
  readonly gzip: string;
}

/** Path → file. The names of all but the shell say what is in them, so that a browser may keep them for ever. */
export type PageFiles = Readonly<Record<string, PageFile>>;

/** How `src/page/main.tsx` becomes the one script of the page. */
export const PAGE_BUNDLE: Bun.BuildConfig = {
  entrypoints: [join(SOURCE, "main.tsx")],
  target: "browser",
  minify: true,
  define: { "process.env.NODE_ENV": '"production"' },
  jsx: { runtime: "automatic", importSource: "preact", development: false },
};

async function bundle(entry: string): Promise<Uint8Array> {
  const built = await Bun.build({ ...PAGE_BUNDLE, entrypoints: [join(SOURCE, entry)] });
  const [first] = built.outputs;
  if (first === undefined) throw new Error(`${entry} came out empty`);
  return new Uint8Array(await first.arrayBuffer());
}

const digest = (bytes: Uint8Array): string => new Bun.CryptoHasher("sha256").update(bytes).digest("hex").slice(0, 12);
const text = (name: string): string => readFileSync(join(SOURCE, name), "utf8");

/** The shell of the page, with the names of its files and the icons in their places. */
function shell(names: Readonly<Record<string, string>>): Uint8Array {
  let html = text("index.html").replace("<!-- icons -->", () => text("icons.svg"));
  for (const [name, path] of Object.entries(names)) html = html.replaceAll(name, path);
  return new TextEncoder().encode(html.replace(/\n\s*/g, "\n"));
}

export async function pageFiles(): Promise<PageFiles> {
  const assets: Readonly<Record<string, Made>> = {
    "/assets/page.js": { type: "text/javascript; charset=utf-8", bytes: await bundle("main.tsx") },
    "/assets/page.css": { type: "text/css; charset=utf-8", bytes: await bundle("style/page.css") },
    "/assets/icon.svg": { type: "image/svg+xml", bytes: new TextEncoder().encode(text("favicon.svg")) },
  };
  const named = Object.entries(assets).map(([name, made]): [string, string, Made] => {
    const dot = name.lastIndexOf(".");
    return [name, `${name.slice(0, dot)}-${digest(made.bytes)}${name.slice(dot)}`, made];
  });
  const names = Object.fromEntries(named.map(([name, path]) => [name, path]));
  const all: readonly (readonly [string, Made])[] = [
    ["/", { type: "text/html; charset=utf-8", bytes: shell(names) }],
    ...named.map(([, path, made]) => [path, made] as const),
  ];
  return Object.fromEntries(
    all.map(([path, { type, bytes }]) => {
      const gzip = Buffer.from(Bun.gzipSync(new Uint8Array(bytes), SMALLEST)).toString("base64");
      return [path, { type, etag: `"${digest(bytes)}"`, gzip }];
    }),
  );
}

export async function writePage(file: string): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, Bun.zstdCompressSync(Buffer.from(JSON.stringify({ files: await pageFiles() })), { level: 12 }));
}

if (import.meta.main) await writePage(process.argv[2] ?? PAGE_FILE);
