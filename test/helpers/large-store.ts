/**
 * A project whose store holds the history of ten days: signals, logs (most of them in the archive), runs and incidents, written by
 * the store's own code. By hand: `bun test/helpers/large-store.ts FOLDER 127.0.0.1:4280` makes one of the full size in FOLDER.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { realWorld } from "../../src/kernel/host/real-world.ts";
import { writeNext } from "../../src/kernel/upkeep/archive-file.ts";
import { advanceIncident, type Incident, type IncidentEvent } from "../../src/model/incident-row.ts";
import { archiveFolder } from "../../src/store/archive-names.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { type Project, project } from "./nerve.ts";
import { type RunWriter, randomFrom, runWriter } from "./runs.ts";

export interface LargeCounts {
  readonly senses: number;
  readonly signals: number;
  /** Besides those of runs and incidents. The older two thirds of all logs go to the archive. */
  readonly logs: number;
  readonly runs: number;
  readonly incidents: number;
}

/** What the page and the API are measured with. */
export const FULL_SIZE: LargeCounts = { senses: 200, signals: 1_000_000, logs: 160_000, runs: 10_000, incidents: 300 };

const DAY_MS = 86_400_000;
const SPAN_MS = 10 * DAY_MS;
/** Rows of a commit. */
const BATCH = 5_000;
const HOSTS = 40;

const senseName = (index: number): string => `probe-${String(index).padStart(3, "0")}`;

/** `listen`: where the page is served. Every tenth sense has a reflex with keys, and a workflow hears it. */
export function largeConfig(listen: string, { senses }: Pick<LargeCounts, "senses">): string {
  const names = Array.from({ length: senses }, (_, index) => senseName(index));
  const reflexes = names.flatMap((name, index) => [
    `  - { sense: ${name}, interval: 1m }`,
    ...(index % 10 === 0
      ? [
          `  - { name: high-${index}, workflow: note, on: [${name}], when: { value: number >= 95 }, key: host, incident: { severity: warning, summary: "{{ payload.value }} on {{ payload.host }}" } }`,
        ]
      : []),
  ]);
  return [
    `http: "${listen}"`,
    "senses:",
    ...names.map((name, index) => `  ${name}: { use: probe, group: g${index % 4} }`),
    "workflows: { note: { concurrency: 4 } }",
    "reflexes:",
    ...reflexes,
    "",
  ].join("\n");
}

const PROBE = `export const compute = (_db, _peers, { now }) => ({ value: (now / 1000) % 90, host: "host-1" });\n`;
const NOTE = `export const run = (thread) => thread.step("note", () => thread.trigger.payload?.value ?? null);\n`;

/** A project with the modules of its config, and no store yet. */
export const largeProject = (listen: string, counts: LargeCounts): Project =>
  project({
    "nerve.yaml": largeConfig(listen, counts),
    "senses/probe/index.ts": PROBE,
    "workflows/note/index.ts": NOTE,
  });

class History {
  readonly #store: Store;
  readonly #counts: LargeCounts;
  readonly #random = randomFrom(14);
  readonly #runs: RunWriter;

  constructor(store: Store, counts: LargeCounts) {
    this.#store = store;
    this.#counts = counts;
    this.#runs = runWriter(store);
  }

  #below(most: number): number {
    return Math.floor(this.#random() * most);
  }

