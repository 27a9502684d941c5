/** How a frame lies in a stream: its subject names the host, its headers say what it holds. */
import { headers, type MsgHdrs } from "@nats-io/transport-node";
import type { CarriedFrame, Label } from "../engine/engine.ts";

const EPOCH = "Nerve-Epoch";
const TO = "Nerve-To";
const SENT = "Nerve-Sent";

export const subjectOf = (host: string): string => `nerve.${host}.signals`;
export const ALL_SUBJECTS = "nerve.*.signals";
export const askSubject = (host: string): string => `nerve.${host}.ask.status`;

export function headersOf({ epoch, to }: Label, stream: string, expected: number): MsgHdrs {
  const written = headers();
  written.set("Nats-Expected-Stream", stream);
  written.set("Nats-Expected-Last-Subject-Sequence", String(expected));
  written.set(EPOCH, epoch);
  written.set(TO, String(to));
  written.set(SENT, String(Date.now()));
  return written;
}

const WHOLE = /^(0|[1-9]\d{0,14})$/;
const EPOCH_TEXT = /^[0-9a-f]{1,64}$/;

/** What a server puts on a frame that it sends as the answer to a question. It may have been asked to send the answer as if it were a frame. */
const ANSWERED = ["Nats-Subject", "Nats-Sequence", "Nats-Stream", "Nats-Time-Stamp"];

/** Where the server says that a frame stands, in the answer to a question: its own word is the last one. */
export const answeredPosition = (read: MsgHdrs | null): number => Number(read?.values("Nats-Sequence").at(-1));

function labelOf(read: MsgHdrs | null): Label | null {
  const [epoch, to] = [read?.get(EPOCH) ?? "", read?.get(TO) ?? ""];
  if (!EPOCH_TEXT.test(epoch) || !WHOLE.test(to)) return null;
  return { epoch, to: Number(to) };
}

function sentMsOf(read: MsgHdrs | null): number | null {
  const sent = read?.get(SENT) ?? "";
  return WHOLE.test(sent) ? Number(sent) : null;
}

const UNLABELLED = "it does not say what it holds";

/** Where a frame lies. `pending`: frames behind it. `isAnswer`: a server gives it as the answer to a question, and not as a reading. */
export interface Lying {
  readonly position: number;
  readonly storedMs: number | null;
  readonly pending: number;
  readonly isAnswer: boolean;
}

export function carriedFrame(
  subject: string,
  { isAnswer, ...lying }: Lying,
  read: MsgHdrs | null,
  body: Uint8Array,
): CarriedFrame {
  const host = subject.split(".")[1] ?? "";
  const relayed = ANSWERED.find((name) => (read?.values(name).length ?? 0) > (isAnswer ? 1 : 0));
  const label = relayed === undefined ? labelOf(read) : null;
  const why =
    relayed === undefined ? UNLABELLED : `a server has passed it on as an answer (it has the header ${relayed})`;
  return { ...lying, host, label, flaw: label === null ? why : null, sentMs: sentMsOf(read), body };
}
