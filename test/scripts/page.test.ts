import { expect, test } from "bun:test";
import { gunzipSync } from "bun";
import { pageFiles } from "../../scripts/page/page.ts";

const files = await pageFiles();
const bytesOf = (path: string): Uint8Array => new Uint8Array(Buffer.from(files[path]?.gzip ?? "", "base64"));
const textOf = (path: string): string => new TextDecoder().decode(gunzipSync(new Uint8Array(bytesOf(path))));

const MOST_BYTES = 60_000;

test("a browser loads at most 60 kB, compressed", () => {
  const sizes = Object.fromEntries(Object.keys(files).map((path) => [path, bytesOf(path).length]));
  const all = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  console.log(JSON.stringify({ page: sizes, all }));
  expect(all).toBeLessThanOrEqual(MOST_BYTES);
});

test("the shell holds no code and no style of its own, and names only files of the page", () => {
  const html = textOf("/");
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/);
  expect(html).not.toMatch(/<style|\sstyle=|\son\w+=/);
  const named = [...html.matchAll(/(?:src|href)="([^"#][^"]*)"/g)].map(([, path]) => path ?? "");
  expect(named.length).toBeGreaterThan(2);
  for (const path of named) expect(Object.keys(files)).toContain(path);
});

test("nothing of the page is fetched from elsewhere", () => {
  for (const path of Object.keys(files)) {
    const outside = [...textOf(path).matchAll(/\bhttps?:\/\/[\w.-]+/g)].map(([url]) => url);
    expect(outside.filter((url) => url !== "http://www.w3.org")).toEqual([]);
    expect(textOf(path)).not.toContain("@import");
  }
});

test("the page never makes markup of text", async () => {
  for await (const file of new Bun.Glob("src/page/**/*.{ts,tsx}").scan()) {
    const source = await Bun.file(file).text();
    expect([file, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/.exec(source)?.[0] ?? null]).toEqual(
      [file, null],
    );
  }
});

test("every icon that is asked for is in the sprite", async () => {
  const names = /type IconName =([\s\S]*?);/.exec(await Bun.file("src/page/parts/icon.tsx").text())?.[1] ?? "";
  const known = [...textOf("/").matchAll(/id="i-([\w-]+)"/g)].map(([, name]) => name ?? "");
  const wanted = [...names.matchAll(/"([\w-]+)"/g)].map(([, name]) => name ?? "");
  expect(wanted.length).toBeGreaterThan(20);
  expect(wanted.filter((name) => !known.includes(name))).toEqual([]);
});
