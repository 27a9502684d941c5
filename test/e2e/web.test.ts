/** The page's process on a real daemon: who may look, and what each path answers. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are what stands in the config
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Nerve, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";
import { type Address, bearer, follow, freeAddress, get, request, type StreamEvent, tokenIn } from "../helpers/web.ts";

setDefaultTimeout(120_000);

const PLANTED = {
  OPTION: "planted-option-5d1c7e",
  HOOK: "planted-hook-90ab3f77",
  TOPIC: "planted-topic-c0ffee12",
  LINK: "planted-link-77aa01bc",
} as const;
/** Written into the config itself, as an address of a channel. */
const LITERAL = "literal-hook-4be1f0d2";

const config = ({ text }: Address): string => `
http: { listen: "${text}", url: "https://\${LINK}.example.org/nerve" }
channels:
  chat: { slack: "https://127.0.0.1:9/\${HOOK}" }
  phone: { ntfy: { url: "http://127.0.0.1:9/\${TOPIC}", token: "\${HOOK}" } }
  plain: { discord: "https://127.0.0.1:9/${LITERAL}" }
senses:
  pulse: {}
  leak: { with: { option: "\${OPTION}" } }
workflows:
  note: {}
  tell: { use: webhook, with: { url: "http://127.0.0.1:9/\${HOOK}", retry: { limit: 0 } } }
reflexes:
  - { name: noted, workflow: note, on: [pulse] }
  - { name: clocked, sense: pulse, interval: 1h }
`;

const LEAK = `
import { type } from "arktype";
export const options = type({ option: "string" });
export const compute = (_db, _peers, { options, log }) => { log("warn", "used " + options.option); throw new Error("no " + options.option); };
`;

let folder: Project;
let address: Address;
let nerve: Nerve;
let token: string;

const ask = (path: string, headers: Readonly<Record<string, string>> = {}) =>
  get(address, path, { ...bearer(token), ...headers });

beforeAll(async () => {
  address = await freeAddress();
  folder = project({ "nerve.yaml": config(address), "senses/leak/index.ts": LEAK }, { pulse: "e2e/tick" });
  folder.write("workflows/note/index.ts", 'export const run = async (thread) => thread.step("once", () => 1);\n');
  nerve = await startNerve(folder.path, { environment: PLANTED });
  token = tokenIn(nerve.data, "page");
  for (let turn = 0; turn < 3; turn++) {
    const before = nerve.signals("pulse").length;
    await nerve.post("/trigger", { name: "pulse" });
    await until("pulse was computed", async () => (await nerve.sense("pulse")).computes > turn);
    if (turn < 2) await until("pulse has emitted", () => nerve.signals("pulse").length > before);
  }
  await nerve.post("/trigger", { name: "leak" });
  await nerve.post("/run", { workflow: "tell", input: null });
  await until(
    "three runs are over",
    () => nerve.logs().filter(({ event }) => /^run\.(completed|failed)$/.test(event)).length === 3,
  );
  await until("the page is up", async () => (await nerve.status()).listeners[0]?.state === "up");
});

afterAll(async () => {
  await nerve[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const LISTS = ["signals", "logs", "runs", "incidents", "deaths"];
const OTHERS = ["session", "status", "senses", "reflexes", "reflexes/noted", "graph", "config", "store", "silences"];
const STORIES = ["runs/1", "traces/signal:1"];
const PATHS = [...LISTS, ...OTHERS, ...STORIES].map((path) => `/api/v1/${path}`);

describe("what each path answers", () => {
  test.each(PATHS)("%s: 200 with the token, 401 without one, nothing of it in the refusal", async (path) => {
    const open = await ask(path);
    expect(open.status).toBe(200);
    expect(JSON.parse(open.body)).toBeObject();
    const shut = await get(address, path);
    expect([shut.status, JSON.parse(shut.body).error.kind]).toEqual([401, "signed-out"]);
  });

  test("lists have the rows of the store", async () => {
    const rows = async (path: string) => JSON.parse((await ask(`/api/v1/${path}?limit=200`)).body).rows;
    expect(await rows("signals")).toEqual(
      nerve.signals().map((row) => expect.objectContaining({ id: row.id, payload: row.payload })),
    );
    expect((await rows("logs")).map(({ id }: { id: number }) => id)).toEqual(nerve.logs().map(({ id }) => id));
    expect((await rows("runs")).map(({ id }: { id: number }) => id)).toEqual([1, 2, 3]);
  });
});

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
      get(address, `/api/v1/status?token=${token}`),
      get(address, "/api/v1/status", bearer(metrics)),
      get(address, "/api/v1/status", bearer(token.slice(0, -1))),
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
      for (const headers of [{}, bearer(token)]) {
        const reply = await request(address, { path: "/api/v1/status", method, headers });
        expect([method, reply.status, reply.headers.get("allow")]).toEqual([method, 405, "GET, HEAD"]);
      }
    }
    const head = await request(address, { path: "/api/v1/status", method: "HEAD", headers: bearer(token) });
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
            expect(text).not.toContain(token);
          }
        }
      }
    }
  });
});

