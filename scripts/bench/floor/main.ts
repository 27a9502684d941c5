/**
 * The floor: the least code that does nerve's job. One daemon, one worker, Bun's ipc as json, bun:sqlite in WAL with
 * nerve's own table, a TypeScript module from disk and an answer on a unix socket; nothing is checked, timed out, restarted or remembered. nerve cannot be faster and is measured as a
 * multiple of it.
 *
 *     floor FILE FULL|NORMAL JOB [senses or slots]
 *
 * Jobs: `flood` (signals as fast as they are taken), `react` (each signal sent back to the worker, its answer stored too),
 * `probe` (senses of 1 s, all due together, half a second off the full second), `first` (ten readings, then nothing), `flow` (runs of three steps, in so many slots).
 */
import { Database } from "bun:sqlite";
import { dirname, join } from "node:path";
import storeSql from "../../../migrations/0001_store.sql" with { type: "text" };
import { flowDaemon, flowWorker } from "./flow.ts";
import { payload, probe, reaction, TRACE, USER_MODULE } from "./shape.ts";

interface Message {
  readonly sense: string;
  readonly cause: number | null;
  readonly value: unknown;
}

/** Signals a flooding worker may have unacknowledged. */
const WINDOW = 1_024;
/** How long the first reading of a tick waits for the others. */
const BATCH_MS = 20;
const PHASE_MS = 500;

export function openFloorStore(file: string, synchronous: string): Database {
  const db = new Database(file, { readwrite: true, create: true, strict: true });
  db.run("PRAGMA busy_timeout = 5000");
  db.run("PRAGMA journal_mode = WAL");
  db.run(`PRAGMA synchronous = ${synchronous}`);
  db.run(storeSql);
  return db;
}

export const INSERT = "INSERT INTO signals (sense, at, payload, cause, trace) VALUES (?, ?, ?, ?, ?)";

function daemon(file: string, synchronous: string, job: string, senses: string): void {
  const db = openFloorStore(file, synchronous);
  Bun.serve({ unix: `${file}.sock`, fetch: () => new Response("floor") });
  if (job === "flow") return flowDaemon(db, file, Number(senses));
  const insert = db.prepare(INSERT);
  let waiting: Message[] = [];
  let armed = false;
  let told = false;
  const commit = db.transaction((messages: readonly Message[]) =>
    messages.map(({ sense, cause, value }) => insert.run(sense, Date.now(), JSON.stringify(value), cause, TRACE)),
  );
  const flush = (): void => {
    const messages = waiting;
    waiting = [];
    armed = false;
    const rows = commit.immediate(messages);
    if (!told) console.log("stored");
    told = true;
    const signals = messages.flatMap(({ cause }, at) => (cause === null ? [Number(rows[at]?.lastInsertRowid)] : []));
    if (job === "react") for (const id of signals) worker.send({ react: id });
    if (job === "react" || job === "flood") worker.send({ ack: signals.length });
  };
  const worker = Bun.spawn(["/proc/self/exe", "worker", job, senses, file], {
    serialization: "json",
    stdio: ["ignore", "inherit", "inherit"],
    ipc(message: Message) {
      waiting.push(message);
      if (armed) return;
      armed = true;
      if (job === "probe") setTimeout(flush, BATCH_MS);
      else setImmediate(flush);
    },
  });
}

function worker(job: string, senses: number): void {
  process.on("disconnect", () => process.exit(0));
  if (job === "flow") return flowWorker();
  const send = (message: Message): void => void process.send?.(message);
  let unacknowledged = 0;
  const pump = (): void => {
    for (; unacknowledged < WINDOW; unacknowledged++) {
      send({ sense: `s${unacknowledged}`, cause: null, value: payload(Date.now()) });
    }
  };
  process.on("message", (message: { ack?: number; react?: number }) => {
    const { ack = 0, react = null } = message;
    if (react !== null) return send({ sense: "r", cause: react, value: reaction(Date.now()) });
    unacknowledged -= ack;
    pump();
  });
  if (job === "flood" || job === "react") return pump();
  if (job === "first") {
    for (let sense = 0; sense < senses; sense++)
      send({ sense: `s${sense}`, cause: null, value: probe(sense, Date.now()) });
    return;
  }
  let due = Math.floor(Date.now() / 1000) * 1000 + PHASE_MS;
  const tick = (): void => {
    if (Date.now() >= due) {
      for (let sense = 0; sense < senses; sense++) send({ sense: `s${sense}`, cause: null, value: probe(sense, due) });
      due += 1000;
    }
    setTimeout(tick, Math.max(1, Math.ceil(due - Date.now())));
  };
  tick();
}

if (import.meta.main) {
  const [first = "", second = "", job = "", senses = "0"] = process.argv.slice(2);
  if (first === "worker") {
    await import(join(dirname(senses), USER_MODULE));
    worker(second, Number(job));
  } else daemon(first, second, job, senses);
}
