/**
 * Owns the files of the page, which a browser loads before it asks for any data: one compressed file of the executable, read at
 * the first request. When nerve runs from source, a script of the checkout makes the same file.
 */
import { readEmbedded } from "../base/embedded.ts";

/** As `scripts/page/page.ts` names and makes it. */
const FILE = "page.bin";
const SCRIPT = "page/page.ts";

export interface PageFile {
  readonly type: string;
  readonly etag: string;
  /** Whether its name says what is in it: then a browser may keep it for ever. */
  readonly isNamedByContent: boolean;
  readonly gzip: Uint8Array<ArrayBuffer>;
}

interface Packed {
  readonly files: Readonly<Record<string, { readonly type: string; readonly etag: string; readonly gzip: string }>>;
}

let reading: Promise<ReadonlyMap<string, PageFile>> | null = null;

async function readAll(): Promise<ReadonlyMap<string, PageFile>> {
  const { files } = (await readEmbedded(FILE, SCRIPT)) as Packed;
  const read = Object.entries(files).map(([path, { type, etag, gzip }]): [string, PageFile] => [
    path,
    { type, etag, isNamedByContent: path !== "/", gzip: new Uint8Array(Buffer.from(gzip, "base64")) },
  ]);
  return new Map(read);
}

/** The file at `path` of a URL; null: the page has none of this name. */
export async function pageFile(path: string): Promise<PageFile | null> {
  reading ??= readAll();
  return (await reading).get(path) ?? null;
}

/** The file as an answer to `request`, with `headers` beside its own: compressed for whoever takes it so, and not sent again to whoever has it. */
export function answerFile(file: PageFile, request: Request, headers: Readonly<Record<string, string>>): Response {
  const kept = file.isNamedByContent ? "public, max-age=31536000, immutable" : "no-cache";
  const own = {
    ...headers,
    etag: file.etag,
    "cache-control": kept,
    vary: "accept-encoding",
    "content-type": file.type,
  };
  if (request.headers.get("if-none-match") === file.etag) return new Response(null, { status: 304, headers: own });
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:[,\s]|$))/.test(request.headers.get("accept-encoding") ?? "");
  const body = takesGzip ? file.gzip : Bun.gunzipSync(file.gzip);
  const sized = { ...own, "content-length": String(body.length) };
  const all = takesGzip ? { ...sized, "content-encoding": "gzip" } : sized;
  return new Response(request.method === "HEAD" ? null : new Uint8Array(body), { headers: all });
}
