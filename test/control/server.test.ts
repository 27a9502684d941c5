// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are what stands in a value's place
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { err, ok } from "../../src/base/result.ts";
import { Secrets } from "../../src/base/secrets.ts";
import type { Acts } from "../../src/control/acts.ts";
import type { Looks } from "../../src/control/looks.ts";
import { routesOf } from "../../src/control/routes.ts";
import { type ControlServer, serveControl } from "../../src/control/server.ts";
import { problem } from "../../src/model/problem.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";

const SECRET = "hunter22";
const asked: unknown[] = [];

const looks = { status: () => ({ said: `the ${SECRET}` }), silences: () => [] } as unknown as Looks;
const acts = {
  trigger: async (name: string) => err(problem("unknown-sense", `there is no ${name}`)),
  run: async (workflow: string, input: unknown) => {
    asked.push({ workflow, input });
    return ok({ run: 1 });
  },
  reload: async () => err([problem("bad", "one"), problem("bad", "two")]),
} as unknown as Acts;

let folder: Folder;
let server: ControlServer;
beforeAll(() => {
  folder = temporaryFolder();
  const secrets = new Secrets();
  secrets.learn([{ written: "${TOKEN}", value: SECRET }]);
  server = serveControl(folder.path, join(folder.path, "nerve.sock"), routesOf(looks, acts), secrets);
});
afterAll(async () => {
  await server.stop();
  folder[Symbol.dispose]();
});

const ask = async (path: string, body: string | null = null): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(`http://nerve${path}`, {
    unix: join(folder.path, "nerve.sock"),
    ...(body === null ? {} : { method: "POST", body }),
  } as RequestInit);
  return { status: response.status, body: await response.json() };
};

/** The status line of what is sent as it stands. */
const raw = (request: string): Promise<string> =>
  new Promise((resolve, reject) => {
    Bun.connect({
      unix: join(folder.path, "nerve.sock"),
      socket: {
        open: (socket) => void socket.write(request),
        data: (socket, bytes) => {
          resolve(bytes.toString().split("\r\n")[0] ?? "");
          socket.end();
        },
        error: (_, error) => reject(error),
      },
    }).catch(reject);
  });

describe("the control socket", () => {
  test("answers what is looked at, without what may not be shown", async () => {
    expect(await ask("/status")).toEqual({ status: 200, body: { said: "the ${TOKEN}" } });
  });

  test("refuses with every problem, without what may not be shown", async () => {
    expect(await ask("/trigger", JSON.stringify({ name: SECRET }))).toMatchObject({
      status: 409,
      body: { error: { kind: "unknown-sense", message: "there is no ${TOKEN}" } },
    });
    expect(await ask("/reload", "")).toMatchObject({
      status: 422,
      body: { error: { message: "one" }, problems: [{ message: "one" }, { message: "two" }] },
    });
  });

  test.each([
    ["/trigger", "no json", "a JSON object"],
    ["/trigger", "[]", "a JSON object"],
    ["/trigger", "{}", "a JSON object with a name, a text of at most 200 characters"],
    ["/trigger", `{"name":"${"x".repeat(201)}"}`, "a JSON object with a name, a text of at most 200 characters"],
    ["/cancel", '{"run":1.5}', "a JSON object with a run, a positive whole number"],
    ["/silence", '{"pattern":"a","for_ms":0,"why":""}', "a JSON object with a for_ms, a positive whole number"],
    ["/run", `{"workflow":"w","input":"${"x".repeat(70_000)}"}`, "fit: the input is over 64 KiB"],
  ])("says what is wrong with a body of %s: %s", async (path, body, fault) => {
    expect(await ask(path, body)).toMatchObject({
      status: 400,
      body: { error: { kind: "bad-request", message: `the body is not ${fault}` } },
    });
  });

  test("takes an absent input for null, and passes over fields that it does not know", async () => {
    expect(await ask("/run", '{"workflow":"w","colour":"red"}')).toEqual({ status: 200, body: { run: 1 } });
    expect(asked).toEqual([{ workflow: "w", input: null }]);
  });

  test("knows no other path, and no path that is none", async () => {
    expect(await ask("/nope")).toMatchObject({ status: 404, body: { error: { kind: "not-found" } } });
    expect(await raw("GET //%ff HTTP/1.1\r\nHost: x\r\n\r\n")).toBe("HTTP/1.1 404 Not Found");
    expect(await raw("GET //%ff HTTP/1.1\r\nHost: a b[]\r\n\r\n")).toBe("HTTP/1.1 400 Bad Request");
  });
});
