import { expect, test } from "bun:test";
import { answerFile, pageFile } from "../../src/web/page-files.ts";

const shell = await pageFile("/");
if (shell === null) throw new Error("the page has no shell");
const ask = (headers: Record<string, string>, method = "GET"): Response =>
  answerFile(shell, new Request("http://127.0.0.1/", { headers, method }), { "x-content-type-options": "nosniff" });

test("the shell names files that are there, and nothing else is", async () => {
  const html = await ask({}).text();
  const paths = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? "");
  expect(paths.length).toBe(3);
  for (const path of paths) expect((await pageFile(path))?.isNamedByContent).toBe(true);
  for (const path of ["/assets", "/assets/../", "/%2e%2e/", "/index.html", "__proto__"])
    expect(await pageFile(path)).toBeNull();
});

test("a browser that takes gzip gets gzip, another one the text, and both the same", async () => {
  const packed = ask({ "accept-encoding": "gzip, deflate, br" });
  expect(packed.headers.get("content-encoding")).toBe("gzip");
  const html = new TextDecoder().decode(Bun.gunzipSync(new Uint8Array(await packed.arrayBuffer())));
  for (const headers of [{}, { "accept-encoding": "identity" }, { "accept-encoding": "br, gzip;q=0" }]) {
    const plain = ask(headers as Record<string, string>);
    expect(plain.headers.get("content-encoding")).toBeNull();
    expect(await plain.text()).toBe(html);
  }
});

test("who has a file is not sent it again, and the shell is asked for each time", async () => {
  const { headers } = ask({});
  expect(headers.get("cache-control")).toBe("no-cache");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  const again = ask({ "if-none-match": headers.get("etag") ?? "" });
  expect([again.status, await again.text()]).toEqual([304, ""]);
});

test("HEAD says the length that GET has, and sends nothing", async () => {
  for (const headers of [{}, { "accept-encoding": "gzip" }]) {
    const head = ask(headers as Record<string, string>, "HEAD");
    expect(await head.text()).toBe("");
    const whole = await ask(headers as Record<string, string>).arrayBuffer();
    expect(head.headers.get("content-length")).toBe(String(whole.byteLength));
  }
});
