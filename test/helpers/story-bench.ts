/**
 * A whole kernel with its config, on a clock driven by hand: what its senses see and how its runs end is said by a test, and
 * what became of that is read from its store.
 */
import type { Json } from "../../src/base/json.ts";
import type { Scene } from "../../src/causes/scene.ts";
import { parseNerveConfig } from "../../src/config/parse.ts";
import { Engine } from "../../src/kernel/engine.ts";
import { Lifetime } from "../../src/kernel/time/lifetime.ts";
import type { PathNews, PathWatch, WatchLimit } from "../../src/kernel/world.ts";
import type { NerveConfig } from "../../src/model/config.ts";
import type { Location } from "../../src/spawn/modules-on-disk.ts";
import { around } from "./config.ts";
import { KernelBench, type Message, type ScriptedChild } from "./kernel-bench.ts";
import { COMPLETED } from "./runs-bench.ts";
import { sceneOf } from "./scene.ts";

const STEP_MS = 60_000;
const AT: Location = { folder: "/etc/nerve", print: "" };
const found = (name: string) => [name, { ok: true, value: AT }] as const;

/** What a compute does. */
type Sight =
  | { readonly kind: "sees"; readonly payload: Json }
  | { readonly kind: "dies" }
  | { readonly kind: "fails"; readonly on: string; readonly message: string };

interface Handed {
  readonly body: string;
}

/** Sees no change of any path. */
class BlindPaths implements PathWatch {
  limits: WatchLimit[] = [];
  watch(): void {}
  stop(): void {}
  journalFolders = (): readonly string[] => [];
  news = (): PathNews => ({ changed: new Set(), limits: this.limits });
}

export class StoryBench extends KernelBench {
  readonly config: NerveConfig;
  readonly engine: Engine;
  /** What the kernel is to hear of the paths it watches. */
  readonly paths = new BlindPaths();
  readonly #sights = new Map<string, Sight>();
  readonly #answers = new Map<string, readonly Message[]>();
  readonly #ready = new Set<ScriptedChild>();
  readonly #answered = new Set<Message>();
  readonly #startedAt: number;
  #seq = 0;
  isRunning = true;

  constructor(yaml: string) {
    super();
    const parsed = parseNerveConfig(yaml, around({ file: "/etc/nerve/nerve.yaml" }));
    if (!parsed.ok) throw new Error(parsed.error.map(({ message }) => message).join("; "));
    this.config = parsed.value;
    const { clock, world, ticker, ledger, journal, store, paths } = this;
    this.#startedAt = clock.wallMs();
    const lifetime = new Lifetime(clock, store.meta);
    this.engine = new Engine({
      world: { ...world, watchPaths: () => paths },
      ticker,
      ledger,
      journal,
      store,
      space: { low: false },
      data: this.folder.path,
      command: () => ({ command: ["test"], env: {}, cwd: "/" }),
      lifetime,
      onSignal: () => {},
    });
    ledger.write(() => lifetime.keep());
    const { elapsedMs, wallMs } = lifetime.began;
    const data = { ahead_ms: wallMs - elapsedMs, last_signal: 0 };
    journal.ofMoment(wallMs, "kernel").info("kernel.started", "nerve started", data);
    const { senses, workflows } = this.config;
    this.engine.load(this.config, {
      senses: new Map([...senses.keys()].map(found)),
      workflows: new Map([...workflows.keys()].map(found)),
    });
  }

  /** From now on. */
  sees(sense: string, payload: Json): void {
    this.#sights.set(sense, { kind: "sees", payload });
  }

  dies(sense: string): void {
    this.#sights.set(sense, { kind: "dies" });
  }

  /** Computes fail that are handed an item whose body is `on`; null: every compute. Others are null. */
  fails(sense: string, on: Json, message: string): void {
    this.#sights.set(sense, { kind: "fails", on: on === null ? "" : JSON.stringify(on), message });
  }

  /** A log of the module itself. */
  async says(sense: string, message: string): Promise<void> {
    this.journal.of(`sense:${sense}`).info("log", message, null);
    await this.settle();
  }

  async push(sense: string, bodies: readonly Json[]): Promise<void> {
    const given = {
      bodies: bodies.map((body) => JSON.stringify(body)),
      key: null,
      identity: null,
      type: null,
      trace: null,
    };
    const offered = this.engine.inboxes.offer(sense, given);
    await this.settle();
    if ((await offered).kind !== "accepted") throw new Error(`the inbox of ${sense} did not take the items`);
  }

