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

function labelOf(read: MsgHdrs | null): Label | null {
  const [epoch, to] = [read?.get(EPOCH) ?? "", read?.get(TO) ?? ""];
  if (!EPOCH_TEXT.test(epoch) || !WHOLE.test(to)) return null;
  return { epoch, to: Number(to) };
}

function sentMsOf(read: MsgHdrs | null): number | null {
  const sent = read?.get(SENT) ?? "";
  return WHOLE.test(sent) ? Number(sent) : null;
}

/** Where a frame lies. `pending`: frames behind it. */
export interface Lying {
  readonly position: number;
  readonly storedMs: number | null;
  readonly pending: number;
}

export function carriedFrame(subject: string, lying: Lying, read: MsgHdrs | null, body: Uint8Array): CarriedFrame {
  const host = subject.split(".")[1] ?? "";
  return { ...lying, host, label: labelOf(read), sentMs: sentMsOf(read), body };
}
