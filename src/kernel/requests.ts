/** Owns the requests of persons about senses and reflexes by name. A decision is durable when its answer is there. */

import type { Clock } from "../base/clock.ts";
import { meantOr } from "../base/nearest.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { Store } from "../store/open.ts";
import type { Journal } from "./commits/journal.ts";
import type { Ledger } from "./commits/ledger.ts";
import type { Inboxes } from "./inbox/inboxes.ts";
import type { Sense } from "./memory/sense.ts";
import type { Reflex } from "./reflexes/reflex.ts";
import type { Reflexes } from "./reflexes/reflexes.ts";
import type { Deliveries } from "./senses/deliveries.ts";
import type { Quarantines } from "./senses/quarantines.ts";
import type { Senses } from "./senses/senses.ts";

export interface RequestsParts {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly store: Store;
  readonly senses: Senses;
  readonly reflexes: Reflexes;
  readonly quarantines: Quarantines;
  readonly inboxes: Inboxes;
  readonly deliveries: Pick<Deliveries, "resume" | "switched">;
}

/** The result of a switch. */
export interface Switched {
  /** `sense:NAME` or `reflex:NAME`. */
  readonly name: string;
  readonly enabled: boolean;
  /** Null for a reflex. */
  readonly sense: string | null;
  /** A quarantine of the sense was lifted. */
  readonly released: boolean;
}

export class Requests {
  readonly #parts: RequestsParts;

  constructor(parts: RequestsParts) {
    this.#parts = parts;
  }

  #find(name: string): Result<Sense, Problem> {
    const { byName: senses } = this.#parts.senses;
    const sense = senses.get(name);
    if (sense) return ok(sense);
    const names = [...senses.keys()].sort();
    const there = names.length === 0 ? "no sense is configured" : `the senses are: ${names.join(", ")}`;
    return err(problem("unknown-sense", `there is no sense \`${name}\``, meantOr(name, names, there)));
  }

  /** Asks for one compute now. Returns its trace, once the decision is durable. */
  trigger(name: string): Promise<Result<{ sense: string; trace: string }, Problem>> {
    const found = this.#find(name);
    if (!found.ok) return Promise.resolve(found);
    const sense = found.value;
    const { state } = sense;
    if (state !== "ok") {
      const hint = {
        failed: "see `nerve status`",
        quarantined: `\`nerve enable ${name}\` lifts it`,
        disabled: `\`nerve enable ${name}\` switches it on`,
      }[state];
      return Promise.resolve(
        err(problem(`sense-${state}`, `the sense \`${name}\` is ${state} and starts no compute`, hint)),
      );
    }
    const { ledger, senses } = this.#parts;
    let owed = senses.triggerByHand();
    const committed = ledger.commit((draft) => {
      owed = draft.owe(sense, owed);
      draft.afterwards(() => senses.wake(sense));
    });
    return committed.then(() => ok({ sense: name, trace: owed.trace }));
  }

  /** `sense:NAME`, `reflex:NAME`, or a bare name, which means the sense if there is one. */
  #resolve(reference: string): Result<{ kind: "sense"; sense: Sense } | { kind: "reflex"; reflex: Reflex }, Problem> {
    const [prefix, rest] = /^(sense|reflex):(.*)$/.exec(reference)?.slice(1) ?? [null, reference];
    const name = rest ?? reference;
    const {
      reflexes,
      senses: { byName: senses },
    } = this.#parts;
    const sense = prefix === "reflex" ? undefined : senses.get(name);
    if (sense) return ok({ kind: "sense", sense });
    const reflex = prefix === "sense" ? undefined : reflexes.byName.get(name);
    if (reflex) return ok({ kind: "reflex", reflex });
    const candidates = [
      ...(prefix === "reflex" ? [] : senses.keys()),
      ...(prefix === "sense" ? [] : reflexes.byName.keys()),
    ];
    const hint = this.#ofWorkflow(name) ?? meantOr(name, candidates, "`nerve status` lists them");
    return err(problem(`unknown-${prefix ?? "name"}`, `there is no ${prefix ?? "sense or reflex"} \`${name}\``, hint));
  }

  /** A hint with the reflexes to switch instead of a workflow. Null where no reflex starts a workflow called `name`. */
  #ofWorkflow(name: string): string | null {
    const starts = [...this.#parts.reflexes.byName.values()].map(({ config }) => config);
    const names = starts.filter((one) => one.kind === "workflow" && one.workflow === name).map((one) => one.name);
    if (names.length === 0) return null;
    const all = names.map((one) => `reflex:${one}`).join(", ");
    return `\`${name}\` is a workflow, started by ${all}: name one of these, or \`nerve silence\` it for a while`;
  }

  /** Durable when it resolves. To enable a sense also lifts its quarantine. */
  switch(reference: string, enabled: boolean): Promise<Result<Switched, Problem>> {
    const found = this.#resolve(reference);
    if (!found.ok) return Promise.resolve(found);
    const target = found.value;
    const name =
      target.kind === "sense"
        ? (`sense:${target.sense.name}` as const)
        : (`reflex:${target.reflex.config.name}` as const);
    const { clock, ledger, journal, store, senses, reflexes, inboxes, deliveries } = this.#parts;
    const sense = target.kind === "sense" ? target.sense.name : null;
    // Written before the switch, and therefore as durable as the switch.
    const released = enabled && target.kind === "sense" && this.#lift(target.sense);
    const at = clock.wallMs();
    const event = enabled ? "enabled" : "disabled";
    const committed = ledger.commit((draft) => {
      if (enabled) store.switches.enable(name);
      else store.switches.disable(name, at);
      if (target.kind === "reflex" && target.reflex.enabled !== enabled) {
        if (!enabled) reflexes.endIncidents(draft, target.reflex, "its reflex is disabled");
        draft.clearReflex(target.reflex.config.name);
        deliveries.switched(draft, target.reflex.config.name, enabled);
      }
      draft.afterwards(() => {
        if (target.kind === "sense") {
          target.sense.enable(enabled);
          if (!enabled) senses.cancel(target.sense, "is disabled");
        } else {
          if (target.reflex.enabled !== enabled) {
            target.reflex.last = null;
            target.reflex.states?.forgetAll();
          }
          target.reflex.enabled = enabled;
        }
        inboxes.resume();
        deliveries.resume();
      });
      journal.within(draft, name).info(event, event, null);
    });
    return committed.then(() => ok({ name, enabled, sense, released }));
  }

  /** Lifts a quarantine and forgets the strikes. `released` is false where there was none. */
  release(name: string): Result<{ sense: string; released: boolean }, Problem> {
    const found = this.#find(name);
    if (!found.ok) return found;
    return ok({ sense: name, released: this.#lift(found.value) });
  }

  /** False where there was no quarantine. */
  #lift(sense: Sense): boolean {
    if (sense.quarantine === null) return false;
    this.#parts.quarantines.release(sense, "by hand", 0);
    return true;
  }
}
