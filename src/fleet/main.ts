/**
 * Owns the fleet process from its first message to its last: one connection, what leaves over it and what comes. The kernel commits;
 * this process may be killed at any moment, and the next one goes on from what is committed.
 */
import { clipLine } from "../base/row-limiter.ts";
import type {
  FleetMessage,
  FleetMessageOf,
  FleetParentMessage,
  FleetParentMessageOf,
} from "../ipc/fleet-definitions.ts";
import { parseFleetParentMessage } from "../ipc/parse-aside.ts";
import { type Channel, openChannel } from "../worker/channel.ts";
import { enterWorker } from "../worker/entry.ts";
import { inbox } from "../worker/inbox.ts";
import { Carrier } from "./carrier.ts";
import { OwnSignals } from "./own-signals.ts";
import { PACE } from "./pause.ts";

type Report = {
  [Type in FleetMessage["type"]]: Omit<Extract<FleetMessage, { type: Type }>, "generation">;
}[FleetMessage["type"]];

type Forwarded = Omit<FleetMessageOf<"forwarded">, "type" | "generation">;

class FleetProcess {
  readonly #channel: Channel<FleetMessage>;
  #generation = 1;
  #carrier: Carrier | null = null;
  /** Who waits for the commit of the step that is under way; null: none is. */
  #keeping: (() => void)[] | null = null;
  /** What was added since. */
  #forwarded: Forwarded | null = null;
  #awaiting: (() => void)[] = [];

  constructor() {
    const refuse = (what: string): void => this.complain(`the kernel sent ${what}`, null);
    this.#channel = openChannel<FleetMessage>(
      inbox(parseFleetParentMessage, (message) => this.#receive(message), refuse),
    );
  }

  complain(message: string, stack: string | null): void {
    this.#tell({ type: "error", message: clipLine(message), stack: stack === null ? null : clipLine(stack) });
  }

  #tell(message: Report): void {
    this.#channel.post({ ...message, generation: this.#generation } as FleetMessage);
  }

  #receive(message: FleetParentMessage): void {
    switch (message.type) {
      case "init":
        void this.#begin(message);
        return;
      case "kept":
        this.#isKept();
        return;
      case "stored":
        this.#carrier?.stored();
        return;
      case "ask":
        void this.#ask(message);
        return;
      case "reply":
        this.#carrier?.replies(message.id, message.text);
        return;
      case "shutdown":
        void this.#leave();
        return;
    }
  }

  async #begin(init: FleetParentMessageOf<"init">): Promise<void> {
    this.#generation = init.generation;
    // The client of the engine is loaded by this process alone.
    const { Nats } = await import("./nats/session.ts");
    const { settings, host, data } = init;
    const own = OwnSignals.open(data, settings.send);
    if (!own.ok)
      return this.#channel.leave({
        type: "error",
        generation: init.generation,
        message: own.error.message,
        stack: null,
      });
    const engine = new Nats({ ...settings, host });
    this.#carrier = new Carrier(
      init,
      engine,
      own.value,
      {
        link: (link) => this.#tell({ type: "link", ...link }),
        waiting: (pending) => this.#tell({ type: "waiting", pending }),
        notice: (kind, message) => this.#tell({ type: "notice", kind, message }),
        behind: (behind) => this.#tell({ type: "behind", ...behind }),
        room: (room) => this.#tell({ type: "room", room: { ...room } }),
        batch: (batch) => this.#tell({ type: "batch", ...batch }),
        asked: (id) => this.#tell({ type: "asked", id }),
        forwarded: (step) => this.#steps(step),
      },
      PACE,
    );
    this.#tell({ type: "ready" });
    this.#carrier.start();
  }

  /** Steps of the cursor that come while one waits for its commit become one. */
  #steps(step: Forwarded): Promise<void> {
    const before = this.#forwarded;
    const { signals, lost, copied } = before ?? { signals: 0, lost: 0, copied: null };
    const { cursor } = step;
    this.#forwarded = {
      cursor,
      signals: signals + step.signals,
      lost: lost + step.lost,
      copied: step.copied ?? copied,
    };
    const kept = new Promise<void>((resolve) => this.#awaiting.push(resolve));
    this.#keep();
    return kept;
  }

  #keep(): void {
    if (this.#keeping !== null || this.#forwarded === null) return;
    this.#keeping = this.#awaiting;
    this.#awaiting = [];
    this.#tell({ type: "forwarded", ...this.#forwarded });
    this.#forwarded = null;
  }

  #isKept(): void {
    const kept = this.#keeping ?? [];
    this.#keeping = null;
    for (const goOn of kept) goOn();
    this.#keep();
  }

  async #ask({ id, hosts, timeoutMs }: FleetParentMessageOf<"ask">): Promise<void> {
    const answers = (await this.#carrier?.ask(hosts, timeoutMs)) ?? [];
    this.#tell({ type: "answers", id, answers: [...answers] });
  }

  async #leave(): Promise<void> {
    await this.#carrier?.stop();
    this.#channel.leave({ type: "bye", generation: this.#generation });
  }
}

/** Entry of the hidden role. */
export function runFleet(kernelPid: number): void {
  const fleet = new FleetProcess();
  enterWorker(kernelPid, (message, stack) => fleet.complain(message, stack));
}
