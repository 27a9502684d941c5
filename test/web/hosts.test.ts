/** Other hosts in the API: from the table of origins of a real store. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Origin } from "../../src/model/origin.ts";
import { refuse } from "../../src/store/damage.ts";
import { openStoreReader, type StoreReader } from "../../src/store/open-reader.ts";
import { HOSTS_QUERY, hostsAnswer } from "../../src/web/hosts-answer.ts";
import { readQuery } from "../../src/web/query.ts";
import schemas from "../../src/web/schemas.json";
import { type ArchiveBench, archiveBench, june } from "../helpers/archive.ts";
import { ClosedSchemas } from "../helpers/closed-schema.ts";

let bench: ArchiveBench;
let store: StoreReader;

const origin = (host: string, state: Origin["state"], at: number): Origin => ({
  ...{ host, state, at, since: at, epoch: at === 0 ? "" : "e1", upto: 9, signals: 7 },
  ...{ gaps: 1, missing: 2, late: 3, heard: 0 },
});

beforeAll(() => {
  bench = archiveBench();
  const all = [
    ...[origin("b", "up", june(3)), origin("a", "up", june(4))],
    ...[origin("gone", "silent", june(1)), origin("cut", "silent", june(2)), origin("never", "silent", 0)],
  ];
  bench.store.commit(() => all.forEach(bench.store.origins.put));
  const opened = openStoreReader(bench.data, refuse);
  if (!opened.ok) throw new Error(opened.error.message);
  store = opened.value;
});

afterAll(() => {
  store.close();
  bench[Symbol.dispose]();
});

const SILENT_KERNEL = { look: async () => null, state: { state: "silent", answered_at: null } } as const;

async function ask(search: string) {
  const query = readQuery(new URLSearchParams(search), HOSTS_QUERY);
  return query.ok ? hostsAnswer(SILENT_KERNEL, store, query.value) : query.error.message;
}
async function namesOf(search: string) {
  const answer = await ask(search);
  return typeof answer === "string" ? answer : [answer.hosts.map(({ host }) => host).join(" "), answer.more];
}

test("silent hosts come first, the newest of these before; then the others by name", async () => {
  expect(await namesOf("")).toEqual(["cut gone never a b", 0]);
  expect(await namesOf("limit=2")).toEqual(["cut gone", 3]);
});

test("a state and names choose among them, and what is no state is refused", async () => {
  expect(await namesOf("state=up&limit=1")).toEqual(["a", 1]);
  expect(await namesOf("host=b&host=gone&host=nobody")).toEqual(["gone b", 0]);
  expect(await namesOf("state=down")).toBe("`state` must be one of up, silent");
  expect(await namesOf("limit=5001")).toBe("`limit` must be a whole number from 1 to 5000");
});

test("a row has what is known of its host, and is as the schemas say", async () => {
  const answer = await ask("host=gone&host=never");
  expect(answer).toEqual({
    link: { state: "silent", answered_at: null },
    fleet: null,
    hosts: [
      {
        ...{ host: "gone", state: "silent", since: june(1), last_heard: june(1), epoch: "e1" },
        ...{ upto: 9, signals: 7, gaps: 1, missing: 2, late: 3 },
      },
      {
        ...{ host: "never", state: "silent", since: 0, last_heard: null, epoch: null },
        ...{ upto: 9, signals: 7, gaps: 1, missing: 2, late: 3 },
      },
    ],
    more: 0,
  });
  const closed = new ClosedSchemas({ schemas });
  expect(closed.complaints("#/components/schemas/HostsAnswer", answer)).toEqual([]);
});
