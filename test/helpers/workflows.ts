/** Workflows as a user has them: a folder with their code, a daemon that may be ended and started again, and what the store says of runs. */
import { Database } from "bun:sqlite";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Run } from "../../src/model/run.ts";
import { isOver } from "../../src/model/run.ts";
import { type Answer, type LogRow, type Nerve, type Project, project, startNerve } from "./nerve.ts";
import { until } from "./until.ts";

export interface RunLog extends LogRow {
  readonly run: number | null;
}

/** What the bodies of workflows may call: `mark(…)` writes a line, `gate(…)` waits until the test opens it. */
const helpers = (folder: string): string => `
import { appendFileSync, existsSync } from "node:fs";
const mark = (text) => appendFileSync(${JSON.stringify(join(folder, "marks"))}, text + "\\n");
const gate = async (name, signal) => {
  while (!existsSync(${JSON.stringify(join(folder, "gate-"))} + name)) {
    signal?.throwIfAborted();
    await Bun.sleep(5);
  }
};
`;

export interface Workflow {
  /** Of `run(thread, { signal, options, peers })`; null: there is no such folder. */
  readonly body: string | null;
  /** Its entry in nerve.yaml, without braces. */
  readonly config?: string;
}

export interface Setup {
  readonly workflows: Readonly<Record<string, Workflow>>;
  /** Entries of `reflexes`, one a line. */
  readonly reflexes?: readonly string[];
}

/** The sense `ask` answers with the JSON of the file `payload`; null while there is none. */
const ASK = (folder: string): string => `
import { existsSync, readFileSync } from "node:fs";
export const compute = () => existsSync(${JSON.stringify(join(folder, "payload"))})
  ? JSON.parse(readFileSync(${JSON.stringify(join(folder, "payload"))}, "utf8")) : null;
`;

export class Site implements AsyncDisposable {
  readonly project: Project;
  #nerve: Nerve | null = null;
  #setup: Setup;
  #reader: Database | null = null;

  private constructor(setup: Setup) {
    this.project = project({}, { pulse: "e2e/tick" });
    this.#setup = setup;
    this.project.write("senses/ask/index.ts", ASK(this.project.path));
    this.configure(setup);
  }

  static async start(setup: Setup): Promise<Site> {
    const site = new Site(setup);
    await site.startAgain();
    return site;
  }

  /** Writes nerve.yaml and the code anew. */
  configure(setup: Setup): void {
    this.#setup = setup;
    const { workflows, reflexes = [] } = setup;
    const entries = Object.entries(workflows).map(([name, { config = "" }]) => `  ${name}: { ${config} }`);
    this.project.write(
      "nerve.yaml",
      [
        "senses: { ask: {}, pulse: {} }",
        ...(entries.length === 0 ? [] : ["workflows:", ...entries]),
        ...(reflexes.length === 0 ? [] : ["reflexes:", ...reflexes.map((reflex) => `  - ${reflex}`)]),
        "",
      ].join("\n"),
    );
    for (const [name, { body }] of Object.entries(workflows)) if (body !== null) this.code(name, body);
  }

  /** Another body for a workflow. */
  code(name: string, body: string): void {
    const head = helpers(this.project.path);
    this.module(name, `${head}export const run = async (thread, { signal, options, peers }) => {\n${body}\n};\n`);
  }

  module(name: string, text: string): void {
    this.project.write(`workflows/${name}/index.ts`, text);
  }

  get nerve(): Nerve {
    if (this.#nerve === null) throw new Error("nerve is not running");
    return this.#nerve;
  }

  async startAgain(): Promise<void> {
    this.#nerve = await startNerve(this.project.path);
  }

  /** How it ended. */
  async stop(): Promise<number | string> {
    const how = await this.nerve.stop();
    await this.#gone();
    return how;
  }

  async #gone(): Promise<void> {
    this.#reader?.close(true);
    this.#reader = null;
    await this.#nerve?.[Symbol.asyncDispose]();
    this.#nerve = null;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.startAgain();
  }

