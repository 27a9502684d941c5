/**
 * A whole kernel that receives signals of other hosts, on a clock driven by hand. The process that carries them is a script: it says
 * what a test says. The store is real, and outlives kernels.
 */
import { readNerveConfig } from "../../src/config/parse.ts";
import { planReload } from "../../src/config/reload-plan.ts";
import { Engine, type Modules } from "../../src/kernel/engine.ts";
import { Lifetime } from "../../src/kernel/time/lifetime.ts";
import type { NerveConfig } from "../../src/model/config.ts";
import { fullyNamed } from "../../src/model/signal.ts";
import type { Location } from "../../src/spawn/modules-on-disk.ts";
import { ALL_RUNS } from "../../src/store/runs.ts";
import { ALL_SIGNALS } from "../../src/store/signals.ts";
import { around } from "./config.ts";
import { KernelBench, type Message, type ScriptedChild } from "./kernel-bench.ts";

const AT: Location = { folder: "/etc/nerve", print: "" };
const found = (name: string) => [name, { ok: true, value: AT }] as const;

export interface SentFrame {
  readonly host: string;
  readonly epoch: string;
  readonly from: number;
  readonly to: number;
  readonly lost: number;
  readonly refused: string | null;
  readonly sentAt: number | null;
  readonly storedAt: number | null;
  readonly signals: readonly {
    readonly id: number;
    readonly sense: string;
    readonly at: number;
    readonly trace: string;
    readonly payload: string;
  }[];
}

/** A trace that says where it comes from. */
export const traceOf = (host: string, id: number): string =>
  `${Buffer.from(host).toString("hex")}${id.toString(16)}`.padStart(32, "0").slice(-32);

export function parsed(yaml: string): NerveConfig {
  const { config, problems } = readNerveConfig(yaml, around({ file: "/etc/nerve/nerve.yaml" }));
  if (config === null || problems.length > 0) throw new Error(problems.map(({ message }) => message).join("; "));
  return config;
}

export class FleetBench extends KernelBench {
  readonly space = { low: false };
  config: NerveConfig;
  engine: Engine;
  #batches = 0;
  #position = 0;

  constructor(yaml: string) {
    super();
    this.config = parsed(yaml);
    this.engine = this.#born();
  }

  #born(): Engine {
    const { clock, world, ticker, ledger, journal, store, space } = this;
    const engine = new Engine({
      ...{ world, ticker, ledger, journal, store, space },
      data: this.folder.path,
      command: () => ({ command: ["test"], env: {}, cwd: "/" }),
      lifetime: new Lifetime(clock, store.meta),
      onSignal: () => {},
    });
    engine.load(this.config, this.#modules);
    return engine;
  }

  get #modules(): Modules {
    const { senses, workflows } = this.config;
    return {
      senses: new Map([...senses.keys()].map(found)),
      workflows: new Map([...workflows.keys()].map(found)),
    };
  }

  /** The kernel is killed, and another one begins. */
  restart(): void {
    this.die();
    this.engine = this.#born();
  }

  async reload(yaml: string): Promise<void> {
    const before = this.config;
    this.config = parsed(yaml);
    const prints = { sense: new Map<string, string>(), workflow: new Map<string, string>() };
    const plan = planReload({ config: before, prints }, { config: this.config, prints }, []);
    const done = this.engine.replace(this.config, this.#modules, plan);
    await this.settle();
    for (const child of this.children) if (child.of("shutdown").length > 0) child.exits(0);
    await this.settle();
    await done;
    await this.settle();
  }

  /** The newest process that carries. */
  get carrier(): ScriptedChild {
    const child = this.children.findLast((one) => one.of("init").some((init) => "settings" in init));
    if (child === undefined) throw new Error("no process carries");
    return child;
  }

  get init(): Message {
    return this.carrier.of("init")[0] as Message;
  }

  says(type: string, what: Readonly<Record<string, unknown>>): void {
    this.carrier.says({ type, generation: this.init.generation, ...what });
  }

  /** The process is up, and reaches nobody. */
  async cutOff(): Promise<void> {
    await this.settle();
    this.says("ready", {});
    this.says("link", { side: "in", state: "offline", why: "nobody answers", nextMs: 10_000 });
    await this.settle();
  }

  /** The process is up, connected, and nothing waits in the stream. */
  async up(): Promise<this> {
    await this.settle();
    this.says("ready", {});
    await this.connected();
    return this;
  }

  async connected(): Promise<void> {
    this.says("link", { side: "out", state: "connected", why: null, nextMs: null });
    this.says("link", { side: "in", state: "connected", why: null, nextMs: null });
    this.says("waiting", { pending: 0 });
    await this.settle();
  }

  /** A frame of `host` with a signal of `load` for each id, and the value of each. */
  frame(host: string, from: number, values: readonly number[], some: Partial<SentFrame> = {}): SentFrame {
    const at = this.clock.wallMs() - 100;
    const signals = values.map((v, index) => {
      const id = from + index + 1;
      return { id, sense: "load", at, trace: traceOf(host, id), payload: JSON.stringify({ v }) };
    });
    const said = { epoch: "e1", from, to: from + values.length, lost: 0, refused: null, sentAt: null, storedAt: null };
    return { host, ...said, signals, ...some };
  }

  /** A batch of the process; resolves when the kernel has had time to commit it. */
  async brings(...frames: readonly SentFrame[]): Promise<number> {
    const id = ++this.#batches;
    this.#position += Math.max(1, frames.length);
    this.says("batch", { id, place: { stream: "S 1", position: this.#position }, frames });
    await this.settle();
    return id;
  }

  /** Answers of the kernel to batches. */
  get stored(): unknown[] {
    return this.carrier.of("stored").map(({ id }) => id);
  }

  /** `HOST/SENSE id-there payload` of each stored signal of another host. */
  get remote(): string[] {
    return this.store.signals
      .list(ALL_SIGNALS)
      .filter(({ origin }) => origin !== null)
      .map((signal) => `${fullyNamed(signal).sense} ${signal.origin_id ?? "-"} ${signal.payload}`);
  }

  /** `REFLEX KEY SIGNAL` of each run. */
  get runs(): string[] {
    return this.store.runs.list(ALL_RUNS).map(({ reflex, key, signal_id }) => `${reflex} ${key} ${signal_id}`);
  }

  /** Signs of life of these hosts come every ten seconds. */
  async passWith(ms: number, ...hosts: readonly string[]): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      if (hosts.length > 0 && left % 10_000 === 0) await this.brings(...hosts.map((host) => this.beat(host)));
      await this.pass(Math.min(left, 1_000));
    }
  }

  beat(host: string): SentFrame {
    const origin = this.store.origins.all().find((one) => one.host === host);
    const upto = origin?.upto ?? 0;
    return this.frame(host, upto, [], { epoch: origin?.epoch || "e1" });
  }
}
