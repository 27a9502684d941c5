/** What is handed in from outside, a signal an item: by `nerve push`, over HTTP, by a web hook. */
import { notBetween } from "drizzle-orm";
import { type Compute, type InboxItem, type Payload, type Series, signals } from "nerve";
import { duration, flag, type Infer, record } from "nerve/options";
import { declaration } from "nerve/payload";
import { samples } from "./schema.ts";

export const options = record({
  // What was handed in stands under `body`, with its time, key and type.
  envelope: flag(false),
  keep: duration("7d", { min: "1m", max: "90d" }),
});

type Options = Infer<typeof options>;

/** What is handed in is its sender's own. */
export const payload = declaration<Options>(({ envelope }) =>
  envelope ? { at: "number.integer", key: "string | null", type: "string | null", body: "unknown" } : null,
);

export const series: Series = { table: "samples", at: "at", numbers: { items: null } };

export const compute: Compute<Options> = (db, _peers, { options: { envelope, keep }, inbox, now }) => {
  if (inbox.length === 0) return null;
  const { id } = db.insert(samples).values({ at: now, items: inbox.length }).returning({ id: samples.id }).get();
  const outdated = notBetween(samples.at, now - keep, now + keep);
  if (id % 100 === 0) db.delete(samples).where(outdated).run();
  return signals(inbox.map(envelope ? inEnvelope : bare));
};

/** As JSON. */
const MAX_PAYLOAD_BYTES = 64 * 1024;
/** Of JSON text within a JSON string: three bytes each at most. */
const CUT_CHARACTERS = 16 * 1024;

function inEnvelope({ at, key, type, body }: InboxItem): Payload {
  const envelope = { at, key, type, body };
  if (Buffer.byteLength(JSON.stringify(envelope)) <= MAX_PAYLOAD_BYTES) return envelope;
  const text = JSON.stringify(body);
  return {
    ...envelope,
    body: { cut: text.slice(0, CUT_CHARACTERS).toWellFormed(), bytes: Buffer.byteLength(text) },
  };
}

/** Null is no payload. */
const bare = ({ body }: InboxItem): Payload => body ?? {};
