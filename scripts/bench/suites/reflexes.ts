/**
 * What reflexes cost: decisions a second beside a bare `if` on the same payloads, bytes a remembered key, what reflexes
 * cost that listen to other senses, and a backtest beside reading and parsing the same rows.
 */
import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ReflexConfig } from "../../../src/model/config.ts";
import { UNEVENTFUL } from "../../../src/rules/course.ts";
import { type KeyState, REST } from "../../../src/rules/key-state.ts";
import { type Matcher, matcherOf } from "../../../src/rules/matcher.ts";
import { Replay } from "../../../src/rules/replay.ts";
import { decide } from "../../../src/rules/rule.ts";
import { openStore } from "../../../src/store/open.ts";
import { workflowReflex } from "../../../test/helpers/reflex.ts";
import { type Figure, median } from "../figures.ts";
import type { Setting } from "../setting.ts";
import { Site } from "../site.ts";

const REFLEXES = 1_000;
const SENSES = 100;
const KEYS_OF_SENSE = 100;
const SIGNALS = { all: 1_000_000, quick: 200_000 };
const BEGIN = 1_700_000_000_000;
const STEP_MS = 10;

const reflexOf = (index: number, sense: string): ReflexConfig =>
  workflowReflex({
    workflow: "w",
    name: `r${index}`,
    on: [sense],
    when: { v: "number > 8" },
    clear: { v: "number < 2" },
    edge: "rising",
    throttleMs: 60_000,
    key: "host",
  });

interface Payload {
  readonly v: number;
  readonly host: string;
}

const payloadOf = (index: number, keys: number): Payload => ({ v: (index * 7_919) % 10, host: `host-${index % keys}` });

const matchersOf = (configs: readonly ReflexConfig[]): Matcher[] =>
  configs.map((config) => {
    const matcher = matcherOf(config);
    if (!matcher.ok) throw new Error(matcher.error.message);
    return matcher.value;
  });

/** As the kernel does: which key, does it match, what follows, what is remembered. Answers with decisions a second. */
function decisions(matchers: readonly Matcher[], count: number): { readonly rate: number; readonly ifs: number } {
  const perSense = REFLEXES / SENSES;
  const states = matchers.map(() => new Map<string, KeyState>());
  const payloads = Array.from({ length: SENSES * KEYS_OF_SENSE }, (_, at) => payloadOf(at, KEYS_OF_SENSE));
  let fired = 0;
  const begun = performance.now();
  for (let signal = 0; signal < count / perSense; signal++) {
    const payload = payloads[signal % payloads.length] as Payload & Record<string, never>;
    const first = (signal % SENSES) * perSense;
    for (let reflex = first; reflex < first + perSense; reflex++) {
      const { rule, match } = matchers[reflex] as Matcher;
      const known = states[reflex] as Map<string, KeyState>;
      const { key, matches, clears } = match("s", payload);
      const elapsed = signal * STEP_MS;
      const event = { kind: "signal", id: signal, elapsed, matches, clears, element: null } as const;
      const { state, decisions: made } = decide(rule, known.get(key) ?? REST, event);
      known.set(key, state);
      fired += made.length;
    }
  }
  const rate = (count * 1_000) / (performance.now() - begun);
  // Of another limit each, or the compiler would ask once for all of them.
  const limits = matchers.map((_, index) => 8 + (index % 2));
  const ifsBegun = performance.now();
  let passed = 0;
  for (let signal = 0; signal < count / perSense; signal++) {
    const payload = payloads[signal % payloads.length] as Payload;
    const first = (signal % SENSES) * perSense;
    for (let reflex = first; reflex < first + perSense; reflex++) if (payload.v > (limits[reflex] as number)) passed++;
  }
  const ifs = (count * 1_000) / (performance.now() - ifsBegun);
  if (fired === 0 || passed === 0) throw new Error("nothing matched");
  return { rate, ifs };
}

/** Bytes of memory a key that is remembered takes, its name included. */
function bytesOfKey(keys: number): number {
  const [matcher] = matchersOf([reflexOf(0, "s")]);
  if (matcher === undefined) throw new Error("one reflex gives one matcher");
  const states = new Map<string, KeyState>();
  Bun.gc(true);
  const before = process.memoryUsage().heapUsed;
  for (let signal = 0; signal < keys; signal++) {
    const { key, matches, clears } = matcher.match("s", { v: 9, host: `host-${signal}` });
    const event = { kind: "signal", id: signal, elapsed: signal, matches, clears, element: null } as const;
    states.set(key, decide(matcher.rule, REST, event).state);
  }
  Bun.gc(true);
  return (process.memoryUsage().heapUsed - before) / states.size;
}

/** Signals a second through a replay of one reflex that listens and `others` that do not. */
function beside(others: number, count: number): number {
  const configs = [reflexOf(0, "s"), ...Array.from({ length: others }, (_, index) => reflexOf(index + 1, "other"))];
  const made = Replay.of({ incidents: null, reflexes: configs, course: UNEVENTFUL, decided: () => {}, observer: null });
  if (!made.ok) throw new Error(made.error.message);
  const texts = Array.from({ length: KEYS_OF_SENSE }, (_, at) => JSON.stringify(payloadOf(at, KEYS_OF_SENSE)));
  const begun = performance.now();
  for (let id = 1; id <= count; id++) {
    made.value.feed({ id, sense: "s", at: BEGIN + id * STEP_MS, payload: texts[id % texts.length] as string });
  }
  return (count * 1_000) / (performance.now() - begun);
}

