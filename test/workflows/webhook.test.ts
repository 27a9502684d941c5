/** The built-in workflow `webhook`, in a real worker, against real servers on loopback. */
import { describe, expect, test } from "bun:test";
import { hostname } from "node:os";
import { stepId } from "../../src/workflow-worker/step-id.ts";
import { signatureHeaders } from "../../src/workflows/webhook/signature.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import { until } from "../helpers/until.ts";
import { TestWorkflowWorker } from "../helpers/worker.ts";

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
}

interface Site extends AsyncDisposable {
  readonly origin: string;
  readonly host: string;
  readonly seen: Seen[];
}

/** A server that answers as `answer` says, by the number of requests before. */
function site(answer: (nth: number, request: Request) => Response | Promise<Response>): Site {
  const seen: Seen[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      seen.push({
        method: request.method,
        path: pathname + search,
        headers: request.headers,
        body: await request.text(),
      });
      return answer(seen.length - 1, request);
    },
  });
  const host = `127.0.0.1:${server.port}`;
  return { origin: `http://${host}`, host, seen, [Symbol.asyncDispose]: () => server.stop(true) };
}

const TRIGGER = {
  id: 3,
  sense: "disk",
  host: "here",
  at: 5,
  payload: { status: "critical", text: "é" },
  reflex: "page",
  key: null,
  due: null,
  signal: null,
  incident: null,
  batch: null,
};
/** The host is in no copy of a trigger. */
const { host: _, ...COPIED } = TRIGGER;
const QUICK = { interval: "10ms", max_interval: "20ms" };

/** One run with these options, each wait for the next try given by a further execution, as the kernel would. */
async function delivered(options: Record<string, unknown>, trigger: Record<string, unknown> = TRIGGER) {
  using folder = temporaryFolder();
  await using worker = new TestWorkflowWorker(folder);
  const { problem } = await worker.ready({ folder: null, use: "webhook", options });
  if (problem !== null) throw new Error(problem.message);
  worker.run(1, { trigger: trigger as typeof TRIGGER });
  for (let after = 0; ; after++) {
    const end = await worker.end(1, after);
    if (end.type !== "suspended") return { end, worker, failures: worker.of("step-failed") };
    const failed = worker.of("step-failed").at(-1);
    if (failed === undefined) throw new Error("a run that waits for no step is suspended");
    const { step, nth, attempt, error, name, message, stack } = failed;
    const failure = { error, name, message, stack };
    worker.run(1, {
      trigger: trigger as typeof TRIGGER,
      steps: [{ step, nth, attempt, failure, state: "retrying", settled: null, result: null, keyRun: null, leftMs: 0 }],
    });
  }
}

