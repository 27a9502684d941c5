/** `nerve backup` and `nerve restore` as a person runs them, and what an outsider reads in a backup. */
import { Database } from "bun:sqlite";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { NERVE } from "./nerve.ts";

export interface Verb {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a verb of nerve in `folder`; `wrapper` stands before the command. */
export async function verb(folder: string, args: readonly string[], wrapper: readonly string[] = []): Promise<Verb> {
  const child = Bun.spawn([...wrapper, ...NERVE, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  await child.exited;
  return { code: child.signalCode ?? child.exitCode ?? "unknown", stdout, stderr };
}

interface Item {
  readonly n: number;
  readonly content: string;
}

const items = (rows: readonly { payload: string }[]): string[] =>
  rows.map(({ payload }) => JSON.parse(payload) as Item).map(({ n, content }) => `${n} ${content}`);

/** Rows of a writer of the crash tests, and its signals in logs.db or still in its outbox: those that have no counterpart. */
export function apart(folder: string, sense: string): string[] {
  const file = join(folder, "senses", `${sense}.db`);
  if (!existsSync(file)) return [];
  const store = new Database(join(folder, "logs.db"), { readonly: true });
  const own = new Database(file, { readonly: true });
  try {
    const signals = store
      .query<{ payload: string }, [string]>("SELECT payload FROM signals WHERE sense = ? ORDER BY id")
      .all(sense);
    const taken =
      store.query<{ outbox: number }, [string]>("SELECT outbox FROM sense_state WHERE sense = ?").get(sense)?.outbox ??
      0;
    const waiting = own
      .query<{ payload: string }, [number]>("SELECT payload FROM _outbox WHERE id > ? ORDER BY id")
      .all(taken);
    const told = [...items(signals), ...items(waiting)];
    const rows = own.query<Item, []>("SELECT n, content FROM items ORDER BY n").all();
    const kept = rows.map(({ n, content }) => `${n} ${content}`);
    const keptSet = new Set(kept);
    const toldSet = new Set(told);
    return [
      ...told.filter((one) => !keptSet.has(one)).map((one) => `${sense}: a signal without its row: ${one}`),
      ...kept.filter((one) => !toldSet.has(one)).map((one) => `${sense}: a row without its signal: ${one}`),
      ...(toldSet.size === told.length ? [] : [`${sense}: one row has two signals`]),
    ];
  } finally {
    store.close(true);
    own.close(true);
  }
}

/** What lies in a folder that is no backup of its own: what a backup has left behind. */
export const leftIn = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(".nerve-backup-")) : [];