function fill(site: Site, count: number): string {
  mkdirSync(site.data, { mode: 0o700 });
  const store = openStore(site.data, "normal", "bench", BEGIN);
  if (!store.ok) throw new Error(store.error.message);
  const trace = "0123456789abcdef0123456789abcdef";
  store.value.commit(() => {
    for (let row = 0; row < count; row++) {
      const payload = JSON.stringify({ ...payloadOf(row, 10_000), status: "ok", cores: 4 });
      store.value.signals.append({ sense: "load", at: BEGIN + row * STEP_MS, payload, cause: null, trace });
    }
  });
  store.value.close();
  return join(site.data, "logs.db");
}

/** The least that reads every signal and looks at it. */
function readAndTest(file: string): number {
  const db = new Database(file, { readonly: true });
  const begun = performance.now();
  let passed = 0;
  const rows = db.query<{ id: number; payload: string }, []>("SELECT id, payload FROM signals ORDER BY id").iterate();
  for (const { payload } of rows) if ((JSON.parse(payload) as Payload).v > 8) passed++;
  const tookMs = performance.now() - begun;
  db.close(true);
  if (passed === 0) throw new Error("nothing matched");
  return tookMs;
}

async function backtested(nerve: string, site: Site): Promise<number> {
  const begun = performance.now();
  const child = Bun.spawn([nerve, "backtest", "-c", site.config, "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  const text = await new Response(child.stdout).text();
  if ((await child.exited) !== 0 || !text.includes('"fired"')) throw new Error(`backtest said ${text}`);
  return performance.now() - begun;
}

/** Rates of a replay whose one reflex listens: `alone`, and `crowded` by reflexes that do not. */
function replayed(count: number, turns: number): { readonly alone: number[]; readonly crowded: number[] } {
  const alone: number[] = [];
  const crowded: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    alone.push(beside(0, count));
    crowded.push(beside(REFLEXES - 1, count));
  }
  return { alone, crowded };
}

const BACKTESTED = `senses: { load: }
workflows: { page: { use: exec, with: { command: [/bin/true] } } }
reflexes:
  - { name: r, workflow: page, on: [load], key: host, when: { v: number > 8 }, clear: { v: number < 2 }, throttle: 1m }
`;

/** Durations of a backtest, and of the bare reading beside it. */
async function backtests(
  { rounds, programs }: Setting,
  count: number,
): Promise<{ readonly floorMs: number[]; readonly nerveMs: number[] }> {
  using site = new Site();
  const file = fill(site, count);
  site.write("nerve.yaml", BACKTESTED);
  const floorMs: number[] = [];
  const nerveMs: number[] = [];
  for (let turn = 0; turn < rounds; turn++) {
    floorMs.push(readAndTest(file));
    nerveMs.push(await backtested(programs.nerve, site));
  }
  return { floorMs, nerveMs };
}

export async function reflexes(setting: Setting): Promise<Figure[]> {
  const count = setting.rounds > 1 ? SIGNALS.all : SIGNALS.quick;
  // Once, as a kernel does: each time anew, the compiler would have to begin anew as well.
  const matchers = matchersOf(Array.from({ length: REFLEXES }, (_, index) => reflexOf(index, "s")));
  const rounds = Array.from({ length: setting.rounds }, () => decisions(matchers, 2 * count));
  const { alone, crowded } = replayed(count, setting.rounds + 1);
  const { floorMs, nerveMs } = await backtests(setting, count);
  const bare = median(rounds.map(({ ifs }) => ifs));
  const rate = median(rounds.map((each) => each.rate));
  const bytes = bytesOfKey(10_000);
  return [
    {
      suite: "reflexes",
      name: `decisions of ${REFLEXES} reflexes over ${SENSES * KEYS_OF_SENSE} keys, beside a bare if`,
      unit: "decisions/s",
      floor: bare,
      nerve: rate,
      ratio: rate / bare,
      target: null,
      detail: `${(1e9 / rate).toFixed(0)} ns a decision: the key, two patterns, the rule, a Map`,
    },
    {
      suite: "reflexes",
      name: "a key that is remembered",
      unit: "bytes",
      floor: Number.NaN,
      nerve: bytes,
      ratio: bytes,
      target: { atMost: 1_024 },
      detail: "its name and state, without timer and row",
    },
    {
      suite: "reflexes",
      name: `signals, beside ${REFLEXES - 1} reflexes that listen to others`,
      unit: "signals/s",
      floor: median(alone),
      nerve: median(crowded),
      ratio: median(crowded) / median(alone),
      target: { atLeast: 0.8 },
      detail: "the floor is the one reflex alone",
    },
    {
      suite: "reflexes",
      name: `backtest of ${count} signals, beside reading and parsing them`,
      unit: "signals/s",
      floor: (count * 1_000) / median(floorMs),
      nerve: (count * 1_000) / median(nerveMs),
      ratio: median(floorMs) / median(nerveMs),
      target: null,
      detail: `the whole command, ${(median(nerveMs) / 1_000).toFixed(2)} s; one reflex with key, when, clear and throttle`,
    },
  ];
}
