import type { Turns } from "../../base/turns.ts";

/** Owns the mail to a worker: messages that are posted in one turn of the loop leave in one frame at its end. */
export class Mail<Message> {
  readonly #turns: Turns;
  readonly #fill: () => void;
  readonly #send: (frame: Message[]) => void;
  #frame: Message[] = [];
  #isScheduled = false;

  /** `fill` is called at the end of a turn, to post what else there is. */
  constructor(turns: Turns, fill: () => void, send: (frame: Message[]) => void) {
    this.#turns = turns;
    this.#fill = fill;
    this.#send = send;
  }

  post(message: Message): void {
    this.#frame.push(message);
    this.schedule();
  }

  /** Something has changed: the frame leaves at the end of the turn. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#turns.atEnd(() => {
      this.#isScheduled = false;
      this.#fill();
      if (this.#frame.length === 0) return;
      const frame = this.#frame;
      this.#frame = [];
      this.#send(frame);
    });
  }

  /** The receiver is gone. */
  discard(): void {
    this.#frame = [];
  }
}
