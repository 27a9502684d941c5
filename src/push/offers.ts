/**
 * Owns what is on its way to the kernel: what comes in one turn leaves in one message, and no more is under way than the kernel has
 * given credit for. Who waits too long leaves the line, and is not sent.
 */

import { type Given, MAX_REQUEST_BYTES } from "../inbox/given.ts";
import type { Offered } from "../inbox/offered.ts";
import type { PushMessageOf, PushParentMessageOf } from "../ipc/push-definitions.ts";

type Offer = PushMessageOf<"offers">["offers"][number];
type Answer = PushParentMessageOf<"answers">["answers"][number];

/**
 * The credit: what may be under way at once. It is what one turn and one commit of the kernel take in, while others wait for their
 * ticks; so it is as small as the speed of many small requests allows.
 */
const MAX_OFFERS = 256;
const MAX_ITEMS_UNDER_WAY = 500;
const MAX_CHARACTERS = MAX_REQUEST_BYTES;

interface Waiting {
  readonly offer: Offer;
  readonly items: number;
  readonly characters: number;
  readonly resolve: (outcome: Offered | null) => void;
}

const charactersOf = (bodies: readonly string[]): number => bodies.reduce((sum, body) => sum + body.length, 0);

function offeredOf({ kind, ids, retryAfterS, key }: Answer): Offered {
  switch (kind) {
    case "accepted":
      return { kind, ids };
    case "full":
      return { kind, retryAfterS };
    case "reused":
      return { kind, key };
    default:
      return { kind };
  }
}

export class Offers {
  readonly #post: (offers: readonly Offer[]) => void;
  readonly #waiting = new Map<number, Waiting>();
  readonly #underWay = new Map<number, Waiting>();
  #items = 0;
  #characters = 0;
  #ids = 0;
  #isScheduled = false;

  /** `post` sends one message. */
  constructor(post: (offers: readonly Offer[]) => void) {
    this.#post = post;
  }

  /** Null: `signal` ended first. What was under way by then may have been accepted all the same. */
  offer(sense: string, { bodies, key, identity, type, trace }: Given, signal: AbortSignal): Promise<Offered | null> {
    const id = ++this.#ids;
    const offer = { id, sense, bodies: [...bodies], key, identity, kind: type, trace };
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(null);
      this.#waiting.set(id, { offer, items: bodies.length, characters: charactersOf(bodies), resolve });
      signal.addEventListener("abort", () => this.#leave(id), { once: true });
      this.#schedule();
    });
  }

  /** An answer that nobody waits for is passed over: whoever asked has left. */
  answered(answers: readonly Answer[]): void {
    for (const answer of answers) {
      const waiting = this.#underWay.get(answer.id);
      if (waiting === undefined) continue;
      this.#underWay.delete(answer.id);
      this.#items -= waiting.items;
      this.#characters -= waiting.characters;
      waiting.resolve(offeredOf(answer));
    }
    this.#schedule();
  }

  #leave(id: number): void {
    const waiting = this.#waiting.get(id) ?? this.#underWay.get(id);
    this.#waiting.delete(id);
    // The credit of what is under way comes back with its answer alone.
    waiting?.resolve(null);
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.size === 0) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  /** The credit is not used up by what is under way. What is larger than all credit goes alone. */
  #fits({ items, characters }: Waiting): boolean {
    if (this.#underWay.size === 0) return true;
    if (this.#underWay.size >= MAX_OFFERS) return false;
    return this.#items + items <= MAX_ITEMS_UNDER_WAY && this.#characters + characters <= MAX_CHARACTERS;
  }

  #send(): void {
    const sent: Offer[] = [];
    for (const [id, waiting] of this.#waiting) {
      if (!this.#fits(waiting)) break;
      this.#waiting.delete(id);
      this.#underWay.set(id, waiting);
      this.#items += waiting.items;
      this.#characters += waiting.characters;
      sent.push(waiting.offer);
    }
    if (sent.length > 0) this.#post(sent);
  }
}
