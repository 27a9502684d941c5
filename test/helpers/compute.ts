/** A stand-in for the runtime, for tests of senses: a real database file, real migrations, a compute as one transaction. */
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drizzle } from "drizzle-orm/bun-sqlite";
import type { Compute, ComputeContext, Peers, SenseDatabase } from "nerve";
import { BUILT_IN_SENSES } from "../../senses/index.ts";
import type { BuiltInSenseName } from "../../senses/names.ts";
import { Signals } from "../../src/model/signals.ts";

interface Schema {
  readonly "~standard": {
    validate(given: unknown): { value: unknown } | { issues: readonly { message: string }[] };
  };
}

type Given = Partial<Pick<ComputeContext, "now" | "signal" | "inbox">> & { readonly peers?: Peers };

export interface OpenSense extends Disposable {
  readonly db: SenseDatabase;
  readonly client: Database;
  readonly logs: string[];
  /** The newest compute called `more()`. */
  readonly isBehind: () => boolean;
  /** As they were validated. */
  readonly options: Record<string, unknown>;
  /** One compute; its writes are kept if it returns. */
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a payload by reading it
  compute(context?: Given): Promise<any>;
}

/** Options that a built-in sense cannot be without. */
export const LEAST: Readonly<Partial<Record<BuiltInSenseName, Readonly<Record<string, unknown>>>>> = {
  exec: { command: ["true"] },
  http: { url: "http://127.0.0.1/" },
  tcp: { host: "127.0.0.1", port: 22 },
  tls: { host: "localhost" },
  tail: { path: "/var/log/syslog" },
  "file-age": { path: "/var/backups/*" },
};

export function validate(name: BuiltInSenseName, given: unknown): { value: unknown } | { problems: string[] } {
  const { options } = BUILT_IN_SENSES[name].load() as { options: Schema };
  const outcome = options["~standard"].validate(given);
  return "issues" in outcome ? { problems: outcome.issues.map(({ message }) => message) } : outcome;
}

export function openSense(name: BuiltInSenseName, given: Readonly<Record<string, unknown>> = {}): OpenSense {
  const outcome = validate(name, given);
  if ("problems" in outcome) throw new Error(outcome.problems.join("; "));
  const options = outcome.value as Record<string, unknown>;
  const { compute } = BUILT_IN_SENSES[name].load() as { compute: Compute };
  const folder = mkdtempSync(join(tmpdir(), "nerve-sense-"));
  const client = new Database(join(folder, `${name}.db`), { strict: true });
  client.run("PRAGMA journal_mode = WAL");
  client.run("PRAGMA synchronous = NORMAL");
  for (const { sql } of BUILT_IN_SENSES[name].migrations) client.run(sql);
  const db = drizzle({ client });
  const logs: string[] = [];
  let isBehind = false;
  return {
    db,
    client,
    logs,
    isBehind: () => isBehind,
    options,
    async compute({ now = Date.now(), signal = new AbortController().signal, inbox = [], peers = {} } = {}) {
      isBehind = false;
      client.run("BEGIN");
      try {
        const payload = await compute(db, peers, {
          signal,
          options,
          now,
          inbox,
          delivered: [],
          more: () => {
            isBehind = true;
          },
          log: (level, message) => logs.push(`${level}: ${message}`),
          blobs: {
            put: () => Promise.reject(new Error("no blobs here")),
            get: () => Promise.reject(new Error("no blobs here")),
          },
        });
        client.run("COMMIT");
        // What the runtime would hand on is what survives JSON.
        return JSON.parse(JSON.stringify(payload instanceof Signals ? payload.payloads : payload));
      } catch (error) {
        client.run("ROLLBACK");
        throw error;
      }
    },
    [Symbol.dispose]() {
      client.close(true);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