  async kill(): Promise<void> {
    this.nerve.kill("SIGKILL");
    await this.nerve.exited;
    await this.#gone();
  }

  /** kill -9, and a start. */
  async crash(): Promise<void> {
    await this.kill();
    await this.startAgain();
  }

  async reload(setup: Setup = this.#setup): Promise<Answer> {
    this.configure(setup);
    return this.nerve.post("/reload");
  }

  marks(): string[] {
    const file = join(this.project.path, "marks");
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
  }

  async marked(line: string, times = 1): Promise<void> {
    await until(`${line} is marked`, () => this.marks().filter((mark) => mark === line).length >= times);
  }

  open(gate: string): void {
    writeFileSync(join(this.project.path, `gate-${gate}`), "");
  }

  shut(gate: string): void {
    rmSync(join(this.project.path, `gate-${gate}`));
  }

  // ── what is asked of the kernel ──────────────────────────────────────

  /** `ask` has this to say, once. */
  async signal(payload: unknown): Promise<void> {
    const before = this.nerve.signals("ask").length;
    writeFileSync(join(this.project.path, "payload"), JSON.stringify(payload));
    const { status } = await this.nerve.post("/trigger", { name: "ask" });
    if (status !== 200) throw new Error(`trigger was answered with ${status}`);
    await until("ask has emitted", () => this.nerve.signals("ask").length > before);
  }

  /** Starts a run by hand; its id. */
  async run(workflow: string, input: unknown = null): Promise<number> {
    const { status, body } = await this.nerve.post("/run", { workflow, input });
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body.run;
  }

  cancel(run: number): Promise<Answer> {
    return this.nerve.post("/cancel", { run });
  }

  retry(run: number, fromStep: string | null = null): Promise<Answer> {
    return this.nerve.post("/retry", { run, from_step: fromStep });
  }

  async counts(workflow: string): Promise<{ running: number; queued: number; sleeping: number }> {
    const found = (await this.nerve.status()).workflows.find(({ name }) => name === workflow);
    if (found === undefined) throw new Error(`status knows no ${workflow}`);
    const { running, queued, sleeping } = found;
    return { running, queued, sleeping };
  }

  // ── what the store says ──────────────────────────────────────────────

  #rows<T>(sql: string, ...values: number[]): T[] {
    this.#reader ??= new Database(join(this.project.path, "data/logs.db"), { readonly: true });
    return this.#reader.query<T, number[]>(sql).all(...values);
  }

  runs(): Run[] {
    return this.#rows("SELECT * FROM workflow_runs ORDER BY id");
  }

  row(id: number): Run {
    const [row] = this.#rows<Run>("SELECT * FROM workflow_runs WHERE id = ?", id);
    if (row === undefined) throw new Error(`there is no run ${id}`);
    return row;
  }

  /** Its logs in the order of their ids. */
  logs(id: number): RunLog[] {
    const found = this.#rows<RunLog>("SELECT * FROM logs WHERE run = ? ORDER BY id", id);
    return found.map((row) => ({ ...row, data: row.data === null ? null : JSON.parse(row.data) }));
  }

  events(id: number): string[] {
    return this.logs(id).map(({ event }) => event);
  }

  /** Logs of one event of a run. */
  of(id: number, event: string): RunLog[] {
    return this.logs(id).filter((log) => log.event === event);
  }

  async ended(id: number): Promise<Run> {
    return until(`run ${id} is over`, () => {
      const row = this.row(id);
      return isOver(row.state) ? row : null;
    });
  }

  async is(id: number, state: Run["state"]): Promise<void> {
    await until(`run ${id} is ${state}`, () => this.row(id).state === state);
  }

  /** Its output, parsed, once it has completed. */
  async output(id: number): Promise<unknown> {
    const { state, output, error } = await this.ended(id);
    if (state !== "completed") throw new Error(`run ${id} ended ${state}: ${error}`);
    return JSON.parse(output ?? "null");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gone();
    this.project[Symbol.dispose]();
  }
}
