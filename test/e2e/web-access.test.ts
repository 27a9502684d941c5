/** The page's process on a real daemon: who may look, by which name, and how a browser is signed in. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Nerve, runNerve } from "../helpers/nerve.ts";
import { type Address, bearer, follow, get, request, tokenIn } from "../helpers/web.ts";
import { PATHS, PLANTED, type WebSite, webSite } from "../helpers/web-site.ts";

setDefaultTimeout(120_000);

let site: WebSite;
let address: Address;
let nerve: Nerve;
const ask = (path: string, headers: Readonly<Record<string, string>> = {}) => site.ask(path, headers);

beforeAll(async () => {
  site = await webSite();
  ({ address, nerve } = site);
});

afterAll(() => site[Symbol.asyncDispose]());

describe("who may look", () => {
  const WRONG: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ["nothing after Bearer", { authorization: "Bearer " }],
    ["a word", { authorization: "Bearer x" }],
    ["another scheme", { authorization: "Basic eDp5" }],
    ["a cookie of nobody", { cookie: "nerve-00000000=1.2.3" }],
  ];
  test.each(WRONG)("%s is answered with 401", async (_what, headers) => {
    expect((await get(address, "/api/v1/status", headers)).status).toBe(401);
  });

  test("a token in the URL, of the metrics, or cut short opens nothing", async () => {
    const metrics = tokenIn(nerve.data, "metrics");
    const asked = await Promise.all([
      get(address, `/api/v1/status?token=${site.token}`),
      get(address, "/api/v1/status", bearer(metrics)),
      get(address, "/api/v1/status", bearer(site.token.slice(0, -1))),
      get(address, "/api/v1/events", bearer(metrics)),
      get(address, "/api/v1/none-such"),
    ]);
    expect(asked.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
  });

  test("a right token is answered while wrong ones wait", async () => {
    let isAnswered = false;
    const wrong = Array.from({ length: 20 }, () => get(address, "/api/v1/status", bearer("wrong")));
    const last = Promise.all(wrong).then((all) => {
      expect(isAnswered).toBe(true);
      return all.map(({ status }) => status);
    });
    expect((await ask("/api/v1/session")).status).toBe(200);
    isAnswered = true;
    expect(await last).toEqual(wrong.map(() => 401));
  });

  test("the shell of the page and /healthz need no token", async () => {
    const [shell, health] = await Promise.all([get(address, "/"), get(address, "/healthz")]);
    expect([shell.status, health.status, health.body]).toEqual([200, 200, "ok\n"]);
  });

  test("methods that could act are refused, with a token and without", async () => {
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      for (const headers of [{}, bearer(site.token)]) {
        const reply = await request(address, { path: "/api/v1/status", method, headers });
        expect([method, reply.status, reply.headers.get("allow")]).toEqual([method, 405, "GET, HEAD"]);
      }
    }
    const head = await request(address, { path: "/api/v1/status", method: "HEAD", headers: bearer(site.token) });
    expect([head.status, head.body]).toEqual([200, ""]);
  });

  test("names of this host are answered, and so is the address that it listens on; others are not", async () => {
    for (const host of ["127.0.0.1", "localhost:1", "[::1]:9", address.text, address.hostname]) {
      expect([host, (await ask("/api/v1/session", { host })).status]).toEqual([host, 200]);
    }
    for (const host of ["evil.example", "127.0.0.1.evil.example", "0.0.0.0", "127.1", "localhost.", ""]) {
      expect([host, (await ask("/api/v1/session", { host })).status]).toEqual([host, 421]);
      expect([host, (await get(address, "/healthz", { host })).status]).toEqual([host, 421]);
    }
  });

  test("another site is refused, and nothing is said of CORS", async () => {
    const FOREIGN: Readonly<Record<string, string>>[] = [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: `http://${address.hostname}:1` },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
    ];
    for (const headers of FOREIGN) {
      const reply = await ask("/api/v1/session", headers);
      expect([headers, reply.status]).toEqual([headers, 403]);
      expect(reply.headers.has("access-control-allow-origin")).toBe(false);
    }
    const own = await ask("/api/v1/session", { origin: `http://${address.text}`, "sec-fetch-site": "same-origin" });
    expect([own.status, own.headers.has("access-control-allow-origin")]).toEqual([200, false]);
  });

  test("each answer has the headers that keep a browser safe", async () => {
    const replies = [
      await get(address, "/"),
      await ask("/api/v1/status"),
      await get(address, "/api/v1/status"),
      await ask("/x"),
    ];
    for (const { headers } of replies) {
      expect(headers.get("content-security-policy")).toStartWith("default-src 'none'; script-src 'self'");
      expect([headers.get("x-content-type-options"), headers.get("cross-origin-opener-policy")]).toEqual([
        "nosniff",
        "same-origin",
      ]);
      expect([headers.get("cross-origin-resource-policy"), headers.get("referrer-policy")]).toEqual([
        "same-origin",
        "no-referrer",
      ]);
    }
  });

  test("no path leads to a file of the host", async () => {
    const UP = ["..", "%2e%2e", "..%2f..", "..%5c..", "%252e%252e"];
    const ENDS = ["tokens/page", "tokens%2fpage", "etc/passwd", "%2fetc%2fpasswd", "logs.db"];
    const STARTS = ["/", "/assets/", "/api/v1/", "/api/v1/runs/", "/api/v1/reflexes/", "/api/v1/traces/", "//"];
    for (const start of STARTS) {
      for (const up of UP) {
        for (const end of ENDS) {
          const reply = await ask(`${start}${up}/${up}/${end}`);
          const whole = await ask(`${start}${up}%2f${up}%2f${end.replaceAll("/", "%2f")}`);
          for (const { status, text } of [reply, whole]) {
            expect(status).toBeOneOf([400, 404]);
            expect(text).not.toMatch(/root:|SQLite format/);
            expect(text).not.toContain(site.token);
          }
        }
      }
    }
  });
});

describe("nerve open", () => {
  const codeOf = async (): Promise<string> => {
    const { stdout, stderr } = await runNerve(site.folder.path, ["open", "--json"], { environment: PLANTED });
    expect(stderr).toBe("");
    const { url } = JSON.parse(stdout);
    expect(url).toStartWith(`http://${address.text}/#open=`);
    return url.slice(url.indexOf("=") + 1);
  };
  const cookieOf = (header: string | undefined): string => header?.split(";")[0] ?? "";

  test("over SSH it prints the line for the tunnel in a pipe too, with the user's name where the environment has none", async () => {
    const environment = { ...PLANTED, SSH_CONNECTION: "192.0.2.1 1 192.0.2.2 22", USER: "", SUDO_USER: "" };
    const { stderr } = await runNerve(site.folder.path, ["open"], { environment });
    const { stdout: user } = Bun.spawnSync(["id", "-un"]);
    const tunnel = `ssh -L ${address.port}:127.0.0.1:${address.port} ${user.toString().trim()}@`;
    expect(stderr).toStartWith(`from your own machine, first: ${tunnel}`);
  });

  test("its code signs a browser in once; the cookie opens everything until the token is renewed", async () => {
    const code = await codeOf();
    expect((await get(address, "/api/v1/status", bearer(code))).status).toBe(401);
    const first = await get(address, "/session", bearer(code));
    const header = first.headers.get("set-cookie");
    expect(first.status).toBe(204);
    expect(header).toMatch(/^nerve-[0-9a-f]{8}=[^;]+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
    const again = await get(address, "/session", bearer(code));
    expect([again.status, again.headers.has("set-cookie")]).toEqual([401, false]);
    expect((await get(address, `/session?code=${await codeOf()}`)).status).toBe(401);

    const cookie = cookieOf(header);
    for (const path of PATHS) expect([path, (await get(address, path, { cookie })).status]).toEqual([path, 200]);
    expect((await get(address, "/api/v1/session", bearer(cookie.split("=")[1] ?? ""))).status).toBe(401);
    const { until: ends, at } = JSON.parse((await get(address, "/api/v1/session", { cookie })).body);
    expect(ends - at).toBeGreaterThan(11 * 3_600_000);
    expect(ends - at).toBeLessThanOrEqual(12 * 3_600_000);
    expect((await get(address, "/api/v1/session", { cookie: cookie.slice(0, -1) })).status).toBe(401);

    const late = await codeOf();
    const opened = Promise.withResolvers<void>();
    const stream = follow(address, site.token, null, () => {
      opened.resolve();
      return false;
    });
    await opened.promise;
    const renewed = await runNerve(site.folder.path, ["token", "page", "--renew", "--json"], { environment: PLANTED });
    const old = site.token;
    site.token = JSON.parse(renewed.stdout).token;
    expect(site.token).toBe(tokenIn(nerve.data, "page"));
    const after = [
      await get(address, "/api/v1/status", { cookie }),
      await get(address, "/api/v1/status", bearer(old)),
      await get(address, "/session", bearer(late)),
      await ask("/api/v1/status"),
    ];
    expect(after.map(({ status }) => status)).toEqual([401, 401, 401, 200]);
    // The stream ends by itself.
    expect((await stream).every(({ name }) => name === "place" || name === "link")).toBe(true);
  });
});
