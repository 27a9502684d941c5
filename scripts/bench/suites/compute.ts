/** A compute over the real worker protocol, beside a bare ipc round trip: one at a time, and 64 under way. */
import { type Child, startEcho, startWorker } from "../child.ts";
import { type Figure, median } from "../figures.ts";
import { payload } from "../floor/shape.ts";
import { cpuMs } from "../processes.ts";
import type { Setting } from "../setting.ts";
import { Site } from "../site.ts";

const PIPELINED = 64;

/** Microseconds a compute took, and how many of them on a processor in the child. */
interface Cost {
  readonly us: number;
  readonly childUs: number;
}

/** Keeps `slots` questions under way for `forMs`. */
class Loop {
  #end = 0;
  #answers = 0;
  #done: (() => void) | null = null;
  child: Child | null = null;

  readonly answered = (slots: readonly number[]): void => {
    this.#answers += slots.length;
    if (performance.now() < this.#end) this.child?.ask(slots);
    else this.#done?.();
  };

  async run(slots: number, forMs: number): Promise<Cost> {
    const { child } = this;
    if (child === null) throw new Error("there is no child to ask");
    this.#answers = 0;
    const startedAt = performance.now();
    const cpuBefore = cpuMs(child.pid);
    this.#end = startedAt + forMs;
    const done = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    child.ask(Array.from({ length: slots }, (_, at) => at));
    await done;
    const us = ((performance.now() - startedAt) * 1000) / this.#answers;
    const childUs = ((cpuMs(child.pid) - cpuBefore) * 1000) / this.#answers;
    // What is still under way has to be out of it before the next run.
    await Bun.sleep(50);
    return { us, childUs };
  }
}

function bareCall(forMs: number): number {
  const startedAt = performance.now();
  let calls = 0;
  let made: object = {};
  for (; performance.now() - startedAt < forMs; calls += 100) {
    for (let call = 0; call < 100; call++) made = payload(calls + call);
  }
  return Object.keys(made).length > 0 ? ((performance.now() - startedAt) * 1000) / calls : Number.NaN;
}

export async function compute({ programs, rounds, spans }: Setting): Promise<Figure[]> {
  using site = new Site();
  const folder = site.sense("fact", "payload(now)");
  const ofWorker = new Loop();
  const ofEcho = new Loop();
  await using worker = await startWorker(programs.nerve, site, folder, PIPELINED, ofWorker.answered);
  await using echo = startEcho(programs.echo, ofEcho.answered);
  ofWorker.child = worker;
  ofEcho.child = echo;
  const forMs = spans.windowMs / 4;
  for (const loop of [ofWorker, ofEcho]) for (const slots of [1, PIPELINED]) await loop.run(slots, spans.warmMs / 2);
  const bare = bareCall(forMs / 4);
  const measured = { single: [] as [Cost, Cost][], pipelined: [] as [Cost, Cost][] };
  for (let turn = 0; turn < rounds * 3; turn++) {
    measured.single.push([await ofWorker.run(1, forMs), await ofEcho.run(1, forMs)]);
    measured.pipelined.push([await ofWorker.run(PIPELINED, forMs), await ofEcho.run(PIPELINED, forMs)]);
  }
  const figure = (name: string, turns: readonly [Cost, Cost][], less: number, atMost: number): Figure => ({
    suite: "compute",
    name,
    unit: "µs",
    floor: median(turns.map(([, floor]) => floor.us - less)),
    nerve: median(turns.map(([nerve]) => nerve.us - less)),
    ratio: median(turns.map(([nerve, floor]) => (nerve.us - less) / (floor.us - less))),
    target: { atMost },
    detail: `in the child ${median(turns.map(([nerve]) => nerve.childUs)).toFixed(1)} µs, floor's ${median(turns.map(([, floor]) => floor.childUs)).toFixed(1)} µs`,
  });
  return [
    figure("one at a time, beside an ipc round trip", measured.single, 0, 1.5),
    figure(`${PIPELINED} under way, less the bare call (${bare.toFixed(2)} µs)`, measured.pipelined, bare, 3),
  ];
}