  #trace(at: number): string {
    return (
      at.toString(16).padStart(12, "0") +
      this.#below(2 ** 32)
        .toString(16)
        .padStart(20, "0")
    );
  }

  /** The `turn`th signal, and what happens about that time. */
  write(turn: number, at: number): void {
    const { signals, logs, runs, incidents } = this.#counts;
    const isDue = (count: number): boolean =>
      Math.floor(((turn + 1) * count) / signals) > Math.floor((turn * count) / signals);
    const index = this.#below(this.#counts.senses);
    const sense = senseName(index);
    const payload = { value: this.#below(100), host: `host-${this.#below(HOSTS)}` };
    const trace = this.#trace(at);
    const signal = this.#store.signals.append({ sense, at, payload: JSON.stringify(payload), cause: null, trace });
    if (isDue(logs)) this.#log(at, sense, trace);
    if (isDue(runs)) this.#run(at, { signal, sense, payload, trace });
    if (isDue(incidents)) this.#incident(at, { signal, payload, trace });
  }

  #log(at: number, sense: string, trace: string): void {
    const kind = this.#below(100);
    const row = { at, run: null, trace } as const;
    const { logs } = this.#store;
    if (kind === 0) {
      const data = JSON.stringify({ role: "senses", group: "g1", pid: 1_000 + kind, generation: 1 });
      const message = "the worker of group g1 ended with signal SIGKILL";
      logs.append({ ...row, trace: null, level: "warn", source: "kernel", event: "worker.exited", message, data });
    } else if (kind < 8) {
      const message = `compute failed: host-${kind} does not answer`;
      logs.append({ ...row, level: "error", source: `sense:${sense}`, event: "compute.failed", message, data: null });
    } else {
      const message = `looked at host-${this.#below(HOSTS)} in ${this.#below(900)} ms`;
      logs.append({ ...row, level: "info", source: `sense:${sense}`, event: "log", message, data: null });
    }
  }

  #run(at: number, { signal, sense, payload, trace }: Moment & { readonly sense: string }): void {
    const trigger = {
      id: signal,
      sense,
      at,
      reflex: "high-0",
      key: payload.host,
      isElement: false,
      due: null,
      incident: null,
    };
    const id = this.#runs.queue({ workflow: "note", at, trace, input: payload, trigger, retry_of: null });
    this.#runs.event(id, at + 1, "run.started", { attempt: 1, code: "", batch: null, joined: [] });
    const step = { step: "note", nth: 1, attempt: 1 };
    this.#runs.event(id, at + 2, "step.started", step);
    if (this.#below(10) === 0) {
      const error = "Error: the host does not answer";
      this.#runs.event(id, at + 20, "run.failed", { error, stack: null, steps: [] });
      return;
    }
    this.#runs.event(id, at + 9, "step.completed", { ...step, result: payload.value, duration_ms: 7 });
    this.#runs.event(id, at + 10, "run.completed", { output: payload.value, ran_ms: 9 });
  }

  #incident(at: number, { signal, payload, trace }: Moment): void {
    const id = this.#store.incidents.newestId() + 1;
    const summary = `${payload.value} on ${payload.host}`;
    const opened = { incident: id, key: payload.host, severity: "warning", summary, signal } as const;
    let row: Incident | null = null;
    const events: readonly IncidentEvent[] = [
      { event: "incident.opened", data: opened },
      { event: "incident.resolved", data: { incident: id, reason: null } },
    ];
    for (const [after, event] of events.entries()) {
      const log = this.#store.logs.append({
        at: at + after,
        level: after === 0 ? "warn" : "info",
        source: "reflex:high-0",
        event: event.event,
        run: null,
        trace,
        message: `incident ${id}: ${summary}`,
        data: JSON.stringify(event.data),
      });
      row = advanceIncident(row, { id: log, at: at + after, reflex: "high-0", trace }, event);
    }
    if (row !== null) this.#store.incidents.put(row);
  }
}

interface Moment {
  readonly signal: number;
  readonly payload: { readonly value: number; readonly host: string };
  readonly trace: string;
}

/** Moves the logs from before `before` into files, as the archiver does. */
async function archive(store: Store, data: string, before: number): Promise<void> {
  const folder = archiveFolder(data);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const world = realWorld();
  for (;;) {
    const written = await writeNext(
      { world, store, folder },
      ({ at }) => at < before,
      () => false,
    );
    if (written === null) return;
    store.commit(() => store.archive.add(written));
    store.commit(() => store.archive.removeLogs(written.last_id, written.rows));
  }
}

/** Writes the history into `data`, which has no store yet. It ends a minute ago. */
export async function fillStore(data: string, counts: LargeCounts): Promise<void> {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const end = Date.now() - 60_000;
  const begin = end - SPAN_MS;
  const opened = openStore(data, "normal", "large-store", begin);
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  try {
    const history = new History(store, counts);
    for (let from = 0; from < counts.signals; from += BATCH) {
      store.commit(() => {
        const to = Math.min(from + BATCH, counts.signals);
        for (let turn = from; turn < to; turn++) {
          history.write(turn, begin + Math.floor((turn * SPAN_MS) / counts.signals));
        }
      });
    }
    await archive(store, data, begin + (2 * SPAN_MS) / 3);
  } finally {
    store.close();
  }
}

if (import.meta.main) {
  const [folder = "", listen = "127.0.0.1:4280"] = process.argv.slice(2);
  if (folder === "") throw new Error("usage: bun test/helpers/large-store.ts FOLDER [LISTEN]");
  mkdirSync(join(folder, "senses/probe"), { recursive: true });
  mkdirSync(join(folder, "workflows/note"), { recursive: true });
  await Bun.write(join(folder, "nerve.yaml"), largeConfig(listen, FULL_SIZE));
  await Bun.write(join(folder, "senses/probe/index.ts"), PROBE);
  await Bun.write(join(folder, "workflows/note/index.ts"), NOTE);
  await fillStore(join(folder, "data"), FULL_SIZE);
}
