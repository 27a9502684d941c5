/**
 * Owns `/api/v1/events`: one place in the feed for each follower, and nothing that waits in memory. Rows are read when the
 * follower's connection takes more, so a slow one is behind and costs no memory. The listener closes the connection of one that
 * takes nothing for a minute.
 */

import { safeJson } from "../base/escape.ts";
import { LOG_LEVELS } from "../model/log.ts";
import type { StoreReader } from "../store/open-reader.ts";
import {
  type FeedFilter,
  type FeedPlace,
  FIRST_PORTION,
  nextEvents,
  PLACE,
  parsePlace,
  passes,
  portionAfter,
  spellPlace,
} from "./feed.ts";
import type { KernelLink } from "./kernel-link.ts";
import type { Place } from "./place.ts";
import { choice, form, many } from "./query.ts";
import { Turns } from "./turns.ts";

/** A proxy, and a browser's own timer, see that the stream lives. */
const BEAT_MS = 5_000;
/** A follower that takes nothing for so long is let go. Each event and each beat that leaves begins it anew. */
export const STALLED_SECONDS = 60;
/** More tabs than anybody has open. */
const MOST_FOLLOWERS = 200;
/** How long a browser waits before it comes back. */
const RETRY_MS = 1_000;

export const STREAM_QUERY = {
  from: form(PLACE, "the id of an event, as s4.l7"),
  sense: many,
  source: many,
  level: choice(...LOG_LEVELS),
};

export class Streams {
  readonly #place: Place;
  readonly #link: KernelLink;
  readonly #complain: (error: Error) => void;
  readonly #turns = new Turns();
  readonly #followers = new Set<Follower>();
  #beat: Timer | null = null;

  constructor(place: Place, link: KernelLink, complain: (error: Error) => void) {
    this.#place = place;
    this.#link = link;
    this.#complain = complain;
  }

  get isFull(): boolean {
    return this.#followers.size >= MOST_FOLLOWERS;
  }

  /** `resume`: the text of the last event, or null. `isOpen`: asked again and again; false ends the stream. */
  follow(
    store: StoreReader,
    resume: string | null,
    filter: FeedFilter,
    signal: AbortSignal,
    isOpen: () => boolean,
  ): ReadableStream<Uint8Array> {
    const newest = { signal: store.signals.lastId(), log: store.logs.lastId(), isWhole: true };
    const asked = resume === null ? null : parsePlace(resume);
    // A place that is ahead of the store is one of another store.
    const isAhead = asked !== null && (asked.signal > newest.signal || asked.log > newest.log);
    const follower: Follower = new Follower({
      page: this.#place,
      link: this.#link,
      turns: this.#turns,
      at: asked === null || isAhead ? newest : asked,
      filter,
      isOpen,
      complain: this.#complain,
      left: () => this.#left(follower),
    });
    this.#followers.add(follower);
    this.#beat ??= setInterval(() => {
      for (const one of [...this.#followers]) one.beat();
    }, BEAT_MS);
    signal.addEventListener("abort", () => follower.end(), { once: true });
    return follower.stream;
  }

  #left(follower: Follower): void {
    this.#followers.delete(follower);
    if (this.#followers.size > 0 || this.#beat === null) return;
    clearInterval(this.#beat);
    this.#beat = null;
  }

  close(): void {
    for (const follower of [...this.#followers]) follower.end();
  }
}

const ENCODER = new TextEncoder();

interface FollowerParts {
  readonly page: Place;
  readonly link: KernelLink;
  readonly turns: Turns;
  readonly at: FeedPlace;
  readonly filter: FeedFilter;
  readonly isOpen: () => boolean;
  readonly complain: (error: Error) => void;
  readonly left: () => void;
}

class Follower {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #parts: FollowerParts;
  readonly #unfollow: () => void;
  #at: FeedPlace;
  #portion = FIRST_PORTION;
  #saidLink = "";
  /** While it waits for something to send. */
  #wake: (() => void) | null = null;
  #isOver = false;
  #saysBeat = false;
  #isFirst = true;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.#at = parts.at;
    this.#unfollow = parts.link.follow(() => this.#wake?.());
    this.stream = new ReadableStream<Uint8Array>(
      { pull: (controller) => this.#pull(controller), cancel: () => this.end() },
      { highWaterMark: 0 },
    );
  }

  /** For one that waits. */
  beat(): void {
    if (this.#wake === null) return;
    this.#saysBeat = true;
    this.#wake();
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#unfollow();
    this.#wake?.();
    this.#parts.left();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    for (;;) {
      await this.#parts.turns.next();
      if (!this.#isOver && !this.#parts.isOpen()) this.end();
      const text = this.#isOver ? "" : this.#more();
      if (this.#isOver) {
        controller.close();
        return;
      }
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
    const text = this.#news();
    try {
      return text + this.#events();
    } catch (error) {
      // The file was replaced or is damaged. Who follows comes back, and the store is opened anew.
      this.#parts.page.forgetStore();
      this.#parts.complain(error as Error);
      this.end();
      return "";
    }
  }

  /** Where the stream begins, and how the kernel stands. */
  #news(): string {
    let text = this.#isFirst ? `retry: ${RETRY_MS}\n\n` : "";
    if (this.#isFirst) text += `id: ${spellPlace(this.#at)}\nevent: place\ndata: {}\n\n`;
    this.#isFirst = false;
    const link = { ...this.#parts.link.state, at: Date.now() };
    if (link.state !== this.#saidLink || this.#saysBeat) {
      this.#saidLink = link.state;
      text += `event: link\ndata: ${JSON.stringify(link)}\n\n`;
    }
    this.#saysBeat = false;
    return text;
  }

  #events(): string {
    const { page, link, filter } = this.#parts;
    const marks = link.watermarks;
    if (marks === null) return "";
    const store = page.store();
    if (!store.ok) return "";
    const events = nextEvents(store.value, this.#at, marks, this.#portion);
    let text = "";
    for (const event of events) {
      const { name, row, place } = event;
      if (!passes(filter, event)) continue;
      const data = safeJson(page.secrets.json(row));
      text += `id: ${spellPlace(place)}\nevent: ${name}\ndata: ${data}\n\n`;
    }
    const last = events.at(-1);
    if (last === undefined) return "";
    this.#at = last.place;
    this.#portion = portionAfter(this.#portion, events, text.length);
    // Without data there is no event: whoever follows learns how far the stream is past what was left out.
    return passes(filter, last) ? text : `${text}id: ${spellPlace(last.place)}\n\n`;
  }
}
