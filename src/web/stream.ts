/**
 * Owns `/api/v1/events`: one place in the feed for each follower, and nothing that waits in memory. Rows are read when the
 * follower's connection takes more, so a slow one is behind and costs no memory; one that takes nothing for a minute is let go.
 */

import type { StoreReader } from "../store/open-reader.ts";
import { type FeedPlace, nextEvents, parsePlace, spellPlace } from "./feed.ts";
import type { KernelLink } from "./kernel-link.ts";
import type { Place } from "./place.ts";

/** A proxy, and a browser's own timer, see that the stream lives. */
const BEAT_MS = 5_000;
const STALLED_MS = 60_000;
/** More tabs than anybody has open. */
const MOST_FOLLOWERS = 200;
/** How long a browser waits before it comes back. */
const RETRY_MS = 1_000;

export class Streams {
  readonly #place: Place;
  readonly #link: KernelLink;
  readonly #followers = new Set<Follower>();
  #sweep: Timer | null = null;

  constructor(place: Place, link: KernelLink) {
    this.#place = place;
    this.#link = link;
  }

  get isFull(): boolean {
    return this.#followers.size >= MOST_FOLLOWERS;
  }

  /** `resume`: the text of the last event, or null. `isOpen`: asked again and again; false ends the stream. */
  follow(
    store: StoreReader,
    resume: string | null,
    signal: AbortSignal,
    isOpen: () => boolean,
  ): ReadableStream<Uint8Array> {
    const newest = { signal: store.signals.lastId(), log: store.logs.lastId(), isWhole: true };
    const asked = resume === null ? null : parsePlace(resume);
    // A place that is ahead of the store is one of another store.
    const isAhead = asked !== null && (asked.signal > newest.signal || asked.log > newest.log);
    const follower = new Follower(this.#place, this.#link, asked === null || isAhead ? newest : asked, isOpen, () =>
      this.#left(follower),
    );
    this.#followers.add(follower);
    this.#sweep ??= setInterval(() => {
      for (const one of [...this.#followers]) one.sweep();
    }, BEAT_MS);
    signal.addEventListener("abort", () => follower.end(), { once: true });
    return follower.stream;
  }

  #left(follower: Follower): void {
    this.#followers.delete(follower);
    if (this.#followers.size > 0 || this.#sweep === null) return;
    clearInterval(this.#sweep);
    this.#sweep = null;
  }

  close(): void {
    for (const follower of [...this.#followers]) follower.end();
  }
}

const ENCODER = new TextEncoder();

class Follower {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #page: Place;
  readonly #link: KernelLink;
  readonly #isOpen: () => boolean;
  readonly #left: () => void;
  readonly #unfollow: () => void;
  #at: FeedPlace;
  #saidLink = "";
  #takenAt = performance.now();
  /** While it waits for something to send. */
  #wake: (() => void) | null = null;
  #isOver = false;
  #saysBeat = false;
  #isFirst = true;

  constructor(page: Place, link: KernelLink, at: FeedPlace, isOpen: () => boolean, left: () => void) {
    this.#page = page;
    this.#link = link;
    this.#at = at;
    this.#isOpen = isOpen;
    this.#left = left;
    this.#unfollow = link.follow(() => this.#wake?.());
    this.stream = new ReadableStream<Uint8Array>(
      { pull: (controller) => this.#pull(controller), cancel: () => this.end() },
      { highWaterMark: 0 },
    );
  }

  /** Called now and again: a beat for one that waits, the end for one that takes nothing. */
  sweep(): void {
    if (this.#wake !== null) {
      this.#saysBeat = true;
      this.#wake();
    } else if (performance.now() - this.#takenAt > STALLED_MS) this.end();
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#unfollow();
    this.#wake?.();
    this.#left();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#takenAt = performance.now();
    for (;;) {
      if (!this.#isOver && !this.#isOpen()) this.end();
      if (this.#isOver) {
        controller.close();
        return;
      }
      const text = this.#more();
      if (text !== "") {
        controller.enqueue(ENCODER.encode(text));
        return;
      }
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
      this.#wake = null;
    }
  }

  /** What is to be sent now; empty: nothing. */
  #more(): string {
    let text = this.#isFirst ? `retry: ${RETRY_MS}\n\n` : "";
    if (this.#isFirst) text += `id: ${spellPlace(this.#at)}\nevent: place\ndata: {}\n\n`;
    this.#isFirst = false;
    const link = { ...this.#link.state, at: Date.now() };
    if (link.state !== this.#saidLink || this.#saysBeat) {
      this.#saidLink = link.state;
      text += `event: link\ndata: ${JSON.stringify(link)}\n\n`;
    }
    this.#saysBeat = false;
    const marks = this.#link.watermarks;
    if (marks === null) return text;
    const store = this.#page.store();
    if (!store.ok) return text;
    for (const { name, row, place } of nextEvents(store.value, this.#at, marks)) {
      const data = JSON.stringify(this.#page.secrets.json(row));
      text += `id: ${spellPlace(place)}\nevent: ${name}\ndata: ${data}\n\n`;
      this.#at = place;
    }
    return text;
  }
}
