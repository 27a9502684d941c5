/**
 * The floor of a durable run: three steps, each a row, a hop to the worker, and a row with what it answered; nothing goes
 * on before its row is committed, and what is ready in one turn commits together. Six rows a run: there is no queue, no
 * history, no table of runs, no row of a run's beginning and end.
 */
import type { Database } from "bun:sqlite";
import { reaction, TRACE } from "./shape.ts";

export const INSERT_LOG =
  "INSERT INTO logs (at, level, source, event, run, trace, message, data) VALUES (?, 'info', 'workflow:flow', ?, ?, ?, ?, ?)";

const STEPS = ["one", "two", "three"];

interface Asked {
  readonly id: number;
}
interface Answered extends Asked {
  readonly value: object;
}
interface Entry {
  readonly event: string;
  readonly run: number;
  readonly step: string;
  readonly data: object;
  readonly committed: () => void;
}

/** Runs one after another in each of `slots`, for ever. `file`: the database, beside which the user's module lies. */
export function flowDaemon(db: Database, file: string, slots: number): void {
  const insert = db.prepare(INSERT_LOG);
  let waiting: Entry[] = [];
  const asked = new Map<number, (value: object) => void>();
  const commit = db.transaction((entries: readonly Entry[]) => {
    for (const { event, run, step, data } of entries) {
      insert.run(Date.now(), event, run, TRACE, `step "${step}"`, JSON.stringify(data));
    }
  });
  const flush = (): void => {
    const entries = waiting;
    waiting = [];
    commit.immediate(entries);
    for (const { committed } of entries) committed();
  };
  const append = (run: number, event: string, step: string, data: object): Promise<void> =>
    new Promise((committed) => {
      if (waiting.push({ event, run, step, data, committed }) > 1) return;
      if (slots === 1) flush();
      else setImmediate(flush);
    });
  const worker = Bun.spawn(["/proc/self/exe", "worker", "flow", "0", file], {
    serialization: "json",
    stdio: ["ignore", "inherit", "inherit"],
    ipc({ id, value }: Answered) {
      const answered = asked.get(id);
      asked.delete(id);
      answered?.(value);
    },
  });
  const ask = (id: number): Promise<object> =>
    new Promise((answered) => {
      asked.set(id, answered);
      worker.send({ id });
    });
  let lastRun = 0;
  const runs = async (): Promise<void> => {
    for (;;) {
      const run = ++lastRun;
      for (const step of STEPS) {
        await append(run, "step.started", step, { step, nth: 0, attempt: 1 });
        const result = await ask(run);
        await append(run, "step.completed", step, { step, nth: 0, attempt: 1, result });
      }
    }
  };
  for (let slot = 0; slot < slots; slot++) void runs();
}

export function flowWorker(): void {
  process.on("message", ({ id }: Asked) => void process.send?.({ id, value: reaction(Date.now()) } satisfies Answered));
}
