/** The stream of events on a real daemon: cut after every event, and narrowed to what a follower chooses. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Nerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";
import { type Address, follow, type StreamEvent } from "../helpers/web.ts";
import { type WebSite, webSite } from "../helpers/web-site.ts";

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
      const event = (await follow(address, site.token, place, hasId)).at(-1);
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

  test("narrowed and cut after every event: each chosen row once, in order, and the place passes what was left out", async () => {
    const chosen = nerve.logs().filter(({ level, source }) => source === "sense:leak" && level !== "info");
    expect(chosen.length).toBeGreaterThan(0);
    const [lastSignal, lastLog] = [nerve.signals().at(-1)?.id ?? 0, nerve.logs().at(-1)?.id ?? 0];
    const isPast = (place: string): boolean => {
      const [signal = 0, log = 0] = place.match(/\d+/g)?.map(Number) ?? [];
      return signal >= lastSignal && log >= lastLog;
    };
    const events: StreamEvent[] = [];
    for (let place = "s0.l0"; !isPast(place); ) {
      const query = "?source=sense:leak&level=warn&sense=nobody";
      const event = (await follow(address, site.token, place, hasId, query)).at(-1);
      if (event?.id === undefined || event.id === null) throw new Error("the stream has ended");
      events.push(event);
      place = event.id;
    }
    expect(rowsOf(events, "signal")).toEqual([]);
    expect(rowsOf(events, "log")).toEqual(chosen.map(({ id }) => id));
    expect(new Set(rowsOf(events, "run")).size).toBe(
      JSON.parse((await ask("/api/v1/runs?limit=200")).body).rows.length,
    );
  });

  test.each([
    ["level=loud", "`level` must be one of debug, info, warn, error"],
    ["from=now", "`from` must be the id of an event, as s4.l7"],
    ["since=1", "there is no parameter `since`"],
  ])("a parameter that is none is refused by name: %s", async (query, message) => {
    const { status, body } = await ask(`/api/v1/events?${query}`);
    expect([status, JSON.parse(body).error.message]).toEqual([400, message]);
  });

  test("a Last-Event-ID that is none is refused, and does not begin at the newest", async () => {
    const { status, body } = await ask("/api/v1/events", { "last-event-id": "junk" });
    expect([status, JSON.parse(body).error.message]).toEqual([
      400,
      "`Last-Event-ID` must be the id of an event, as s4.l7",
    ]);
  });

  test("a path that is none leads to the list of those there are", async () => {
    const { status, body } = await ask("/api/v1/nothing");
    expect([status, JSON.parse(body).error.hint]).toEqual([404, "`/api/v1/openapi.json` lists what there is"]);
  });
});
