/** The page's process on a real daemon: what each path answers, and what no answer shows. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are what stands in the config
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { type Nerve, runNerve } from "../helpers/nerve.ts";
import { type Address, follow, get } from "../helpers/web.ts";
import { LITERAL, PATHS, PLANTED, type WebSite, webSite } from "../helpers/web-site.ts";

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

describe("what each path answers", () => {
  test.each(PATHS)("%s: 200 with the site.token, 401 without one, nothing of it in the refusal", async (path) => {
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

  test("the store says how long rows are kept where the config has no `retention`", async () => {
    const { retention } = JSON.parse((await ask("/api/v1/store")).body);
    expect(retention).toEqual({ logs_ms: 2_592_000_000, signals_ms: 2_592_000_000, archive_ms: null });
  });

  test("the store says what was verified, and what was not", async () => {
    const stateOf = async () => JSON.parse((await ask("/api/v1/store")).body);
    const check = "the tables (`nerve rebuild --check`)";
    expect(await stateOf()).toMatchObject({
      verify: null,
      unverified: `nobody has looked at the archive (\`nerve archive verify\`) and ${check}`,
    });
    const options = { environment: PLANTED };
    expect((await runNerve(site.folder.path, ["archive", "verify"], options)).code).toBe(0);
    expect(await stateOf()).toMatchObject({
      verify: { state: "ok", message: "no archive files" },
      unverified: `nobody has looked at ${check}`,
    });
    expect((await runNerve(site.folder.path, ["rebuild", "--check"], options)).code).toBe(0);
    expect(await stateOf()).toMatchObject({
      verify: { state: "ok", message: "the tables of runs and incidents are what the logs say" },
      unverified: null,
    });
  });
});

describe("what is never shown", () => {
  test("no answer holds what was filled into the config, or an address of a channel", async () => {
    const events = await follow(
      address,
      site.token,
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
      for (const secret of [...Object.values(PLANTED), LITERAL, site.token]) expect(text).not.toContain(secret);
    }
    const whole = texts.join("");
    expect(whole).toContain("used ${OPTION}");
    expect(whole).toContain("https://${LINK}.example.org/nerve");
  });
});
