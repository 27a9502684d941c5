/**
 * Owns what comes from other hosts: a batch of frames is one entry of the ledger, with its signals, what is known of their hosts,
 * the place in the stream and every decision (G16). Each signal is taken once: what is known is passed over.
 */
import { counted } from "../../base/counted.ts";
import type { Origin } from "../../model/origin.ts";
import type { MetaTable } from "../../store/meta.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Batch } from "./books.ts";
import type { Clocks } from "./clocks.ts";
import type { Complaints } from "./complaints.ts";
import { type News, newOrigin, newsOf, type Origins } from "./origins.ts";
import type { Presence } from "./presence.ts";
import type { RecentHosts } from "./recent-hosts.ts";
import type { ArrivedFrame, RemoteSignals } from "./remote-signals.ts";

export interface ArrivalsParts {
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly meta: MetaTable;
  readonly origins: Origins;
  readonly presence: Presence;
  readonly signals: RemoteSignals;
  /** Under whose name two kernels send, and whose signals came too late. */
  readonly conflicts: RecentHosts;
  readonly lateHosts: RecentHosts;
  readonly clocks: Clocks;
  readonly complaints: Complaints;
  /** What comes is old, and says nothing of who lives. */
  readonly isBehind: () => boolean;
}

type Place = Batch["place"];

/** Where the stream was taken up to, in `meta`. */
const PLACE = "fleet.in";

export class Arrivals {
  readonly #parts: ArrivalsParts;
  /** Since the kernel started. */
  signals = 0;

  constructor(parts: ArrivalsParts) {
    this.#parts = parts;
  }

  get place(): Place | null {
    const written = this.#parts.meta.get(PLACE);
    if (written === null) return null;
    const [, position = "", stream = ""] = /^(\d{1,15}) (.+)$/s.exec(written) ?? [];
    if (stream === "") throw this.#parts.meta.damaged(PLACE, written);
    return { stream, position: Number(position) };
  }

  /** `stored` is called after the commit. */
  take({ place, frames }: Batch, freshMs: number, stored: () => void): void {
    const { ledger, meta, signals } = this.#parts;
    const arrived = frames.map((frame) => signals.hear(frame, freshMs));
    ledger.add({
      write: (draft) => {
        for (const one of arrived) this.#frame(draft, one);
        this.#parts.presence.keep();
        meta.set(PLACE, `${place.position} ${place.stream}`);
      },
      kept: stored,
    });
  }

  #frame(draft: Draft, arrived: ArrivedFrame): void {
    const { origins, presence, signals, isBehind } = this.#parts;
    const { frame } = arrived;
    const { host } = frame;
    if (frame.epoch === "") return this.#sayUnread(draft, host, frame.refused ?? "it names no epoch", 0);
    const known = origins.of(draft, host);
    const news = newsOf(frame, known, origins.former(draft, host));
    const isOld = known !== null && isBehind();
    const heard = isOld ? known : presence.returned(draft, known ?? newOrigin(host, draft.now, presence.nowMs));
    const taken = arrived.signals.filter(({ signal }) => signal.origin_id > news.above);
    for (const one of taken) signals.take(draft, one);
    const late = taken.filter(({ signal }) => signal.late !== null).length;
    const unread = frame.refused === null ? arrived.refused : Math.max(0, frame.to - Math.max(frame.from, news.above));
    const missing = news.gap + news.lost + unread;
    const next: Origin = {
      ...heard,
      epoch: frame.epoch,
      upto: Math.max(news.above, frame.to),
      signals: heard.signals + taken.length,
      gaps: heard.gaps + (missing > 0 ? 1 : 0),
      // A host may claim to have lost more than a number can say.
      missing: Math.min(Number.MAX_SAFE_INTEGER, heard.missing + missing),
      late: heard.late + late,
    };
    origins.put(draft, next);
    this.#say(draft, arrived, news, { late, unread });
    draft.afterwards(() => {
      this.signals += taken.length;
      this.#look(arrived);
    });
  }

  /** A signal that lies further ahead than `fresh` says more than the frame. */
  #look({ frame: { host, sentAt, storedAt }, aheadMs }: ArrivedFrame): void {
    if (aheadMs !== null) this.#parts.clocks.see(host, aheadMs);
    else if (sentAt !== null && storedAt !== null) this.#parts.clocks.see(host, sentAt - storedAt);
  }

  #sayUnread(draft: Draft, host: string, why: string, missing: number): void {
    const message = (): string => `what came under the name ${host} cannot be read: ${why}`;
    this.#parts.complaints.say(draft, { event: "fleet.refused", kind: "unread", host, missing, message });
  }

  #sayMissing(draft: Draft, kind: "gap" | "lost", host: string, missing: number): void {
    if (missing === 0) return;
    const became = kind === "gap" ? "came in no frame" : "were removed there before they could leave";
    const message = (ids: number): string =>
      `${counted(ids, "id")} of ${host} ${became}: at most so many of its signals are missing here`;
    this.#parts.complaints.say(draft, { event: "fleet.gap", kind, host, missing, message });
  }

  #say(
    draft: Draft,
    { frame, refused }: ArrivedFrame,
    { epoch, gap, lost }: News,
    { late, unread }: { readonly late: number; readonly unread: number },
  ): void {
    const { journal, conflicts, lateHosts } = this.#parts;
    const { host } = frame;
    if (epoch === "first") {
      const within = journal.within(draft, "kernel");
      within.info("fleet.joined", `host ${host} is heard for the first time`, { host });
    }
    this.#sayMissing(draft, "gap", host, gap);
    this.#sayMissing(draft, "lost", host, lost);
    if (frame.refused !== null || refused > 0)
      this.#sayUnread(draft, host, frame.refused ?? "they are no signals", unread);
    draft.afterwards(() => {
      const folding = journal.folding("kernel");
      if (epoch === "anew") {
        const message = `the ids of ${host} begin anew: a copy of its data was put back, or its power failed`;
        folding.info("fleet.anew", message, { host, epoch: frame.epoch });
      }
      if (epoch === "again") {
        const message = `two kernels send under the name ${host}: each host needs a \`host\` of its own`;
        conflicts.see(host);
        folding.error("fleet.conflict", message, { host });
      }
      if (late > 0) {
        lateHosts.see(host);
        const message = `signals of ${host} were older than \`fleet.fresh\` when they came: no reflex looked at them. The host was cut off, or its clock is behind`;
        folding.warn("fleet.late", message, { host, late });
      }
    });
  }
}
