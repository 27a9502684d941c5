/** Owns what is wrong with the servers of the fleet themselves: each concern is logged once, whatever starts anew. */
import { readJson } from "../../base/json.ts";
import type { MetaTable } from "../../store/meta.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";

export interface ConcernsParts {
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly meta: MetaTable;
}

/** In `meta`: the newest concerns, which name server and version. A text that cannot be read costs one more log. */
const LOGGED = "fleet.concerns";
const MOST = 20;

export class Concerns {
  readonly #parts: ConcernsParts;

  constructor(parts: ConcernsParts) {
    this.#parts = parts;
  }

  see(message: string): void {
    const { ledger, journal, meta } = this.#parts;
    ledger.write((draft) => {
      const logged = this.#logged;
      if (logged.includes(message)) return;
      meta.set(LOGGED, JSON.stringify([...logged, message].slice(-MOST)));
      journal.within(draft, "kernel").warn("fleet.server", message, null);
    });
  }

  get #logged(): readonly string[] {
    const logged = readJson(this.#parts.meta.get(LOGGED) ?? "[]");
    return Array.isArray(logged) ? logged.filter((one) => typeof one === "string") : [];
  }
}