  /** What a run of a workflow reports from now on; where nothing is said, runs complete. */
  runs(workflow: string, ...messages: readonly Message[]): void {
    this.#answers.set(workflow, messages);
  }

  /** Runs of a workflow begin from now on, and do not end. */
  never(workflow: string): void {
    this.#answers.set(workflow, []);
  }

  async ack(incident: number, by: string, why: string): Promise<void> {
    const acked = this.engine.incidentRequests.ack({ incident, by, why });
    await this.settle();
    if (!(await acked).ok) throw new Error(`incident ${incident} is not open`);
  }

  async silence(pattern: string, forMs: number, why: string): Promise<void> {
    const silenced = this.engine.silences.set({ pattern, for_ms: forMs, why });
    await this.settle();
    await silenced;
  }

  async disable(reference: string): Promise<void> {
    const switched = this.engine.requests.switch(reference, false);
    await this.settle();
    if (!(await switched).ok) throw new Error(`there is no ${reference}`);
  }

  /** As after SIGTERM, in order. */
  async stop(): Promise<void> {
    const stopped = this.engine.stop();
    await this.settle();
    for (const child of this.children) if (!child.isGone) child.exits(0);
    await stopped;
    this.journal.of("kernel").info("kernel.stopped", "stopped", null);
    await this.settle();
    this.isRunning = false;
  }

  /** Time passes in steps, and whoever is asked answers. */
  async wait(ms: number): Promise<void> {
    await this.#serve();
    for (let left = ms; left > 0; left -= STEP_MS) {
      await this.pass(Math.min(left, STEP_MS));
      await this.#serve();
    }
  }

  async #serve(): Promise<void> {
    for (let again = true; again; ) {
      again = false;
      for (const child of this.children) if (!child.isGone && this.#answer(child)) again = true;
      await this.settle();
    }
  }

  /** Whether there was something to answer. */
  #answer(child: ScriptedChild): boolean {
    const [init] = child.of("init");
    if (init === undefined) return false;
    const { generation } = init;
    const { name: workflow = null } = (init.workflow ?? {}) as { readonly name?: string };
    if (!this.#ready.has(child)) {
      this.#ready.add(child);
      if (workflow !== null)
        child.says({ type: "started", generation, run: null }, { type: "ready", generation, problem: null });
      else {
        const names = (init.senses as { readonly name: string }[]).map(({ name }) => name);
        const senses = names.map((sense) => ({
          sense,
          problem: null,
          applied: [],
          watch: [],
          taken: [],
          patterns: [],
          series: null,
          fault: null,
        }));
        child.says({ type: "ready", generation, senses });
      }
      return true;
    }
    const asked = child.of(workflow === null ? "compute" : "run").find((message) => !this.#answered.has(message));
    if (asked === undefined) return false;
    this.#answered.add(asked);
    if (workflow === null) this.#computes(child, asked);
    else this.#executes(child, workflow, asked);
    return true;
  }

  #computes(child: ScriptedChild, { generation, id, sense, cause, trace, inbox }: Message): void {
    child.says({ type: "started", generation, id, sense });
    const sight = this.#sights.get(String(sense)) ?? null;
    if (sight?.kind === "dies") return child.exits(null, "SIGSEGV");
    const common = { generation, id, sense, durationMs: 1 };
    if (sight?.kind === "fails") {
      const isBad = sight.on === "" || (inbox as readonly Handed[]).some(({ body }) => body === sight.on);
      if (isBad) return child.says({ type: "error", ...common, kind: "failed", message: sight.message, stack: null });
    }
    if (sight === null || sight.kind === "fails") return child.says({ type: "no-signal", ...common, outbox: null });
    child.says({ type: "signal", ...common, payload: sight.payload, outbox: null, more: [], cause, trace });
  }

  #executes(child: ScriptedChild, workflow: string, { generation, run }: Message): void {
    child.says({ type: "started", generation, run });
    const messages = this.#answers.get(workflow) ?? [COMPLETED];
    child.says(...messages.map((message) => ({ ...message, generation, run, seq: ++this.#seq })));
  }

  /** What a command finds that looks now. */
  scene(): Scene & Disposable {
    return sceneOf(this, this.#startedAt, this.isRunning);
  }
}
