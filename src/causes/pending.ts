/** Owns what is on its way: keys of workflow reflexes that match, and for which `for` has not ended yet. */
import { formatDuration } from "../base/duration.ts";
import { keepsIncidents } from "../model/config.ts";
import { pendingOf } from "../replays/account.ts";
import { keyWords } from "../replays/explain-words.ts";
import { isKeyed } from "../rules/key.ts";
import { fieldWords } from "./matches.ts";
import type { Scene } from "./scene.ts";
import { moment } from "./words.ts";

export interface Pending {
  readonly reflex: string;
  readonly signal: number;
  readonly until: number;
  readonly text: string;
}

/** What ends first comes first. */
export function pendingIn(scene: Scene): Pending[] {
  const { config, store, axis, now } = scene;
  const found = (config?.reflexes ?? []).flatMap((reflex) => {
    if (reflex.kind !== "workflow" || config === null) return [];
    return pendingOf(store, reflex.name, null).flatMap(({ key, state: { holding } }): Pending[] => {
      if (holding === null) return [];
      const until = axis.wallAt(holding.due);
      const signal = store.signals.byId(holding.signal);
      const shown = isKeyed(reflex.key) ? keyWords(key) : null;
      const words = signal === null ? null : fieldWords(config, reflex, signal, shown);
      const of = shown === null ? "" : ` (key ${shown})`;
      const match = words === null ? "matches" : `matches: ${words}`;
      const what = keepsIncidents(reflex) ? "opens an incident" : `starts ${reflex.workflow}`;
      const then = `It ${what} at ${moment(until, now)} if that goes on (\`for: ${formatDuration(reflex.forMs ?? 0)}\`).`;
      return [
        { reflex: reflex.name, signal: holding.signal, until, text: `Reflex ${reflex.name}${of} ${match}. ${then}` },
      ];
    });
  });
  return found.toSorted((a, b) => a.until - b.until);
}
