/** What people ask of a kernel, and that what is answered with success is there. */
import type { Result } from "../../src/base/result.ts";
import type { Acts } from "../../src/control/acts.ts";
import { type Below, pick } from "../rules/random.ts";
import type { Party } from "./machine.ts";
import { failuresAreSeen, isWellCounted, isWellSeen } from "./oracle/looks.ts";
import { violation } from "./oracle/report.ts";
import { RECEIVER } from "./plan.ts";
import type { Site } from "./site.ts";
import { EXPECTED, SOURCE_REFLEXES } from "./source-plan.ts";
import { BAD_ITEM, MINUTE, WORKFLOWS } from "./words.ts";

export class People {
  readonly #site: Site;
  readonly #chance: Below;
  readonly #count: (what: string) => void;
  readonly #world: Party = { isOver: false, isKernel: false };
  /** Requests that nothing else is like. */
  #sent = 0;

  constructor(site: Site, count: (what: string) => void) {
    this.#site = site;
    this.#chance = site.machine.chance;
    this.#count = count;
  }

  /** What is answered with success is durable. */
  asks<T>(
    what: string,
    ask: () => Promise<Result<T, unknown>> | Result<T, unknown> | null,
    done: (value: T) => void = () => {},
  ): void {
    const asked = ask();
    if (asked === null) return;
    this.#count(what);
    Promise.resolve(asked).then(
      (answer) => {
        try {
          if (answer.ok) done(answer.value);
        } catch (error) {
          this.#site.notice(error);
        }
      },
      (error) => this.#site.notice(error),
    );
  }

  ask(): void {
    const site = this.#site;
    const { runs } = site.oracle;
    const acts = site.kernel?.acts;
    if (!acts) return;
    const chance = this.#chance;
    const sense = `s${chance(site.plan.size.senses)}`;
    const rule = `rule-${chance(site.plan.size.reflexes)}`;
    const run = 1 + chance(Math.max(1, runs.runs.size));
    switch (chance(21)) {
      case 0:
        return this.asks("trigger", () => acts.trigger(sense));
      case 1:
        this.asks("disable", () => acts.disable(chance(2) === 0 ? `sense:${sense}` : `reflex:${rule}`));
        return;
      case 2:
      case 3:
        return this.asks("enable", () => acts.enable(chance(2) === 0 ? `sense:${sense}` : `reflex:${rule}`));
      case 4:
        return this.asks("release", () => acts.release(sense));
      case 5:
        return this.asks(
          "run",
          () => acts.run(pick(chance, WORKFLOWS), { by: "hand" }),
          ({ run: id }) => {
            if (!runs.runs.has(id)) violation("answers", `run ${id} was answered for, and is not there`);
          },
        );
      case 6:
        return this.asks(
          "cancel",
          () => acts.cancel(run),
          ({ run: id }) => {
            if (runs.runs.get(id)?.state !== "cancelled")
              violation("answers", `run ${id} is said to be cancelled, and is not`);
          },
        );
      case 7:
        return this.asks(
          "retry",
          () => acts.retry(run, null),
          ({ run: id }) => {
            if (!runs.runs.has(id)) violation("answers", `run ${id} was answered for, and is not there`);
          },
        );
      case 8:
        if (chance(2) === 0) return this.asks("unsilence", () => acts.unsilence("rule-*"));
        return this.asks("silence", () =>
          acts.silence({
            pattern: pick(chance, ["rule-*", "rule-1*"]),
            for_ms: pick(chance, [10, 20]) * MINUTE,
            why: "work",
          }),
        );
      case 9:
        return this.archives();
      case 10:
      case 11:
        return this.#looks();
      case 12:
      case 13:
      case 14:
        return this.#offers(acts);
      case 15:
      case 16:
      case 17:
        return this.#switchesForAWhile(acts);
      default:
        return this.#meetsIncident(acts);
    }
  }

  /** Somebody outside sends something, perhaps once more, perhaps something else under the same key. */
  #offers(acts: Acts): void {
    const { oracle } = this.#site;
    const chance = this.#chance;
    const sense = `s${RECEIVER}`;
    for (let count = 1 + chance(4); count > 0; count--) {
      const key = chance(3) === 0 ? `key-${chance(6)}` : null;
      const n = key !== null && chance(4) > 0 ? key : `${++this.#sent}`;
      const body = (nth: number): string =>
        `{"n":"${n}-${nth}"${chance(25) === 0 && key === null ? `,${BAD_ITEM}` : ""}}`;
      const bodies = [...Array(1 + (key === null ? chance(3) : 0)).keys()].map(body);
      const given = { bodies, key, identity: key, type: null, trace: null };
      this.#count("item offered");
      acts.offer(sense, given).then(
        (offered) => {
          try {
            oracle.inboxes.answered(sense, given, offered, oracle.axis.now);
          } catch (error) {
            this.#site.notice(error);
          }
        },
        (error) => this.#site.notice(error),
      );
    }
  }

  /** What wakes a sense, or what is expected, is switched off, and on again. */
  #switchesForAWhile(acts: Acts): void {
    const { machine, config } = this.#site;
    const there = (config?.reflexes ?? []).flatMap(({ name }) =>
      SOURCE_REFLEXES.includes(name) ? `reflex:${name}` : [],
    );
    const name = pick(this.#chance, [...there, ...EXPECTED.map((sense) => `sense:${sense}`)]);
    this.asks("switched off for a while", () => acts.disable(name));
    machine.after((2 + this.#chance(20)) * MINUTE, this.#world, () =>
      this.asks("switched on again", () => this.#site.kernel?.acts?.enable(name) ?? null),
    );
  }

  archives(): void {
    this.#site.oracle.retention.asked();
    this.asks("archive", () => this.#site.kernel?.acts?.archive() ?? null);
  }

  /** Nobody is answered later: a look shows the moment. */
  #looks(): void {
    const { kernel, oracle } = this.#site;
    const looks = kernel?.looks;
    if (!looks) return;
    this.#count("look");
    try {
      const status = looks.status();
      isWellSeen(status, oracle.present);
      oracle.sources.expectations.isWellSeen(status);
      const after = this.#chance(oracle.lastLog + 1);
      failuresAreSeen(looks.failures(after), after, oracle.runs.runs);
      isWellCounted(looks.metrics(), oracle.signals);
    } catch (error) {
      this.#site.notice(error);
    }
  }

  #meetsIncident(acts: Acts): void {
    const { incidents } = this.#site.oracle.incidents;
    const chance = this.#chance;
    // Whoever looks, looks at the newest.
    const incident = Math.max(1, incidents.size - chance(8));
    const isAck = chance(2) === 0;
    const request = { incident, by: "somebody", why: chance(2) === 0 ? null : "seen" };
    const done = (): void => {
      const state = incidents.get(incident)?.state;
      if (state === undefined || state === "open" || (!isAck && state !== "resolved"))
        violation(
          "answers",
          `incident ${incident} is said to be ${isAck ? "acknowledged" : "resolved"}, and is ${state}`,
        );
    };
    if (isAck) this.asks("ack", () => acts.ack(request), done);
    else this.asks("resolve", () => acts.resolve(request), done);
  }
}
