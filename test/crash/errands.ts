/** Many runs of every kind on one site, asked for and cancelled over the control socket by somebody who survives the kernel. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CrashSite, type Kernel } from "../helpers/crash.ts";
import type { Asked } from "./run-checker.ts";

const FIXTURES = join(import.meta.dir, "../fixtures/workflows");

/** Workflow → what its runs do, how many of them at once, and the rest of its entry. */
const KINDS = {
  plain: { act: "work", concurrency: 3, config: "" },
  napper: { act: "nap", concurrency: 2, config: "" },
  throws: { act: "throw", concurrency: 2, config: "retry: { limit: 1, interval: 30ms }" },
  slow: { act: "hold", concurrency: 2, config: "timeout: 80ms" },
  held: { act: "hold", concurrency: 3, config: "timeout: 1s" },
  tight: { act: "work", concurrency: 1, config: "overflow: drop" },
} as const;
type Kind = keyof typeof KINDS;
const NAMES = Object.keys(KINDS) as Kind[];

const ENTRIES = NAMES.map(
  (name) => `  ${name}: { use: errand, concurrency: ${KINDS[name].concurrency}, ${KINDS[name].config} }`,
);
const CONFIG = `data: DATA\nworkflows:\n${ENTRIES.join("\n")}\n`;

/** A site with these workflows of the fixtures. */
export function siteWith(fixtures: readonly string[], config: string): CrashSite {
  const site = new CrashSite([], config);
  for (const name of fixtures) {
    const folder = join(site.folder, "workflows", name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    cpSync(join(FIXTURES, name), folder, { recursive: true });
  }
  return site;
}

export interface Answered {
  readonly run: number;
  readonly state: string;
}

/** What the kernel answers to a POST, or null: it refused, or died over it. */
export async function post(site: CrashSite, path: string, body: object): Promise<Answered | null> {
  try {
    const response = await fetch(`http://nerve${path}`, {
      unix: join(site.data, "nerve.sock"),
      method: "POST",
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5_000),
    });
    return response.ok ? ((await response.json()) as Answered) : null;
  } catch {
    return null;
  }
}

export class Errands {
  readonly site: CrashSite;
  readonly marks: string;
  readonly #runs = new Map<number, number>();
  readonly #cancelled: number[] = [];
  readonly #toCancel: number[] = [];
  #numbers = 0;

  constructor() {
    this.site = siteWith(["errand"], CONFIG);
    this.marks = join(this.site.folder, "marks.jsonl");
    writeFileSync(this.marks, "");
  }

  get asked(): Asked {
    return {
      runs: this.#runs,
      cancelled: this.#cancelled,
      numbers: this.#numbers,
      concurrency: Object.fromEntries(NAMES.map((name) => [name, KINDS[name].concurrency])),
      marks: this.marks,
    };
  }

  /** One more run, of a kind `share` (in [0, 1)) picks. False: nobody answered. */
  async request(share: number): Promise<boolean> {
    const workflow = NAMES[Math.floor(share * NAMES.length)] as Kind;
    const n = ++this.#numbers;
    const input = { marks: this.marks, workflow, n, act: KINDS[workflow].act };
    const answer = await post(this.site, "/run", { workflow, input });
    if (answer === null) return false;
    this.#runs.set(n, answer.run);
    if (workflow === "held") this.#toCancel.push(answer.run);
    return true;
  }

  /** Cancels the oldest run that is there to be cancelled, if there is one. */
  async cancelOne(): Promise<void> {
    const run = this.#toCancel.shift();
    if (run === undefined) return;
    const answer = await post(this.site, "/cancel", { run });
    if (answer?.state === "cancelled") this.#cancelled.push(run);
  }

  /** How many runs have not ended. */
  active(): number {
    const sql = "SELECT count(*) AS n FROM workflow_runs WHERE ended_at IS NULL";
    return this.site.ask(1, (db) => db.query<{ n: number }, []>(sql).get()?.n ?? 0);
  }

  /** Runs by state. */
  tally(): Record<string, number> {
    const sql = "SELECT state, count(*) AS n FROM workflow_runs GROUP BY state ORDER BY state";
    const rows = this.site.ask([], (db) => db.query<{ state: string; n: number }, []>(sql).all());
    return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
  }

  async up(): Promise<Kernel> {
    const kernel = this.site.start();
    await kernel.answers();
    return kernel;
  }
}
