/**
 * What SQLite does for each statement on logs.db that an answer of the API makes: its plan reads no long table whole. The routes are asked
 * on a store with incidents and failed runs, every statement that ran is explained, and each exception stands here with its reason.
 */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { Secrets } from "../../src/base/secrets.ts";
import type { WebLook } from "../../src/control/web-look.ts";
import { openStore } from "../../src/store/open.ts";
import { storeFile } from "../../src/store/tables.ts";
import { FIRST_PORTION, nextEvents } from "../../src/web/feed.ts";
import { KernelLink } from "../../src/web/kernel-link.ts";
import { Place } from "../../src/web/place.ts";
import { BASE, ROUTES } from "../../src/web/routes.ts";
import { NIGHTS } from "../causes/stories.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import { StoryBench } from "../helpers/story-bench.ts";

setDefaultTimeout(60_000);

/** A step of a plan that reads: what is read, by its name or alias, and how it is found. */
const STEP = /^(?:SCAN|SEARCH) (\S+)(?: ROW)?(?: USING (?:COVERING )?(.*))?$/;
/** They hold what is configured, switched or noted, and a row for each key of a reflex or file of the archive. */
const SHORT = [
  ...["archive", "meta", "reflex_state", "reflexes", "switches", "silences", "clock_steps", "origins"],
  ...["sqlite_schema", "sqlite_sequence", "CONSTANT"],
];
/** Rows of another step. */
const INNER = /^\(subquery-\d+\)$/;
/** Either of them holds only what is open or under way. */
const FEW = /^INDEX (?:incidents_open|workflow_runs_active)$/;
const BOUNDED = /^INTEGER PRIMARY KEY \((?:rowid=\?|rowid>\? AND rowid<\?)\)$|^INDEX \w+ \(/;

/** What else may be, and why: a part of the statement, the reason. */
const ALLOWED: readonly (readonly [RegExp, string])[] = [
  [/ORDER BY id(?: ASC| DESC)? LIMIT (?:\?|1)$/, "in the order of ids, and ends with its limit"],
  [/SELECT (?:min|max)\(id\)/, "one step to either end of the table"],
  [/lag\(at\) OVER/, "begins at the mark of the clock's steps, 4,096 rows before the end at most"],
];

const isShort = (sql: string, detail: string): boolean => {
  const [found, table = "", by = ""] = STEP.exec(detail) ?? [];
  if (found === undefined || SHORT.includes(table) || INNER.test(table)) return true;
  return FEW.test(by) || BOUNDED.test(by) || ALLOWED.some(([part]) => part.test(sql));
};

const TITLES = ["no channel took the report", "a sense is quarantined, so its reflex never fires"];

const RANGES = ["", "after=0", "before=40", "since=1000&until=9000000000000", `trace=${"0".repeat(32)}`];
const LISTED = (...more: readonly string[]): readonly string[] => [...RANGES, ...more];

/** By route: what is asked of it. */
const ASKED: Readonly<Record<string, readonly string[]>> = {
  "/session": [""],
  "/status": [""],
  "/senses": [""],
  "/signals": LISTED("sense=disks", "sense=disks&sense=memory&after=3"),
  "/logs": LISTED("level=warn", "source=kernel&after=0", "event=run.failed", "text=channel"),
  "/runs": LISTED("state=failed", "workflow=notify&after=0", "reflex=disk-full"),
  "/runs/{id}": ["1", "2", "999"],
  "/traces/{id}": ["signal:1", "incident:1", "run:1", "1", "0123456789abcdef", "signal:999", "incident:999"],
  "/incidents": LISTED("state=open", "reflex=disk-full"),
  "/deaths": RANGES,
  "/reflexes": [""],
  "/reflexes/{name}": ["disk-full", "disk-full?key=x", "disk-full?before=40", "none"],
  "/series": ["sense=disks&field=mounts", "sense=memory"],
  "/graph": [""],
  "/config": [""],
  "/store": [""],
  "/why": [""],
  "/hosts": ["", "state=silent", "host=web1"],
  "/silences": [""],
  "/openapi.json": [""],
};

const NO_SUCH = /^unknown-(?:run|signal|incident|trace|reflex|sense)$/;

const RUNNING = ["all", "get", "values", "iterate", "run"] as const;

/** The SQL of whatever runs until it is disposed, on any connection. */
class Ran implements Disposable {
  readonly statements = new Set<string>();
  /** How many were run, each time counted. */
  runs = 0;
  readonly #query = Database.prototype.query;
  readonly #prepare = Database.prototype.prepare;

  constructor() {
    const note = (sql: string): void => {
      this.statements.add(sql);
      this.runs++;
    };
    // `query` gives the same statement again.
    const noted = new WeakSet<object>();
    const noting = (make: Database["query"]): Database["query"] =>
      function (this: Database, sql: string) {
        const statement = make.call(this, sql);
        if (noted.has(statement)) return statement;
        noted.add(statement);
        for (const name of RUNNING) {
          const run = statement[name].bind(statement) as (...values: unknown[]) => unknown;
          Object.assign(statement, {
            [name]: (...values: unknown[]) => {
              note(sql);
              return run(...values);
            },
          });
        }
        return statement;
      } as Database["query"];
    Database.prototype.query = noting(this.#query);
    Database.prototype.prepare = noting(this.#prepare as Database["query"]) as Database["prepare"];
  }

  [Symbol.dispose](): void {
    Database.prototype.query = this.#query;
    Database.prototype.prepare = this.#prepare;
  }
}

type Asked = Readonly<Record<string, readonly string[]>>;

/** What the view *Now* asks for when it opens, with a range of five minutes. */
const FIRST_VIEW: Asked = {
  "/session": [""],
  "/status": [""],
  "/why": [""],
  "/senses": [""],
  "/incidents": ["state=open&state=acked&limit=200", "since=1000&limit=200"],
  "/reflexes": [""],
  "/silences": [""],
  "/runs": ["since=1000&limit=200"],
  "/logs": ["event=run.failed&event=kernel.started&since=1000&limit=200"],
  "/signals": ["sense=disks&since=1000&limit=200"],
  "/series": Array.from({ length: 12 }, () => "sense=disks&field=mounts&from=1000&to=301000&width=400"),
};

/** Asks the routes what stands in `asked`; the statements that ran for that, and how often any ran. */
async function statementsOf(bench: StoryBench, all: Asked = ASKED): Promise<Pick<Ran, "statements" | "runs">> {
  using ran = new Ran();
  using scene = bench.scene();
  const look = { status: scene.status, silences: [], last_signals: { disks: 1 }, series: {}, slowest_commit_ms: 1 };
  const link: KernelLink = new KernelLink((id) => queueMicrotask(() => link.seen(id, look as unknown as WebLook)));
  const place = new Place(bench.folder.path, "1", bench.config, new Secrets());
  const opened = place.store();
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  // Whoever opens a store looks at it whole, once.
  ran.statements.clear();
  ran.runs = 0;
  for (const route of ROUTES) {
    if (route.kind === "stream") continue;
    for (const asked of all[route.path.slice(BASE.length)] ?? []) {
      const [name = "", search = ""] = route.path.includes("{") ? asked.split("?") : ["", asked];
      const answer = await route.answer({
        place,
        link,
        store,
        query: new URLSearchParams(search),
        names: [name],
        until: null,
      });
      if (!answer.ok && !NO_SUCH.test(answer.error.kind)) throw new Error(answer.error.message);
    }
  }
  const marks = { signals: store.signals.lastId(), logs: store.logs.lastId() };
  const end = nextEvents(store, { signal: 0, log: 0, isWhole: true }, marks, FIRST_PORTION).at(-1);
  if (end !== undefined) nextEvents(store, { ...end.place, isWhole: false }, marks, FIRST_PORTION);
  place.forgetStore();
  return { statements: new Set(ran.statements), runs: ran.runs };
}

function plansOf(file: string, statements: ReadonlySet<string>): { sql: string; detail: string }[] {
  using db = new Database(file, { readonly: true });
  const explained = [...statements].filter((sql) => sql.startsWith("SELECT"));
  return explained.flatMap((sql) =>
    db
      .query<{ detail: string }, []>(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => ({ sql, detail })),
  );
}

test("each route is asked", () => {
  const paths = ROUTES.filter(({ kind }) => kind === "answer").map(({ path }) => path.slice(BASE.length));
  expect(Object.keys(ASKED).sort()).toEqual(paths.sort());
});

test("no statement of an answer reads a long table without a bound", async () => {
  const seen = new Map<string, string>();
  for (const title of TITLES) {
    const night = NIGHTS.find((one) => one.title === title);
    if (night === undefined) throw new Error(`there is no night "${title}"`);
    using bench = new StoryBench(night.config);
    await night.make(bench);
    const { statements } = await statementsOf(bench);
    for (const { sql, detail } of plansOf(storeFile(bench.folder.path), statements)) seen.set(`${sql}\n${detail}`, sql);
  }
  const steps = [...seen].map(([step, sql]) => ({ sql, detail: step.slice(sql.length + 1) }));
  expect(steps.filter(({ sql, detail }) => !isShort(sql, detail))).toEqual([]);
  const used = ALLOWED.filter(([part]) => steps.some(({ sql }) => part.test(sql)));
  expect(used).toEqual([...ALLOWED]);
  expect(steps.map(({ detail }) => detail)).toContain("SCAN incidents USING INDEX incidents_open");
});

test("a plan without a bound is refused, by its table or by one end of its ids", () => {
  using folder = temporaryFolder();
  const opened = openStore(folder.path, "normal", "plans", 0);
  if (!opened.ok) throw new Error(opened.error.message);
  opened.value.close();
  const refused = [
    "SELECT trace FROM signals WHERE sense = ?",
    "SELECT event FROM logs WHERE id > ? AND event = ?",
    "SELECT id FROM workflow_runs WHERE state = 'failed' ORDER BY id",
    "SELECT count(*) FROM incidents",
    "SELECT sense FROM (SELECT * FROM signals ORDER BY at)",
    "SELECT id FROM signals AS s WHERE at > ?",
  ];
  const plans = plansOf(storeFile(folder.path), new Set(refused));
  const found = new Set(plans.filter(({ sql, detail }) => !isShort(sql, detail)).map(({ sql }) => sql));
  expect([...found]).toEqual(refused);
});

test("the first view of the page takes a bounded number of queries", async () => {
  const night = NIGHTS.find((one) => one.title === TITLES[0]);
  if (night === undefined) throw new Error("there is no such night");
  using bench = new StoryBench(night.config);
  await night.make(bench);
  const { runs } = await statementsOf(bench, FIRST_VIEW);
  console.log(JSON.stringify({ page: "queries of the first view", runs }));
  expect(runs).toBeGreaterThan(20);
  expect(runs).toBeLessThanOrEqual(320);
});
