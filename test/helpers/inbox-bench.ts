/**
 * A whole kernel with one sense that has an inbox, on a clock driven by hand. The worker is a script with a database as a sense
 * has one: rows, `_taken` and `_outbox`, which outlive workers and kernels.
 */
import { parseNerveConfig } from "../../src/config/parse.ts";
import type { Given } from "../../src/inbox/given.ts";
import type { Offered } from "../../src/inbox/offered.ts";
import type { ParentMessageOf } from "../../src/ipc/definitions.ts";
import { Engine } from "../../src/kernel/engine.ts";
import { Lifetime } from "../../src/kernel/time/lifetime.ts";
import type { NerveConfig } from "../../src/model/config.ts";
import type { Location } from "../../src/spawn/modules-on-disk.ts";
import { around } from "./config.ts";
import { KernelBench, type Message, type ScriptedChild } from "./kernel-bench.ts";
import type { OneCompute } from "./rows.ts";

type Compute = OneCompute;
type Init = ParentMessageOf<"init">;

/** What a compute comes to. `takes` writes a row for each item and a signal; `dies-after` does so, and says nothing. */
export type Fate = "takes" | "fails" | "dies" | "dies-after";

interface OutboxRow {
  readonly id: number;
  readonly payload: { readonly items: readonly string[] };
}

const AT: Location = { folder: "/etc/nerve", print: "" };

export const given = (bodies: readonly unknown[], identity: string | null = null): Given => ({
  bodies: bodies.map((body) => JSON.stringify(body)),
  key: identity,
  identity,
  type: null,
  trace: null,
});

export class InboxBench extends KernelBench {
  /** What the sense has on disk: the bodies that it took, in their order. */
  readonly rows: string[] = [];
  readonly taken = new Map<string, number>();
  readonly outbox: OutboxRow[] = [];
  /** The items of each signal that was committed, in their order. */
  readonly signals: string[] = [];
  readonly space = { low: false };
  config: NerveConfig;
  engine: Engine;
  #rowsGiven = 0;
  #answered = new Set<Message>();
  #ready = new Set<ScriptedChild>();

  constructor(yaml = "senses: { a: { inbox: } }") {
    super();
    const parsed = parseNerveConfig(yaml, around({ file: "/etc/nerve/nerve.yaml" }));
    if (!parsed.ok) throw new Error(parsed.error.map(({ message }) => message).join("; "));
    this.config = parsed.value;
    this.engine = this.#born();
  }

  #born(): Engine {
    const { clock, world, ticker, ledger, journal, store, space } = this;
    const engine = new Engine({
      world,
      ticker,
      ledger,
      journal,
      store,
      space,
      data: this.folder.path,
      command: () => ({ command: ["test"], env: {}, cwd: "/" }),
      lifetime: new Lifetime(clock, store.meta),
      onSignal: ({ payload }) => this.signals.push(...(JSON.parse(payload) as OutboxRow["payload"]).items),
    });
    const senses = new Map([...this.config.senses.keys()].map((name) => [name, { ok: true, value: AT }] as const));
    engine.load(this.config, { senses, workflows: new Map() });
    return engine;
  }

  /** The kernel is killed, and another one begins. */
  restart(): void {
    this.die();
    this.engine = this.#born();
  }

  /** What is offered without an answer stays without one when the kernel dies. */
  async push(what: Given): Promise<Offered> {
    const offered = this.engine.inboxes.offer("a", what);
    await this.settle();
    return offered;
  }

  /** Does something that may be the end of the kernel. */
  async lives(act: () => void): Promise<void> {
    try {
      act();
    } catch (error) {
      if (!this.isKilled) throw error;
    }
    await this.settle();
  }

  /** Workers that have loaded nothing yet load their senses. */
  loads(): void {
    for (const child of this.children) {
      const [init] = child.of("init") as unknown as Init[];
      if (child.isGone || init === undefined || this.#ready.has(child)) continue;
      this.#ready.add(child);
      const { generation } = init;
      for (const sense of init.senses) {
        for (const { id, payload } of this.outbox.filter(({ id }) => id > sense.outboxTaken)) {
          const head = { type: "signal", generation, id: null, sense: sense.name, more: [], durationMs: 0 };
          child.says({ ...head, payload, outbox: id, cause: null, trace: "0".repeat(32) });
        }
      }
      const senses = init.senses.map(({ name, inbox }) => {
        const taken = (inbox?.origins ?? []).flatMap((origin) => {
          const upTo = this.taken.get(origin);
          return upTo === undefined ? [] : [{ origin, upTo }];
        });
        return { sense: name, problem: null, applied: [], watch: [], taken, patterns: [], series: null, fault: null };
      });
      child.says({ type: "ready", generation, senses });
    }
  }

  /** The compute that the worker has not answered, or null. */
  get asked(): Compute | null {
    const child = this.children.at(-1);
    if (child === undefined || child.isGone) return null;
    const computes = child.of("compute").filter((message) => !this.#answered.has(message));
    return (computes[0] as unknown as Compute | undefined) ?? null;
  }

  answers(fate: Fate): void {
    const compute = this.asked;
    const { child } = this;
    if (compute === null) throw new Error("no compute is asked for");
    this.#answered.add(compute as unknown as Message);
    const { id, sense, cause, trace } = compute;
    const { generation } = compute as unknown as Message;
    const head = { generation, id, sense };
    child.says({ type: "started", ...head });
    if (fate === "dies") return child.exits(null, "SIGSEGV");
    if (fate === "fails")
      return child.says({ type: "error", ...head, kind: "failed", message: "why", stack: null, durationMs: 1 });
    const items = this.#keeps(compute);
    if (fate === "dies-after") return child.exits(null, "SIGSEGV");
    if (items.length === 0) return child.says({ type: "no-signal", ...head, durationMs: 1 });
    const row = { payload: { items }, outbox: this.#rowsGiven, more: [] };
    child.says({ type: "signal", ...head, ...row, cause, trace, durationMs: 1 });
  }

  /** One transaction of the sense. */
  #keeps({ inbox }: Compute): readonly string[] {
    const items = inbox.map(({ body }) => body);
    this.rows.push(...items);
    for (const { origin, id } of inbox) this.taken.set(origin, Math.max(id, this.taken.get(origin) ?? 0));
    if (items.length > 0) this.outbox.push({ id: ++this.#rowsGiven, payload: { items } });
    return items;
  }

  /** `ms` pass; `fateOf` says what computes come to. */
  async serve(fateOf: (compute: Compute) => Fate, ms = 70_000, stepMs = 500): Promise<void> {
    const end = this.clock.bootMs() + ms;
    while (this.clock.bootMs() < end) {
      await this.settle();
      this.loads();
      await this.settle();
      const compute = this.asked;
      if (compute === null) await this.pass(stepMs);
      else this.answers(fateOf(compute));
    }
    await this.settle();
  }

  /** The bodies of what lies in the inbox, by state. */
  left(state: "waiting" | "dead"): string[] {
    return this.store.inbox.list(null).flatMap((item) => (item.state === state ? [item.body] : []));
  }
}
