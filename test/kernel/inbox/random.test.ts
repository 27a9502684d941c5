/**
 * Inboxes under random pushes, failures, deaths of workers and kernels, a kernel that is killed behind any commit, and clients
 * that send again what nobody answered (G11): what was accepted is in the rows and the signals once, or dead.
 */
import { describe, expect, test } from "bun:test";
import { ALL_SIGNALS } from "../../../src/store/signals.ts";
import { type Fate, given, InboxBench } from "../../helpers/inbox-bench.ts";

const SEEDS = Number(process.env.NERVE_FUZZ ?? 12);
const FIRST = Number(process.env.NERVE_FUZZ_SEED ?? 1);
const STEPS = 100;

/** Mulberry32. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

interface Request {
  readonly bodies: readonly number[];
  readonly identity: string | null;
  isAccepted: boolean;
}

class Course {
  readonly bench = new InboxBench();
  readonly below: (below: number) => number;
  readonly requests: Request[] = [];
  /** Bodies that no compute succeeds with. */
  readonly bad = new Set<number>();
  #bodies = 0;

  constructor(seed: number) {
    this.below = randomFrom(seed);
  }

  async #send(request: Request): Promise<void> {
    const { bench } = this;
    const offered = bench.engine.inboxes.offer("a", given(request.bodies, request.identity));
    await bench.settle();
    if (bench.isKilled) return;
    request.isAccepted = (await offered).kind === "accepted";
  }

  async push(): Promise<void> {
    const bodies = Array.from({ length: 1 + this.below(4) }, () => ++this.#bodies);
    const [first = 0] = bodies;
    if (this.below(12) === 0) this.bad.add(first);
    const request = { bodies, identity: this.below(2) === 0 ? `k${first}` : null, isAccepted: false };
    this.requests.push(request);
    await this.#send(request);
  }

  /** What has an identity can be sent again, whether it was accepted or not. */
  async again(): Promise<void> {
    const known = this.requests.filter(({ identity }) => identity !== null);
    const request = known[this.below(known.length)];
    if (request !== undefined) await this.#send(request);
  }

  fate(compute: NonNullable<InboxBench["asked"]>): Fate {
    if (compute.inbox.some(({ body }) => this.bad.has(Number(body)))) return this.below(3) === 0 ? "dies" : "fails";
    const chance = this.below(20);
    if (chance < 2) return "fails";
    if (chance < 4) return "dies-after";
    return chance < 5 ? "dies" : "takes";
  }

  async step(): Promise<void> {
    const { bench } = this;
    if (bench.isKilled || this.below(25) === 0) bench.restart();
    if (this.below(12) === 0) bench.killAfter = this.below(4);
    await bench.lives(() => bench.loads());
    if (bench.isKilled) return;
    const what = this.below(10);
    if (what < 4) return this.push();
    if (what < 5) return this.again();
    const { asked } = bench;
    if (what < 8 && asked !== null) {
      return bench.lives(() => bench.answers(this.fate(asked)));
    }
    await bench.pass(this.below(3_000));
  }

  /** Everything goes well from here on. */
  async rest(): Promise<void> {
    const { bench } = this;
    bench.restart();
    const lifted = bench.engine.requests.switch("sense:a", true);
    await bench.settle();
    await lifted;
    for (const request of this.requests) if (request.identity !== null) await this.#send(request);
    await bench.serve(
      ({ inbox }) => (inbox.some(({ body }) => this.bad.has(Number(body))) ? "fails" : "takes"),
      600_000,
      2_000,
    );
    for (let more = 0; bench.left("waiting").length > 0 && more < 20; more++) {
      await this.push();
      await bench.serve(
        ({ inbox }) => (inbox.some(({ body }) => this.bad.has(Number(body))) ? "fails" : "takes"),
        120_000,
        2_000,
      );
    }
  }
}

describe("what was accepted is taken once, or dead", () => {
  test.each(Array.from({ length: SEEDS }, (_, nth) => FIRST + nth))("seed %i", async (seed) => {
    const course = new Course(seed);
    using bench = course.bench;
    for (let step = 0; step < STEPS; step++) await course.step();
    await course.rest();
    const signals = bench.store.signals
      .list(ALL_SIGNALS)
      .flatMap(({ payload }) => JSON.parse(payload).items as string[]);
    expect(signals).toEqual(bench.rows);
    expect(new Set(bench.rows).size).toBe(bench.rows.length);
    const dead = bench.left("dead").map(Number);
    for (const body of dead) expect(course.bad).toContain(body);
    const there = new Set([...bench.rows.map(Number), ...dead]);
    const accepted = course.requests.flatMap(({ bodies, isAccepted }) => (isAccepted ? bodies : []));
    expect(accepted.filter((body) => !there.has(body))).toEqual([]);
    expect(there.size).toBe(bench.rows.length + dead.length);
    expect(bench.said("worker.malformed")).toEqual([]);
  });
});
