/** What the daemon does when its data directory changes under it: it ends, or makes the control socket anew. */
import type { Problem } from "../../model/problem.ts";
import type { Journal } from "../commits/journal.ts";
import type { Watch } from "../world.ts";

export interface WatchedDataParts {
  readonly watch: Watch;
  readonly journal: Journal;
  readonly onLost: (problem: Problem) => void;
  /** Makes the control socket anew. */
  readonly listenAgain: () => void;
}

export class WatchedData {
  readonly #parts: WatchedDataParts;
  #isLost = false;

  constructor(parts: WatchedDataParts) {
    this.#parts = parts;
  }

  /** Throws `StoreDamaged` for a logs.db that was cut off or written over. */
  look(): void {
    if (this.#isLost) return;
    this.refuseDamage();
    const { watch, journal, onLost, listenAgain } = this.#parts;
    const lost = watch.lost();
    if (lost !== null) {
      this.#isLost = true;
      journal.aside("kernel").error("data.lost", lost.message, null);
      return onLost(lost);
    }
    if (!watch.isSocketGone) return;
    listenAgain();
    watch.socketRenewed();
    journal.of("kernel").warn("control.renewed", "somebody removed the control socket; it is there again", null);
  }

  /** Whoever catches what this throws ends the process, as after any other damage that is met: nothing more is committed. */
  refuseDamage(): void {
    const damage = this.#parts.watch.damage();
    if (damage !== null) throw damage;
  }

  /** Once the store is closed. */
  stop(): void {
    this.#parts.watch.stop();
  }
}