describe("nerve open", () => {
  const codeOf = async (): Promise<string> => {
    const { stdout, stderr } = await runNerve(folder.path, ["open", "--json"], { environment: PLANTED });
    expect(stderr).toBe("");
    const { url } = JSON.parse(stdout);
    expect(url).toStartWith(`http://${address.text}/#open=`);
    return url.slice(url.indexOf("=") + 1);
  };
  const cookieOf = (header: string | undefined): string => header?.split(";")[0] ?? "";

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
    const stream = follow(address, token, null, () => {
      opened.resolve();
      return false;
    });
    await opened.promise;
    const renewed = await runNerve(folder.path, ["token", "page", "--renew", "--json"], { environment: PLANTED });
    const old = token;
    token = JSON.parse(renewed.stdout).token;
    expect(token).toBe(tokenIn(nerve.data, "page"));
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

describe("what is never shown", () => {
  test("no answer holds what was filled into the config, or an address of a channel", async () => {
    const events = await follow(
      address,
      token,
      "s0.l0",
      ({ name, data }) => name === "log" && data.id === nerve.logs().at(-1)?.id,
    );
    const asked = [
      ...PATHS,
      "/",
      "/healthz",
      "/api/v1/reflexes/no-such",
      ...[1, 2, 3].flatMap((id) => [`/api/v1/runs/${id}`, `/api/v1/traces/run:${id}`]),
      ...nerve.logs().map(({ trace }) => `/api/v1/traces/${trace ?? "signal:1"}`),
    ];
    const texts = [JSON.stringify(events)];
    for (const path of asked) texts.push((await ask(path)).text);
    for (const text of texts) {
      for (const secret of [...Object.values(PLANTED), LITERAL, token]) expect(text).not.toContain(secret);
    }
    const whole = texts.join("");
    expect(whole).toContain("used ${OPTION}");
    expect(whole).toContain("https://${LINK}.example.org/nerve");
  });
});

describe("the stream", () => {
  const hasId = ({ id, name }: StreamEvent): boolean => id !== null && name !== "place";
  const rowsOf = (events: readonly StreamEvent[], name: string) =>
    events.filter((event) => event.name === name).map(({ data }) => data.id as number);

  test("cut after every event and resumed while rows arrive: each row once, in order, and each run as it ended", async () => {
    const wanted = nerve.logs({ event: "run.completed" }).length + 3;
    const events: StreamEvent[] = [];
    let place = "s0.l0";
    const making = (async () => {
      while (nerve.logs({ event: "run.completed" }).length < wanted) {
        const computes = (await nerve.sense("pulse")).computes;
        await nerve.post("/trigger", { name: "pulse" });
        await until("pulse was computed", async () => (await nerve.sense("pulse")).computes > computes);
      }
    })();
    const isWhole = (): boolean => {
      const [log, signal] = [nerve.logs().at(-1)?.id ?? 0, nerve.signals().at(-1)?.id ?? 0];
      return place === `s${signal}.l${log}`;
    };
    let isMade = false;
    void making.then(() => {
      isMade = true;
    });
    while (!(isMade && isWhole())) {
      const event = (await follow(address, token, place, hasId)).at(-1);
      if (event?.id === undefined || event.id === null) throw new Error("the stream has ended");
      events.push(event);
      place = event.id;
    }
    await making;
    expect(rowsOf(events, "log")).toEqual(nerve.logs().map(({ id }) => id));
    expect(rowsOf(events, "signal")).toEqual(nerve.signals().map(({ id }) => id));
    const ended = events.filter(({ name, data }) => name === "run" && data.state === "completed");
    const runs = JSON.parse((await ask("/api/v1/runs?state=completed&limit=200")).body).rows;
    expect(ended.map(({ data }) => data)).toEqual(runs);
  });
});