describe("webhook", () => {
  test("posts what started the run as JSON, with the step's id as idempotency key, and takes any 2xx as done", async () => {
    await using server = site(() => new Response("thanks ".repeat(100_000), { status: 202 }));
    const { end } = await delivered({ url: `${server.origin}/hook?x=1`, headers: { "X-Team": "ops" } });
    expect(end).toMatchObject({ type: "completed", output: { status: 202 } });
    const [{ method, path, headers, body } = {} as Seen] = server.seen;
    expect([method, path, headers.get("content-type"), headers.get("x-team")]).toEqual([
      "POST",
      "/hook?x=1",
      "application/json",
      "ops",
    ]);
    expect(headers.get("idempotency-key")).toBe(stepId("0".repeat(32), 1, "webhook", 0));
    expect(JSON.parse(body)).toEqual(COPIED);
  });

  test.each([408, 425, 429, 500, 503])("tries again after %d, with the same key", async (status) => {
    await using server = site((nth) => new Response(null, { status: nth < 2 ? status : 200 }));
    const { end, failures } = await delivered({ url: server.origin, retry: QUICK });
    expect(end).toMatchObject({ type: "completed", output: { status: 200 } });
    expect(failures.map(({ error, retryInMs }) => [error, retryInMs])).toEqual([
      [`Error: POST to ${server.origin}: it answered ${status}`, 10],
      [`Error: POST to ${server.origin}: it answered ${status}`, 20],
    ]);
    expect(new Set(server.seen.map(({ headers }) => headers.get("idempotency-key"))).size).toBe(1);
  });

  test.each([400, 401, 404, 410, 422, 303, 304])("fails for good after %d", async (status) => {
    await using server = site(() => new Response(null, { status, headers: { location: "/other" } }));
    const { end } = await delivered({ url: server.origin, retry: QUICK });
    expect(end).toMatchObject({
      type: "failed",
      error: `Error: POST to ${server.origin}: it answered ${status}`,
      steps: [{ step: "webhook", nth: 0 }],
    });
    expect(server.seen).toHaveLength(1);
  });

  test("gives up after its last try: five of them after the first where nothing else is said", async () => {
    await using server = site(() => new Response(null, { status: 500 }));
    const { end, failures } = await delivered({
      url: server.origin,
      retry: { interval: "10ms", max_interval: "10ms" },
    });
    expect(end).toMatchObject({ type: "failed" });
    expect(failures.map(({ retryInMs }) => retryInMs)).toEqual([10, 10, 10, 10, 10, null]);
  });

  test("waits for its interval, however long that is", async () => {
    await using server = site((nth) => new Response(null, { status: nth === 0 ? 500 : 200 }));
    const { failures } = await delivered({ url: server.origin, retry: { interval: "1h" } });
    expect(failures.map(({ retryInMs }) => retryInMs)).toEqual([3_600_000]);
  });

  test.each([
    ["7", 7_000, 7_000],
    ["3600", 60_000, 60_000],
    [new Date(Date.now() + 3_600_000).toUTCString(), 60_000, 60_000],
    ["0", 10, 10],
    [new Date(0).toUTCString(), 10, 10],
    ["soon", 10, 10],
  ])("waits as long as Retry-After: %s says, up to its limit", async (header, least, most) => {
    await using server = site((nth) =>
      nth === 0 ? new Response(null, { status: 503, headers: { "retry-after": header } }) : new Response(),
    );
    const { failures } = await delivered({ url: server.origin, retry: { interval: "10ms", max_interval: "1m" } });
    expect(failures[0]?.retryInMs).toBeWithin(least, most + 1);
  });

  test("tries again when nobody answers, in time or at all", async () => {
    const closed = site(() => new Response());
    await closed[Symbol.asyncDispose]();
    const refused = await delivered({ url: closed.origin, retry: { ...QUICK, limit: 1 } });
    expect(refused.failures.map(({ error, retryInMs }) => [error, retryInMs])).toEqual([
      [`Error: POST to ${closed.origin}: ECONNREFUSED`, 10],
      [`Error: POST to ${closed.origin}: ECONNREFUSED`, null],
    ]);
    await using silent = site(() => new Promise<Response>(() => {}));
    const late = await delivered({ url: silent.origin, timeout: "50ms", retry: { ...QUICK, limit: 0 } });
    expect(late.end).toMatchObject({ error: `Error: POST to ${silent.origin}: no answer within 50 ms` });
  });

  test("follows a redirect on its host with the same request, and none to another", async () => {
    await using elsewhere = site(() => new Response());
    await using server = site((nth, request) => {
      const to = ["/second", "?third", `${elsewhere.origin}/fourth`][nth] ?? "/";
      return new URL(request.url).pathname === "/done"
        ? new Response()
        : new Response(null, { status: [307, 302, 308][nth] ?? 301, headers: { location: to } });
    });
    const { end } = await delivered({ url: `${server.origin}/first`, headers: { "x-key": "k" }, retry: QUICK });
    expect(end).toMatchObject({
      type: "failed",
      error: `Error: POST to ${server.origin}: it answered 308, a redirect to another host`,
    });
    expect(server.seen.map(({ path }) => path)).toEqual(["/first", "/second", "/second?third"]);
    for (const { method, headers, body } of server.seen) {
      expect([method, headers.get("x-key"), JSON.parse(body)]).toEqual(["POST", "k", COPIED]);
    }
    expect(elsewhere.seen).toEqual([]);
  });

  test("does not go round in circles", async () => {
    await using server = site(() => new Response(null, { status: 307, headers: { location: "/" } }));
    const { end } = await delivered({ url: server.origin, retry: QUICK });
    expect(end).toMatchObject({ error: `Error: POST to ${server.origin}: more than 5 redirects` });
    expect(server.seen).toHaveLength(6);
  });

  test("sends what is secret and never says it", async () => {
    const secret = "s3cret";
    await using server = site((nth, request) =>
      nth === 0
        ? new Response(null, { status: 500 })
        : Response.json([...request.headers], { status: 400, statusText: `${secret}?` }),
    );
    const { worker, end } = await delivered({
      url: `http://user:${secret}%21@${server.host}/${secret}?token=${secret}`,
      headers: { "x-api-key": secret },
      retry: QUICK,
    });
    expect(end.type).toBe("failed");
    expect(
      server.seen.map(({ headers, path }) => [headers.get("authorization"), headers.get("x-api-key"), path]),
    ).toEqual(Array(2).fill([`Basic ${btoa(`user:${secret}!`)}`, secret, `/${secret}?token=${secret}`]));
    expect(JSON.stringify([worker.messages, worker.lines])).not.toContain(secret);
    const closed = site(() => new Response());
    await closed[Symbol.asyncDispose]();
    const refused = await delivered({
      url: `http://user:${secret}@${closed.host}/${secret}?${secret}`,
      retry: { limit: 0 },
    });
    expect(refused.end.type).toBe("failed");
    expect(JSON.stringify(refused.worker.messages)).not.toContain(secret);
  });

  const seenBy = async (options: Record<string, unknown>, trigger: Record<string, unknown> = {}): Promise<Seen> => {
    await using server = site(() => new Response());
    const url = `${server.origin}${options.path ?? ""}`;
    const { path: _, ...rest } = options;
    const { end } = await delivered({ url, ...rest }, { ...TRIGGER, ...trigger });
    expect(end).toMatchObject({ type: "completed" });
    return server.seen[0] as Seen;
  };

  test("sends a body of its own, in which a text that is exactly one template becomes the value", async () => {
    const body = {
      state: "{{ payload.status }}",
      all: "{{ payload }}",
      n: [1, "{{ id }}", "id {{ id }}", null],
      on: true,
    };
    const seen = await seenBy({ body });
    expect(JSON.parse(seen.body)).toEqual({
      state: "critical",
      all: TRIGGER.payload,
      n: [1, 3, "id 3", null],
      on: true,
    });
    expect(seen.headers.get("content-type")).toBe("application/json");
  });

  test("sends a text of its own, with its type", async () => {
    const seen = await seenBy({ body_text: "{{ sense }} is {{ payload.status }}", type: "text/markdown" });
    expect([seen.body, seen.headers.get("content-type")]).toEqual(["disk is critical", "text/markdown"]);
    expect((await seenBy({ body_text: "é" })).headers.get("content-type")).toBe("text/plain; charset=utf-8");
  });

  test("percent-encodes what is filled into the address, and takes controls out of a header", async () => {
    const payload = { name: "a/b?c#d é %2e", line: "x\r\nSet-Cookie: y\u0000é" };
    const seen = await seenBy(
      { path: "/{{ payload.name }}/x?q={{ payload.name }}", headers: { "X-Line": "l: {{ payload.line }}" } },
      { payload },
    );
    const encoded = encodeURIComponent(payload.name);
    expect(seen.path).toBe(`/${encoded}/x?q=${encoded}`);
    expect(Buffer.from(seen.headers.get("x-line") ?? "", "latin1").toString("utf8")).toBe("l: xSet-Cookie: yé");
  });

  test.each(["..", ".", "%2e%2E"])(
    "a part of the path that would be %s fails the run, without another try",
    async (part) => {
      await using server = site(() => new Response());
      const { end } = await delivered(
        { url: `${server.origin}/a/{{ payload.to }}/b`, retry: QUICK },
        { ...TRIGGER, payload: { to: part } },
      );
      const isClimbing = part !== "%2e%2E";
      // Percent signs are encoded themselves.
      expect([end.type, server.seen.length]).toEqual(isClimbing ? ["failed", 0] : ["completed", 1]);
    },
  );

  test.each([
    [{ body: { x: "{{ payload.nope }}" } }, "{{ payload.nope }}: the payload has no nope"],
    [{ body_text: "{{ due }}" }, "{{ due }}: no due time started this run"],
    [{ headers: { "X-A": "{{ signal.x }}" } }, "{{ signal.x }}: the reflex has no `each`"],
  ])("%j has nothing to fill in: the run fails without a request", async (options, reason) => {
    await using server = site(() => new Response());
    const { end, failures } = await delivered({ url: server.origin, retry: QUICK, ...options });
    expect(end).toMatchObject({ type: "failed" });
    expect(JSON.stringify(end)).toContain(reason);
    expect([failures.length, server.seen.length]).toEqual([1, 0]);
  });

  test("a CloudEvent has the trigger or the body as its data", async () => {
    const seen = await seenBy({ format: "cloudevents", traceparent: true });
    const id = stepId("0".repeat(32), 1, "webhook", 0);
    expect(seen.headers.get("content-type")).toBe("application/cloudevents+json");
    expect(JSON.parse(seen.body)).toEqual({
      specversion: "1.0",
      id,
      source: `nerve://${hostname()}/reflex/page`,
      type: "nerve.signal",
      time: "1970-01-01T00:00:00.005Z",
      traceparent: seen.headers.get("traceparent"),
      datacontenttype: "application/json",
      data: COPIED,
    });
    expect(seen.headers.get("traceparent")).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    const incident = { notification: "opened" };
    expect(JSON.parse((await seenBy({ format: "cloudevents" }, { incident })).body).type).toBe("nerve.incident.opened");
    const timed = { id: null, sense: null, host: "here", at: null, due: 5_000 };
    expect(JSON.parse((await seenBy({ format: "cloudevents", body: { a: 1 } }, timed)).body)).toMatchObject({
      type: "nerve.due",
      time: "1970-01-01T00:00:05.000Z",
      data: { a: 1 },
    });
  });

  test("signs as Standard Webhooks says, with each secret while they rotate", async () => {
    const secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", `whsec_${Buffer.alloc(32, 7).toString("base64")}`];
    const one = await seenBy({ secret: secrets[0] });
    expect(one.headers.get("webhook-signature")?.split(" ")).toHaveLength(1);
    const { headers, body } = await seenBy({ secret: secrets });
    const id = headers.get("webhook-id") ?? "";
    const seconds = Number(headers.get("webhook-timestamp"));
    expect(id).toBe(headers.get("idempotency-key") ?? "none");
    expect(headers.get("webhook-signature")).toBe(
      signatureHeaders(secrets, { id, seconds, body })["webhook-signature"] ?? "none",
    );
    expect(headers.get("webhook-signature")?.split(" ")).toHaveLength(2);
  });

  test("the signature of the specification's example", () => {
    const example = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330, body: '{"test": 2432232314}' };
    expect(signatureHeaders(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], example)).toEqual({
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  test("stops waiting for an answer when the run is cancelled", async () => {
    await using server = site(() => new Promise<Response>(() => {}));
    using folder = temporaryFolder();
    await using worker = new TestWorkflowWorker(folder);
    await worker.ready({ folder: null, use: "webhook", options: { url: server.origin } });
    worker.run(1);
    await until("the request has arrived", () => server.seen.length === 1);
    worker.send({ type: "cancel", generation: 1, run: 1 });
    expect((await worker.end(1)).type).toBe("stopped");
  });

  test.each([
    [{}, "url is required: text"],
    [{ url: "ftp://example.org" }, "url must be an http or https URL"],
    [{ url: "/hook" }, "url must be an http or https URL"],
    [{ url: "https://%zz:x@example.org" }, "url must be an http or https URL"],
    [{ url: "https://example.org", headers: { "a b": "c" } }, "headers must be headers of a request"],
    [{ url: "https://example.org", headers: { a: "b\r\nc: d" } }, "headers must be headers of a request"],
    [{ url: "https://example.org", headers: { "Idempotency-Key": "x" } }, "headers must be headers of a request"],
    [{ url: "https://{{ payload.host }}/x" }, "url must be an http or https URL"],
    [{ url: "https://a{{ payload.host }}.org/x" }, "url must"],
    [{ url: "https://example.org:{{ payload.port }}/x" }, "url must"],
    [{ url: "{{ payload.url }}" }, "url must"],
    [{ url: "https://example.org/{{ nope }}" }, "url must"],
    [{ url: "https://example.org", body: { a: ["{{ nope }}"] } }, "body must fill in only {{ payload.PATH }}"],
    [{ url: "https://example.org", body: 1, body_text: "x" }, "body_text does not go with `body`"],
    [{ url: "https://example.org", body_text: "x", format: "cloudevents" }, "body_text does not go with a CloudEvent"],
    [{ url: "https://example.org", type: "text/html" }, "type has no meaning without `body_text`"],
    [{ url: "https://example.org", secret: "short" }, "secret must be `whsec_` and 24 to 64 bytes in base64"],
    [{ url: "https://example.org", retry: { limt: 3 } }, "retry.limt is not an option: did you mean `limit`?"],
  ])("refuses %j when it is loaded", async (options, reason) => {
    await expect(delivered(options)).rejects.toThrow(reason);
  });
});
