import type { Turns } from "../../base/turns.ts";

/** What is posted to a worker in one turn of the loop leaves in one frame at its end. */
export class Mail<Message> {
  readonly #turns: Turns;
  readonly #fill: () => void;
  readonly #send: (frame: Message[]) => void;
  #frame: Message[] = [];
  #isScheduled = false;

  /** `fill` is asked at the end of a turn for what else there is to post. */
  constructor(turns: Turns, fill: () => void, send: (frame: Message[]) => void) {
    this.#turns = turns;
    this.#fill = fill;
    this.#send = send;
  }

  post(message: Message): void {
    this.#frame.push(message);
    this.schedule();
  }

  /** Something changed: what there is leaves at the end of the turn. */
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

  /** Its receiver is gone. */
  discard(): void {
    this.#frame = [];
  }
}
